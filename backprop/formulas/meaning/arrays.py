"""Arrays of balls: boxing, stretching, rows times columns; a misfit of shapes is said as such."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from flint import arb

from backprop.formulas.meaning.dims import ShapeMisfit

__all__ = ["Array", "along", "box", "determinant", "diagonal", "each", "full", "inverse", "matrix", "total"]

Array = Any


def box(value: Any) -> Array:
    """A number as an array without axes; an array as it is."""
    if isinstance(value, np.ndarray):
        return value
    array = np.empty((), dtype=object)
    array[()] = value
    return array


def full(shape: tuple[int, ...], make: Callable[[tuple[int, ...]], Any]) -> Array:
    """An array filled entry by entry.

    >>> full((2,), lambda place: place[0]).tolist()
    [0, 1]
    """
    array = np.empty(shape, dtype=object)
    for place in np.ndindex(*shape):
        array[place] = make(place)
    return array


def each(function: Callable[..., Any], *arrays: Array) -> Array:
    """A function of numbers, entry by entry; length 1 stretches."""
    try:
        spread = np.broadcast_arrays(*arrays)
    except ValueError:
        shapes = " and ".join(str(np.shape(a)) for a in arrays)
        raise ShapeMisfit(f"shapes {shapes} do not fit entry by entry") from None
    return full(spread[0].shape, lambda place: function(*[a[place] for a in spread]))


def matrix(a: Array, b: Array) -> Array:
    """Rows times columns; a number scales."""
    if a.ndim == 0 or b.ndim == 0:
        return each(lambda x, y: x * y, a, b)
    if a.shape[-1] != b.shape[0]:
        if 1 in (a.size, b.size):
            return each(lambda x, y: x * y, a.reshape(()) if a.size == 1 else a, b.reshape(()) if b.size == 1 else b)
        raise ShapeMisfit(f"shapes {a.shape} and {b.shape} do not fit in a matrix product")
    out = full((*a.shape[:-1], *b.shape[1:]), lambda _: arb(0))
    for place in np.ndindex(*out.shape):
        left, right = place[: a.ndim - 1], place[a.ndim - 1 :]
        for k in range(a.shape[-1]):
            out[place] = out[place] + a[(*left, k)] * b[(k, *right)]
    return out


def total(a: Array) -> Array:
    """The sum of all entries."""
    result: Any = arb(0)
    for place in np.ndindex(*a.shape):
        result = result + a[place]
    return box(result)


def along(a: Array, axis: int, keeps: bool = True, mean: bool = False) -> Array:
    """The sums (means) along one axis."""
    if axis >= a.ndim:
        raise ShapeMisfit(f"there is no axis {axis}")
    lines = np.moveaxis(a, axis, 0)
    out = full(lines.shape[1:], lambda rest: total(lines[(slice(None), *rest)])[()])
    out = each(lambda x: x / lines.shape[0], out) if mean else out
    return np.expand_dims(out, axis) if keeps else out


def diagonal(a: Array) -> Array:
    """A vector on the diagonal."""
    flat = a.reshape(-1)
    return full((flat.size, flat.size), lambda place: flat[place[0]] if place[0] == place[1] else arb(0))


def determinant(a: Array) -> Any:
    """By the first row; the matrices of a trial are small."""
    if a.ndim != 2 or a.shape[0] != a.shape[1]:
        raise ShapeMisfit(f"the determinant of something with shape {a.shape}")
    if a.shape[0] == 1:
        return a[0, 0]
    out: Any = arb(0)
    for k in range(a.shape[1]):
        minor = np.delete(np.delete(a, 0, axis=0), k, axis=1)
        out = out + (-1) ** k * a[0, k] * determinant(minor)
    return out


def inverse(a: Array) -> Array:
    """The adjugate over the determinant."""
    whole = determinant(a)
    if a.shape[0] == 1:
        return full((1, 1), lambda _: 1 / whole)
    minors = full(a.shape, lambda at: determinant(np.delete(np.delete(a, at[1], axis=0), at[0], axis=1)))
    return full(a.shape, lambda at: (-1) ** (at[0] + at[1]) * minors[at] / whole)
