"""From wrong tensors to a finding: their names, how wrong they are, the entries that are shown."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from backprop.examiner.measuring.examination import Examination, TensorVerdict
from backprop.examiner.saying.grounds import Said, say
from backprop.examiner.saying.report import Entry, Finding
from backprop.examiner.saying.sentences import DIFFERS
from backprop.examiner.tolerance import RELATIVE_SLACK

__all__ = [
    "MOST_ENTRIES",
    "list_entries",
    "make_finding",
    "measure_gap",
    "measure_sizes",
    "name_tensors",
    "worst_verdict",
]

MOST_ENTRIES = 12


def list_entries(examination: Examination, tensors: list[int]) -> tuple[Entry, ...]:
    """List wrong entries of some tensors, the clearest mismatch of each tensor first."""
    out: list[Entry] = []
    share = max(2, MOST_ENTRIES // max(1, len(tensors)))
    for i in tensors:
        verdict = worst_verdict(examination, i)
        found = sorted((r for r in verdict.entries if r.state == "differs"), key=lambda r: -abs(r.yours - r.expected))
        name = verdict.leaf.name
        out += [Entry(name, r.index or (), r.yours, r.expected, r.uncertainty) for r in found[:share]]
    return tuple(out[:MOST_ENTRIES])


def worst_verdict(examination: Examination, tensor: int) -> TensorVerdict:
    """The case at which a tensor is most plainly wrong (at a place made smooth, if there is one)."""
    faulty = [(c.case.jittered, v) for c, v in zip(examination.cases, examination.verdicts(tensor), strict=True)]
    order = sorted(faulty, key=lambda p: (not p[1].faulty, -len(p[1].entries), not p[0]))
    return order[0][1]


def name_tensors(examination: Examination, tensors: Iterable[int]) -> list[str]:
    return [examination.leaves[i].name for i in sorted(set(tensors))]


def measure_gap(examination: Examination, tensors: Sequence[int]) -> float:
    """The largest mismatch in units of its uncertainty; what has no numbers to compare counts as twice the room."""
    gaps = [2.0]
    for i in tensors:
        verdict = worst_verdict(examination, i)
        slack = RELATIVE_SLACK * verdict.scale
        readings = [r for r in verdict.readings if r.state == "differs" and math.isfinite(r.yours)]
        gaps += [abs(r.yours - r.expected) / (r.uncertainty + slack or 1.0) for r in readings]
    return max(gaps) if any(examination.is_wrong(i) for i in tensors) else 0.0


def measure_sizes(examination: Examination, tensors: Sequence[int]) -> tuple[float, float]:
    """The largest number that the subject gives in some tensors where they are wrong, and the largest expected."""
    given, expected = 0.0, 0.0
    for i in tensors:
        for verdict in examination.verdicts(i):
            if verdict.status == "missing":
                expected = max(expected, 1.0)
            elif verdict.faulty:
                given = max([given, *(abs(r.yours) for r in verdict.readings)]) if verdict.readings else math.inf
                expected = max(expected, verdict.scale)
    return given, expected


def make_finding(
    examination: Examination, equation: str | None, layer: int | None, tensors: Sequence[int], said: tuple[Said, ...]
) -> Finding:
    ordered = sorted(set(tensors))
    names = name_tensors(examination, ordered)
    said = said or say(DIFFERS, tensors=names, off=measure_gap(examination, ordered))
    return Finding(equation, layer, tuple(names), said, entries=list_entries(examination, list(tensors)))
