"""Network classes as courses teach them: `weights` with the bias as first row, updates through scheduler objects."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np

from backprop.errors import UsageError
from backprop.examiner.subject.adapters.batches import give_rows
from backprop.examiner.subject.protocol.subjects import Subject

__all__ = ["is_network", "subject_from_network"]

BACKWARD = re.compile(r"_*(back_?prop\w*|backward\w*)", re.IGNORECASE)
FORWARD = re.compile(r"_*(feed_?forward\w*|forward\w*)", re.IGNORECASE)
SCHEDULERS = re.compile(r"sched|optimi[sz]er", re.IGNORECASE)
CLASSES = re.compile(r"entropy|logistic|log_?reg|softmax|sigmoid", re.IGNORECASE)
ROWS = 12


def subject_from_network(
    network: Any,
    X: Any = None,
    Y: Any = None,
    *,
    cost: Callable[[Any, Any], Any] | None = None,
    penalty: float = 0.0,
    label: str | None = None,
) -> Subject:
    """Make a subject of a network object whose backward pass updates through schedulers.

    The object has `weights` (one matrix a layer, shape (1 + inputs, outputs), the first row is the bias), a forward
    method (`_feedforward`, `forward` …), a backward method (`_backpropagate`, `backward` …; of (X, t, lam) it takes as
    many as it names), and schedulers whose `update_change(gradient)` returns the change: two lists, one for weights
    and one for biases, or one list for whole matrices.

    Recording schedulers take their place: what each is handed is the gradient of its matrix. They return no change
    for the gradients, and rate · gradient for the step, so that weights that are updated while the error still goes
    back are seen. Parameters: X, Y are data, one row a sample (drawn if left out); `cost(outputs, Y)` replaces
    `network.cost_func(Y)(outputs)`; `penalty` is λ: it is handed to the backward method, and (λ/2) Σ W²
    without the biases is added to the cost. Raises UsageError if one of the parts cannot be found.

    >>> import backprop
    >>> class Line:
    ...     def __init__(self):
    ...         self.weights, self.schedulers_weight, self.schedulers_bias = [np.ones((3, 2))], [], []
    ...     def fit(self, X, t, scheduler): ...
    ...     def cost_func(self, t):
    ...         return lambda outputs: np.sum((outputs - t) ** 2) / 2
    ...     def _feedforward(self, X):
    ...         self.a = np.hstack([np.ones((len(X), 1)), X])
    ...         return self.a @ self.weights[0]
    ...     def _backpropagate(self, X, t, lam):
    ...         delta = self.a @ self.weights[0] - t
    ...         change = self.schedulers_weight[0].update_change(self.a[:, 1:].T @ delta)
    ...         shift = self.schedulers_bias[0].update_change(0.01 * delta.sum(axis=0, keepdims=True))  # no 0.01 here
    ...         self.weights[0] -= np.vstack([shift, change])
    >>> finding = backprop.verify(backprop.subject_from_network(Line())).findings[0]
    >>> finding.equation, finding.layer, finding.parameters
    ('BP3', 1, ('b1',))
    """
    adapter = _NetworkAdapter(network, cost, penalty)
    inputs, targets = (X, Y) if X is not None and Y is not None else adapter.draw_data()
    adapter.data = give_rows(inputs, _as_columns(targets))
    return Subject(adapter, label or f"network class {type(network).__name__}")


def is_network(thing: Any) -> bool:
    """Whether an object, or what a class makes, looks like such a network."""
    kind = thing if inspect.isclass(thing) else type(thing)
    if not callable(getattr(kind, "fit", None)) or not (_find(kind, BACKWARD) and _find(kind, FORWARD)):
        return False
    weights = getattr(thing, "weights", None)
    return inspect.isclass(thing) or (isinstance(weights, list) and all(np.ndim(W) == 2 for W in weights))


@dataclass
class _Recorder:
    """Stands where a scheduler would: keeps what it is handed, returns rate times it."""

    log: list[tuple[_Recorder, Any]]
    layer: int | None
    part: str
    rate: float = 0.0
    eta: float = 0.0

    def update_change(self, gradient: Any) -> Any:
        """Keep the gradient; the change is nothing when the rate is zero."""
        self.log.append((self, np.array(gradient)))
        return self.rate * np.asarray(gradient)

    def reset(self) -> None:
        """A scheduler has this method; nothing is remembered here."""


class _NetworkAdapter:
    """The network object, with its weights and schedulers put in from outside."""

    data: Callable[..., tuple[Any, Any]]

    def __init__(self, network: Any, cost: Callable[[Any, Any], Any] | None, penalty: float) -> None:
        self.network, self.penalty = network, penalty
        kind = type(network)
        self.name = kind.__name__
        if not is_network(network) or not network.weights:
            raise UsageError(
                f"{self.name} is no network object of this kind; it needs `weights`, a list of matrices with the "
                "bias as first row, `fit`, a forward and a backward method"
            )
        self.shapes = [np.shape(W) for W in network.weights]
        self.backward_name, self.forward_name = _find(kind, BACKWARD), _find(kind, FORWARD)
        self.given_cost = cost
        if cost is None and not callable(getattr(network, "cost_func", None)):
            raise UsageError(
                f"{self.name} has no cost_func(targets); write a file with "
                "subject = backprop.subject_from_network(network, cost=lambda outputs, Y: …)"
            )
        self.slots = [name for name in vars(network) if SCHEDULERS.search(name)]
        if not self.slots:
            raise UsageError(f"{self.name} has no attribute for its schedulers; set it to an empty list in __init__")

    def parameters(self, rng: np.random.Generator) -> list[tuple[Any, Any]]:
        """Normal draws, of the size that keeps the variance of what goes through."""
        return [
            (rng.normal(size=(rows - 1, columns)) / np.sqrt(max(rows - 1, 1)), rng.normal(size=columns) / 2)
            for rows, columns in self.shapes
        ]

    def draw_data(self) -> tuple[Any, Any]:
        """Inputs at random, and targets that the names of cost and output let us expect."""
        rng = np.random.default_rng(0)
        inputs, outputs = self.shapes[0][0] - 1, self.shapes[-1][1]
        X = rng.normal(size=(ROWS, inputs))
        names = [getattr(getattr(self.network, name, None), "__name__", "") for name in ("cost_func", "output_func")]
        if not any(CLASSES.search(name) for name in names):
            return X, rng.normal(size=(ROWS, outputs))
        if outputs == 1:
            return X, rng.integers(2, size=(ROWS, 1)).astype(float)
        return X, np.eye(outputs)[rng.integers(outputs, size=ROWS)]

    def cost(self, params: Any, X: Any, Y: Any) -> Any:
        """The network's cost of its outputs, and the penalty."""
        outputs = self.forward(params, X)
        given = self.given_cost(outputs, Y) if self.given_cost is not None else self.network.cost_func(Y)(outputs)
        return given + (self.penalty / 2 * sum(np.sum(W * W) for W, _ in params) if self.penalty else 0.0)

    def forward(self, params: Any, X: Any) -> Any:
        """The outputs."""
        with self._holding(params, 0.0):
            return getattr(self.network, self.forward_name)(X)

    def gradients(self, params: Any, X: Any, Y: Any) -> list[tuple[Any, Any]]:
        """What the recorders were handed, when nothing changes while the error goes back."""
        with self._holding(params, 0.0) as log:
            self._go_back(X, Y)
        return self._sort(log)

    def step(self, params: Any, X: Any, Y: Any, rate: float) -> list[tuple[Any, Any]]:
        """The weights after one update, the change being rate times the gradient."""
        with self._holding(params, rate):
            self._go_back(X, Y)
            return [(np.array(W[1:]), np.array(W[0])) for W in self.network.weights]

    def _go_back(self, X: Any, Y: Any) -> None:
        getattr(self.network, self.forward_name)(X)
        backward = getattr(self.network, self.backward_name)
        wanted = [p for p in inspect.signature(backward).parameters.values() if p.kind is p.POSITIONAL_OR_KEYWORD]
        order = {1: (Y,), 2: (X, Y), 3: (X, Y, self.penalty)}
        if wanted and len(wanted) not in order:
            raise UsageError(f"{self.name}.{self.backward_name} takes {len(wanted)} arguments; (X, t, lam) are known")
        backward(*order.get(len(wanted), ()))

    @contextmanager
    def _holding(self, params: Any, rate: float) -> Iterator[list[tuple[_Recorder, Any]]]:
        """Put weights and recorders into the network; afterwards its own are back."""
        network, log = self.network, []  # type: ignore[var-annotated]
        kept = {name: getattr(network, name) for name in ("weights", *self.slots)}
        try:
            network.weights = [np.vstack([np.reshape(b, (1, -1)), W]) for W, b in params]
            for name in self.slots:
                setattr(network, name, self._record(name, kept[name], rate, log))
            yield log
        finally:
            for name, value in kept.items():
                setattr(network, name, value)

    def _record(self, name: str, own: Any, rate: float, log: list[tuple[_Recorder, Any]]) -> Any:
        part = "b" if "bias" in name.lower() else "W" if "weight" in name.lower() else ""
        eta = float(getattr(own, "eta", rate) or rate)
        if not isinstance(own, list):
            return _Recorder(log, None, part, rate, eta)
        return [_Recorder(log, layer, part, rate, rate) for layer in range(len(self.shapes))]

    def _sort(self, log: Sequence[tuple[_Recorder, Any]]) -> list[tuple[Any, Any]]:
        """What was handed over, as a pair (dW, db) for each layer."""
        found: list[dict[str, Any]] = [{} for _ in self.shapes]
        orphans = [(recorder, gradient) for recorder, gradient in log if recorder.layer is None]
        if orphans and len(orphans) != len(self.shapes):
            raise UsageError(
                f"{self.name} handed {len(orphans)} gradients to one scheduler for {len(self.shapes)} layers; "
                "use a list of schedulers, one a layer"
            )
        for place, (recorder, gradient) in enumerate(log):
            # One scheduler for all layers is handed the last layer first.
            layer = len(self.shapes) - 1 - place if recorder.layer is None else recorder.layer
            parts = {recorder.part: gradient} if recorder.part else {"b": gradient[:1], "W": gradient[1:]}
            for part, value in parts.items():
                if part in found[layer]:
                    raise UsageError(f"{self.name} hands the gradient of layer {layer + 1} to its scheduler twice")
                found[layer][part] = value
        return [(one.get("W"), None if one.get("b") is None else _as_row(one["b"])) for one in found]


def _find(kind: type, pattern: re.Pattern[str]) -> str:
    """The method of that kind of name; the shortest if there are several."""
    names = [name for name in dir(kind) if pattern.fullmatch(name) and callable(getattr(kind, name))]
    return min(names, key=lambda name: (len(name), name), default="")


def _as_row(bias: Any) -> Any:
    """(1, outputs) as (outputs,); any other shape is left for the judge to see."""
    return bias[0] if np.ndim(bias) == 2 and len(bias) == 1 else bias


def _as_columns(targets: Any) -> Any:
    array = np.array(targets)
    return array.reshape(-1, 1) if array.ndim == 1 else array
