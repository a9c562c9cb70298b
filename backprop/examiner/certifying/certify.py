"""Certify: a computed gradient against the true one, in balls, at one set of parameters and one batch.

The true gradient is found by forward mode from the cost alone: every parameter in turn gets a slope of 1, which is
carried through the layers as a dual number of balls.  The formulas that are judged (backward mode) are not used, and
activations come from their definitions in `balls`.  The word is "certified" for this input, with rounding included.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from types import MappingProxyType
from typing import Any

import numpy as np
from flint import arb, arb_mat

from backprop.errors import UsageError, unknown_name
from backprop.examiner.certifying.balls import ACTIVATIONS, BallDual, precision
from backprop.shown import ShownAsText

__all__ = ["MAX_WORK", "GradientCertificate", "certify"]

START_BITS, MOST_BITS = 256, 4096
SHARP = 2.0**-70  # radius of a true entry against the largest of its tensor, at most
MAX_WORK = 30_000_000  # rows times parameters times widths
LIMIT = 4096.0  # ulps of the largest entry, beyond which a gradient is not what its formula says

Outputs = list[list[BallDual]]


@dataclass(frozen=True)
class GradientCertificate(ShownAsText):
    """For every tensor: no entry is further from the truth than this many ulps of the tensor's largest entry."""

    ulps: Mapping[str, float]
    bits: int
    rows: int
    dtype: str
    limit: float = LIMIT

    @property
    def ok(self) -> bool:
        """Whether every tensor is within the limit."""
        return all(ulps <= self.limit for ulps in self.ulps.values())

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON types."""
        ulps = {name: value if np.isfinite(value) else None for name, value in self.ulps.items()}
        out = {"level": "certified", "ok": self.ok, "ulps_of_largest_entry": ulps, "limit": self.limit}
        return out | {"bits": self.bits, "rows": self.rows, "dtype": self.dtype}

    def __str__(self) -> str:
        worst = max(self.ulps, key=lambda name: self.ulps[name])
        word = "certified" if self.ok else "NOT certified"
        return (
            f"{word}: {self.dtype}, batch of {self.rows}: each entry within {self.ulps[worst]:.3g} ulp of the largest "
            f"entry of its tensor ({worst}); true gradient by forward mode of the cost in balls of {self.bits} bits"
        )


# -------------------------------------------------------------------------------------- costs, from their definitions


def square_errors(outputs: Outputs, targets: Outputs) -> BallDual:
    """ΣΣ (a - y)²."""
    return add(
        (a - y) * (a - y) for row, goal in zip(outputs, targets, strict=True) for a, y in zip(row, goal, strict=True)
    )


def softmax_logs(row: list[BallDual]) -> list[BallDual]:
    """log softmax: z_j - log Σ e^z_k, from the largest on, so that nothing is lost far out."""
    top = max((z.value.mid() for z in row), key=float)
    total = add((z - top).exp() for z in row).log()
    return [z - top - total for z in row]


def sigmoid_logs(row: list[BallDual]) -> list[BallDual]:
    """log sigmoid of every entry."""
    return [ACTIVATIONS["log_sigmoid"](z) for z in row]


def entropy(logs: Callable[[list[BallDual]], list[BallDual]], both: bool) -> Callable[[Outputs, Outputs], BallDual]:
    """-ΣΣ y log a, of z; `both` adds (1 - y) log(1 - a)."""

    def cost(rows: Outputs, targets: Outputs) -> BallDual:
        terms = [y * u for row, goal in zip(rows, targets, strict=True) for y, u in zip(goal, logs(row), strict=True)]
        if both:
            for row, goal in zip(rows, targets, strict=True):
                terms += [(1 - y) * u for y, u in zip(goal, sigmoid_logs([-z for z in row]), strict=True)]
        return -add(terms)

    return cost


def add(terms: Iterable[BallDual]) -> BallDual:
    """A sum of dual numbers."""
    return sum(terms, BallDual.of(0))


LOGS: Mapping[str, Callable[[list[BallDual]], list[BallDual]]] = MappingProxyType(
    {"softmax": softmax_logs, "sigmoid": sigmoid_logs}
)


def choose_cost(
    name: str, output: str, sizes: Sequence[int], rows: int
) -> tuple[Callable[[Outputs, Outputs], BallDual], arb]:
    """The cost of one row as a function of (z^L or a^L, y), and the number it is divided by."""
    if name in ("half-sse", "mse"):
        return square_errors, arb(2 if name == "half-sse" else rows * sizes[-1])
    if name in ("cross-entropy", "binary-cross-entropy"):
        return entropy(LOGS[output], name == "binary-cross-entropy"), arb(rows)
    raise unknown_name("cost", name, ["half-sse", "mse", "cross-entropy", "binary-cross-entropy"])


# -------------------------------------------------------------------------------------- forward mode


def softmax(row: list[BallDual]) -> list[BallDual]:
    """exp of its logarithm."""
    return [u.exp() for u in softmax_logs(row)]


class Truth:
    """The network of one batch in balls, one sample at a time."""

    def __init__(self, sizes: Sequence[int], layers: Sequence[str], cost: str, params: Any, rows: int) -> None:
        self.layers, self.cost_name = layers, cost
        self.weights = [to_matrix(W) for W, _ in params]
        self.biases = [to_matrix(np.asarray(b).reshape(1, -1)) for _, b in params]
        self.cost, self.divisor = choose_cost(cost, layers[-1], sizes, rows)

    def run(self, x: Any, y: Any) -> list[tuple[list[list[arb]], list[arb]]]:
        """The slopes of the cost of one sample by every weight and bias, layer by layer."""
        activations = [to_matrix(np.asarray(x).reshape(1, -1))]
        slopes: list[list[arb]] = []
        for name, W, b in zip(self.layers, self.weights, self.biases, strict=True):
            z = activations[-1] * W + b
            last = name == "softmax" or len(slopes) == len(self.layers) - 1
            pairs = [BallDual(u, arb(1)) if last else ACTIVATIONS[name](BallDual(u, arb(1))) for u in z.entries()]
            slopes.append([pair.slope for pair in pairs])
            activations.append(arb_mat(1, len(pairs), [pair.value for pair in pairs]))
        goal = [BallDual.of(arb(float(value))) for value in y]
        return [self.sweep(layer, activations, slopes, goal) for layer in range(len(self.layers))]

    def sweep(
        self, layer: int, activations: list[arb_mat], slopes: list[list[arb]], goal: list[BallDual]
    ) -> tuple[Any, Any]:
        """Slopes by b_j and w_ij of a layer: z_j gets the slope 1 (times a_i), which is carried to the cost.

        All w_ij of one j differ from b_j by the factor a_i, and slopes are linear, so one sweep serves them all.
        """
        width = len(slopes[layer])
        tangents = arb_mat(width, width, [arb(i == j) for i in range(width) for j in range(width)])
        for later in range(layer, len(self.layers) - 1):
            scale = arb_mat(len(slopes[later]), len(slopes[later]))
            for k, slope in enumerate(slopes[later]):
                scale[k, k] = slope
            tangents = tangents * scale * self.weights[later + 1]
        outputs = activations[-1].entries()
        by_bias = [
            self.finish([BallDual(z, tangents[j, k]) for k, z in enumerate(outputs)], goal) for j in range(width)
        ]
        inputs = activations[layer].entries()
        return [[a * slope for slope in by_bias] for a in inputs], by_bias

    def finish(self, z: list[BallDual], goal: list[BallDual]) -> arb:
        """The output function and the cost, on dual numbers."""
        if self.cost_name in ("half-sse", "mse"):
            z = softmax(z) if self.layers[-1] == "softmax" else [ACTIVATIONS[self.layers[-1]](u) for u in z]
        slope: arb = self.cost([z], [goal]).slope / self.divisor
        return slope


def to_matrix(array: Any) -> arb_mat:
    """Floats as exact balls."""
    rows = np.asarray(array, dtype=np.float64)
    return arb_mat([[arb(float(value)) for value in row] for row in rows])


def certify(
    sizes: Sequence[int], layers: Sequence[str], cost: str, params: Any, X: Any, Y: Any, gradients: Any
) -> GradientCertificate:
    """Bound the error of `gradients`, rounding included, at these parameters and this batch.

    Parameters: `layers` are the names of the activations of layers 1..L, the last may be "softmax"; params and
    gradients are lists of (W, b); X (n, M_0), Y (n, M_L).
    Errors: UsageError for an activation without a definition in balls, or a network too large for this.

    >>> W, b, X, Y = np.array([[2.0]]), np.array([0.0]), np.array([[1.0]]), np.array([[1.0]])
    >>> certify((1, 1), ["identity"], "half-sse", [(W, b)], X, Y, [(np.array([[1.0]]), np.array([1.0]))]).ok
    True
    """
    check_size(sizes, layers, len(X))
    bits = START_BITS
    while True:
        with precision(bits):
            truth = add_samples(Truth(sizes, layers, cost, params, len(X)), X, Y)
            ulps, sharp = compare(truth, gradients)
        if sharp or bits >= MOST_BITS:
            return GradientCertificate(ulps, bits, len(X), str(np.asarray(gradients[0][0]).dtype))
        bits *= 2


def check_size(sizes: Sequence[int], layers: Sequence[str], rows: int) -> None:
    """Known activations, and not more work than a minute or so."""
    for name in layers:
        if name not in ACTIVATIONS and name != "softmax":
            raise UsageError(
                f"certification knows the definitions of {', '.join(ACTIVATIONS)} and softmax, got {name!r}; "
                "choose one of these"
            )
    work = rows * sum(b * (a + b) * len(sizes) for a, b in pairwise(sizes)) + rows * sum(sizes) * sizes[-1]
    if work > MAX_WORK:
        raise UsageError(f"{'-'.join(map(str, sizes))} with {rows} rows is too large to certify; use smaller layers")


def add_samples(truth: Truth, X: Any, Y: Any) -> list[Any]:
    """[W1, b1, W2, …] as nested lists of balls, summed over the batch."""
    total: list[Any] = []
    for x, y in zip(X, Y, strict=True):
        tensors = [np.array(tensor, dtype=object) for pair in truth.run(x, y) for tensor in pair]
        total = [a + b for a, b in zip(total, tensors, strict=True)] if total else tensors
    return total


def compare(truth: list[Any], gradients: Any) -> tuple[dict[str, float], bool]:
    """The largest error of every tensor in ulps of its largest entry, and whether the truth is sharp enough."""
    ulps, sharp = {}, True
    computed = [np.asarray(tensor) for pair in gradients for tensor in pair]
    for place, (true, found) in enumerate(zip(truth, computed, strict=True)):
        name = f"{'Wb'[place % 2]}{place // 2 + 1}"
        largest = max(float(abs(ball).mid()) for ball in true.flat)
        radius = max(float(ball.rad()) for ball in true.flat)
        errors = [abs(arb(float(f)) - t).abs_upper() for f, t in zip(found.flat, true.flat, strict=True)]
        error = max(float(e) for e in errors) if np.isfinite(found).all() and true.shape == found.shape else np.inf
        unit = float(np.spacing(found.dtype.type(largest)))
        ulps[name] = error / unit if error else 0.0
        sharp = sharp and (radius <= SHARP * largest)
    return ulps, sharp
