"""The limit of every search of the diagnosis: counted work, the same on every machine, however busy it is."""

from __future__ import annotations

import math

from backprop.examiner.pace import Pace

__all__ = ["OutOfWork", "Work"]

PASSES = 1e6
"""Multiplications that take about as long as one trial on a small network."""


class OutOfWork(Exception):
    """Nothing was found with the trials allowed; the cause stays unknown."""


class Work:
    """Counts trials; `spend` raises `OutOfWork` once there were so many.

    Parameters: `most` trials, each about as long as fitting one cost to a small network; `size` is the number of
    multiplications of one forward pass, so that fewer trials are allowed on a large network; `pace` may end it earlier.

    >>> Work().spend()
    """

    def __init__(self, most: float = math.inf, size: float = 0.0, pace: Pace | None = None) -> None:
        self.most, self.size, self.pace = most, size, pace or Pace()
        self.done = 0.0

    def spend(self, trials: float = 1.0, passes: float = 0.0) -> None:
        """Count what follows, with so many forward passes in it; called before everything that may take long."""
        self.pace.check()
        self.done += trials + passes * self.size / PASSES
        if self.done > self.most:
            raise OutOfWork
