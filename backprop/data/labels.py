"""Labels as one-hot rows."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from backprop.arrays import as_plain, as_whole
from backprop.data.checks import Floats, Integers
from backprop.errors import UsageError

__all__ = ["one_hot"]


def one_hot(labels: ArrayLike, classes: int | None = None) -> Floats:
    """Turn class numbers into rows of zeros with a single one: Y_nk = 1 if labels_n = k, else 0.

    Args:
        labels: n integers in 0..classes-1, shape (n,).
        classes: K, the number of columns; default: the largest label + 1.

    Returns:
        Y of shape (n, K), float64.

    Raises:
        UsageError: labels that are not a list of integers, or one outside 0..classes-1.

    >>> one_hot([2, 0], classes=3).tolist()
    [[0.0, 0.0, 1.0], [1.0, 0.0, 0.0]]
    """
    numbers = _as_labels(labels)
    largest = int(numbers.max(initial=-1))
    count = largest + 1 if classes is None else as_whole("classes", classes)
    outside = np.flatnonzero((numbers < 0) | (numbers >= count))
    if outside.size:
        where = int(outside[0])
        raise UsageError(
            f"label {int(numbers[where])} in row {where} is not one of the {count} classes 0..{count - 1}; "
            "number the classes from 0 or raise classes"
        )
    rows = np.zeros((numbers.size, count))
    rows[np.arange(numbers.size), numbers] = 1
    return rows


def _as_labels(labels: ArrayLike) -> Integers:
    numbers = as_plain(labels, "labels", "a flat list of integers")
    if numbers.size == 0 and numbers.ndim == 1:
        return np.zeros(0, dtype=np.int64)
    if numbers.ndim != 1 or numbers.dtype.kind not in "iu":
        raise UsageError(
            f"labels must be a flat list of integers; got shape {numbers.shape} of {numbers.dtype}; "
            "one label a row, 0 for the first class"
        )
    return numbers.astype(np.int64)
