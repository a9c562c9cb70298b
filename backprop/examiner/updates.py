"""The update: does a `step` function move the parameters by rate times the gradient?"""

from __future__ import annotations

import numpy as np

from backprop.examiner.examination import CaseExamination, Examination
from backprop.examiner.report import Entry, Finding
from backprop.examiner.subjects import Unusable
from backprop.examiner.tolerance import RELATIVE_SLACK

__all__ = ["check_step"]

RATES = (0.5, 0.05)
ROUNDING = 16 * np.finfo(float).eps
COARSEST = 16 * float(np.finfo(np.float32).eps)
"""What a step of rate 0 may change by rounding, relative to the parameters; more is a change."""
SHOWN = 6


def check_step(examination: Examination) -> list[Finding]:
    """Compare (params − step(params)) / rate with the verified gradient, at two rates that are not zero.

    Code that changes weights while the error is still going back through them passes every check of its
    gradient, and at rate 0 also every check of its step. Returns one finding, or none.
    """
    for case in examination.cases:
        wrong: dict[int, list[Entry]] = {}
        coarse = measure_rounding(case)
        for rate in RATES:
            try:
                moved = case.case.step(rate)
            except Unusable as error:
                examination.notes.append(f"step could not be examined: {error}")
                return []
            for i in range(len(examination.leaves)):
                entries = _compare(case, i, moved[i], rate, coarse)
                if entries:
                    wrong.setdefault(i, []).extend(entries)
        if wrong:
            return [_explain(examination, wrong)]
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


def _compare(case: CaseExamination, tensor: int, moved: np.ndarray | None, rate: float, coarse: float) -> list[Entry]:
    leaf, old, gradient = case.case.leaves[tensor], case.case.values[tensor], case.yours[tensor]
    if moved is None or moved.shape != old.shape:
        return [Entry(leaf.name, (), float("nan"), float("nan"), 0.0)]
    implied, gradient = (old - moved) / rate, gradient.reshape(old.shape)
    scale = float(np.max(np.abs(gradient), initial=0.0))
    size = float(np.max(np.abs(old), initial=0.0))
    slack = max(RELATIVE_SLACK, COARSEST if coarse else 0.0)
    room = slack * max(scale, case.scale if coarse else 0.0) + max(ROUNDING, 4 * coarse) * size / rate
    bad = np.argwhere(~(np.abs(implied - gradient) <= room))
    indices = [tuple(int(k) for k in index) for index in bad[:SHOWN]]
    return [Entry(leaf.name, i, float(implied[i]), float(gradient[i]), room) for i in indices]


def _explain(examination: Examination, wrong: dict[int, list[Entry]]) -> Finding:
    names = tuple(examination.leaves[i].name for i in sorted(wrong))
    layers = [examination.leaves[i].layer or 0 for i in wrong]
    whole = len(wrong) == len(examination.leaves)
    text = f"The gradients are right, but step does not move {', '.join(names)} by rate times gradient" + (
        ": weights are changed while the error is still going back." if not whole else "."
    )
    layer = None if whole or not max(layers) else max(layers)
    entries = [entry for i in sorted(wrong) for entry in wrong[i]]
    return Finding("update", layer, names, text, entries=tuple(entries[: 2 * SHOWN]))
