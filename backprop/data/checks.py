"""Small checks that the room shares."""

from __future__ import annotations

import operator

import numpy as np
from numpy.typing import NDArray

from backprop.errors import UsageError

__all__ = ["Floats", "Integers", "as_count"]

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]


def as_count(value: int, name: str) -> int:
    try:
        count = operator.index(value)
    except TypeError:
        raise UsageError(f"{name} must be a whole number; got {value!r}") from None
    if count < 1:
        raise UsageError(f"{name} must be at least 1; got {count}")
    return count
