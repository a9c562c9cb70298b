"""Why a file cannot be attached to, in one line and one word."""

from __future__ import annotations

from backprop.examiner.subject.protocol.subjects import Unusable

__all__ = ["REASONS", "Refused"]

REASONS = ("crashed", "time", "package", "nothing", "syntax", "ambiguous")


class Refused(Unusable):
    """A file that cannot be examined as it is: the line says what was seen and what to give; `reason` is one word."""
