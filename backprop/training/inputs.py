"""What `fit` is given, checked before any time is spent on it."""

from __future__ import annotations

import operator
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from backprop.errors import UsageError
from backprop.training.trainable import Array, Trainable

__all__ = ["Data", "as_data", "as_theta", "as_whole"]


@dataclass(frozen=True, eq=False)
class Data:
    """A data set that fits a network: X (n, M_0), Y (n, M_L), finite, n >= 1."""

    X: Array
    Y: Array

    @property
    def n(self) -> int:
        """The number of rows."""
        return len(self.X)


def as_data(net: Trainable, X: ArrayLike, Y: ArrayLike, which: str) -> Data:
    """Check a data set against the network; `which` names it in the messages."""
    layers = net.views(np.zeros(net.size))
    wanted = (layers[0][0].shape[0], layers[-1][-1].shape[-1])
    arrays = []
    for name, values, width in (("X", X, wanted[0]), ("Y", Y, wanted[1])):
        array = _as_floats(values, f"{which} {name}")
        if array.ndim != 2 or array.shape[1] != width or not len(array):
            raise UsageError(
                f"{which} {name} has shape {array.shape}, but the network wants (n, {width}) with n >= 1; "
                "one row a sample, one column a unit"
            )
        arrays.append(array)
    if len(arrays[0]) != len(arrays[1]):
        raise UsageError(f"{which} X has {len(arrays[0])} rows but Y has {len(arrays[1])}; they must agree")
    return Data(*arrays)


def as_theta(net: Trainable, theta: ArrayLike) -> Array:
    """Copy a starting point, checked against the network."""
    start = _as_floats(theta, "theta").copy()
    if start.shape != (net.size,):
        raise UsageError(f"theta has shape {start.shape}, but the network has {net.size} parameters")
    return start


def _as_floats(values: ArrayLike, name: str) -> Array:
    try:
        array = np.asarray(values)
        if array.dtype.kind != "f":
            array = array.astype(np.float64)
    except (TypeError, ValueError):
        raise UsageError(f"{name} must be an array of numbers; got {type(values).__name__}") from None
    bad = np.argwhere(~np.isfinite(array))
    if len(bad):
        where = tuple(int(i) for i in bad[0])
        raise UsageError(f"{name} holds {array[where]} at {where}; remove or replace what is not finite")
    return array


def as_whole(name: str, value: int, least: int) -> int:
    """Return a whole number that is at least `least`, else UsageError."""
    try:
        number = operator.index(value)
    except TypeError:
        raise UsageError(f"{name} must be a whole number; got {value!r}") from None
    if number < least:
        raise UsageError(f"{name} must be at least {least}; got {number}")
    return number
