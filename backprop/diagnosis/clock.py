"""A time limit that every search of the diagnosis asks: an explanation never keeps a verdict waiting."""

from __future__ import annotations

import math
import time

__all__ = ["Clock", "OutOfTime"]


class OutOfTime(Exception):
    """Nothing was found in the time given; the cause stays unknown."""


class Clock:
    """Counts from its making; `check` raises `OutOfTime` after that many seconds.

    >>> Clock().check()
    """

    def __init__(self, seconds: float = math.inf) -> None:
        self.deadline = time.monotonic() + seconds

    def check(self) -> None:
        """Give up once the time is over; called before everything that may take long."""
        if time.monotonic() > self.deadline:
            raise OutOfTime
