"""The subject's tensors beside the oracle's, as far as both are numbers: what every pattern reads."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from backprop.diagnosis.model.evaluate import Array
from backprop.examiner.measuring.examination import CaseExamination

__all__ = ["Compared", "fits", "measure_fit", "read_case"]

EQUAL = 1e-5


@dataclass(frozen=True)
class Compared:
    """One tensor of one case: what the subject gave, what the oracle expects (NaN where not measured)."""

    index: int
    yours: Array
    expected: Array
    room: float

    @property
    def known(self) -> Array:
        """Where both are numbers."""
        return np.asarray(np.isfinite(self.expected) & np.isfinite(self.yours))


def read_case(case: CaseExamination) -> list[Compared]:
    """The tensors of a case that can be compared."""
    found = []
    for i, verdict in enumerate(case.tensors):
        yours = case.yours[i]
        if yours is None or np.size(yours) != verdict.leaf.size or not verdict.entries:
            continue
        room = 4 * min(verdict.uncertainty, 1e300) + EQUAL * verdict.scale
        found.append(Compared(i, np.reshape(yours, verdict.leaf.shape), verdict.expected(), room))
    return found


def measure_fit(cases: list[CaseExamination], make: Callable[[Compared], Array]) -> dict[str, float]:
    """How far the subject's tensors are from what is made, in units of their room, and how many entries were compared.

    Nothing to compare fits nothing.
    """
    read = [t for case in cases for t in read_case(case)]
    gaps = [np.abs(t.yours - make(t))[t.known] / (t.room or np.finfo(float).tiny) for t in read]
    off = max((float(np.max(gap, initial=0.0)) for gap in gaps), default=np.inf)
    return {"off": off, "entries": sum(gap.size for gap in gaps)}


def fits(t: Compared, made: Array) -> bool:
    """Whether the subject's tensor is what is made, where that was measured."""
    gap = np.abs(t.yours - made)[t.known]
    return bool(np.all(gap <= t.room))
