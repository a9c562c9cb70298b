"""Objects and live arrays: what somebody has in an interpreter, as a subject, without a file to read."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from backprop.attaching.nesting import nest
from backprop.attaching.running.leaves import NumberLeaf, find_leaves, put, read, to_array
from backprop.errors import UsageError
from backprop.examiner.subject.protocol.subjects import Subject

__all__ = ["subject_from_object", "subject_from_update", "subject_from_values"]

RATES = (1.0, 0.5)
SAME = 1e-6


def subject_from_object(
    obj: Any,
    cost: Callable[[Any], Any],
    gradients: Callable[[Any], Sequence[Any]],
    *,
    parameters: Sequence[str] | None = None,
    label: str | None = None,
) -> Subject:
    """Make a subject of an object that holds its parameters.

    Parameters: `cost(obj)` is a number, `gradients(obj)` gives one array a parameter, in their order; `parameters` are
    attribute names (lists and dicts are gone into); without them, all arrays on which the cost depends, in the order in
    which the object holds them. The object stays as it is: each call gets a copy. Errors: UsageError if the cost
    depends on none of its arrays.

    >>> import backprop
    >>> class Line:
    ...     w, b = np.array([[1.0], [2.0]]), np.array([0.5])
    ...     def __init__(self): self.w, self.b = self.w.copy(), self.b.copy()
    >>> X, y = np.arange(6.0).reshape(3, 2), np.ones((3, 1))
    >>> error = lambda line: X @ line.w + line.b - y
    >>> subject = subject_from_object(
    ...     Line(), lambda line: np.sum(error(line) ** 2) / 2, lambda line: (X.T @ error(line), error(line).sum(axis=0))
    ... )
    >>> backprop.verify(subject).verdict
    'verified'
    """
    holder = _Holder(obj, cost, parameters)

    def run(params: Any) -> Any:
        found = gradients(holder.fill(params))
        row = list(found.values()) if isinstance(found, dict) else list(found)
        if len(row) != len(holder.leaves):
            raise UsageError(f"gradients gave {len(row)} arrays for the {len(holder.leaves)} parameters "
                             f"{', '.join(leaf.name for leaf in holder.leaves)}")  # fmt: skip
        return holder.pack([np.asarray(one, dtype=float) for one in row])

    return holder.subject(run, label)


def subject_from_update(
    obj: Any,
    cost: Callable[[Any], Any],
    update: Callable[[Any, float], Any],
    *,
    parameters: Sequence[str] | None = None,
    label: str | None = None,
) -> Subject:
    """Make a subject of an object and a call that trains it: the step gives the gradient.

    Parameters: `update(obj, rate)` changes the object's parameters; the rest as for `subject_from_object`. Parameters
    are the arrays that the cost depends on and the update moves. Errors: UsageError if there is none, or if the step is
    not in proportion to the rate (an optimiser with a memory, a clipping): then `subject_from_object` takes gradients.
    """
    holder = _Holder(obj, cost, parameters)
    moved = [holder.step(update, holder.start, rate) for rate in RATES]
    kept = [k for k, (a, b) in enumerate(zip(moved[0], holder.start, strict=True)) if not np.array_equal(a, b)]
    if not kept:
        raise UsageError("the update moves none of the arrays that the cost depends on")
    holder.keep(kept)

    def step(params: Any, X: Any, Y: Any, rate: float) -> Any:
        return holder.pack(holder.step(update, holder.unpack(params), rate))

    return holder.subject(None, label, step=step)


def subject_from_values(
    values: Any, cost: Callable[[], Any], gradients: Callable[[], Any], *, label: str | None = None
) -> Subject:
    """Make a subject of live arrays: `cost()` and `gradients()` read `values`, a nest of arrays, from where they are.

    Values are put into the arrays in place for each call and put back afterwards. Errors: UsageError if the nest holds
    no array of floats.

    >>> import backprop
    >>> w = np.array([1.0, 2.0])
    >>> backprop.verify(subject_from_values({"w": w}, lambda: np.sum(w**3), lambda: {"w": 3 * w**2})).verdict
    'verified'
    """
    live = _Live(values)
    functions = {
        "parameters": lambda rng: live.read(),
        "data": lambda rng: (np.zeros((0, 1)), np.zeros((0, 1))),
        "cost": lambda params, X, Y: live.holding(params, cost),
        "gradients": lambda params, X, Y: _repack(live.template, live.paths, live.holding(params, gradients)),
    }
    return Subject(functions, label or "live arrays")


class _Live:
    """Arrays that stay where they are."""

    def __init__(self, values: Any) -> None:
        self.leaves = [leaf for leaf in find_leaves({"values": values}) if isinstance(leaf.value, np.ndarray)]
        if not self.leaves or any(to_array(leaf.value) is None for leaf in self.leaves):
            raise UsageError("values must be a nest of arrays of floats, that cost() and gradients() read")
        self.template, self.paths = nest(self.leaves)

    def read(self) -> Any:
        """What is in them."""
        return _pack(self.template, self.paths, [leaf.value.copy() for leaf in self.leaves])

    def holding(self, params: Any, function: Callable[[], Any]) -> Any:
        """What a function gives while they hold other numbers."""
        kept = [leaf.value.copy() for leaf in self.leaves]
        try:
            for leaf, path in zip(self.leaves, self.paths, strict=True):
                leaf.value[...] = _at(params, path)
            return copy.deepcopy(function())
        finally:
            for leaf, value in zip(self.leaves, kept, strict=True):
                leaf.value[...] = value


class _Holder:
    """An object with parameters: copies of it with other values."""

    def __init__(self, obj: Any, cost: Callable[[Any], Any], parameters: Sequence[str] | None) -> None:
        self.obj, self.cost = obj, cost
        leaves = [leaf for leaf in find_leaves({"object": obj}) if to_array(leaf.value) is not None]
        if parameters is not None:
            leaves = [leaf for leaf in leaves if any(p[1][1] in parameters for p in leaf.places if len(p) > 1)]
        else:
            leaves = [leaf for leaf in leaves if self._matters(leaf)]
        if not leaves:
            raise UsageError(f"the cost depends on no array of the {type(obj).__name__}; name its parameters=")
        self.use(leaves)

    def use(self, leaves: Sequence[NumberLeaf]) -> None:
        """These are the parameters."""
        self.leaves = list(leaves)
        self.start: list[Any] = [to_array(leaf.value) for leaf in leaves]
        self.template, self.paths = nest(self.leaves)

    def keep(self, numbers: Sequence[int]) -> None:
        """Only some of them are."""
        self.use([self.leaves[k] for k in numbers])

    def _matters(self, leaf: NumberLeaf) -> bool:
        names = {"object": copy.deepcopy(self.obj)}
        before = self.cost(names["object"])
        value: Any = to_array(leaf.value)
        put(names, leaf, value + 1e-3 * (np.abs(value) + 1.0))
        return bool(self.cost(names["object"]) != before)

    def fill(self, params: Any) -> Any:
        """A copy of the object with these parameters."""
        return self._fill(self.unpack(params))

    def _fill(self, values: Sequence[Any]) -> Any:
        names = {"object": copy.deepcopy(self.obj)}
        for leaf, value in zip(self.leaves, values, strict=True):
            put(names, leaf, np.asarray(value))
        return names["object"]

    def step(self, update: Callable[[Any, float], Any], values: Sequence[Any], rate: float) -> list[Any]:
        """The parameters after an update."""
        trained = self._fill(values)
        update(trained, rate)
        return [to_array(read({"object": trained}, leaf.places[0])) for leaf in self.leaves]

    def pack(self, values: Sequence[Any]) -> Any:
        """Into the structure of the subject."""
        return _pack(self.template, self.paths, values)

    def unpack(self, params: Any) -> list[Any]:
        """Out of it."""
        return [_at(params, path) for path in self.paths]

    def subject(self, gradients: Callable[[Any], Any] | None, label: str | None, **more: Any) -> Subject:
        """The subject."""
        functions: dict[str, Any] = {
            "parameters": lambda rng: self.pack([np.array(value) for value in self.start]),
            "data": lambda rng: (np.zeros((0, 1)), np.zeros((0, 1))),
            "cost": lambda params, X, Y: self.cost(self.fill(params)),
        }
        if gradients is not None:
            functions["gradients"] = lambda params, X, Y: gradients(params)
        return Subject(functions | more, label or f"object {type(self.obj).__name__}")


def _pack(template: Any, paths: Sequence[tuple[Any, ...]], values: Sequence[Any]) -> Any:
    out = copy.deepcopy(template)
    for path, value in zip(paths, values, strict=True):
        owner = out
        for key in path[:-1]:
            owner = owner[key]
        owner[path[-1]] = value
    return out


def _repack(template: Any, paths: Sequence[tuple[Any, ...]], found: Any) -> Any:
    leaves = [leaf.value for leaf in find_leaves({"values": found})]
    return _pack(template, paths, leaves) if len(leaves) == len(paths) else found


def _at(params: Any, path: tuple[Any, ...]) -> Any:
    value = params
    for key in path:
        value = value[key]
    return np.asarray(value)
