"""Conventions: at a kink a code may take any slope between the one-sided ones, and no other."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from backprop.examiner.judging.findings import make_finding
from backprop.examiner.measuring.cases import Array, Case, slice_case
from backprop.examiner.measuring.examination import CaseExamination, Examination, Reading
from backprop.examiner.measuring.kinks import seems_bent
from backprop.examiner.measuring.noise import measure_noise, tensor_sizes
from backprop.examiner.measuring.oracles import Oracle
from backprop.examiner.saying.grounds import say, tell
from backprop.examiner.saying.remarks import ANOTHER_SLOPE, UNSEEN_SLOPE
from backprop.examiner.saying.report import Finding
from backprop.examiner.saying.sentences import BEYOND_KINK
from backprop.examiner.subject.protocol.subjects import Unusable

__all__ = ["name_convention", "settle_kinks"]

MOST_KINKS = 8
MOST_ROWS = 16
NEAR, ROUGHLY = 1e-5, 0.05
SEEN = 1e-6
"""Of the larger one-sided derivative: a smaller jump tells no part of the way."""


def settle_kinks(examination: Examination, rng: np.random.Generator) -> list[Finding]:
    """Say where a convention of kinks shows; where the cost is not seen to bend, a mismatch is only not decided.

    Gives a finding where a code takes a slope beyond the one-sided ones: no convention does.
    """
    findings: list[Finding] = []
    for case in examination.cases:
        at_kink = [i for i, v in enumerate(case.tensors) if v.status == "kink"]
        if not at_kink:
            continue
        if not seems_bent(case.case, case.oracle.noise, rng):
            for i in at_kink:
                case.tensors[i].status = "undecided"
            continue
        findings += _tell_convention(examination, case, at_kink)
    return findings[:1]


def _tell_convention(examination: Examination, case: CaseExamination, at_kink: list[int]) -> list[Finding]:
    leaves = examination.leaves
    names = [leaves[i].name for i in at_kink]
    biases = [i for i in at_kink if leaves[i].role == "b" and leaves[i].dense and not case.case.subject.flat]
    top = max((leaves[i].layer or 0 for i in biases), default=0)
    measured = [p for i in biases if leaves[i].layer == top for p in _list_parts(case.oracle, i, _readings(case, i))]
    if not measured:
        tell(examination.notes, UNSEEN_SLOPE, case=case.case.label, tensors=names, measured=0)
        return []
    low, high = min(measured), max(measured)
    taken = " and ".join(text for text in dict.fromkeys(map(name_convention, measured)) if text)
    numbers = {"case": case.case.label, "tensors": names, "low": _snap(low), "high": _snap(high)}
    if say(ANOTHER_SLOPE, taken=taken, **numbers):
        tell(examination.notes, ANOTHER_SLOPE, taken=taken, **numbers)
        return []
    beyond = [i for i in biases if leaves[i].layer == top and _is_beyond(case, i)]
    if not beyond:
        tell(examination.notes, UNSEEN_SLOPE, case=case.case.label, tensors=names, measured=0)
        return []
    worst = max((low, high), key=lambda part: abs(part - 0.5))
    equation = "BP1" if top == examination.depth else "BP2"
    said = say(BEYOND_KINK, case=case.case.label, tensors=[leaves[i].name for i in beyond], part=worst)
    return [make_finding(examination, equation, top, beyond, said)]


def _readings(case: CaseExamination, tensor: int) -> list[Reading]:
    return [r for r in case.tensors[tensor].entries if r.state in ("kink", "differs")][:MOST_KINKS]


def _list_parts(oracle: Oracle, tensor: int, readings: list[Reading]) -> list[float]:
    """Where each reading lies on the way from the slope behind a kink (0) to the slope ahead of it (1).

    A bias moves z by as much, so that behind the kink the unit is off and ahead of it on.
    """
    case, size = oracle.case, tensor_sizes(oracle.case)[tensor]
    found = []
    for reading in readings:
        direction = np.zeros(case.leaves[tensor].shape)
        direction[reading.index or ()] = 1.0
        behind, ahead = _measure_sides(oracle, tensor, direction, size)
        if abs(ahead - behind) > SEEN * max(abs(ahead), abs(behind)):
            found.append((reading.yours - behind) / (ahead - behind))
    return found


def _is_beyond(found: CaseExamination, tensor: int) -> bool:
    """Whether a bias is beyond the one-sided slopes for a single sample too, where kinks of several cannot add up."""
    for part in _list_samples(found.case):
        try:
            yours = part.gradients(part.values)[tensor]
            oracle = Oracle(part, measure_noise(part, np.random.default_rng(0)))
        except Unusable:
            continue
        for reading in _readings(found, tensor):
            mine = Reading(
                reading.index, float(np.reshape(yours, part.leaves[tensor].shape)[reading.index or ()]), 0, 0
            )
            if any(_snap(p) < 0 or _snap(p) > 1 for p in _list_parts(oracle, tensor, [mine])):
                return True
    return False


def _list_samples(case: Case) -> Iterator[Case]:
    parts = (slice_case(case, first, 1) for first in range(min(case.rows or 0, MOST_ROWS)))
    return (part for part in parts if part is not None)


def _snap(part: float) -> float:
    """A part of the way that is hardly beyond one of its ends is that end."""
    return min(max(part, 0.0), 1.0) if -ROUGHLY < part < 1 + ROUGHLY else part


def _measure_sides(oracle: Oracle, tensor: int, direction: Array, size: float) -> tuple[float, float]:
    """The one-sided derivatives, each from two short steps, extrapolated."""
    case, sides = oracle.case, []
    for sign in (-1.0, 1.0):
        slopes = []
        for h in (NEAR, NEAR / 2):
            moved = float(np.real(case.cost(oracle.shift(tensor, direction, sign * h * size))))
            slopes.append((moved - oracle.center) / (sign * h * size))
        sides.append(2 * slopes[1] - slopes[0])
    return sides[0], sides[1]


def name_convention(part: float) -> str:
    """Say which slope a code takes at a kink, from the part of the way between the slopes behind it and ahead of it;
    nothing where it is neither of the three that people take.

    >>> name_convention(0.0), name_convention(0.5), name_convention(1.0), name_convention(0.3)
    ("f'(0) = 0", "f'(0) = 1/2", "f'(0) = 1", '')
    """
    for value, text in ((0.0, "0"), (0.5, "1/2"), (1.0, "1")):
        if abs(part - value) < ROUGHLY:
            return f"f'(0) = {text}"
    return ""
