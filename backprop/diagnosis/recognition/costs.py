"""The cost of a recognised forward pass: factor, base and penalties, fitted to values at several parameter draws."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np

from backprop.codegen.lowering.lower import lower
from backprop.codegen.lowering.nodes import Call, Name, SumAll, rewrite
from backprop.codegen.lowering.program import Program
from backprop.diagnosis.model.evaluate import OPERATIONS, Array, Function, Values, evaluate
from backprop.diagnosis.model.net import MEASURED
from backprop.specification.network import Network

__all__ = ["FUSED", "GUARDED", "NOISES", "RESIDUALS", "CostFit", "base_costs", "fit_cost", "list_pairs", "program_for"]

PLACEHOLDER = "tanh"
CLOSE = 1e-8
NOISES = 100.0
SHORT = 1e-8
GUARDED, SHORT_GUARDED = 1e-5, 1e-3
QUIET = 1e-11
SMALLEST_PENALTY = 1e-7


@dataclass(frozen=True)
class CostFit:
    """cost = scale · base + ½ Σ_l (penalty_W[l] Σ W_l² + penalty_b[l] Σ b_l²) + constant, at one batch.

    `absolute`: Σ_l penalty_W[l] Σ |W_l| instead of the squares of the weights.
    """

    scale: float
    penalty_W: tuple[float, ...]
    penalty_b: tuple[float, ...]
    absolute: bool = False


@lru_cache(maxsize=256)
def program_for(sizes: tuple[int, ...], output: str, cost: str) -> Program:
    """The right program with placeholders for the hidden activations."""
    hidden = (PLACEHOLDER,) * (len(sizes) - 2)
    if cost not in (*RESIDUALS, MEASURED):
        return lower(Network.parse(sizes, hidden, output, cost))
    program = lower(Network.parse(sizes, hidden, output, "half-sse"))
    if cost == MEASURED:
        given = replace(program.backward[0], value=Name(MEASURED, ("n", sizes[-1])))
        return replace(program, backward=(given, *program.backward[1:]))
    gap = Name(f"a{program.depth}", ("n", sizes[-1])) - Name("Y", ("n", sizes[-1]))
    first = program.backward[0]
    slope = rewrite(first.value, lambda node: Call("cost_prime", gap) if node == gap else None)
    backward = (replace(first, value=slope), *program.backward[1:])
    return replace(program, cost=SumAll(Call("residual_cost", gap)), backward=backward)


def shorten(value: float, close: float) -> float:
    """The number of few digits, or of the form p/q, that a fitted one stands for."""
    for q in (1, 2, 3, 5, 6, 7, 8, 12, 16, 32, 64, 10, 100, 1000, 10_000, 100_000):
        short = round(value * q) / q
        if short and abs(short - value) <= close * abs(value):
            return short
    return value


RESIDUALS = {
    "absolute error": "abs(x)",
    "log-cosh": "log(cosh(x))",
    "Huber": "abs(x)*min(abs(x),1) - min(abs(x),1)**2/2",
}
"""Costs Σ g(a − y), by g."""


FUSED = (("softmax", "cross-entropy"), ("sigmoid", "binary-cross-entropy"))
"""Output functions with the cost whose derivative swallows theirs."""


def list_pairs(output: str, width: int) -> list[tuple[str, str]]:
    """(output, cost) that the values of forward may belong to; a forward pass may end in logits."""
    pairs = [(name, cost) for name, cost in FUSED if output in (name, "identity")]
    found = [*pairs, (output, "half-sse")]
    if output == "identity":
        found = [found[-1], *pairs, *((name, "half-sse") for name, _ in FUSED)]
    if output != "softmax":
        found += [(output, cost) for cost in RESIDUALS]
    return [pair for pair in found if pair[0] != "softmax" or width > 1]


def base_costs(
    program: Program, output: Function, tops: Sequence[Array], Y: Array, functions: Mapping[str, Function]
) -> Array:
    """The catalogue's cost at each z^L, behind an output function: all rows at once, each z^L with a sum of its own."""
    depth, count, z = program.depth, len(tops), np.concatenate(tops)
    values: Values = {f"z{depth}": z, f"a{depth}": output(z), "Y": np.tile(Y, (count, 1))}
    values["n"] = np.float64(len(tops[0]))  # type: ignore[assignment]
    each = OPERATIONS | {SumAll: lambda x: np.sum(x.reshape(count, -1), axis=1)}
    return evaluate(program.cost, values, functions, each)


def fit_cost(
    bases: Array | Sequence[float], costs: Array | Sequence[float], draws: Sequence[Values], depth: int, noise: float
) -> CostFit | None:
    """The factor and the penalties that make a base the subject's cost at every draw; None if there are none.

    A cost that guards its logarithm, log(a + 1e-8) say, fits less closely: a second look allows for that.
    """
    fit = fit_penalties(bases, costs, draws, depth, noise)
    return fit or fit_penalties(bases, costs, draws, depth, noise, absolute=True)


def fit_penalties(
    bases: Array | Sequence[float],
    costs: Array | Sequence[float],
    draws: Sequence[Values],
    depth: int,
    noise: float,
    *,
    absolute: bool = False,
) -> CostFit | None:
    """The same with penalties of one kind on the weights, squares or absolute values."""
    columns = [np.asarray(bases)]
    for letter in "Wb":
        for layer in range(1, depth + 1):
            arrays = [draw[f"{letter}{layer}"] for draw in draws]
            kind = absolute and letter == "W"
            columns.append(np.array([np.sum(np.abs(a)) if kind else 0.5 * np.sum(a**2) for a in arrays]))
    matrix = np.stack([*columns, np.ones(len(draws))], axis=1)
    target = np.asarray(costs)
    if not (np.isfinite(matrix).all() and np.isfinite(target).all()):
        return None
    sizes = np.linalg.norm(matrix, axis=0)
    sizes[sizes == 0] = 1.0
    found = np.linalg.lstsq(matrix / sizes, target, rcond=None)[0] / sizes
    gap, size = float(np.max(np.abs(matrix @ found - target))), float(np.max(np.abs(target)))
    looks = ((CLOSE, SHORT), (GUARDED, SHORT_GUARDED)) if noise < QUIET * size else ((CLOSE, SHORT_GUARDED),)
    for close, short in looks:
        room = close * size + NOISES * noise
        if gap <= room and abs(found[0]) > SMALLEST_PENALTY:
            floor = SMALLEST_PENALTY * abs(found[0]) + 10 * room
            numbers = [shorten(float(p), short) if abs(p) > floor else 0.0 for p in found[1:-1]]
            scale = shorten(float(found[0]), short)
            return CostFit(scale, tuple(numbers[:depth]), tuple(numbers[depth:]), absolute)
    return None
