"""The update: does a `step` function move the parameters by rate times the gradient?"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from backprop.examiner.measuring.cases import Array
from backprop.examiner.measuring.examination import CaseExamination, Examination
from backprop.examiner.saying.grounds import say, tell
from backprop.examiner.saying.remarks import STEP_FAILED
from backprop.examiner.saying.report import Entry, Finding
from backprop.examiner.saying.sentences import STEP_DIFFERS, STEP_LATE
from backprop.examiner.subject.protocol.subjects import Unusable
from backprop.examiner.tolerance import RELATIVE_SLACK

__all__ = ["check_step"]

RATES = (0.5, 0.05)
ROUNDING = 16 * np.finfo(float).eps
COARSEST = 16 * float(np.finfo(np.float32).eps)
"""What a step of rate 0 may change by rounding, relative to the parameters; more is a change."""
SHOWN = 6


@dataclass(frozen=True)
class Moved:
    """What a step made of one tensor at one rate: the largest gap, in its own unit and in that of its room."""

    gap: float
    off: float
    entries: list[Entry]


def check_step(examination: Examination) -> list[Finding]:
    """Compare (params − step(params)) / rate with the subject's gradient, at two rates that are not zero.

    Code that changes weights while the error is still going back through them passes every check of its
    gradient, and at rate 0 also every check of its step. Where a gradient is wrong, a step that moves along the right
    one is right. Returns one finding, or none.
    """
    for case in examination.cases:
        coarse = measure_rounding(case)
        try:
            steps = [case.case.step(rate) for rate in RATES]
        except Unusable as error:
            tell(examination.notes, STEP_FAILED, reason=str(error))
            return []
        moved = [
            [_compare(case, i, step[i], rate, coarse) for i in range(len(examination.leaves))]
            for step, rate in zip(steps, RATES, strict=True)
        ]
        if any(tensor.entries for at_rate in moved for tensor in at_rate):
            return _explain(examination, moved)
    return []


def measure_rounding(case: CaseExamination) -> float:
    """How much the step rounds parameters, relative to their size: seen at rate 0, where nothing else may change.

    Code that computes in float32 gives back rounded parameters; what is larger than such rounding is not excused.
    """
    try:
        moved = case.case.step(0.0)
    except Unusable:
        return 0.0
    shares = [
        float(np.max(np.abs(new - old), initial=0.0)) / (float(np.max(np.abs(old), initial=0.0)) or 1.0)
        for old, new in zip(case.case.values, moved, strict=True)
        if new is not None and new.shape == old.shape
    ]
    largest = max(shares, default=0.0)
    return largest if largest <= COARSEST else 0.0


def _compare(case: CaseExamination, tensor: int, moved: Array | None, rate: float, coarse: float) -> Moved:
    leaf, old, gradient = case.case.leaves[tensor], case.case.values[tensor], case.yours[tensor]
    if gradient is None or np.size(gradient) != old.size:
        return Moved(0.0, 0.0, [])
    if moved is None or moved.shape != old.shape:
        return Moved(np.inf, np.inf, [Entry(leaf.name, (), float("nan"), float("nan"), 0.0)])
    implied, gradient = (old - moved) / rate, gradient.reshape(old.shape)
    scale = float(np.max(np.abs(gradient), initial=0.0))
    size = float(np.max(np.abs(old), initial=0.0))
    slack = max(RELATIVE_SLACK, COARSEST if coarse else 0.0)
    room = slack * max(scale, case.scale if coarse else 0.0) + max(ROUNDING, 4 * coarse) * size / rate
    gap = np.abs(implied - gradient)
    if case.tensors[tensor].faulty:
        gap = np.minimum(gap, _measure_beside(case, tensor, implied))
    bad = np.argwhere(~(gap <= room))
    indices = [tuple(int(k) for k in index) for index in bad[:SHOWN]]
    entries = [Entry(leaf.name, i, float(implied[i]), float(gradient[i]), room) for i in indices]
    largest = float(np.max(gap, initial=0.0))
    return Moved(largest, largest / room if room else np.inf if largest else 0.0, entries)


def _measure_beside(case: CaseExamination, tensor: int, implied: Array) -> Array:
    """How far a step is from the derivative of the cost, where that was measured; 0 where only a part of it was."""
    verdict = case.tensors[tensor]
    if not verdict.entries or verdict.got_shape not in (None, implied.shape):
        return np.full(implied.shape, np.inf)
    beside = np.nan_to_num(np.abs(implied - verdict.expected()), nan=0.0) - 4 * verdict.uncertainty
    fits = np.all(beside <= RELATIVE_SLACK * verdict.scale)
    return np.zeros(implied.shape) if fits else np.full(implied.shape, np.inf)


def _explain(examination: Examination, moved: list[list[Moved]]) -> list[Finding]:
    leaves = examination.leaves
    wrong = [i for i in range(len(leaves)) if any(at_rate[i].entries for at_rate in moved)]
    names = tuple(leaves[i].name for i in wrong)
    right = [leaf.name for i, leaf in enumerate(leaves) if i not in wrong]
    layers = [leaves[i].layer or 0 for i in wrong]
    layer = None if not right or not max(layers) else max(layers)
    off = max(at_rate[i].off for at_rate in moved for i in wrong)
    wide, narrow = (max(at_rate[i].gap for i in wrong) for at_rate in moved)
    said = (*say(STEP_DIFFERS, tensors=names, off=off, rates=RATES),
            *say(STEP_LATE, wide=wide, narrow=narrow, right=right, rates=RATES))  # fmt: skip
    entries = [entry for i in wrong for at_rate in moved for entry in at_rate[i].entries]
    return [Finding("update", layer, names, said, entries=tuple(entries[: 2 * SHOWN]))] if said else []
