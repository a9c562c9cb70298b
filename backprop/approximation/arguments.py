"""The arguments that every search takes: a width, an error wanted, a seed; each checked once, here."""

from __future__ import annotations

import math
import operator

from backprop.errors import UsageError

__all__ = ["read_epsilon", "read_seed", "read_width"]


def read_width(width: int, most: int) -> int:
    """A number of hidden units.  Errors: `UsageError` for what is no whole number from 1 to `most`.

    >>> read_width(8, 512)
    8
    """
    try:
        count = operator.index(width)
    except TypeError:
        raise UsageError(f"width must be a whole number of hidden units; got {width!r}") from None
    if not 1 <= count <= most:
        raise UsageError(f"width must be from 1 to {most} hidden units; got {count}")
    return count


def read_epsilon(epsilon: float) -> float:
    """A largest error.  Errors: `UsageError` for what is no finite number above 0."""
    if isinstance(epsilon, bool) or not isinstance(epsilon, int | float) or not 0 < epsilon < math.inf:
        raise UsageError(f"epsilon must be a finite number above 0; got {epsilon!r}")
    return float(epsilon)


def read_seed(seed: int) -> int:
    """A seed.  Errors: `UsageError` for what is no whole number >= 0."""
    try:
        number = operator.index(seed)
    except TypeError:
        number = -1
    if number < 0:
        raise UsageError(f"seed must be a whole number >= 0; got {seed!r}")
    return number
