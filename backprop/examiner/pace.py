"""How much is looked at: less of a subject that is slow, so that its verdict comes within the time limit."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass

from backprop.examiner.cases import Case

__all__ = ["BRIEF", "DIAGNOSIS", "FRUGAL", "PROBES", "THOROUGH", "Effort", "Pace"]

EVALUATIONS = 10
"""Calls of the cost for one derivative, about: both sides at a few steps."""
CASES, PROBES, DIAGNOSIS = 0.5, 0.7, 0.9
"""Parts of the whole time after which cases, probes and the search for a cause end."""
MAIN_CASE = 0.25
"""Part of the whole time that one case may take, by estimate, to be looked at thoroughly."""


@dataclass(frozen=True)
class Effort:
    """Readings of one tensor: all entries up to a size, else directions and single entries; `closer` looks into what
    fails: 0 not at all, 1 for some wrong entry, 2 for all of a tensor of middle size;
    `confirmations` mismatches are measured again, by ladders of other steps."""

    exhaustive: int
    directions: int
    spots: int
    closer: int
    confirmations: int

    def count(self, size: int) -> int:
        """Derivatives taken of a tensor with so many entries.

        >>> THOROUGH.count(20), THOROUGH.count(1000)
        (20, 10)
        """
        return size if size <= self.exhaustive else self.directions + self.spots


THOROUGH = Effort(exhaustive=32, directions=4, spots=6, closer=2, confirmations=6)
"""For the main case."""
BRIEF = Effort(exhaustive=32, directions=2, spots=3, closer=1, confirmations=6)
"""For further cases."""
FRUGAL = Effort(exhaustive=2, directions=2, spots=3, closer=0, confirmations=1)
"""For a subject whose cost takes so long that the time would not do."""


class Pace:
    """The time an examination has, in seconds from now; without limit if none is given.

    >>> Pace().is_over(), Pace(0.0).is_over()
    (False, True)
    """

    def __init__(self, seconds: float = math.inf) -> None:
        self.seconds = seconds
        self._start = time.monotonic()

    def is_over(self, share: float = CASES) -> bool:
        """Whether that part of the time has passed."""
        return time.monotonic() - self._start >= share * self.seconds

    def left(self, share: float = DIAGNOSIS) -> float:
        """Seconds until that part of the time has passed, at least 0."""
        return max(0.0, share * self.seconds - (time.monotonic() - self._start))

    def choose(self, case: Case, *, thorough: bool) -> Effort:
        """What this case can bear: the cost is called twice to see how long it takes."""
        effort = THOROUGH if thorough else BRIEF
        if math.isinf(self.seconds):
            return effort
        needed = EVALUATIONS * sum(effort.count(leaf.size) for leaf in case.leaves)
        return effort if needed * _time_cost(case) <= MAIN_CASE * self.seconds else FRUGAL


def _time_cost(case: Case) -> float:
    """Seconds of the quicker of two calls."""
    found = []
    for _ in range(2):
        start = time.perf_counter()
        case.cost(case.values)
        found.append(time.perf_counter() - start)
    return min(found)
