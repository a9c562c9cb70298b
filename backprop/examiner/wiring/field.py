"""Arithmetic of the exact check: a prime field, dual numbers over it, and bounds of degrees."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any, Self, TypeAlias

import numpy as np
from flint import nmod
from numpy.typing import NDArray

from backprop.examiner.wiring.result import PRIME

__all__ = ["Degree", "Divisors", "Draws", "Objects", "ScalarDual", "pack"]

Objects: TypeAlias = NDArray[np.object_]


def pack(values: list[Any], shape: tuple[int, ...]) -> Objects:
    """Put scalars into an object array without NumPy looking inside them."""
    out = np.empty(len(values), dtype=object)
    out[:] = values
    return out.reshape(shape)


class Draws:
    """Independent, uniform elements of the field from one seed."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)

    def scalar(self) -> Any:
        """Draw one element."""
        return nmod(self._random.randrange(PRIME), PRIME)

    def array(self, shape: tuple[int, ...]) -> Objects:
        """Draw an object array of elements."""
        draw = self._random.randrange
        return pack([nmod(draw(PRIME), PRIME) for _ in range(int(np.prod(shape)))], shape)


class ScalarDual:
    """A number `value + slope·ε` with ε² = 0: a cost run on duals gives its derivative along a direction.

    The parts are field elements, `Degree` bounds when the degree of the identity is counted, or balls.
    """

    __slots__ = ("slope", "value")

    def __init__(self, value: Any, slope: Any) -> None:
        self.value = value
        self.slope = slope

    def __add__(self, other: Any) -> Any:
        if type(other) is type(self):
            return type(self)(self.value + other.value, self.slope + other.slope)
        if isinstance(other, np.ndarray):
            return NotImplemented
        return type(self)(self.value + other, self.slope)

    __radd__ = __add__

    def __neg__(self) -> Self:
        return type(self)(-self.value, -self.slope)

    def __sub__(self, other: Any) -> Any:
        if type(other) is type(self):
            return type(self)(self.value - other.value, self.slope - other.slope)
        if isinstance(other, np.ndarray):
            return NotImplemented
        return type(self)(self.value - other, self.slope)

    def __rsub__(self, other: Any) -> Any:
        return type(self)(other - self.value, -self.slope)

    def __mul__(self, other: Any) -> Any:
        if type(other) is type(self):
            return type(self)(self.value * other.value, self.value * other.slope + self.slope * other.value)
        if isinstance(other, np.ndarray):
            return NotImplemented
        return type(self)(self.value * other, self.slope * other)

    def __rmul__(self, other: Any) -> Any:
        return type(self)(other * self.value, other * self.slope)

    def __truediv__(self, other: Any) -> Any:
        if type(other) is type(self):
            quotient = self.value / other.value
            return type(self)(quotient, (self.slope - quotient * other.slope) / other.value)
        if isinstance(other, np.ndarray):
            return NotImplemented
        return type(self)(self.value / other, self.slope / other)

    def __rtruediv__(self, other: Any) -> Any:
        quotient = other / self.value
        return type(self)(quotient, -(quotient * self.slope) / self.value)

    def __pow__(self, exponent: Any) -> Any:
        power = _as_exponent(exponent)
        if power < 0:
            return 1 / self**-power
        if power == 0:
            return type(self)(self.value**0, self.slope * 0)
        return type(self)(self.value**power, self.slope * (self.value ** (power - 1) * power))


def _as_exponent(exponent: Any) -> int:
    if not isinstance(exponent, (int, np.integer)):
        raise TypeError(f"only integer powers are arithmetic, got ** {exponent!r}")
    return int(exponent)


class Divisors:
    """Everything that was divided by, so that common denominators are counted once.

    A denominator is a bit mask: the i-th power of a divisor sets its first i bits, hence a least common
    multiple is an `or`. Each bit weighs the degree of its divisor.
    """

    def __init__(self) -> None:
        self._degree: list[int] = []
        self._powers: list[list[int]] = []
        self._owner: list[int] = []
        self._weights: dict[int, int] = {0: 0}
        self._products: dict[tuple[int, int], int] = {}

    def register(self, degree: int) -> int:
        """Add a divisor of the given degree; return the mask of its first power."""
        self._powers.append([])
        return 1 << self._bit(len(self._powers) - 1, 0, degree)

    def weigh(self, mask: int) -> int:
        """Give the degree of the denominator that a mask stands for."""
        if mask not in self._weights:
            self._weights[mask] = sum(self._degree[bit] for bit in _bits(mask))
        return self._weights[mask]

    def multiply(self, left: int, right: int) -> int:
        """Give the mask of a product: powers of the same divisor add up."""
        common = left & right
        if not common:
            return left | right
        key = (left, right)
        if key not in self._products:
            self._products[key] = self._multiply(left, right, common)
        return self._products[key]

    def _multiply(self, left: int, right: int, common: int) -> int:
        out = left | right
        for owner in {self._owner[bit] for bit in _bits(common)}:
            powers = list(self._powers[owner])
            reached = sum(bool(left >> bit & 1) + bool(right >> bit & 1) for bit in powers)
            for power in range(reached):
                out |= 1 << self._bit(owner, power, self._degree[powers[0]])
        return out

    def _bit(self, owner: int, power: int, degree: int) -> int:
        while len(self._powers[owner]) <= power:
            self._powers[owner].append(len(self._degree))
            self._degree.append(degree)
            self._owner.append(owner)
        return self._powers[owner][power]


def _bits(mask: int) -> Iterator[int]:
    while mask:
        low = mask & -mask
        yield low.bit_length() - 1
        mask ^= low


class Degree:
    """An upper bound of the degree of a fraction: numerator of degree `top` over the denominator `mask`.

    >>> pool = Divisors()
    >>> x = Degree(1, 0, pool)
    >>> (x * x + 1).top, ((x + 1) / x + x / (x + 1)).top
    (2, 2)
    """

    __slots__ = ("_own", "mask", "pool", "top")

    def __init__(self, top: int, mask: int, pool: Divisors) -> None:
        self.top = top
        self.mask = mask
        self.pool = pool
        self._own: int | None = None

    def __add__(self, other: Any) -> Any:
        if type(other) is not Degree:
            # x + 1 is another polynomial than x, so it needs an identity of its own as a divisor.
            return self._lift(other, Degree(max(self.top, self.pool.weigh(self.mask)), self.mask, self.pool))
        if self.mask == other.mask:
            return Degree(max(self.top, other.top), self.mask, self.pool)
        both = self.mask | other.mask
        weigh = self.pool.weigh
        left = self.top + weigh(both & ~self.mask)
        right = other.top + weigh(both & ~other.mask)
        return Degree(max(left, right), both, self.pool)

    __radd__ = __sub__ = __rsub__ = __add__

    def __neg__(self) -> Degree:
        return self

    def __mul__(self, other: Any) -> Any:
        if type(other) is not Degree:
            return self._lift(other, self)
        mask = self.pool.multiply(self.mask, other.mask) if self.mask and other.mask else self.mask | other.mask
        return Degree(self.top + other.top, mask, self.pool)

    __rmul__ = __mul__

    def __truediv__(self, other: Any) -> Any:
        if type(other) is not Degree:
            return self._lift(other, self)
        return self * other._invert()

    def __rtruediv__(self, other: Any) -> Any:
        return self._lift(other, self._invert())

    def __pow__(self, exponent: Any) -> Any:
        power = _as_exponent(exponent)
        base = self if power >= 0 else self._invert()
        out = Degree(0, 0, self.pool)
        for _ in range(abs(power)):
            out = out * base
        return out

    def _invert(self) -> Degree:
        if self._own is None:
            self._own = self.pool.register(self.top)
        return Degree(self.pool.weigh(self.mask), self._own, self.pool)

    @staticmethod
    def _lift(other: Any, result: Degree) -> Any:
        if isinstance(other, (np.ndarray, ScalarDual)):
            return NotImplemented
        if isinstance(other, (int, np.integer)):
            return result
        raise TypeError(f"{type(other).__name__} {other!r} is not an integer: constants belong into the table")
