"""Whether a number of the iteration is of other data than the gradient: then it says nothing about the gradient."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from backprop.attaching.costing.costs import CostCandidate
from backprop.attaching.costing.fitting import evaluate_or_nothing, gradient_reader
from backprop.attaching.costing.rates import GradientFlow
from backprop.attaching.running.leaves import LONGEST, NumberLeaf, Place, find_leaves, read, to_array
from backprop.attaching.running.repeating import Iteration
from backprop.attaching.running.replaying import IterationRecorder, Key
from backprop.attaching.running.states import Names

__all__ = ["compare_rows", "uses_other_rows"]

MOST_ROWS = 24
"""Rows of one array that are changed one by one, from its first to its last."""
MOST_CHANGES = 160


def uses_other_rows(flow: GradientFlow, candidates: Sequence[CostCandidate]) -> set[int]:
    """Which of the candidates depend on a row of the data on which the gradient of no parameter does, by index."""
    return compare_rows(flow, candidates)[0]


def compare_rows(flow: GradientFlow, candidates: Sequence[CostCandidate]) -> tuple[set[int], set[int]]:
    """(those that depend on a row of the data on which the gradient of no parameter does, those that do not depend on
    one on which it does), by index; found by changing one row after the other."""
    made = dict(enumerate(candidates))
    data = _list_data(flow.iteration)
    rows = _list_rows(flow.iteration.snapshot.names)
    if not made or not (data or rows):
        return set(), set()
    asked = _Asked(flow, data)
    plain = asked.measure(made)
    units: list[tuple[Any, Any]] = [(k, where) for k, leaf in enumerate(data) for where in _list_units(asked.values[k])]
    units += rows
    felt = _Felt(len(made))
    for j in _spread(len(units), MOST_CHANGES):
        try:
            measured = asked.measure(made, units[j])
        except Exception:  # the program's own, at data that it did not choose: nothing is told by that
            continue
        felt.add(measured, plain, table=not _is_vector(data, units[j]))
        if len(felt.beyond) == len(made):
            break
    return felt.beyond | (felt.beside - felt.tabled), felt.short


@dataclass
class _Felt:
    """Which candidates feel units of the data that the gradient does not feel, or the other way round.

    Weights of classes or samples stand in a vector beside the data: that a gradient lacks them is its fault.
    """

    count: int
    beyond: set[int] = field(default_factory=set)
    """Those that feel a row of a table that the gradient does not feel."""
    beside: set[int] = field(default_factory=set)
    """The same of an entry of a vector."""
    tabled: set[int] = field(default_factory=set)
    """Those that feel a table."""
    short: set[int] = field(default_factory=set)
    """Those that do not feel what the gradient feels."""

    def add(self, measured: tuple[list[Any], Any], plain: tuple[list[Any], Any], *, table: bool) -> None:
        """What changes with one unit."""
        (gradients, numbers), (others, before) = measured, plain
        feels = not all(np.array_equal(a, b, equal_nan=True) for a, b in zip(gradients, others, strict=True))
        differs = {i for i in range(self.count) if not _is_same(numbers.get(i), before.get(i))}
        self.tabled |= differs if table else set()
        if feels:
            self.short |= set(range(self.count)) - differs
        elif table:
            self.beyond |= differs
        else:
            self.beside |= differs


def _is_vector(data: Sequence[NumberLeaf], unit: tuple[Any, Any]) -> bool:
    """Whether a unit is an entry of a vector."""
    return isinstance(unit[0], int) and np.ndim(data[unit[0]].value) < 2


def _is_same(one: float | None, other: float | None) -> bool:
    return one == other or (one is not None and other is not None and np.isnan(one) and bool(np.isnan(other)))


class _Asked:
    """The iteration as a function of its data, at its own parameters."""

    def __init__(self, flow: GradientFlow, data: Sequence[NumberLeaf]) -> None:
        self.values: list[Any] = [to_array(leaf.value) for leaf in data]
        self.data = data
        self.flow = flow

    def measure(self, made: dict[int, CostCandidate], unit: tuple[Any, Any] | None = None) -> tuple[list[Any], Any]:
        """(gradients, numbers) with one unit of the data changed."""
        iteration = self.flow.iteration.like(self.flow.leaves)
        if unit is not None and isinstance(unit[0], str):
            _change_row(iteration, *unit)
        elif unit is not None:
            k, where = unit
            value = self.values[k].copy()
            value[where] = value[where] * 1.25 + 0.1
            iteration.placed = ((self.data[k], value),)
        gradients = gradient_reader(replace(self.flow, iteration=iteration))(iteration.start)
        recorder: IterationRecorder = iteration.freeze(wanted=frozenset(s for one in made.values() for s in one.sites))
        names = iteration.run_names(None, recorder)
        values = recorder.made()
        numbers = {i: evaluate_or_nothing(one, values, names) for i, one in made.items() if _is_there(one, values)}
        return [np.zeros(0) if one is None else np.array(one) for one in gradients], numbers


def _is_there(candidate: CostCandidate, values: Mapping[Key, Any]) -> bool:
    return candidate.key is None or candidate.key in values


def _list_data(iteration: Iteration) -> list[NumberLeaf]:
    """Arrays that the iteration may read, beside its parameters; of a long list, some items."""
    names = iteration.snapshot.names
    known = {place for leaf in (*iteration.leaves, *iteration.emptied) for place in leaf.places}
    leaves = [*find_leaves(names), *_look_into_long(names)]
    arrays = [leaf for leaf in leaves if not known & set(leaf.places) and not isinstance(leaf.value, float)]
    return [leaf for leaf in arrays if (value := to_array(leaf.value)) is not None and value.size]


def _look_into_long(names: Any) -> Iterator[NumberLeaf]:
    for name in names:
        value = names[name]
        if isinstance(value, list) and len(value) > LONGEST:
            for i in _spread(len(value), MOST_ROWS):
                inside = range(len(value[i])) if isinstance(value[i], tuple | list) else ()
                place: Place = (("name", name), ("item", i))
                for spot in [(*place, ("item", j)) for j in inside] or [place]:
                    if isinstance(read(names, spot), np.ndarray):
                        yield NumberLeaf((spot,), read(names, spot))


def _list_rows(names: Any) -> list[tuple[str, int]]:
    """Some rows of long lists that are tuples with floats among them, as (name of the list, place)."""
    return [
        (name, i) for name in names if isinstance(names[name], list) and len(names[name]) > LONGEST
        for i in _spread(len(names[name]), MOST_ROWS)
        if isinstance(names[name][i], tuple) and any(isinstance(one, float) for one in names[name][i])
    ]  # fmt: skip


def _change_row(iteration: Iteration, name: str, i: int) -> None:
    before = iteration.adjust

    def adjust(names: Names) -> None:
        before(names)
        row = names[name][i]
        changed = [one * 1.25 + 0.1 if isinstance(one, float) else one for one in row]
        names[name] = [*names[name][:i], row._make(changed) if hasattr(row, "_make") else tuple(changed),
                       *names[name][i + 1 :]]  # fmt: skip

    iteration.adjust = adjust


def _list_units(value: Any) -> list[Any]:
    """Samples stand in rows or in columns; a vector is one sample, or has one in each entry."""
    return [
        (*[slice(None)] * axis, i)
        for axis in range(min(value.ndim, 2))
        for i in _spread(value.shape[axis], MOST_ROWS)
    ]  # fmt: skip


def _spread(length: int, most: int) -> list[int]:
    return sorted({int(i) for i in np.linspace(0, length - 1, min(length, most))}) if length else []
