"""Purity: inputs unchanged, the same answer twice, no memory between calls, global generators left alone."""

from __future__ import annotations

import copy
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from backprop.examiner.cases import Array, Case, read_globals, seed_globals
from backprop.examiner.nests import flatten
from backprop.examiner.subjects import Unusable
from backprop.examiner.tolerance import SAME

__all__ = ["Impurity", "check_purity", "settle_randomness"]


@dataclass
class Impurity:
    """A fault in how the code behaves between calls, not in one gradient."""

    equation: str
    tensors: list[int]
    explanation: str
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
    notes.append("the cost draws from a global generator, which was restarted before every call")


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
        text = "The gradient depends on what was computed before: a forward pass of an earlier call is used."
        return Impurity("forward", changed, text, first, later)
    return _check_inputs(case, notes) or _check_order(case, first) or _check_integers(other)


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


def _explain_repeat(case: Case, first: list[Any], again: list[Any], changed: list[int]) -> Impurity:
    if _is_restarted_by_seed(case):
        text = "The gradient draws its own random mask, so it belongs to another forward pass than the cost's."
        return Impurity("forward", changed, text, first, again)
    if all(_is_multiple(first[i], again[i]) for i in changed):
        text = (
            "A second call with the same input gives a multiple of the first: gradients are added to what an "
            "earlier call left behind; set the accumulators to zero at the start."
        )
        return Impurity("update", changed, text, first, again)
    text = "A second call with the same input gives another gradient: something is kept between calls."
    return Impurity("update", changed, text, first, again)


def _is_restarted_by_seed(case: Case) -> bool:
    found = []
    for _ in range(2):
        seed_globals()
        found.append(_keep(case.gradients(case.values)))
    return not _differ(*found)


def _is_multiple(first: Array | None, again: Array | None) -> bool:
    if first is None or again is None or first.shape != again.shape or not first.any():
        return False
    factor = float(np.sum(first * again) / np.sum(first * first))
    return bool(np.allclose(again, factor * first, rtol=1e-6, atol=1e-9 * float(np.abs(first).max())))


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
        notes.append("gradients draws from a global random generator")
    written = [i for i, (a, b) in enumerate(zip(case.values, case.read(params), strict=True)) if not _same(a, b)]
    if written and _differ(*answers):
        text = "The parameters are changed while the error is still going back (they are written in place)."
        return Impurity("update", written, text, *answers)
    spoiled = [name for name, a, b in (("X", case.X, X), ("Y", case.Y, Y)) if not _equal(a, b)]
    if spoiled and _differ(*answers):
        text = f"gradients writes into {' and '.join(spoiled)}, so that the next call sees other data."
        return Impurity("forward", _differ(*answers), text, *answers)
    if written or spoiled:
        notes.append("gradients writes into its inputs, without consequences")
    return None


def _check_order(case: Case, first: list[Any]) -> Impurity | None:
    case.cost(case.values)
    later = _keep(case.gradients(case.values))
    changed = _differ(first, later)
    if not changed:
        return None
    text = "After a call of cost the gradient differs from before: they share a cache that is not renewed."
    return Impurity("forward", changed, text, first, later)


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
    text = (
        "The parameters are integers, and so is the gradient made like them: what follows the decimal point is cut "
        "off. Draw them as floats."
    )
    return Impurity("BP4", changed, text, expected, given)


def _copy(data: Any) -> Any:
    return np.array(data) if isinstance(data, np.ndarray) else data


def _equal(a: Any, b: Any) -> bool:
    if isinstance(a, np.ndarray) and isinstance(b, np.ndarray):
        return a.shape == b.shape and bool(np.array_equal(a, b, equal_nan=a.dtype.kind in "fc"))
    return True
