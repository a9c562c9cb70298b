"""Elementary functions of Taylor series of intervals: each from its value at the centre and a differential equation."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

from mpmath.libmp import (
    mpf_acos,
    mpf_asin,
    mpf_cmp,
    mpf_erf,
    mpf_tanh,
    round_ceiling,
    round_floor,
)
from mpmath.libmp.libmpi import mpi_atan, mpi_cos, mpi_exp, mpi_log, mpi_sin, mpi_sqrt

from backprop.approximation.checking.intervals import (
    ONE,
    PRECISION,
    ZERO,
    Interval,
    NoValue,
    Series,
    TooLarge,
    Unclear,
    add,
    clamp,
    convolve,
    divide,
    finite,
    integer,
    is_negative,
    is_positive,
    minus,
    multiply,
    negate,
    over,
    pi,
    plus,
    power,
    pull,
    rational,
    subtract,
    times,
    widen,
)  # fmt: skip

__all__ = ["FUNCTIONS", "derivative", "exponential", "integrate", "logarithm", "monotone", "root", "sine_and_cosine",
           "slope_of_error"]  # fmt: skip

LARGEST_ARGUMENT = 4000
"""Bits before the point: beyond this no exponential and no wave is worked out, it could take for ever."""
LOWEST = rational(-(Fraction(2) ** 64))
"""e to the lowest and less is as good as 0."""


def _check_argument(z: Interval) -> Interval:
    if any(end[2] + end[3] > LARGEST_ARGUMENT for end in z):  # type: ignore[index]
        raise TooLarge("an argument is too large")
    return z


def root(a: Series, length: int) -> Series:
    """√a: s_k = (a_k − Σ_{0<j<k} s_j s_{k−j}) / (2 s_0)"""
    if not is_positive(a[0], or_zero=length == 1):
        raise (NoValue if is_negative(a[0]) else Unclear)("a root of what may be negative")
    found: Series = [finite(mpi_sqrt(a[0], PRECISION))]
    for k in range(1, length):
        total = ZERO
        for j in range(1, k):
            total = plus(total, times(found[j], found[k - j]))
        wanted = a[k] if k < len(a) else ZERO
        found.append(over(minus(wanted, total), times(integer(2), found[0])))
    return found


def integrate(slope_of: Callable[[Series, int], Interval], start: Interval, length: int) -> Series:
    """f from f_0 and k f_k = the coefficient k − 1 of f', which may need f up to k − 1."""
    found: Series = [start]
    for k in range(1, length):
        found.append(over(slope_of(found, k - 1), integer(k)))
    return found


def derivative(a: Series) -> Series:
    """(k + 1) a_{k+1}"""
    return [times(integer(k), x) for k, x in enumerate(a)][1:] or [ZERO]


def exponential(z: Series, length: int) -> Series:
    """f' = f z'"""
    slope = derivative(z)
    return integrate(lambda f, k: convolve(f, slope, k), _start_exponential(z[0]), length)


def _start_exponential(z: Interval) -> Interval:
    """e^z, which is 1 or more for z >= 0, and 1 or less for z <= 0."""
    found = widen(mpi_exp(_check_argument(pull("max", [z, LOWEST])), PRECISION))
    if mpf_cmp(z[0], LOWEST[0]) < 0:
        found = ZERO[0], found[1]
    low = ONE if is_positive(z, or_zero=True) else ZERO
    return clamp(found, low, ONE if is_negative(z, or_zero=True) else found)


def logarithm(z: Series, length: int) -> Series:
    """f' = z' / z"""
    if not is_positive(z[0]):
        surely = is_negative(z[0], or_zero=True)
        raise (NoValue if surely else Unclear)("a logarithm of what may be 0 or negative")
    slope = divide(derivative(z), z, length)
    return integrate(lambda f, k: slope[k], widen(mpi_log(z[0], PRECISION)), length)


def sine_and_cosine(z: Series, length: int) -> tuple[Series, Series]:
    """s' = c z', c' = −s z'"""
    slope = derivative(z)
    angle = _check_argument(z[0])
    s, c = ([clamp(widen(f(angle, PRECISION)), negate([ONE])[0], ONE)] for f in (mpi_sin, mpi_cos))
    c = [ONE] if angle == ZERO else c
    for k in range(1, length):
        s_next = over(convolve(c, slope, k - 1), integer(k))
        c_next = over(negate([convolve(s, slope, k - 1)])[0], integer(k))
        s.append(s_next)
        c.append(c_next)
    return s, c


def monotone(function: Callable[..., object], z: Interval) -> Interval:
    """An increasing function at both ends, widened by more than its error."""
    return widen((function(z[0], PRECISION, round_floor), function(z[1], PRECISION, round_ceiling)))


def hyperbolic_tangent(z: Series, length: int) -> Series:
    """f' = (1 − f²) z'"""
    slope = derivative(z)
    complement: Series = []

    def next_slope(f: Series, k: int) -> Interval:
        square = convolve(f, f, k)
        complement.append(minus(ZERO if k else ONE, square))
        return convolve(complement, slope, k)

    return integrate(next_slope, clamp(monotone(mpf_tanh, z[0]), negate([ONE])[0], ONE), length)


def slope_of_error(z: Series, length: int) -> Series:
    """2/√π e^(−z²) z'"""
    square = multiply(z, z, length) if len(z) > 1 else [times(z[0], z[0])]
    bell = exponential(negate(square), length)
    factor = over(integer(2), mpi_sqrt(pi(), PRECISION))
    return multiply([factor], multiply(bell, derivative(z), length), length)


def error_function(z: Series, length: int) -> Series:
    """f' = 2/√π e^(−z²) z'"""
    slope = slope_of_error(z, length)
    start = clamp(monotone(mpf_erf, z[0]), negate([ONE])[0], ONE)
    return integrate(lambda f, k: slope[k] if k < len(slope) else ZERO, start, length)


def arc_tangent(z: Series, length: int) -> Series:
    """f' = z' / (1 + z²)"""
    slope = divide(derivative(z), add([ONE], power(z, 2, length)), length)
    return integrate(lambda f, k: slope[k], widen(mpi_atan(z[0], PRECISION)), length)


def arc_sine(z: Series, length: int) -> Series:
    """f' = z' / √(1 − z²)"""
    return _arc(monotone, mpf_asin, z, length)


def arc_cosine(z: Series, length: int) -> Series:
    """f' = −z' / √(1 − z²)"""
    return _arc(lambda f, u: monotone(f, (u[1], u[0])), mpf_acos, z, length)


def _arc(enclose: Callable[..., Interval], function: Callable[..., object], z: Series, length: int) -> Series:
    gaps = plus(ONE, z[0]), minus(ONE, z[0])
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
