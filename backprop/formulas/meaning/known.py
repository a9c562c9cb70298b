"""Functions of arrays that everybody knows, by their usual names."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from backprop.formulas.meaning.arrays import (
    Array,
    along,
    box,
    determinant,
    diagonal,
    each,
    full,
    inverse,
    matrix,
    total,
)
from backprop.formulas.meaning.dims import ShapeMisfit
from backprop.formulas.meaning.numbers import ELEMENTWISE, sign_of

__all__ = ["of_arrays", "spread"]


def of_arrays(name: str, args: list[Array]) -> Array | None:
    """The value, or None for a name (with so many arguments) that is not known.

    >>> from flint import arb
    >>> of_arrays("square", [box(arb(3))])[()] == 9
    True
    """
    name = {"maximum": "max", "minimum": "min", "matmul": "dot", "mm": "dot", "trace": "tr"}.get(name, name)
    if name in ("max", "min") and len(args) > 1:
        return largest(args, 1 if name == "max" else -1)
    function: Callable[..., Array] | None = (TWO if len(args) == 2 else ONE_ARRAY if len(args) == 1 else {}).get(name)
    return None if function is None else function(*args)


def spread(a: Array, axis: int | None, keeps: bool, root: bool) -> Array:
    """The variance (standard deviation) along one axis, or of all entries, divided by their number."""
    if axis is None:
        count, mean = a.size, each(lambda x: x / a.size, total(a))
        out = each(lambda x: x / count, total(each(lambda x, m: (x - m) * (x - m), a, mean)))
    else:
        mean = along(a, axis, True, True)
        out = along(each(lambda x, m: (x - m) * (x - m), a, mean), axis, keeps, True)
    return each(ELEMENTWISE["sqrt"], out) if root else out


def outer(a: Array, b: Array) -> Array:
    """a bᵀ of two vectors, however they lie."""
    one, two = a.reshape(-1), b.reshape(-1)
    return full((one.size, two.size), lambda place: one[place[0]] * two[place[1]])


def trace(a: Array) -> Array:
    """The sum of the diagonal."""
    if a.ndim != 2 or a.shape[0] != a.shape[1]:
        raise ShapeMisfit(f"the trace of something with shape {a.shape}")
    return total(box(np.diagonal(a).copy()))


def largest(args: list[Array], sign: int) -> Array:
    """max (or min) of several, entry by entry."""
    out = args[0]
    for other in args[1:]:
        out = each(lambda x, y: x if sign * sign_of(x - y) > 0 else y, out, other)
    return out


TWO: dict[str, Callable[..., Array]] = {
    "dot": matrix,
    "multiply": lambda a, b: each(lambda x, y: x * y, a, b),
    "outer": outer,
}
ONE_ARRAY: dict[str, Callable[..., Array]] = {
    "square": lambda a: each(lambda x: x * x, a),
    "diag": diagonal,
    "sum": total,
    "mean": lambda a: each(lambda x: x / a.size, total(a)),
    "tr": trace,
    "det": lambda a: box(determinant(a)),
    "inv": inverse,
    "transpose": lambda a: a.T,
}
