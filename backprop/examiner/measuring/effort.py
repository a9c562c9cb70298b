"""How much is looked at: counted by the sizes of a subject, so that it is the same on every machine at every hour."""

from __future__ import annotations

from dataclasses import dataclass

from backprop.examiner.measuring.cases import Case

__all__ = ["BRIEF", "FRUGAL", "THOROUGH", "Effort", "choose_effort"]

EVALUATIONS = 10
"""Calls of the cost for one derivative, about: both sides at a few steps."""
HANDLING = 30
"""Multiplications that taking a parameter from one process to the other stands for, about."""
MOST_WORK = 5e10
"""Multiplications for one case to be looked at thoroughly: a quarter of a minute or less on any machine of today."""


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
"""For a subject so large that its cost takes long on every machine."""


def choose_effort(case: Case, *, thorough: bool) -> Effort:
    """What a case can bear, by its sizes: a cost multiplies every parameter with every row, at least."""
    effort = THOROUGH if thorough else BRIEF
    calls = EVALUATIONS * sum(effort.count(leaf.size) for leaf in case.leaves)
    once = sum(leaf.size for leaf in case.leaves) * ((case.rows or 1) + HANDLING)
    return effort if calls * once <= MOST_WORK else FRUGAL
