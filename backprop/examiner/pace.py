"""The word that ends an examination early: whoever has a clock says it, what examines hears it and has none."""

from __future__ import annotations

import threading

__all__ = ["CutShort", "Pace"]


class CutShort(Exception):
    """The examination was told to end before it was through: whatever was found till then decides nothing."""


class Pace:
    """Whether an examination may go on: until it is told to stop, from another thread, by whoever has a clock.

    >>> pace = Pace()
    >>> pace.check()
    >>> pace.stop()
    >>> pace.is_over
    True
    """

    def __init__(self) -> None:
        self._over = threading.Event()

    @property
    def is_over(self) -> bool:
        """Whether it was told to stop."""
        return self._over.is_set()

    def stop(self) -> None:
        """Let everything end that is asked next."""
        self._over.set()

    def check(self) -> None:
        """Raise `CutShort` once it was told to stop; asked before every call of the subject's code."""
        if self.is_over:
            raise CutShort
