"""Taylor series of intervals: mpmath's interval arithmetic, whose every operation rounds outward."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import TypeAlias

from mpmath.libmp import (
    from_float,
    from_int,
    from_rational,
    mpf_erf,
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
    mpi_neg,
    mpi_pi,
    mpi_sin,
    mpi_sqrt,
    mpi_sub,
)

__all__ = [
    "FUNCTIONS", "Interval", "Series", "Unclear", "absolute", "add", "divide", "from_numbers", "hull", "largest",
    "multiply", "negate", "number", "pi", "power", "rational", "root", "sign_of", "subtract", "upper_float", "width",
]  # fmt: skip

Interval: TypeAlias = "tuple[object, object]"
Series: TypeAlias = "list[Interval]"
"""Coefficients of h^0, h^1 …; shorter than asked for means zeros behind."""
PRECISION = 120
MARGIN = 10
"""Bits by which functions without an interval form are widened."""


class Unclear(ArithmeticError):
    """The box is too wide to tell."""


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
    found: Interval = mpi_pi(PRECISION)
    return found


def upper_float(interval: Interval) -> float:
    """A double that is not below an interval."""
    return float(to_float(interval[1], rnd=round_ceiling))


def width(interval: Interval) -> float:
    """A double that is not below the length of an interval."""
    low, high = interval
    length: Interval = mpi_sub((high, high), (low, low), PRECISION)
    return upper_float(length)


def sign_of(interval: Interval) -> int:
    """1 or −1 for an interval without 0.  Errors: Unclear if 0 is in it."""
    low, high = to_float(interval[0], rnd=round_floor), to_float(interval[1], rnd=round_ceiling)
    if low > 0:
        return 1
    if high < 0:
        return -1
    raise Unclear("the sign is not the same on the whole box")


def hull(*parts: Interval) -> Interval:
    """The smallest interval that holds several."""
    low = min((part[0] for part in parts), key=lambda end: to_float(end, rnd=round_floor))
    high = max((part[1] for part in parts), key=lambda end: to_float(end, rnd=round_ceiling))
    return low, high


def largest(interval: Interval) -> Interval:
    """An interval at the largest absolute value."""
    top = mpi_abs(interval, PRECISION)[1]
    return top, top


def absolute(interval: Interval) -> Interval:
    """|z|"""
    found: Interval = mpi_abs(interval, PRECISION)
    return found


def _plus(a: Interval, b: Interval) -> Interval:
    found: Interval = mpi_add(a, b, PRECISION)
    return found


def _times(a: Interval, b: Interval) -> Interval:
    found: Interval = mpi_mul(a, b, PRECISION)
    return found


def _over(a: Interval, b: Interval) -> Interval:
    sign_of(b)
    found: Interval = mpi_div(a, b, PRECISION)
    return found


def _integer(value: int) -> Interval:
    exact = from_int(value)
    return exact, exact


ZERO = _integer(0)


def add(a: Series, b: Series) -> Series:
    """a + b"""
    length = max(len(a), len(b))
    a, b = pad(a, length), pad(b, length)
    return [_plus(x, y) for x, y in zip(a, b, strict=True)]


def subtract(a: Series, b: Series) -> Series:
    """a − b"""
    length = max(len(a), len(b))
    return [mpi_sub(x, y, PRECISION) for x, y in zip(pad(a, length), pad(b, length), strict=True)]


def negate(a: Series) -> Series:
    """−a"""
    return [mpi_neg(x, PRECISION) for x in a]


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
        quotient.append(_over(mpi_sub(wanted, total, PRECISION), b[0]))
    return quotient


def power(a: Series, exponent: int, length: int) -> Series:
    """An integer power, by multiplications."""
    if exponent < 0:
        return divide([_integer(1)], power(a, -exponent, length), length)
    result: Series = [_integer(1)]
    for _ in range(exponent):
        result = multiply(result, a, length)
    return result


def root(a: Series, length: int) -> Series:
    """√a: s_k = (a_k − Σ_{0<j<k} s_j s_{k−j}) / (2 s_0)"""
    if sign_of(a[0]) < 0:
        raise Unclear("a root of a negative number")
    found: Series = [mpi_sqrt(a[0], PRECISION)]
    for k in range(1, length):
        total = ZERO
        for j in range(1, k):
            total = _plus(total, _times(found[j], found[k - j]))
        wanted = a[k] if k < len(a) else ZERO
        found.append(_over(mpi_sub(wanted, total, PRECISION), _times(_integer(2), found[0])))
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
    return integrate(lambda f, k: convolve(f, slope, k), mpi_exp(z[0], PRECISION), length)


def logarithm(z: Series, length: int) -> Series:
    """f' = z' / z"""
    if sign_of(z[0]) < 0:
        raise Unclear("a logarithm of a negative number")
    slope = divide(derivative(z), z, length)
    return integrate(lambda f, k: slope[k], mpi_log(z[0], PRECISION), length)


def sine_and_cosine(z: Series, length: int) -> tuple[Series, Series]:
    """s' = c z', c' = −s z'"""
    slope = derivative(z)
    s, c = [mpi_sin(z[0], PRECISION)], [mpi_cos(z[0], PRECISION)]
    for k in range(1, length):
        s_next = _over(convolve(c, slope, k - 1), _integer(k))
        c_next = _over(mpi_neg(convolve(s, slope, k - 1), PRECISION), _integer(k))
        s.append(s_next)
        c.append(c_next)
    return s, c


def _monotone(function: Callable[..., object], z: Interval) -> Interval:
    """An increasing function at both ends, widened by more than its error."""
    low = function(z[0], PRECISION + MARGIN, round_floor)
    high = function(z[1], PRECISION + MARGIN, round_ceiling)
    ends: Interval = (low, high)
    slack = from_rational(1, 2 ** (PRECISION - MARGIN), PRECISION, round_ceiling)
    return _plus(ends, (mpi_neg((slack, slack), PRECISION)[0], slack))


def hyperbolic_tangent(z: Series, length: int) -> Series:
    """f' = (1 − f²) z'"""
    slope = derivative(z)
    complement: Series = []

    def next_slope(f: Series, k: int) -> Interval:
        square = convolve(f, f, k)
        complement.append(mpi_sub(ZERO if k else _integer(1), square, PRECISION))
        return convolve(complement, slope, k)

    return integrate(next_slope, _monotone(mpf_tanh, z[0]), length)


def error_function(z: Series, length: int) -> Series:
    """f' = 2/√π e^(−z²) z'"""
    square = multiply(z, z, length) if len(z) > 1 else [_times(z[0], z[0])]
    bell = exponential(negate(square), length)
    factor = _over(_integer(2), mpi_sqrt(pi(), PRECISION))
    slope = multiply([factor], multiply(bell, derivative(z), length), length)
    return integrate(lambda f, k: slope[k] if k < len(slope) else ZERO, _monotone(mpf_erf, z[0]), length)


def arc_tangent(z: Series, length: int) -> Series:
    """f' = z' / (1 + z²)"""
    square = add([_integer(1)], multiply(z, z, length))
    slope = divide(derivative(z), square, length)
    return integrate(lambda f, k: slope[k], mpi_atan(z[0], PRECISION), length)


FUNCTIONS: dict[str, Callable[[Series, int], Series]] = {
    "exp": exponential,
    "log": logarithm,
    "sin": lambda z, n: sine_and_cosine(z, n)[0],
    "cos": lambda z, n: sine_and_cosine(z, n)[1],
    "tanh": hyperbolic_tangent,
    "erf": error_function,
    "atan": arc_tangent,
    "sqrt": root,
}
