"""What a caller may ask for, checked: width, epsilon and seed; every refusal is one clear line."""

from __future__ import annotations

import math
import operator

from backprop.errors import UsageError

__all__ = ["MAX_WIDTH", "read_epsilon", "read_seed", "read_width"]

MAX_WIDTH = 512
"""The widest network that is searched for: beyond it a fit takes minutes, not seconds."""


def read_width(width: int, most: int) -> int:
    """A number of hidden units, from 1 to the most that are possible.

    >>> read_width(8, most=512)
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
    """A largest error, finite and above 0.

    >>> read_epsilon(1)
    1.0
    """
    if isinstance(epsilon, bool) or not isinstance(epsilon, int | float) or not 0 < epsilon < math.inf:
        raise UsageError(f"epsilon must be a finite number above 0; got {epsilon!r}")
    return float(epsilon)


def read_seed(seed: int) -> int:
    """A whole number, not negative.

    >>> read_seed(3)
    3
    """
    try:
        number = operator.index(seed)
    except TypeError:
        number = -1
    if number < 0:
        raise UsageError(f"seed must be a whole number >= 0; got {seed!r}")
    return number
