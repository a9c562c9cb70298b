"""Patterns in one wrong tensor that a reader recognises: a factor, a transpose, zeros, a penalty."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from backprop.examiner.measuring.examination import Examination, Reading, TensorVerdict
from backprop.examiner.measuring.laws import describe_law
from backprop.examiner.saying.grounds import Said, say
from backprop.examiner.saying.sentences import (
    TENSOR_FACTOR,
    TENSOR_MISSING,
    TENSOR_NOT_FINITE,
    TENSOR_PENALTY,
    TENSOR_SHAPE,
    TENSOR_TRANSPOSED,
    TENSOR_ZERO,
)
from backprop.examiner.tolerance import RELATIVE_SLACK

__all__ = ["SAME_FACTOR", "FactorFit", "describe_tensor", "fit_factor", "is_zero"]

CLEAR = 1e-3
"""A reading tells a factor only if its uncertainty is this small a part of it."""

SAME_FACTOR = 1e-5
FEWEST = 3
"""Entries, before a penalty or a transpose is read out of them."""


@dataclass(frozen=True)
class FactorFit:
    """yours = factor · expected in some readings; `off` is the largest gap in units of its room."""

    factor: float
    off: float
    entries: int


def fit_factor(verdicts: Sequence[TensorVerdict]) -> FactorFit | None:
    """The one factor in all readings of all tensors, 0.0 if everything is zero; None where there is none.

    A tensor that cannot be compared (shape, NaN) has no factor.
    """
    if any(v.status in ("shape", "missing", "nan") for v in verdicts):
        return None
    readings = [r for v in verdicts for r in v.readings if r.state in ("agrees", "differs")]
    if not readings:
        return None
    if all(r.yours == 0 for r in readings):
        return FactorFit(0.0, 0.0, len(readings))
    clear = [r for r in readings if r.uncertainty < CLEAR * abs(r.expected)]
    if not clear:
        return None
    best = min(clear, key=lambda r: r.uncertainty / abs(r.expected))
    factor = best.yours / best.expected
    largest = max(abs(r.expected) for r in readings)
    off = max(_measure_gap(r, factor, largest) for r in readings)
    return FactorFit(factor, off, len(readings)) if off <= 1 else None


def _measure_gap(reading: Reading, factor: float, largest: float) -> float:
    room = abs(factor) * (4 * reading.uncertainty + SAME_FACTOR * abs(reading.expected) + RELATIVE_SLACK * largest)
    gap = abs(reading.yours - factor * reading.expected)
    return gap / room if room else math.inf if gap else 0.0


def is_zero(verdict: TensorVerdict) -> bool:
    """Whether the subject gives nothing but zeros (or nothing) where the derivative is not zero."""
    return verdict.status == "missing" or (verdict.status == "wrong" and all(r.yours == 0 for r in verdict.readings))


def describe_tensor(verdict: TensorVerdict, examination: Examination, tensor: int) -> tuple[Said, ...]:
    """Say in one sentence what the wrong tensor looks like beside the right one; nothing if nothing is plain."""
    name, shape = verdict.leaf.name, list(verdict.leaf.shape)
    if verdict.status == "shape":
        return say(TENSOR_SHAPE, tensor=name, got=list(verdict.got_shape or ()), expected=shape)
    if verdict.status == "missing":
        return say(TENSOR_MISSING, tensor=name, given=0, entries=verdict.leaf.size)
    if verdict.status == "nan":
        return say(TENSOR_NOT_FINITE, tensor=name, bad=len(verdict.readings) or 1)
    largest = max((abs(r.yours) for r in verdict.readings), default=0.0)
    found = say(TENSOR_ZERO, tensor=name, largest=largest, expected=verdict.scale)
    if found:
        return found
    fit = fit_factor([verdict])
    if fit is not None and (verdict.leaf.size > 1 or "." not in describe_law(fit.factor, 0)):
        return say(TENSOR_FACTOR, tensor=name, factor=describe_law(fit.factor, 0), number=fit.factor, off=fit.off,
                   entries=fit.entries)  # fmt: skip
    return _describe_transpose(verdict) or _describe_penalty(verdict, examination, tensor)


def _describe_transpose(verdict: TensorVerdict) -> tuple[Said, ...]:
    shape = verdict.leaf.shape
    if len(shape) != 2 or shape[0] != shape[1] or len(verdict.entries) != verdict.leaf.size:
        return ()
    expected, yours = verdict.expected(), np.zeros(shape)
    for reading in verdict.entries:
        yours[reading.index] = reading.yours
    room = 4 * verdict.uncertainty + SAME_FACTOR * verdict.scale
    off = float(np.max(np.abs(yours - expected.T))) / room
    return say(TENSOR_TRANSPOSED, tensor=verdict.leaf.name, off=off, entries=verdict.leaf.size)


def _describe_penalty(verdict: TensorVerdict, examination: Examination, tensor: int) -> tuple[Said, ...]:
    """yours − expected = κ · parameter: a penalty term with another factor."""
    case = next(c for c in examination.cases if c.tensors[tensor] is verdict)
    entries = [r for r in verdict.entries if math.isfinite(r.uncertainty)]
    theta = np.array([case.case.values[tensor][r.index] for r in entries])
    difference = np.array([r.yours - r.expected for r in entries])
    if theta.size < FEWEST or not theta.any():
        return ()
    kappa = float(theta @ difference / (theta @ theta))
    room = 4 * verdict.uncertainty + RELATIVE_SLACK * verdict.scale + CLEAR * abs(kappa) * np.abs(theta).max()
    off = float(np.max(np.abs(difference - kappa * theta))) / room
    if examination.factor is not None:
        kappa *= examination.factor.at(case.case.rows)
    return say(TENSOR_PENALTY, tensor=verdict.leaf.name, number=kappa, off=off, entries=len(entries))
