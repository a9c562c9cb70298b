"""One steep sigmoid for a step: its largest error stays 1/2, its mean square error goes to 0.

f(x) = σ(s (x − 1/2)) for the step at 1/2 on [0, 1]. On both sides |F − f| = σ(−s |x − 1/2|), so sup |F − f| = σ(0) and

    ∫_0^1 |F − f|² dx = (2/s) ∫_0^(s/2) σ(−v)² dv,        v = s |x − 1/2|.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from functools import cache
from typing import NamedTuple

import sympy
from flint import arb
from sympy import Expr

from backprop.approximation.limits.balls import BITS, round_down, round_up
from backprop.approximation.proving.precision import computing
from backprop.approximation.proving.values import enclose_values
from backprop.errors import UsageError
from theory.functions.differentiation import differentiate
from theory.functions.elementwise import find
from theory.functions.half_line import X

__all__ = ["SteepRow", "derive_square_error", "list_steep_sigmoids"]

STEEPNESS = sympy.Symbol("s", positive=True)
STEEPEST = 1e6
"""Beyond this e^(s/2) is more than the arithmetic is asked to bear."""


class SteepRow(NamedTuple):
    """One sigmoid: s, sup |F − f|, and two floats with its L² error between them."""

    steepness: float
    sup_error: float
    l2_low: float
    l2_high: float


@cache
def derive_square_error() -> Expr:
    """∫_0^1 |F − f|² dx as an expression in s; the antiderivative is checked by differentiating it.

    Errors: `ArithmeticError` if the check fails.

    >>> sympy.limit(derive_square_error() * STEEPNESS, STEEPNESS, sympy.oo)
    -1 + 2*log(2)
    """
    return 2 / STEEPNESS * (_integrate().subs(X, STEEPNESS / 2) - _integrate().subs(X, 0))


@cache
def _integrate() -> Expr:
    """An antiderivative of σ(−v)²."""
    integrand = find("sigmoid").expression.subs(X, -X) ** 2
    found = sympy.integrate(integrand, X)
    if sympy.simplify(differentiate(found, X) - integrand) != 0:
        raise ArithmeticError(f"{found} is no antiderivative of {integrand}")
    return found


def list_steep_sigmoids(steepnesses: Iterable[float]) -> list[SteepRow]:
    """For each s: the largest error, and the L² error between two floats, from the derived integral in balls.

    The L² error goes to 0 like √((2 ln 2 − 1)/s).

    Errors: `UsageError` for a steepness that is not above 0, or too large.

    >>> for row in list_steep_sigmoids([10, 1000]):
    ...     print(f"{row.steepness:6g} {row.sup_error} {row.l2_low:.6f}")
        10 0.5 0.196532
      1000 0.5 0.019654
    """
    sup = float(find("sigmoid").expression.subs(X, 0))
    return [SteepRow(float(s), sup, *_enclose_l2(_check(s))) for s in steepnesses]


def _check(steepness: float) -> float:
    if not 0 < steepness <= STEEPEST:
        raise UsageError(f"steepness must be above 0 and at most {STEEPEST:g}; got {steepness!r}")
    return float(steepness)


def _enclose_l2(steepness: float) -> tuple[float, float]:
    """√ of the integral, rounded to both sides."""
    with computing(BITS):
        end = math.ldexp(steepness, -1)
        ends = [enclose_values(_integrate(), v, v) for v in (end, 0.0)]
        error = (2 / arb(steepness) * (ends[0] - ends[1])).sqrt()
        return round_down(error), round_up(error)
