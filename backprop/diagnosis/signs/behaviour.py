"""Behaviour between calls: accumulators, caches, overwritten inputs; decided by calling the subject a few times."""

from __future__ import annotations

from typing import Any

import numpy as np

from backprop.examiner.measuring.cases import Case, draw_case, seed_globals
from backprop.examiner.subject.protocol.nests import flatten
from backprop.examiner.subject.protocol.subjects import Subject, Unusable

__all__ = ["measure_writing", "name_behaviour"]

SAME = 1e-9
EVEN = 1e-6
SEED = 41


def name_behaviour(subject: Subject) -> str | None:
    """The identifier of what is kept between calls, or None if nothing is seen."""
    try:
        case, other = (draw_case(subject, SEED + k, jitter=True) for k in range(2))
        calls = [flat(case.gradients(case.values)) for _ in range(3)]
        if not alike(calls[0], calls[1]):
            return _name_change(case, calls)
        written = _name_writing(case)
        if written is not None:
            return written
        other.cost(other.values)
        other.gradients(other.values)
        if not alike(calls[0], flat(case.gradients(case.values))):
            return "stale_cache"
        case.cost(case.values)
        if not alike(calls[0], flat(case.gradients(case.values))):
            return "stale_cache"
        if _draws_integers(subject):
            return "gradient_truncated_to_integers"
    except Unusable:
        return None
    return None


def _draws_integers(subject: Subject) -> bool:
    leaves = flatten(draw_case(subject, SEED, jitter=False).template)
    return any(isinstance(leaf, np.ndarray) and leaf.dtype.kind in "iu" for leaf in leaves)


def measure_writing(case: Case) -> float:
    """By how much a call of gradients changes the batch it is given, as a part of its largest number."""
    X, Y = (np.array(a) if isinstance(a, np.ndarray) else a for a in (case.X, case.Y))
    try:
        case.subject.call("gradients", case.pack(case.values), X, Y, **case.context)
    except Unusable:
        return 0.0
    changes = [
        float(np.max(np.abs(a - b), initial=0.0)) / (float(np.max(np.abs(b), initial=0.0)) or 1.0)
        for a, b in ((X, case.X), (Y, case.Y))
        if isinstance(a, np.ndarray) and a.dtype.kind == "f" and not np.array_equal(a, b, equal_nan=True)
    ]
    return max(changes, default=0.0)


def flat(gradients: list[Any]) -> np.ndarray[Any, Any]:
    """All gradients in one vector."""
    return np.concatenate([np.ravel(g) for g in gradients if g is not None] or [np.zeros(0)])


def alike(a: np.ndarray[Any, Any], b: np.ndarray[Any, Any], room: float = SAME) -> bool:
    """Equal up to rounding."""
    return a.shape == b.shape and bool(np.allclose(a, b, rtol=room, atol=room * float(np.max(np.abs(a), initial=0.0))))


def _name_change(case: Case, calls: list[np.ndarray[Any, Any]]) -> str | None:
    if alike(calls[1], calls[2]):
        return "stale_cache"
    seeded = []
    for _ in range(2):
        seed_globals()
        seeded.append(flat(case.gradients(case.values)))
    if alike(seeded[0], seeded[1]):
        return "own_random_mask"
    if len({c.shape for c in calls}) > 1:
        return None
    # An accumulator grows by the same gradient at every call; momentum grows by less and less.
    first, second = calls[1] - calls[0], calls[2] - calls[1]
    if np.any(first) and alike(first, second, EVEN):
        return "accumulators_not_reset"
    share = float(np.sum(first * second)) / (float(np.sum(first * first)) or 1.0)
    if 0 < share < 1 and alike(share * first, second, EVEN):
        return "momentum_in_gradient"
    return _name_writing(case)


def _name_writing(case: Case) -> str | None:
    """What a call writes into, if that changes the next answer."""
    params = case.pack(case.values)
    X, Y = (np.array(a) if isinstance(a, np.ndarray) else a for a in (case.X, case.Y))
    answers = [flat(case.read(case.subject.call("gradients", params, X, Y, **case.context))) for _ in range(2)]
    if alike(answers[0], answers[1]):
        return None
    kept = [np.ravel(np.asarray(a, dtype=float)) for a in case.read(params)]
    moved = not alike(np.concatenate(kept), np.concatenate([np.ravel(v) for v in case.values]))
    return "parameters_overwritten" if moved else "inputs_overwritten"
