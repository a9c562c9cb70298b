"""The door for numbers: what comes from outside becomes a plain array or number here, or is refused in one line.

Every public function lets its arrays in by `as_array` or `as_floats`.  Whole numbers and truth values become floats,
a matrix becomes an array whose product is entry by entry, an array without a masked entry loses its mask; what could
only be guessed at (masked entries, text, bytes, sets, None) is an error.
"""

from __future__ import annotations

import operator
import sys
from collections.abc import Mapping, Set
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backprop.errors import UsageError

__all__ = ["Array", "as_array", "as_floats", "as_generator", "as_plain", "as_whole", "check_vector", "is_number"]

Array = NDArray[Any]
NO_NUMBERS = (str, bytes, bytearray, memoryview, Mapping, Set, type(None))
NUMBERS = "an array of numbers"
COMPUTED = "fcO"
"""Kinds of arrays that are computed with as they are: floats, complex numbers, objects with an arithmetic."""


def as_plain(values: Any, name: str, wanted: str = NUMBERS) -> Array:
    """An array of the class `numpy.ndarray` itself, of any type.

    Errors: UsageError for masked entries, rows of different lengths, and what is no array of anything.

    >>> as_plain(np.ma.array([1.5]), "X")
    array([1.5])
    >>> as_plain(np.ma.array([1.0, 2.0], mask=[False, True]), "Y")
    Traceback (most recent call last):
    backprop.errors.UsageError: Y has masked entries (1 of 2), and nothing can be computed with them; leave those rows \
out, or fill them
    """
    if isinstance(values, np.ma.MaskedArray) and np.ma.is_masked(values):
        hidden = int(np.sum(np.ma.getmaskarray(values)))
        raise UsageError(
            f"{name} has masked entries ({hidden} of {values.size}), and nothing can be computed with them; leave "
            "those rows out, or fill them"
        )
    if isinstance(values, NO_NUMBERS):
        raise refuse(values, name, wanted)
    try:
        array = np.asarray(values)
    except (TypeError, ValueError, OverflowError):
        raise refuse(values, name, wanted, "rows of different lengths, or no numbers at all") from None
    return array


def as_array(values: Any, name: str, wanted: str = NUMBERS) -> Array:
    """A plain array of floating-point numbers, of complex ones, or of objects that compute; not copied if it is one.

    Errors: UsageError as `as_plain`, and for text, dates, records, lists and None as entries.

    >>> as_array(np.array([True, False]), "theta")
    array([1., 0.])
    """
    if type(values) is np.ndarray and values.dtype.kind in "fc":
        return values
    array = as_plain(values, name, wanted)
    if array.dtype.kind in "iub":
        return array.astype(np.float64)
    if array.dtype.kind not in COMPUTED:
        raise refuse(values, name, wanted, f"an array of {array.dtype}")
    for entry in array.flat if array.dtype.kind == "O" else ():
        if isinstance(entry, (*NO_NUMBERS, list, tuple, np.ndarray)) or not hasattr(entry, "__mul__"):
            raise refuse(values, name, wanted, f"the entry {entry!r:.40}")
    if array.dtype.kind == "O" and all(isinstance(entry, int | float) for entry in array.flat):
        return array.astype(np.float64)
    return array


def as_floats(values: Any, name: str) -> Array:
    """A plain array of finite real floats; float32 stays float32.

    Errors: UsageError as `as_array`, for complex numbers, and for NaN and infinity with their place.
    """
    array = as_array(values, name)
    if array.dtype.kind != "f":
        try:
            array = array.astype(np.float64, casting="unsafe" if array.dtype.kind == "O" else "safe")
        except (TypeError, ValueError, OverflowError):
            raise refuse(values, name, "an array of real numbers", f"an array of {array.dtype}") from None
    with np.errstate(over="ignore", invalid="ignore"):
        total = np.sum(array)  # one pass without a second array; a sum may overflow, so look closer if it does
    bad = [] if np.isfinite(total) else np.argwhere(~np.isfinite(array)).tolist()
    if bad:
        where = tuple(bad[0])
        raise UsageError(f"{name} holds {array[where]} at {where}; remove or replace what is not finite")
    return array


def check_vector(name: str, values: Any) -> None:
    """What is changed in place must be an array of floats itself: a converted copy would be changed instead."""
    if type(values) is not np.ndarray or values.dtype.kind != "f":
        got = f"an array of {values.dtype}" if isinstance(values, np.ndarray) else f"a {type(values).__name__}"
        raise UsageError(
            f"{name} must be an array of floating-point numbers, got {got}; write np.array(…, dtype=float)"
        )


def refuse(values: Any, name: str, wanted: str, what: str = "") -> UsageError:
    """The error for what is no array of numbers."""
    return UsageError(f"{name} must be {wanted}; got {what or type(values).__name__}")


def is_number(value: object) -> bool:
    """Is it a finite number (a NumPy one too), and not a truth value?"""
    if not isinstance(value, int | float | np.integer | np.floating) or isinstance(value, bool):
        return False
    size: Any = abs(value)
    return bool(size <= sys.float_info.max)


def as_whole(name: str, value: Any, least: int = 1) -> int:
    """A whole number that is at least `least`.  Errors: UsageError.

    >>> as_whole("epochs", np.int64(3))
    3
    >>> as_whole("epochs", True)
    Traceback (most recent call last):
    backprop.errors.UsageError: epochs must be a whole number; got True
    """
    try:
        number = operator.index(value)
    except TypeError:
        number = None
    if number is None or isinstance(value, bool):
        raise UsageError(f"{name} must be a whole number; got {value!r:.60}")
    if number < least:
        raise UsageError(f"{name} must be at least {least}; got {number}")
    return number


def as_generator(rng: Any, method: str = "normal") -> np.random.Generator:
    """What draws random numbers by this method.  Errors: UsageError."""
    if not callable(getattr(rng, method, None)):
        raise UsageError(f"rng must be a random generator, got {rng!r:.60}; write np.random.default_rng(0)")
    return rng  # type: ignore[no-any-return]
