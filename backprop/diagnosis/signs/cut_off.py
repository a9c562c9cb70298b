"""Numbers that are cut off: at a limit, to their sign, to whole numbers, to one length."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from backprop.diagnosis.model.grounds import PATTERN
from backprop.diagnosis.signs.beside import Compared, measure_fit, read_case
from backprop.diagnosis.signs.pattern import SHARE, PatternMatch
from backprop.examiner.measuring.examination import CaseExamination, Examination

__all__ = ["detect_clipping", "detect_integers", "detect_length"]

FEWEST_CLIPPED = 2
"""Entries at the limit; a single one is only the largest."""


def detect_clipping(examination: Examination, cases: list[CaseExamination]) -> Iterator[PatternMatch]:
    """Entries or lengths cut off; signs only; whole numbers only."""
    limits = [max(float(np.max(np.abs(t.yours))) for t in read_case(c)) for c in cases if read_case(c)]
    if not limits:
        return
    limit = max(limits)
    signs = measure_fit(cases, lambda t: np.sign(t.expected))
    if PATTERN.holds(**signs):
        yield PatternMatch("gradient_sign_only", None, PATTERN, signs)
        return
    clipped = measure_fit(cases, lambda t: np.clip(t.expected, -limit, limit))
    reached = sum(_count_beyond(t, limit) for c in cases for t in read_case(c))
    if PATTERN.holds(**clipped) and reached >= FEWEST_CLIPPED:
        numbers = clipped | {"limit": limit, "reached": reached}
        yield PatternMatch("gradient_clipped", None, PATTERN, numbers, f"entries are cut off at {limit:.6g}")


def _count_beyond(t: Compared, limit: float) -> int:
    """How many entries the true gradient has beyond a limit, where the subject's are at it."""
    known = t.known
    beyond = np.abs(t.expected[known]) > limit + t.room
    return int(np.sum(beyond & (np.abs(t.yours[known]) >= limit - t.room)))


def detect_integers(examination: Examination, cases: list[CaseExamination]) -> Iterator[PatternMatch]:
    """Whole numbers in every wrong tensor, each off by less than one for every sample that was added."""
    wrong = examination.wrong

    def truncated(t: Compared, rows: int) -> float:
        off = np.abs(t.yours - t.expected)[t.known]
        whole = np.array_equal(t.yours, np.trunc(t.yours))
        return float(np.max(off, initial=0.0)) / (rows + t.room) if whole else math.inf

    seen = [(t, case.case.rows or 1) for case in cases for t in read_case(case) if t.index in wrong]
    if seen and any(t.yours.any() for t, _ in seen):
        numbers = {"off": max(truncated(t, rows) for t, rows in seen), "entries": sum(t.yours.size for t, _ in seen)}
        if PATTERN.holds(**numbers):
            layer = None if len(wrong) == len(examination.leaves) else examination.leaves[wrong[-1]].layer
            yield PatternMatch("gradient_truncated_to_integers", layer, PATTERN, numbers)


def detect_length(examination: Examination, cases: list[CaseExamination]) -> Iterator[PatternMatch]:
    """One factor per case (or per tensor) that makes the same length every time."""
    whole, each = [], []
    alike = True
    for case in cases:
        tensors = [t for t in read_case(case) if t.known.all()]
        if len(tensors) < len(case.tensors):
            return
        if not all(_parallel(t) for t in tensors):
            return
        alike = alike and _share_one_factor(tensors)
        whole.append(math.sqrt(sum(float(np.sum(t.yours**2)) for t in tensors)))
        each += [float(np.linalg.norm(t.yours)) for t in tensors if t.yours.any()]
    factors = [np.linalg.norm(t.expected) for case in cases for t in read_case(case)]
    if np.ptp(factors) <= SHARE * max(factors):
        return
    if alike and len(whole) > 1 and np.ptp(whole) <= SHARE * max(whole) > 0:
        text = "gradient_normalised" if abs(whole[0] - 1) < SHARE else "gradient_clipped"
        yield PatternMatch(text, None, PATTERN, _spread(whole), f"its length is always {whole[0]:.6g}")
    elif len(each) > 2 and np.ptp(each) <= SHARE * max(each):
        yield PatternMatch("gradient_normalised", None, PATTERN, _spread(each),
                           f"the length of every tensor is {each[0]:.6g}")  # fmt: skip


def _spread(lengths: list[float]) -> dict[str, float]:
    """How far lengths are apart, in units of what counts as the same."""
    return {"off": float(np.ptp(lengths)) / (SHARE * max(lengths)), "entries": len(lengths), "length": lengths[0]}


def _share_one_factor(tensors: list[Compared]) -> bool:
    """Whether all tensors of a case are the same number times what they should be: all are cut to one length."""
    factors = [_factor(t) for t in tensors if t.expected.any()]
    return bool(np.ptp(factors) <= SHARE * max(map(abs, factors))) if factors else False


def _factor(t: Compared) -> float:
    return float(np.sum(t.yours * t.expected)) / float(np.sum(t.expected * t.expected))


def _parallel(t: Compared) -> bool:
    if not t.expected.any():
        return not t.yours.any()
    factor = _factor(t)
    return bool(np.max(np.abs(t.yours - factor * t.expected)) <= abs(factor) * t.room)
