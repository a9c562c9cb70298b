"""What may be asked for: width, epsilon, seed; each checked, with one clear line where it cannot be used."""

from __future__ import annotations

import math
import operator

from backprop.errors import UsageError

__all__ = ["MAX_WIDTH", "read_epsilon", "read_seed", "read_width"]

MAX_WIDTH = 512
"""The widest network that is tried: beyond it a fit takes minutes, not seconds."""


def read_width(width: int) -> int:
    """A number of hidden units."""
    try:
        count = operator.index(width)
    except TypeError:
        raise UsageError(f"width must be a whole number of hidden units; got {width!r}") from None
    if not 1 <= count <= MAX_WIDTH:
        raise UsageError(f"width must be from 1 to {MAX_WIDTH} hidden units; got {count}")
    return count


def read_epsilon(epsilon: float) -> float:
    """The largest error wanted."""
    if isinstance(epsilon, bool) or not isinstance(epsilon, int | float) or not 0 < epsilon < math.inf:
        raise UsageError(f"epsilon must be a finite number above 0; got {epsilon!r}")
    return float(epsilon)


def read_seed(seed: int) -> int:
    """The seed of the random starts."""
    try:
        number = operator.index(seed)
    except TypeError:
        number = -1
    if number < 0:
        raise UsageError(f"seed must be a whole number >= 0; got {seed!r}")
    return number
