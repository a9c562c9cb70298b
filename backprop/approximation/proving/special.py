"""Taylor series in balls of functions that python-flint has for numbers only, from their differential equations."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TypeAlias

from flint import arb, arb_series, ctx, fmpq

__all__ = ["SERIES_OF_ONE", "arc_tangent_of_two", "compose"]

Series: TypeAlias = "arb_series"
Ball: TypeAlias = "arb"

NEAR, MOST_TERMS = 4, 60
"""Up to this distance from 0 sinc is summed from its powers, with so many terms."""


def _integrate(slope: Series, start: Ball) -> Series:
    """The series that begins with a ball and has that derivative."""
    return slope.integral() + arb_series([start])


def compose(outer: list[Ball], inner: Series) -> Series:
    """Σ outer_k (inner − inner_0)^k, by Horner's scheme."""
    step = inner - arb_series([inner[0]])
    total = arb_series([outer[-1]])
    for coefficient in outer[-2::-1]:
        total = total * step + arb_series([coefficient])
    return total


def _sinc(z: Series) -> Series:
    """sin z / z; near 0 from its Taylor coefficients there."""
    middle = z[0]
    if bool(abs(middle) > 1):
        return z.sin() / z
    return compose([_expand_sinc(middle, k) for k in range(ctx.cap)], z)


def _expand_sinc(z: Ball, k: int) -> Ball:
    """The k-th Taylor coefficient at z: sinc z = ∫ cos(t z) dt over [0, 1], so it is 1/((k + 1) k!) at most.

    Σ_n (−1)^n binomial(2n, k) z^(2n−k) / (2n + 1)!; the terms left out are less than a geometric series.
    """
    most = arb(fmpq(1, (k + 1) * math.factorial(k)))
    crude = most * arb(0, 1)
    if not bool(abs(z) < NEAR):
        return crude
    total, first = arb(0), (k + 1) // 2
    for n in range(first, first + MOST_TERMS):
        weight = fmpq((-1) ** n * math.comb(2 * n, k), math.factorial(2 * n + 1))
        total += arb(weight) * (z ** (2 * n - k) if 2 * n > k else arb(1))
    last = first + MOST_TERMS
    size = arb(fmpq(math.comb(2 * last, k), math.factorial(2 * last + 1))) * arb(NEAR) ** (2 * last - k)
    found = total + 2 * size * arb(0, 1)
    return found if bool(found.rad() < most) else crude


def arc_tangent_of_two(y: Series, x: Series) -> Series | None:
    """The angle of (x, y); None where the half-line behind 0 may be met."""
    if not (bool(x[0] > 0) or bool(y[0] != 0)):
        return None
    slope = (x * y.derivative() - y * x.derivative()) / (x * x + y * y)
    return _integrate(slope, arb.atan2(y[0], x[0]))


def _inverse_sine(z: Series) -> Series:
    return _integrate(z.derivative() / (1 + z * z).sqrt(), z[0].asinh())


def _inverse_cosine(z: Series) -> Series | None:
    if not bool(z[0] > 1):
        return None
    return _integrate(z.derivative() / (z * z - 1).sqrt(), z[0].acosh())


def _inverse_tangent(z: Series) -> Series | None:
    if not bool(abs(z[0]) < 1):
        return None
    return _integrate(z.derivative() / (1 - z * z), z[0].atanh())


def _log_gamma(z: Series) -> Series | None:
    return z.lgamma() if bool(z[0] > 0) else None


def _floor(z: Series) -> Series | None:
    low, high = arb(z[0].lower()).floor(), arb(z[0].upper()).floor()
    return arb_series([low]) if bool(low == high) else None


def _ceiling(z: Series) -> Series | None:
    found = _floor(-z)
    return None if found is None else -found


SERIES_OF_ONE: dict[str, Callable[[Series], Series | None]] = {
    "asinh": _inverse_sine,
    "acosh": _inverse_cosine,
    "atanh": _inverse_tangent,
    "sinc": _sinc,
    "gamma": lambda z: z.gamma(),
    "loggamma": _log_gamma,
    "floor": _floor,
    "ceiling": _ceiling,
}
"""Of one argument; None where there is no series that is known to be right on the whole box."""
