"""Taylor series of intervals: mpmath's interval arithmetic, whose every operation rounds outward."""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from fractions import Fraction
from typing import TypeAlias

from mpmath.libmp import (
    from_float,
    from_int,
    from_rational,
    mpf_abs,
    mpf_add,
    mpf_cmp,
    mpf_neg,
    mpf_shift,
    mpf_sign,
    round_ceiling,
    round_floor,
    to_float,
)
from mpmath.libmp.libmpi import (
    mpi_abs,
    mpi_add,
    mpi_div,
    mpi_mul,
    mpi_pi,
    mpi_sub,
)

__all__ = [
    "HALF", "ONE", "PRECISION", "ZERO", "Interval", "NoValue", "Series", "TooLarge", "Unclear", "absolute",
    "add", "clamp", "convolve", "divide", "finite", "from_numbers", "holds", "hull", "integer", "is_below",
    "is_negative", "is_ordered", "is_positive", "largest", "minus", "multiply", "negate", "number", "over", "pad", "pi",
    "plus", "power", "pull", "rational", "sign_of", "smallest", "subtract", "times", "upper_float", "widen",
    "width",
]  # fmt: skip

Interval: TypeAlias = "tuple[object, object]"
Series: TypeAlias = "list[Interval]"
"""Coefficients of h^0, h^1 …; shorter than asked for means zeros behind."""
PRECISION = 160
MARGIN = 10
"""Bits by which what a library's function gives is widened: its last bits need not be right."""


class Unclear(ArithmeticError):
    """The box is too wide to tell."""


class NoValue(Unclear):
    """There is surely no value, whatever number of the interval is meant."""


class TooLarge(Unclear):
    """A number is beyond what is worked out here."""


def number(value: float) -> Interval:
    """A double, exactly."""
    exact = from_float(float(value))
    return exact, exact


def rational(value: Fraction) -> Interval:
    """A fraction, rounded outward."""
    top, bottom = value.numerator, value.denominator
    return (
        from_rational(top, bottom, PRECISION, round_floor),
        from_rational(top, bottom, PRECISION, round_ceiling),
    )


def from_numbers(low: float, high: float) -> Interval:
    """The interval of all numbers from low to high."""
    return from_float(low), from_float(high)


def pi() -> Interval:
    """π"""
    return widen(mpi_pi(PRECISION))


def upper_float(interval: Interval) -> float:
    """A double that is not below an interval."""
    found = float(to_float(interval[1], rnd=round_ceiling))
    return found if mpf_cmp(interval[1], from_float(found)) <= 0 else math.nextafter(found, math.inf)


def width(interval: Interval) -> Interval:
    """The length of an interval, from above."""
    low, high = interval
    return largest(minus((high, high), (low, low)))


def is_below(a: Interval, b: Interval) -> bool:
    """Whether the upper end of one interval is not above that of another; exactly."""
    return bool(mpf_cmp(a[1], b[1]) <= 0)


def is_ordered(interval: Interval) -> bool:
    """Whether the lower end is not above the upper one; exactly."""
    return bool(mpf_cmp(*interval) <= 0)


def holds(interval: Interval, part: Interval) -> bool:
    """Whether one interval lies in another; exactly."""
    return bool(mpf_cmp(interval[0], part[0]) <= 0 <= mpf_cmp(interval[1], part[1]))


def is_positive(interval: Interval, or_zero: bool = False) -> bool:
    """Whether all of it is above 0 (or 0); exactly."""
    return bool(mpf_sign(interval[0]) >= (0 if or_zero else 1))


def is_negative(interval: Interval, or_zero: bool = False) -> bool:
    """Whether all of it is below 0 (or 0); exactly."""
    return bool(mpf_sign(interval[1]) <= (0 if or_zero else -1))


def sign_of(interval: Interval) -> int:
    """1 or −1 for an interval without 0.  Errors: Unclear if 0 is in it."""
    if is_positive(interval):
        return 1
    if is_negative(interval):
        return -1
    raise Unclear("what may be 0 is a denominator, or decides between cases")


def hull(*parts: Interval) -> Interval:
    """The smallest interval that holds several; ends are ordered exactly."""
    order = functools.cmp_to_key(mpf_cmp)
    return min((part[0] for part in parts), key=order), max((part[1] for part in parts), key=order)


def pull(name: str, parts: Sequence[Interval]) -> Interval:
    """[max of the lower ends, max of the upper ends], or the same with min."""
    order, pick = functools.cmp_to_key(mpf_cmp), max if name == "max" else min
    low, high = zip(*parts, strict=True)
    return pick(low, key=order), pick(high, key=order)


def largest(interval: Interval) -> Interval:
    """An interval at the largest absolute value."""
    top = mpi_abs(interval, PRECISION)[1]
    return top, top


def smallest(interval: Interval) -> Interval:
    """An interval at the smallest absolute value."""
    end = mpi_abs(interval, PRECISION)[0]
    return end, end


def absolute(interval: Interval) -> Interval:
    """|z|"""
    found: Interval = mpi_abs(interval, PRECISION)
    return found


def plus(a: Interval, b: Interval) -> Interval:
    """a + b of intervals."""
    return finite(mpi_add(a, b, PRECISION))


def minus(a: Interval, b: Interval) -> Interval:
    """a − b."""
    return finite(mpi_sub(a, b, PRECISION))


def times(a: Interval, b: Interval) -> Interval:
    """a b."""
    return finite(mpi_mul(a, b, PRECISION))


def over(a: Interval, b: Interval) -> Interval:
    """a / b.  Errors: NoValue for b = 0, Unclear if 0 is in b."""
    if is_positive(b, or_zero=True) and is_negative(b, or_zero=True):
        raise NoValue("a division by 0")
    sign_of(b)
    return finite(mpi_div(a, b, PRECISION))


def integer(value: int) -> Interval:
    """A whole number, exactly."""
    exact = from_int(value)
    return exact, exact


ZERO, ONE = integer(0), integer(1)
HALF = rational(Fraction(1, 2))


def finite(interval: Interval) -> Interval:
    """Itself.  Errors: Unclear where an end is no number."""
    low, high = interval
    if (low[1] or not low[2]) and (high[1] or not high[2]):  # type: ignore[index]
        return interval
    raise TooLarge("a value is too large")


def widen(interval: Interval) -> Interval:
    """Both ends moved outward by more than the error of a library's function."""
    low, high = finite(interval)
    slack = [mpf_shift(mpf_abs(end), MARGIN - PRECISION) for end in (low, high)]
    return (
        mpf_add(low, mpf_neg(slack[0]), PRECISION, round_floor),
        mpf_add(high, slack[1], PRECISION, round_ceiling),
    )


def clamp(interval: Interval, low: Interval, high: Interval) -> Interval:
    """What is inside, of values that are known to be between two numbers."""
    return pull("max", [low, pull("min", [interval, high])])


def add(a: Series, b: Series) -> Series:
    """a + b"""
    length = max(len(a), len(b))
    a, b = pad(a, length), pad(b, length)
    return [plus(x, y) for x, y in zip(a, b, strict=True)]


def subtract(a: Series, b: Series) -> Series:
    """a − b"""
    length = max(len(a), len(b))
    return [minus(x, y) for x, y in zip(pad(a, length), pad(b, length), strict=True)]


def negate(a: Series) -> Series:
    """−a"""
    return [(mpf_neg(high), mpf_neg(low)) for low, high in a]


def pad(series: Sequence[Interval], length: int) -> Series:
    """A series with zeros behind."""
    return [*series, *[ZERO] * (length - len(series))]


def convolve(a: Series, b: Series, k: int, first: int = 0) -> Interval:
    """Σ_{j=first..k} a_j b_{k−j}"""
    total = ZERO
    for j in range(first, k + 1):
        if j < len(a) and k - j < len(b):
            total = plus(total, times(a[j], b[k - j]))
    return total


def multiply(a: Series, b: Series, length: int) -> Series:
    """a · b, that many coefficients."""
    if len(a) == 1 or len(b) == 1:
        one, other = (a[0], b) if len(a) == 1 else (b[0], a)
        return [times(one, x) for x in other]
    return [convolve(a, b, k) for k in range(length)]


def divide(a: Series, b: Series, length: int) -> Series:
    """a / b: q_k = (a_k − Σ_{j>=1} b_j q_{k−j}) / b_0"""
    quotient: Series = []
    for k in range(length):
        wanted = a[k] if k < len(a) else ZERO
        total = ZERO
        for j in range(1, k + 1):
            if j < len(b):
                total = plus(total, times(b[j], quotient[k - j]))
        quotient.append(over(minus(wanted, total), b[0]))
    return quotient


def power(a: Series, exponent: int, length: int) -> Series:
    """An integer power, by multiplications; an even one is not negative."""
    if exponent < 0:
        return divide([ONE], power(a, -exponent, length), length if len(a) > 1 else 1)
    result, square, left = [ONE], a, exponent
    while left:
        result = multiply(result, square, length) if left & 1 else result
        left >>= 1
        square = multiply(square, square, length) if left else square
    if exponent % 2 == 0 and exponent and not (is_positive(a[0]) or is_negative(a[0])):
        result = [(ZERO[0], result[0][1]), *result[1:]]
    return result
