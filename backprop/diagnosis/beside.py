"""The subject's tensors beside the oracle's, as far as both are numbers: what every pattern reads."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from backprop.diagnosis.evaluate import Array
from backprop.examiner.examination import CaseExamination

__all__ = ["Beside", "every", "fits", "read_case"]

EQUAL = 1e-5


@dataclass(frozen=True)
class Beside:
    """One tensor of one case: what the subject gave, what the oracle expects (NaN where not measured)."""

    index: int
    yours: Array
    expected: Array
    room: float

    @property
    def known(self) -> Array:
        """Where both are numbers."""
        return np.asarray(np.isfinite(self.expected) & np.isfinite(self.yours))


def read_case(case: CaseExamination) -> list[Beside]:
    """The tensors of a case that can be compared."""
    found = []
    for i, verdict in enumerate(case.tensors):
        yours = case.yours[i]
        if yours is None or np.size(yours) != verdict.leaf.size or not verdict.entries:
            continue
        room = 4 * min(verdict.uncertainty, 1e300) + EQUAL * verdict.scale
        found.append(Beside(i, np.reshape(yours, verdict.leaf.shape), verdict.expected(), room))
    return found


def every(cases: list[CaseExamination], test: Callable[[list[Beside]], bool]) -> bool:
    """Whether a test holds of every case in which something can be compared."""
    read = [read_case(case) for case in cases]
    return bool(any(read)) and all(test(tensors) for tensors in read if tensors)


def fits(t: Beside, made: Array) -> bool:
    """Whether the subject's tensor is what is made, where that was measured."""
    gap = np.abs(t.yours - made)[t.known]
    return bool(np.all(gap <= t.room))
