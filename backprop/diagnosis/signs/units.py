"""Factors that units or inputs carry each for itself, and what a normalisation leaves of a bias."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from backprop.diagnosis.model.evaluate import Array
from backprop.diagnosis.model.grounds import PATTERN
from backprop.diagnosis.signs.beside import read_case
from backprop.diagnosis.signs.input_factors import find_scaled_inputs
from backprop.diagnosis.signs.pattern import SHARE, PatternMatch
from backprop.examiner.measuring.examination import CaseExamination, Examination

__all__ = ["detect_inputs", "detect_mean_path", "detect_units"]


def detect_units(examination: Examination, cases: list[CaseExamination]) -> Iterator[PatternMatch]:
    """A factor of its own for each unit of a hidden layer, the same at every case."""
    tops = [leaf.layer or 0 for i, leaf in enumerate(examination.leaves) if examination.is_wrong(i)]
    top = max(tops, default=0)
    if not top or top == examination.depth or find_scaled_inputs(examination, cases) is not None:
        return
    W = [i for i, leaf in enumerate(examination.leaves) if leaf.layer == top and leaf.dense and len(leaf.shape) == 2]
    if not W:
        return
    for axis in (0, 1):
        found = [_unit_factors(case, W[0], axis) for case in cases]
        known = [f for f in found if f is not None]
        if len(known) < len(cases) or not known:
            continue
        masked = any(np.isinf(f).any() for f in known)
        table = np.where(np.isinf(np.array(known)), np.nan, np.array(known))
        if masked and all(np.nanmax(np.abs(row - 1)) < SHARE for row in table if np.isfinite(row).any()):
            off = max(float(np.nanmax(np.abs(row - 1))) for row in table if np.isfinite(row).any()) / SHARE
            numbers = {"off": off, "entries": int(np.isfinite(table).sum())}
            yield PatternMatch("dropout_mask_missing_in_backward", top, PATTERN, numbers)
            return
        if (
            not masked
            and np.all(np.ptp(table, axis=0) <= SHARE * np.abs(table).max(axis=0))
            and np.ptp(table[0]) > SHARE
        ):
            shown = ", ".join(f"{1 / x:.4g}" for x in table[0][:6] if x)
            biases = [
                i for i, leaf in enumerate(examination.leaves) if leaf.layer == top and leaf.role == "b" and leaf.dense
            ]
            cancels = any(examination.is_silent(i) for i in biases)
            name = "normalisation_scale_missing" if cancels else "factor_per_unit_missing"
            off = float(np.max(np.ptp(table, axis=0) / (SHARE * np.abs(table).max(axis=0))))
            numbers = {"off": off, "entries": int(table.size), "factors": table[0]}
            yield PatternMatch(name, top, PATTERN, numbers, f"the factors missing are {shown}")
            return


def _unit_factors(case: CaseExamination, index: int, axis: int) -> Array | None:
    """yours = factor · expected along an axis; infinite where the truth is zero and yours is not; None if neither."""
    t = next((t for t in read_case(case) if t.index == index), None)
    if t is None or not t.known.all() or t.yours.shape[axis] < 2:
        return None
    yours, expected = (np.moveaxis(x, axis, 0) for x in (t.yours, t.expected))
    factors = []
    for mine, true in zip(yours, expected, strict=True):
        norm = float(np.sum(true * true))
        if norm <= t.room**2 * true.size:
            factors.append(math.inf if np.max(np.abs(mine)) > t.room else 1.0)
            continue
        factor = float(np.sum(mine * true)) / norm
        if np.max(np.abs(mine - factor * true)) > max(1.0, abs(factor)) * t.room:
            return None
        factors.append(factor)
    return np.array(factors)


def detect_inputs(examination: Examination, cases: list[CaseExamination]) -> Iterator[PatternMatch]:
    """A factor and a shift of its own for each input of one layer."""
    found = find_scaled_inputs(examination, cases)
    if found is not None:
        layer, fitted = found
        shown = ", ".join(f"{scale:.4g}" for scale, _ in fitted[:6])
        numbers = {"off": 1.0, "entries": len(fitted), "factors": [scale for scale, _ in fitted]}
        yield PatternMatch("inputs_scaled_differently", layer, PATTERN, numbers, f"the factors are {shown}")


def detect_mean_path(examination: Examination, cases: list[CaseExamination]) -> Iterator[PatternMatch]:
    """A bias before a normalisation: its true gradient is zero, the subject's is not."""
    top = max((leaf.layer or 0 for i, leaf in enumerate(examination.leaves) if examination.is_wrong(i)), default=0)
    for i, leaf in enumerate(examination.leaves):
        if leaf.role != "b" or not leaf.dense or leaf.layer != top or not examination.is_wrong(i):
            continue
        read = [next((t for t in read_case(c) if t.index == i), None) for c in cases]
        known = [t for t in read if t is not None and np.any(t.yours)]
        off = max((float(np.max(np.abs(t.expected[t.known]), initial=0.0)) / t.room for t in known), default=math.inf)
        numbers = {"off": off, "entries": sum(t.yours.size for t in known)}
        if len(known) == len(read) and PATTERN.holds(**numbers):
            yield PatternMatch("normalisation_mean_path_missing", leaf.layer, PATTERN, numbers)
