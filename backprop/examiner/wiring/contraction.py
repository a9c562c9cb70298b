"""Products of matrices of degree bounds: few different bounds, so that all their sums are looked up in tables."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backprop.examiner.wiring.field import Degree, Objects, ScalarDual, pack

__all__ = ["Bounds", "dot"]

MOST_KINDS = 256
"""Different bounds in one factor; with more of them the tables would be larger than the work."""


class Bounds(np.ndarray):
    """An array of degree bounds, or of dual numbers of them, whose products of matrices are quick.

    Everything else is as in any array of objects. Two bounds that are equal still belong to two polynomials: every
    entry of a product is an object of its own.

    >>> from backprop.examiner.wiring.field import Divisors
    >>> x = pack([Degree(1, 0, Divisors()) for _ in range(4)], (2, 2)).view(Bounds)
    >>> [entry.top for entry in (x @ (x * x)).flat]
    [3, 3, 3, 3]
    """

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, out: Any = None, **keywords: Any) -> Any:
        plain = [_bare(one) for one in inputs]
        made = _contract(*plain) if ufunc is np.matmul and method == "__call__" and not keywords else None
        given = None if out is None else tuple(_bare(one) for one in out)
        if made is None:
            more = {} if given is None else {"out": given}
            made = getattr(ufunc, method)(*plain, **keywords, **more)
        elif given is not None:
            given[0][...] = made
        if out is not None:
            return out[0]
        return made.view(Bounds) if isinstance(made, np.ndarray) else made


def dot(a: Any, b: Any, out: Any = None) -> Any:
    """`np.ndarray.dot` for arrays of which some are bounds: the method itself asks no class of arrays."""
    made = _contract(_bare(a), _bare(b))
    if made is None:
        return np.ndarray.dot(a, b) if out is None else np.ndarray.dot(a, b, out)
    if out is None:
        return made.view(Bounds)
    out[...] = made
    return out


def _bare(value: Any) -> Any:
    return value.view(np.ndarray) if isinstance(value, Bounds) else value


def _contract(a: Any, b: Any) -> Objects | None:
    """a @ b; None where it is another product, or the entries are of too many kinds."""
    if not (isinstance(a, np.ndarray) and isinstance(b, np.ndarray)) or a.ndim != 2 or b.ndim != 2:
        return None
    if a.shape[1] != b.shape[0] or not a.shape[1]:
        return None
    left, right = _encode(a), _encode(b)
    if left is None or right is None:
        return None
    return _Tables(left[1], right[1]).contract(left[0], right[0])


def _key(value: Any) -> Hashable:
    """What a bound is, whichever polynomial it belongs to; None for what is none."""
    if type(value) is Degree:
        return value.top, value.mask
    if type(value) is ScalarDual:
        return _key(value.value), _key(value.slope)
    return None


def _encode(array: Objects) -> tuple[NDArray[np.int64], list[Any]] | None:
    """Numbers in place of the entries, and one entry of each number; None where that does not pay."""
    numbers: dict[Hashable, int] = {}
    kinds: list[Any] = []
    codes = np.empty(array.size, dtype=np.int64)
    for place, value in enumerate(array.flat):
        key = _key(value)
        if key is None:
            return None
        if key not in numbers:
            if len(kinds) == MOST_KINDS:
                return None
            numbers[key] = len(kinds)
            kinds.append(value)
        codes[place] = numbers[key]
    return codes.reshape(array.shape), kinds


class _Tables:
    """Products of the kinds of two factors, and sums of what comes of them, each worked out once."""

    def __init__(self, left: list[Any], right: list[Any]) -> None:
        self.values: list[Any] = []
        self.numbers: dict[Hashable, int] = {}
        self.products = np.array([[self._number(a * b) for b in right] for a in left], dtype=np.int64)
        self.sums: dict[tuple[int, int], int] = {}

    def _number(self, value: Any) -> int:
        key = _key(value)
        if key not in self.numbers:
            self.numbers[key] = len(self.values)
            self.values.append(value)
        return self.numbers[key]

    def contract(self, left: NDArray[np.int64], right: NDArray[np.int64]) -> Objects:
        """The sums over the inner axis."""
        total = self.products[left[:, :1], right[:1]]
        for k in range(1, left.shape[1]):
            total = self._add(total, self.products[left[:, k, None], right[None, k]])
        return pack([_copy(self.values[code]) for code in total.flat], total.shape)

    def _add(self, a: NDArray[np.int64], b: NDArray[np.int64]) -> NDArray[np.int64]:
        """Entry by entry; each pair of kinds is added once."""
        pairs, where = np.unique(a * (1 << 32) + b, return_inverse=True)
        found = []
        for pair in pairs.tolist():
            one = divmod(pair, 1 << 32)
            if one not in self.sums:
                self.sums[one] = self._number(self.values[one[0]] + self.values[one[1]])
            found.append(self.sums[one])
        return np.array(found, dtype=np.int64)[where].reshape(a.shape)


def _copy(value: Any) -> Any:
    """The same bound of another polynomial."""
    if type(value) is ScalarDual:
        return ScalarDual(_copy(value.value), _copy(value.slope))
    return Degree(value.top, value.mask, value.pool)
