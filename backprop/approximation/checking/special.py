"""Further functions of Taylor series of intervals: inverse hyperbolic, gamma, erfc, sinc, whole parts, angles."""

from __future__ import annotations

import math
from collections.abc import Callable
from fractions import Fraction
from functools import cache

from mpmath.libmp import mpf_acosh, mpf_asinh, mpf_atanh, mpf_ceil, mpf_erfc, mpf_floor, to_int
from mpmath.libmp.libmpi import mpi_atan

from backprop.approximation.checking import functions as fn
from backprop.approximation.checking.intervals import (
    HALF,
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
    divide,
    finite,
    hull,
    integer,
    is_negative,
    is_positive,
    largest,
    minus,
    multiply,
    negate,
    number,
    over,
    pi,
    plus,
    power,
    rational,
    subtract,
    times,
    upper_float,
    widen,
)  # fmt: skip
from backprop.approximation.checking.reader import Tree

__all__ = ["FUNCTIONS", "HULLS", "angle", "planck", "steep"]

FAR, STIRLING_TERMS, LARGEST_SHIFT = 24, 20, 400
"""Stirling's series is used from here on, with so many terms; arguments are shifted there by so many steps at most."""
PEAK = Fraction("2.8214393721220788934")
"""Where Planck's law u³/(e^u − 1) is largest."""
NEAR, SINC_TERMS = 6, 40
"""Where sinc is summed from its powers, with so many terms."""


def compose(outer: Series, inner: Series, length: int) -> Series:
    """Σ outer_k (inner − inner_0)^k, by Horner's scheme."""
    step = [ZERO, *inner[1:]]
    total: Series = [outer[-1]]
    for coefficient in outer[-2::-1]:
        total = add(multiply(total, step, length), [coefficient])
    return total


def _signed(size: Interval) -> Interval:
    """All numbers of at most that size."""
    return hull(negate([largest(size)])[0], largest(size))


def inverse_sine(z: Series, length: int) -> Series:
    """asinh: f' = z' / √(1 + z²)"""
    start = fn.monotone(mpf_asinh, z[0])
    root = fn.root(add([ONE], power(z, 2, length)), length)
    slope = divide(fn.derivative(z), root, length)
    return fn.integrate(lambda f, k: slope[k], start, length)


def inverse_cosine(z: Series, length: int) -> Series:
    """acosh: f' = z' / √(z² − 1)"""
    gap = minus(z[0], ONE)
    if not is_positive(gap, or_zero=length == 1):
        raise (NoValue if is_negative(gap) else Unclear)("acosh of what may be below 1")
    start = fn.monotone(mpf_acosh, z[0])
    if length == 1:
        return [start]
    slope = divide(fn.derivative(z), fn.root(subtract(power(z, 2, length), [ONE]), length), length)
    return fn.integrate(lambda f, k: slope[k], start, length)


def inverse_tangent(z: Series, length: int) -> Series:
    """atanh: f' = z' / (1 − z²)"""
    gaps = plus(ONE, z[0]), minus(ONE, z[0])
    if not all(map(is_positive, gaps)):
        outside = any(is_negative(gap, or_zero=True) for gap in gaps)
        raise (NoValue if outside else Unclear)("atanh of what may be 1 or beyond")
    slope = divide(fn.derivative(z), subtract([ONE], power(z, 2, length)), length)
    return fn.integrate(lambda f, k: slope[k], fn.monotone(mpf_atanh, z[0]), length)


def complementary_error(z: Series, length: int) -> Series:
    """erfc: f' = −2/√π e^(−z²) z'"""
    slope = fn.slope_of_error(z, length)
    start = clamp(fn.monotone(mpf_erfc, (z[0][1], z[0][0])), ZERO, integer(2))
    return fn.integrate(lambda f, k: negate([slope[k]])[0] if k < len(slope) else ZERO, start, length)


@cache
def _list_bernoulli(count: int) -> tuple[Fraction, ...]:
    """B_0 … of that many numbers: Σ_j binomial(m + 1, j) B_j = 0."""
    found = [Fraction(1)]
    for m in range(1, count):
        found.append(-sum((math.comb(m + 1, j) * found[j] for j in range(m)), Fraction(0)) / (m + 1))
    return tuple(found)


def _stirling(z: Series, length: int) -> Series:
    """log gamma for z >= 24: (z − 1/2) log z − z + log(2π)/2 + Σ B_2k / (2k (2k − 1) z^(2k−1)) + remainder.

    The remainder and its derivatives are less than those of the first term that is left out: up to its sign it is
    completely monotonic (H. Alzer, On some inequalities for the gamma and psi functions, 1997).
    """
    numbers = _list_bernoulli(2 * STIRLING_TERMS + 3)
    weights = [numbers[2 * k] / (2 * k * (2 * k - 1)) for k in range(1, STIRLING_TERMS + 2)]
    total = subtract(multiply(subtract(z, [HALF]), fn.logarithm(z, length), length), z)
    total = add(total, [times(HALF, fn.logarithm([times(integer(2), pi())], 1)[0])])
    inverse = divide([ONE], z, length)
    square, term = multiply(inverse, inverse, length), inverse
    for weight in weights[:-1]:
        total = add(total, multiply([rational(weight)], term, length))
        term = multiply(term, square, length)
    degree, low = 2 * STIRLING_TERMS + 1, (z[0][0], z[0][0])
    rest = []
    for m in range(length):
        size = rational(abs(weights[-1]) * math.comb(degree + m - 1, m))
        rest.append(_signed(over(size, power([low], degree + m, 1)[0])))
    return add(total, compose(rest, z, length))


def _shift(z: Series, least: int) -> int:
    """By how many whole steps an argument is moved to be FAR from 0 at least."""
    low = int(to_int(mpf_floor(finite(z[0])[0])))
    steps = max(0, least - low)
    if steps > LARGEST_SHIFT:
        raise TooLarge("the argument of gamma is too far below 0")
    return steps


def _rise(z: Series, steps: int, length: int) -> Series:
    """z (z + 1) … of that many factors."""
    product: Series = [ONE]
    for k in range(steps):
        product = multiply(product, add(z, [integer(k)]), length)
    return product


def gamma(z: Series, length: int) -> Series:
    """gamma(z + n) / (z (z + 1) … (z + n − 1))"""
    steps = _shift(z, FAR)
    far = fn.exponential(_stirling(add(z, [integer(steps)]), length), length)
    return divide(far, _rise(z, steps, length), length)


def log_gamma(z: Series, length: int) -> Series:
    """The logarithm of gamma for z > 0."""
    if not is_positive(z[0]):
        surely = is_negative(z[0], or_zero=True)
        raise (NoValue if surely else Unclear)("lgamma of what may be 0 or negative")
    steps = _shift(z, FAR)
    far = _stirling(add(z, [integer(steps)]), length)
    return subtract(far, fn.logarithm(_rise(z, steps, length), length)) if steps else far


def sinc(u: Series, length: int) -> Series:
    """sin(πu)/(πu), and 1 at 0."""
    z = multiply([pi()], u, length)
    if is_positive(z[0]) or is_negative(z[0]):
        sine = fn.sine_and_cosine(z, length)[0]
        return divide(sine, z, length)
    return compose([_expand_sinc(z[0], k) for k in range(length)], z, length)


def _expand_sinc(z: Interval, k: int) -> Interval:
    """Σ_n (−1)^n binomial(2n, k) z^(2n−k) / (2n + 1)!; of ∫ cos(t z) dt over [0, 1] it is 1/((k + 1) k!) at most."""
    most = _signed(rational(Fraction(1, (k + 1) * math.factorial(k))))
    if not is_positive(minus(integer(NEAR), largest(z))):
        return most
    total, first = ZERO, (k + 1) // 2
    for n in range(first, first + SINC_TERMS):
        weight = rational(Fraction((-1) ** n * math.comb(2 * n, k), math.factorial(2 * n + 1)))
        total = plus(total, times(weight, power([z], 2 * n - k, 1)[0]))
    last = first + SINC_TERMS
    left = Fraction(2 * math.comb(2 * last, k), math.factorial(2 * last + 1)) * NEAR ** (2 * last - k)
    return clamp(plus(total, _signed(rational(left))), *((end, end) for end in most))


def _whole(function: Callable[..., object], z: Series) -> Series:
    low, high = (function(end) for end in finite(z[0]))
    if low != high:
        raise Unclear("a whole part is not the same on the whole box")
    return [(low, high)]


def hull_of_angles(parts: list[Interval]) -> Interval:
    """All angles, where the half-line behind 0 may be met; or the angle of one side of it."""
    y, x = parts
    if is_positive(y, or_zero=True) and is_negative(x):
        return plus(pi(), widen(mpi_atan(over(y, x), PRECISION)))
    if y == ZERO and x == ZERO:
        return ZERO
    return hull(negate([pi()])[0], pi())


def angle(parts: list[Series], length: int) -> Series:
    """atan2(y, x): f' = (x y' − y x') / (x² + y²)"""
    y, x = parts
    if is_positive(x[0]):
        start = widen(mpi_atan(over(y[0], x[0]), PRECISION))
    elif is_positive(y[0]) or is_negative(y[0]):
        quarter = times(HALF, pi()) if is_positive(y[0]) else negate([times(HALF, pi())])[0]
        start = minus(quarter, widen(mpi_atan(over(x[0], y[0]), PRECISION)))
    else:
        raise Unclear("an angle may jump on the box")
    if length == 1:
        return [start]
    turning = subtract(multiply(x, fn.derivative(y), length), multiply(y, fn.derivative(x), length))
    slope = divide(turning, add(power(x, 2, length), power(y, 2, length)), length)
    return fn.integrate(lambda f, k: slope[k], start, length)


def planck(parts: list[Series], length: int) -> Series:
    """u³/(e^u − 1) over its largest value; 0 where u <= 0."""
    u = parts[0]
    if is_negative(u[0], or_zero=True):
        return [ZERO]
    law = divide(power(u, 3, length), subtract(fn.exponential(u, length), [ONE]), length)
    return multiply(law, [_planck_scale()], length)


@cache
def _planck_scale() -> Interval:
    """1 / max of u³/(e^u − 1), rounded to a double as the target states it."""
    u = [rational(PEAK)]
    law = divide(power(u, 3, 1), subtract(fn.exponential(u, 1), [ONE]), 1)[0]
    return number(1 / upper_float(law))


def _hull_planck(parts: list[Interval]) -> Interval:
    """0 <= u³/(e^u − 1) <= u² for u >= 0, because e^u >= 1 + u; 0 for u <= 0."""
    square = multiply([largest(parts[0])], [largest(parts[0])], 1)
    return hull(ZERO, multiply(square, [_planck_scale()], 1)[0])


def steep(node: Tree, length: int, expand: Callable[[Tree], Series]) -> Series | None:
    """log(1 + e^z) = z + log(1 + e^−z), u/(1 + e^z) = u e^−z/(1 + e^−z) where z > 0, and log(1/u) = −log u.

    None for any other, and where no derivatives are asked for.
    """
    if length == 1 or node.kind not in ("log", "/"):
        return None
    below = node.parts[-1]
    if node.kind == "log" and below.kind == "/" and below.parts[0].is_one:
        found = steep(Tree("log", below.parts[1:]), length, expand)
        return None if found is None else negate(found)
    powers = [part.parts[0] for part in below.parts if part.kind == "exp"] if below.kind == "+" else []
    if len(powers) != 1 or not any(part.is_one for part in below.parts):
        return None
    z = expand(powers[0])
    small = fn.exponential(z if is_negative(z[0]) else negate(z), length)
    if node.kind == "log" and (is_positive(z[0]) or is_negative(z[0])):
        rest = fn.logarithm(add([ONE], small), length)
        return add(z, rest) if is_positive(z[0]) else rest
    if node.kind == "/" and is_positive(z[0]):
        return divide(multiply(expand(node.parts[0]), small, length), add([ONE], small), length)
    return None


FUNCTIONS: dict[str, Callable[[Series, int], Series]] = {
    "asinh": inverse_sine,
    "acosh": inverse_cosine,
    "atanh": inverse_tangent,
    "erfc": complementary_error,
    "gamma": gamma,
    "lgamma": log_gamma,
    "sinc": sinc,
    "floor": lambda z, n: _whole(mpf_floor, z),
    "ceil": lambda z, n: _whole(mpf_ceil, z),
}
HULLS: dict[str, Callable[[list[Interval]], Interval]] = {
    "floor": lambda parts: (mpf_floor(parts[0][0]), mpf_floor(parts[0][1])),
    "ceil": lambda parts: (mpf_ceil(parts[0][0]), mpf_ceil(parts[0][1])),
    "atan2": hull_of_angles,
    "planck": _hull_planck,
}
