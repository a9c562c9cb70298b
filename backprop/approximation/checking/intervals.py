"""Taylor series of intervals: mpmath's interval arithmetic, whose every operation rounds outward."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import TypeAlias

from mpmath.libmp import (
    from_float,
    from_int,
    from_rational,
    mpf_abs,
    mpf_acos,
    mpf_add,
    mpf_asin,
    mpf_cmp,
    mpf_erf,
    mpf_neg,
    mpf_shift,
    mpf_sign,
    mpf_tanh,
    round_ceiling,
    round_floor,
    to_float,
)
from mpmath.libmp.libmpi import (
    mpi_abs,
    mpi_add,
    mpi_atan,
    mpi_cos,
    mpi_div,
    mpi_exp,
    mpi_log,
    mpi_mul,
    mpi_pi,
    mpi_sin,
    mpi_sqrt,
    mpi_sub,
)

__all__ = [
    "FUNCTIONS",
    "HALF",
    "ONE",
    "ZERO",
    "Interval",
    "NoValue",
    "Series",
    "TooLarge",
    "Unclear",
    "absolute",
    "add",
    "divide",
    "exponential",
    "from_numbers",
    "hull",
    "is_below",
    "is_negative",
    "is_positive",
    "largest",
    "logarithm",
    "multiply",
    "negate",
    "number",
    "pi",
    "power",
    "pull",
    "rational",
    "root",
    "sign_of",
    "sine_and_cosine",
    "smallest",
    "subtract",
    "upper_float",
    "width",
]  # fmt: skip

Interval: TypeAlias = "tuple[object, object]"
Series: TypeAlias = "list[Interval]"
"""Coefficients of h^0, h^1 …; shorter than asked for means zeros behind."""
PRECISION = 160
MARGIN = 10
"""Bits by which what a library's function gives is widened: its last bits need not be right."""
LARGEST_ARGUMENT = 4000
"""Bits before the point: beyond this no exponential and no wave is worked out, it could take for ever."""


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
    return _widen(mpi_pi(PRECISION))


def upper_float(interval: Interval) -> float:
    """A double that is not below an interval."""
    found = float(to_float(interval[1], rnd=round_ceiling))
    return found if mpf_cmp(interval[1], from_float(found)) <= 0 else math.nextafter(found, math.inf)


def width(interval: Interval) -> Interval:
    """The length of an interval, from above."""
    low, high = interval
    return largest(_minus((high, high), (low, low)))


def is_below(a: Interval, b: Interval) -> bool:
    """Whether the upper end of one interval is not above that of another; exactly."""
    return bool(mpf_cmp(a[1], b[1]) <= 0)


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


def _plus(a: Interval, b: Interval) -> Interval:
    return _finite(mpi_add(a, b, PRECISION))


def _minus(a: Interval, b: Interval) -> Interval:
    return _finite(mpi_sub(a, b, PRECISION))


def _times(a: Interval, b: Interval) -> Interval:
    return _finite(mpi_mul(a, b, PRECISION))


def _over(a: Interval, b: Interval) -> Interval:
    if is_positive(b, or_zero=True) and is_negative(b, or_zero=True):
        raise NoValue("a division by 0")
    sign_of(b)
    return _finite(mpi_div(a, b, PRECISION))


def _integer(value: int) -> Interval:
    exact = from_int(value)
    return exact, exact


ZERO, ONE = _integer(0), _integer(1)
HALF, LOWEST = rational(Fraction(1, 2)), rational(-(Fraction(2) ** 64))
"""e to the lowest and less is as good as 0."""


def _finite(interval: Interval) -> Interval:
    """Itself.  Errors: Unclear where an end is no number."""
    if all(end[1] or not end[2] for end in interval) and mpf_cmp(*interval) <= 0:  # type: ignore[index]
        return interval
    raise TooLarge("a value is too large")


def _widen(interval: Interval) -> Interval:
    """Both ends moved outward by more than the error of a library's function."""
    low, high = _finite(interval)
    slack = [mpf_shift(mpf_abs(end), MARGIN - PRECISION) for end in (low, high)]
    return (
        mpf_add(low, mpf_neg(slack[0]), PRECISION, round_floor),
        mpf_add(high, slack[1], PRECISION, round_ceiling),
    )


def _cut(interval: Interval, low: Interval, high: Interval) -> Interval:
    """What is inside, of values that are known to be between two numbers."""
    return pull("max", [low, pull("min", [interval, high])])


def _check_argument(z: Interval) -> Interval:
    if any(end[2] + end[3] > LARGEST_ARGUMENT for end in z):  # type: ignore[index]
        raise TooLarge("an argument is too large")
    return z


def add(a: Series, b: Series) -> Series:
    """a + b"""
    length = max(len(a), len(b))
    a, b = pad(a, length), pad(b, length)
    return [_plus(x, y) for x, y in zip(a, b, strict=True)]


def subtract(a: Series, b: Series) -> Series:
    """a − b"""
    length = max(len(a), len(b))
    return [_minus(x, y) for x, y in zip(pad(a, length), pad(b, length), strict=True)]


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
            total = _plus(total, _times(a[j], b[k - j]))
    return total


def multiply(a: Series, b: Series, length: int) -> Series:
    """a · b, that many coefficients."""
    if len(a) == 1 or len(b) == 1:
        one, other = (a[0], b) if len(a) == 1 else (b[0], a)
        return [_times(one, x) for x in other]
    return [convolve(a, b, k) for k in range(length)]


def divide(a: Series, b: Series, length: int) -> Series:
    """a / b: q_k = (a_k − Σ_{j>=1} b_j q_{k−j}) / b_0"""
    quotient: Series = []
    for k in range(length):
        wanted = a[k] if k < len(a) else ZERO
        total = ZERO
        for j in range(1, k + 1):
            if j < len(b):
                total = _plus(total, _times(b[j], quotient[k - j]))
        quotient.append(_over(_minus(wanted, total), b[0]))
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


def root(a: Series, length: int) -> Series:
    """√a: s_k = (a_k − Σ_{0<j<k} s_j s_{k−j}) / (2 s_0)"""
    if not is_positive(a[0], or_zero=length == 1):
        raise (NoValue if is_negative(a[0]) else Unclear)("a root of what may be negative")
    found: Series = [_finite(mpi_sqrt(a[0], PRECISION))]
    for k in range(1, length):
        total = ZERO
        for j in range(1, k):
            total = _plus(total, _times(found[j], found[k - j]))
        wanted = a[k] if k < len(a) else ZERO
        found.append(_over(_minus(wanted, total), _times(_integer(2), found[0])))
    return found


def integrate(slope_of: Callable[[Series, int], Interval], start: Interval, length: int) -> Series:
    """f from f_0 and k f_k = the coefficient k − 1 of f', which may need f up to k − 1."""
    found: Series = [start]
    for k in range(1, length):
        found.append(_over(slope_of(found, k - 1), _integer(k)))
    return found


def derivative(a: Series) -> Series:
    """(k + 1) a_{k+1}"""
    return [_times(_integer(k), x) for k, x in enumerate(a)][1:] or [ZERO]


def exponential(z: Series, length: int) -> Series:
    """f' = f z'"""
    slope = derivative(z)
    return integrate(lambda f, k: convolve(f, slope, k), _start_exponential(z[0]), length)


def _start_exponential(z: Interval) -> Interval:
    """e^z, which is 1 or more for z >= 0, and 1 or less for z <= 0."""
    found = _widen(mpi_exp(_check_argument(pull("max", [z, LOWEST])), PRECISION))
    if mpf_cmp(z[0], LOWEST[0]) < 0:
        found = ZERO[0], found[1]
    low = ONE if is_positive(z, or_zero=True) else ZERO
    return _cut(found, low, ONE if is_negative(z, or_zero=True) else found)


def logarithm(z: Series, length: int) -> Series:
    """f' = z' / z"""
    if not is_positive(z[0]):
        surely = is_negative(z[0], or_zero=True)
        raise (NoValue if surely else Unclear)("a logarithm of what may be 0 or negative")
    slope = divide(derivative(z), z, length)
    return integrate(lambda f, k: slope[k], _widen(mpi_log(z[0], PRECISION)), length)


def sine_and_cosine(z: Series, length: int) -> tuple[Series, Series]:
    """s' = c z', c' = −s z'"""
    slope = derivative(z)
    angle = _check_argument(z[0])
    s, c = ([_cut(_widen(f(angle, PRECISION)), negate([ONE])[0], ONE)] for f in (mpi_sin, mpi_cos))
    for k in range(1, length):
        s_next = _over(convolve(c, slope, k - 1), _integer(k))
        c_next = _over(negate([convolve(s, slope, k - 1)])[0], _integer(k))
        s.append(s_next)
        c.append(c_next)
    return s, c


def _monotone(function: Callable[..., object], z: Interval) -> Interval:
    """An increasing function at both ends, widened by more than its error."""
    return _widen((function(z[0], PRECISION, round_floor), function(z[1], PRECISION, round_ceiling)))


def hyperbolic_tangent(z: Series, length: int) -> Series:
    """f' = (1 − f²) z'"""
    slope = derivative(z)
    complement: Series = []

    def next_slope(f: Series, k: int) -> Interval:
        square = convolve(f, f, k)
        complement.append(_minus(ZERO if k else ONE, square))
        return convolve(complement, slope, k)

    return integrate(next_slope, _cut(_monotone(mpf_tanh, z[0]), negate([ONE])[0], ONE), length)


def error_function(z: Series, length: int) -> Series:
    """f' = 2/√π e^(−z²) z'"""
    square = multiply(z, z, length) if len(z) > 1 else [_times(z[0], z[0])]
    bell = exponential(negate(square), length)
    factor = _over(_integer(2), mpi_sqrt(pi(), PRECISION))
    slope = multiply([factor], multiply(bell, derivative(z), length), length)
    start = _cut(_monotone(mpf_erf, z[0]), negate([ONE])[0], ONE)
    return integrate(lambda f, k: slope[k] if k < len(slope) else ZERO, start, length)


def arc_tangent(z: Series, length: int) -> Series:
    """f' = z' / (1 + z²)"""
    slope = divide(derivative(z), add([ONE], power(z, 2, length)), length)
    return integrate(lambda f, k: slope[k], _widen(mpi_atan(z[0], PRECISION)), length)


def arc_sine(z: Series, length: int) -> Series:
    """f' = z' / √(1 − z²)"""
    return _arc(_monotone, mpf_asin, z, length)


def arc_cosine(z: Series, length: int) -> Series:
    """f' = −z' / √(1 − z²)"""
    return _arc(lambda f, u: _monotone(f, (u[1], u[0])), mpf_acos, z, length)


def _arc(enclose: Callable[..., Interval], function: Callable[..., object], z: Series, length: int) -> Series:
    gaps = _plus(ONE, z[0]), _minus(ONE, z[0])
    if not all(is_positive(gap, or_zero=True) for gap in gaps):
        raise (NoValue if any(map(is_negative, gaps)) else Unclear)("an arc sine or cosine of what may be beyond 1")
    start = enclose(function, z[0])
    if length == 1:
        return [start]
    slope = divide(derivative(z), root(subtract([ONE], power(z, 2, length)), length), length)
    slope = negate(slope) if function is mpf_acos else slope
    return integrate(lambda f, k: slope[k], start, length)


FUNCTIONS: dict[str, Callable[[Series, int], Series]] = {
    "exp": exponential,
    "log": logarithm,
    "sin": lambda z, n: sine_and_cosine(z, n)[0],
    "cos": lambda z, n: sine_and_cosine(z, n)[1],
    "tanh": hyperbolic_tangent,
    "erf": error_function,
    "atan": arc_tangent,
    "asin": arc_sine,
    "acos": arc_cosine,
    "sqrt": root,
}
