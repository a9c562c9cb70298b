"""Columns brought to mean 0 and spread 1; the figures come from the training rows only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from backprop.arrays import as_array
from backprop.errors import UsageError

__all__ = ["Scaling", "measure_scaling"]

Array = NDArray[np.floating[Any]]


@dataclass(frozen=True, eq=False)
class Scaling:
    """(x - mean) / spread, column by column; `spread` is 1 where a column is constant, so that it becomes 0."""

    mean: Array
    spread: Array

    def apply(self, X: ArrayLike) -> Array:
        """Scale rows, of the training data or new ones. Errors: UsageError for another number of columns."""
        rows = _as_rows(X)
        if rows.shape[1] != len(self.mean):
            raise UsageError(f"X has {rows.shape[1]} columns, but the scaling was measured on {len(self.mean)}")
        return (rows - self.mean.astype(rows.dtype)) / self.spread.astype(rows.dtype)

    def undo(self, X: ArrayLike) -> Array:
        """Bring scaled rows back."""
        return _as_rows(X) * self.spread + self.mean


def measure_scaling(X: ArrayLike) -> Scaling:
    """Measure mean and spread (root mean square deviation) of each column.

    A constant column (the corners of digits) has no spread: it is left at zero. Constant means that all its values
    are equal, not that they are nearly so.

    Raises:
        UsageError: not a table of finite numbers with at least one row.

    Source: lecture item 18, standardised inputs.

    >>> scaling = measure_scaling([[1.0, 7.0], [3.0, 7.0]])
    >>> scaling.apply([[1.0, 7.0], [5.0, 7.0]]).tolist()
    [[-1.0, 0.0], [3.0, 0.0]]
    """
    rows = _as_rows(X).astype(np.float64)
    if not len(rows) or not np.all(np.isfinite(rows)):
        raise UsageError(f"scaling needs at least one row of finite numbers; got shape {rows.shape}")
    constant = np.ptp(rows, axis=0) == 0
    # the mean of equal numbers may differ from them in the last digit
    mean = np.where(constant, rows[0], np.mean(rows, axis=0))
    spread = np.std(rows, axis=0)
    return Scaling(mean, np.where(constant | (spread == 0), 1.0, spread))


def _as_rows(X: ArrayLike) -> Array:
    rows = as_array(X, "X", "a table of numbers")
    if rows.dtype.kind != "f":
        raise UsageError(f"X must be a table of real numbers; got {rows.dtype}")
    if rows.ndim != 2:
        raise UsageError(f"X must be a table, one row a sample; got shape {rows.shape}")
    return rows
