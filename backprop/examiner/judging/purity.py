"""Purity: inputs unchanged, the same answer twice, no memory between calls, global generators left alone."""

from __future__ import annotations

import copy
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from backprop.examiner.measuring.cases import Array, Case, read_globals, seed_globals
from backprop.examiner.saying.grounds import Said, say, tell
from backprop.examiner.saying.remarks import COST_WRITES_IDLY, DRAWS, RESTARTED, WRITES_IDLY
from backprop.examiner.saying.sentences import (
    ADDS_UP,
    COST_WRITES,
    INTEGERS,
    KEEPS,
    KEEPS_EARLIER,
    OWN_MASK,
    SHARES_CACHE,
    WRITES_INPUTS,
    WRITES_PARAMETERS,
)
from backprop.examiner.subject.protocol.nests import flatten
from backprop.examiner.subject.protocol.subjects import Unusable
from backprop.examiner.tolerance import SAME

__all__ = ["Impurity", "check_purity", "settle_randomness"]


@dataclass
class Impurity:
    """A fault in how the code behaves between calls, not in one gradient."""

    equation: str
    tensors: list[int]
    said: tuple[Said, ...]
    first: list[Any] = field(default_factory=list)
    again: list[Any] = field(default_factory=list)


def settle_randomness(cases: list[Case], notes: list[str]) -> None:
    """Make the cost repeatable, by restarting the global generators before each call if need be.

    Raises `Unusable` if the same point still gives different costs.
    """
    case = cases[0]
    if _repeats_cost(case):
        return
    for one in cases:
        one.reseed = True
    if not _repeats_cost(case):
        raise Unusable(
            f"{case.subject.label}: two calls of cost with the same input differ; draw random masks in "
            "context(rng, n), or seed the generator"
        )
    tell(notes, RESTARTED, repeats=False)


def check_purity(case: Case, other: Case, notes: list[str]) -> Impurity | None:
    """Call the gradients repeatedly, in between at another point, and compare.

    Must come before anything else calls `gradients`: what a memory adds shows against the first call.
    """
    first = _keep(case.gradients(case.values))
    again = _keep(case.gradients(case.values))
    changed = _differ(first, again)
    if changed:
        return _explain_repeat(case, first, again, changed)
    other.gradients(other.values)
    other.cost(other.values)
    later = _keep(case.gradients(case.values))
    changed = _differ(first, later)
    if changed:
        said = say(KEEPS_EARLIER, change=measure_change(first, later))
        return Impurity("forward", changed, said, first, later)
    return _check_cost(case, notes) or _check_inputs(case, notes) or _check_order(case, first) or _check_integers(other)


def _keep(gradients: list[Any]) -> list[Any]:
    return [None if g is None else np.array(g) for g in gradients]


def _repeats_cost(case: Case) -> bool:
    values = [complex(case.cost(case.values)) for _ in range(3)]
    return all(np.isclose(v, values[0], rtol=SAME, atol=0, equal_nan=True) for v in values)


def _differ(first: list[Any], second: list[Any]) -> list[int]:
    return [i for i, (a, b) in enumerate(zip(first, second, strict=True)) if not _same(a, b)]


def _same(a: Array | None, b: Array | None) -> bool:
    if a is None or b is None:
        return a is b
    if a.shape != b.shape:
        return False
    size = float(np.max(np.abs(a), initial=0.0))
    return bool(np.allclose(a, b, rtol=SAME, atol=SAME * size, equal_nan=True))


def measure_change(first: list[Any], second: list[Any]) -> float:
    """The largest change between two answers, as a part of the largest entry of its tensor."""
    changes = [0.0]
    for a, b in zip(first, second, strict=True):
        if _same(a, b):
            continue
        if a is None or b is None or a.shape != b.shape or not np.isfinite(a).all() or not np.isfinite(b).all():
            return float("inf")
        changes.append(float(np.max(np.abs(a - b))) / (float(np.max(np.abs(a))) or 1.0))
    return max(changes)


def _explain_repeat(case: Case, first: list[Any], again: list[Any], changed: list[int]) -> Impurity:
    change = measure_change(first, again)
    own = say(OWN_MASK, change=change, seeded=_measure_seeded(case))
    if own:
        return Impurity("forward", changed, own, first, again)
    off = max(_measure_multiple(first[i], again[i]) for i in changed)
    return Impurity("update", changed, say(ADDS_UP, change=change, off=off) or say(KEEPS, change=change), first, again)


def _check_cost(case: Case, notes: list[str]) -> Impurity | None:
    """Call the cost twice on the same objects: a cost that writes into them is another function at every call."""
    params, X, Y = case.pack(case.values), _copy(case.X), _copy(case.Y)
    answers = []
    for _ in range(2):
        if case.reseed:
            seed_globals()
        answers.append([np.asarray(case.subject.call("cost", params, X, Y, **copy.deepcopy(case.context)))])
    written = _list_written(case, params, X, Y)
    if not written:
        return None
    numbers = [np.asarray(answer[0], dtype=float) if answer[0].dtype.kind in "fiu" else None for answer in answers]
    change = measure_change(numbers[:1], numbers[1:])
    said = say(COST_WRITES, change=change, written=written)
    tell(notes, COST_WRITES_IDLY, change=change, written=written)
    return Impurity("cost", list(range(len(case.leaves))), said) if said else None


def _list_written(case: Case, params: Any, X: Any, Y: Any) -> list[str]:
    """What a call has written into: names of parameters, X, Y."""
    pairs = zip(case.leaves, case.values, case.read(params), strict=True)
    names = [leaf.name for leaf, before, after in pairs if not _same(before, after)]
    return names + [name for name, a, b in (("X", case.X, X), ("Y", case.Y, Y)) if not _equal(a, b)]


def _measure_seeded(case: Case) -> float:
    """How much two answers differ where the global generators are restarted before each."""
    found = []
    for _ in range(2):
        seed_globals()
        found.append(_keep(case.gradients(case.values)))
    return measure_change(*found)


def _measure_multiple(first: Array | None, again: Array | None) -> float:
    """How far a second answer is from a multiple of the first, in units of rounding."""
    if first is None or again is None or first.shape != again.shape or not first.any():
        return float("inf")
    factor = float(np.sum(first * again) / np.sum(first * first))
    room = 1e-6 * np.abs(factor * first) + 1e-9 * float(np.abs(first).max())
    return float(np.max(np.abs(again - factor * first) / room))


def _check_inputs(case: Case, notes: list[str]) -> Impurity | None:
    """Call twice on the same objects: writing into them is a fault where it changes the next answer."""
    params, X, Y = case.pack(case.values), _copy(case.X), _copy(case.Y)
    states = read_globals()
    answers = []
    for _ in range(2):
        if case.reseed:
            seed_globals()
        answers.append(_keep(case.read(case.subject.call("gradients", params, X, Y, **case.context))))
    if not case.reseed and states != read_globals():
        tell(notes, DRAWS, states_equal=False)
    written = [i for i, (a, b) in enumerate(zip(case.values, case.read(params), strict=True)) if not _same(a, b)]
    change = measure_change(*answers)
    names = [case.leaves[i].name for i in written]
    said = say(WRITES_PARAMETERS, change=change, written=names)
    if said:
        return Impurity("update", written, said, *answers)
    spoiled = [name for name, a, b in (("X", case.X, X), ("Y", case.Y, Y)) if not _equal(a, b)]
    said = say(WRITES_INPUTS, change=change, written=spoiled)
    if said:
        return Impurity("forward", _differ(*answers), said, *answers)
    tell(notes, WRITES_IDLY, written=names + spoiled, change=change)
    return None


def _check_order(case: Case, first: list[Any]) -> Impurity | None:
    case.cost(case.values)
    later = _keep(case.gradients(case.values))
    changed = _differ(first, later)
    if not changed:
        return None
    return Impurity("forward", changed, say(SHARES_CACHE, change=measure_change(first, later)), first, later)


def _check_integers(case: Case) -> Impurity | None:
    """Parameters that the subject draws as whole numbers: an array made like them cuts off what follows the point."""
    kinds = {leaf.dtype.kind for leaf in flatten(case.template) if isinstance(leaf, np.ndarray)}
    if case.jittered or not kinds & set("iu"):
        return None
    expected = _keep(case.gradients(case.values))
    params = copy.deepcopy(case.template)
    given = _keep(case.read(case.subject.call("gradients", params, _copy(case.X), _copy(case.Y), **case.context)))
    changed = _differ(expected, given)
    if not changed:
        return None
    return Impurity("BP4", changed, say(INTEGERS, change=measure_change(expected, given)), expected, given)


def _copy(data: Any) -> Any:
    return np.array(data) if isinstance(data, np.ndarray) else data


def _equal(a: Any, b: Any) -> bool:
    if isinstance(a, np.ndarray) and isinstance(b, np.ndarray):
        return a.shape == b.shape and bool(np.array_equal(a, b, equal_nan=a.dtype.kind in "fc"))
    return True
