"""Patterns in one wrong tensor that a reader recognises: a factor, a transpose, zeros, a penalty."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from backprop.examiner.examination import Examination, Reading, TensorVerdict
from backprop.examiner.tolerance import RELATIVE_SLACK

__all__ = ["common_factor", "describe_tensor", "is_zero"]

CLEAR = 1e-3
"""A reading tells a factor only if its uncertainty is this small a part of it."""

SAME_FACTOR = 1e-5


def common_factor(verdicts: Sequence[TensorVerdict]) -> float | None:
    """The one c with yours = c · expected in all readings of all tensors, or None.

    0.0 if everything is zero. A tensor that cannot be compared (shape, NaN) has no factor.
    """
    if any(v.status in ("shape", "missing", "nan") for v in verdicts):
        return None
    readings = [r for v in verdicts for r in v.readings if r.state in ("agrees", "differs")]
    if not readings:
        return None
    if all(r.yours == 0 for r in readings):
        return 0.0
    clear = [r for r in readings if r.uncertainty < CLEAR * abs(r.expected)]
    if not clear:
        return None
    best = min(clear, key=lambda r: r.uncertainty / abs(r.expected))
    factor = best.yours / best.expected
    largest = max(abs(r.expected) for r in readings)
    return factor if all(_fits_factor(r, factor, largest) for r in readings) else None


def _fits_factor(reading: Reading, factor: float, largest: float) -> bool:
    room = abs(factor) * (4 * reading.uncertainty + SAME_FACTOR * abs(reading.expected) + RELATIVE_SLACK * largest)
    return abs(reading.yours - factor * reading.expected) <= room


def is_zero(verdict: TensorVerdict) -> bool:
    """Whether the subject gives nothing but zeros (or nothing) where the derivative is not zero."""
    return verdict.status == "missing" or (verdict.status == "wrong" and all(r.yours == 0 for r in verdict.readings))


def describe_tensor(verdict: TensorVerdict, examination: Examination, tensor: int) -> str:
    """Say in one sentence what the wrong tensor looks like beside the right one; "" if nothing is plain."""
    name = verdict.leaf.name
    if verdict.status == "shape":
        return f"Gradient of {name} has shape {verdict.got_shape}, the parameter has {verdict.leaf.shape}."
    if verdict.status == "missing":
        return f"There is no gradient of {name}."
    if verdict.status == "nan":
        return f"Gradient of {name} contains NaN or infinity."
    if is_zero(verdict):
        return f"Gradient of {name} is zero."
    factor = common_factor([verdict])
    if factor is not None:
        return f"Gradient of {name} is {factor:.6g} times the right one."
    if _is_transposed(verdict):
        return f"Gradient of {name} is the transpose of the right one."
    return _describe_penalty(verdict, examination, tensor)


def _is_transposed(verdict: TensorVerdict) -> bool:
    shape = verdict.leaf.shape
    if len(shape) != 2 or shape[0] != shape[1] or len(verdict.entries) != verdict.leaf.size:
        return False
    expected, yours = verdict.expected(), np.zeros(shape)
    for reading in verdict.entries:
        yours[reading.index] = reading.yours
    room = 4 * verdict.uncertainty + SAME_FACTOR * verdict.scale
    return bool(np.max(np.abs(yours - expected.T)) <= room)


def _describe_penalty(verdict: TensorVerdict, examination: Examination, tensor: int) -> str:
    """yours − expected = κ · parameter: a penalty term with another factor."""
    case = next(c for c in examination.cases if c.tensors[tensor] is verdict)
    entries = [r for r in verdict.entries if math.isfinite(r.uncertainty)]
    theta = np.array([case.case.values[tensor][r.index] for r in entries])
    difference = np.array([r.yours - r.expected for r in entries])
    if theta.size < 3 or not theta.any():
        return ""
    kappa = float(theta @ difference / (theta @ theta))
    room = 4 * verdict.uncertainty + RELATIVE_SLACK * verdict.scale + CLEAR * abs(kappa) * np.abs(theta).max()
    if np.max(np.abs(difference - kappa * theta)) > room:
        return ""
    return (
        f"Gradient of {verdict.leaf.name} differs from the right one by {kappa:.6g} times the parameter "
        "itself: a penalty term that cost and gradient do not share."
    )
