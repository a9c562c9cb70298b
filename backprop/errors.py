"""The one exception that the door understands: unusable input, said in one line."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

__all__ = ["INTERRUPTED", "UsageError", "unknown_name"]

INTERRUPTED = 130
"""The exit status of a command that was interrupted."""


class UsageError(ValueError):
    """Input that cannot be used: *what*, what was *got*, *where*, and what to do, in one line.

    The command line prints the message on standard error and leaves with exit status 2.

    >>> str(UsageError("unknown name 'a\\nb'"))
    "unknown name 'a b'"
    """

    def __init__(self, message: str = "") -> None:
        line = message if message.isprintable() else "".join(c if c.isprintable() else " " for c in message)
        super().__init__(line)


def unknown_name(kind: str, got: object, choices: Iterable[str], hint: str = "") -> UsageError:
    """Build the error for a name that is not in a catalogue, with the nearest spelling.

    >>> str(unknown_name("activation", "rellu", ["relu", "tanh"]))
    "unknown activation 'rellu' (did you mean 'relu'?); choose from: relu, tanh"
    """
    names = list(choices)
    got = got if isinstance(got, str) else repr(got)
    near = difflib.get_close_matches(got.lower(), names, n=1)
    guess = f" (did you mean '{near[0]}'?)" if near else ""
    shown = got if len(got) <= 60 else got[:57] + "..."
    return UsageError(f"unknown {kind} {shown!r}{guess}; choose from: {', '.join(names)}{hint}")
