"""Moments of an activation: the means of f(z)^2 and f'(z)^2 over a normal z, in closed form or by quadrature.

>>> from theory.functions.elementwise import find
>>> measure_moments(find("relu"))
Moments(value=1/2, slope=1/2, exact=True)
"""

from __future__ import annotations

import functools
from collections.abc import Iterable
from typing import NamedTuple

import mpmath
import sympy
from sympy import Expr, Float, Integer, Rational, oo

from theory.functions.elementwise import ActivationError, ActivationFunction, find
from theory.functions.half_line import X

__all__ = ["DIGITS", "Moments", "integrate_piece", "measure_moments"]

DIGITS = 25
AGREE = mpmath.mpf(10) ** (5 - DIGITS)
NEAR = 14  # beyond, an integrand that does not grow like exp(x^2/4) adds less than 1e-30
FAINT = mpmath.mpf(10) ** (-DIGITS - 5)
FAR = 40  # beyond, the weight exp(-x^2/2) is below 1e-347

Terms = list[tuple[Expr, int, Expr]]
"""Terms c x^k exp(m x) as (c, k, m)."""


class Moments(NamedTuple):
    """E[f(z)^2] and E[f'(z)^2] for z of mean 0 and variance 1; `exact`: in closed form, not by quadrature."""

    value: Expr
    slope: Expr
    exact: bool


def measure_moments(activation: ActivationFunction) -> Moments:
    """Work out both moments.

    A piece of f that is a sum of c x^k exp(m x) is integrated in closed form (complete the square, then by parts);
    other pieces by quadrature with 25 digits. A closed form is compared with the quadrature before it is believed.

    Errors: `ActivationError` where f grows so fast that the mean is infinite.

    >>> moments = measure_moments(find("tanh"))
    >>> f"{float(moments.value):.6f} {float(moments.slope):.6f}"
    '0.394294 0.464403'
    """
    return _measure(activation.name)


@functools.cache
def _measure(name: str) -> Moments:
    activation = find(name)
    found = []
    for parts in ([p.expression for p in activation.pieces], activation.derivatives):
        stretches = [(p.lower, p.upper, part) for p, part in zip(activation.pieces, parts, strict=True)]
        found.append(_integrate(name, stretches))
    return Moments(found[0][0], found[1][0], found[0][1] and found[1][1])


def _integrate(name: str, stretches: Iterable[tuple[Expr, Expr, Expr]]) -> tuple[Expr, bool]:
    """The mean of the square of a function given piece by piece."""
    pieces = list(stretches)
    with mpmath.workdps(DIGITS):
        number = sum((_quadrature(*piece) for piece in pieces), mpmath.mpf(0))
        if not mpmath.isfinite(number):
            raise ActivationError(f"activation {name!r} grows so fast that the mean of its square is infinite")
        closed = [integrate_piece(lower, upper, expression**2) for lower, upper, expression in pieces]
        if None in closed:
            return Float(number, DIGITS), False
        exact = sympy.simplify(sum((part for part in closed if part is not None), Integer(0)))
        if abs(mpmath.mpf(exact.evalf(DIGITS)) - number) > AGREE * (1 + abs(number)):
            raise ArithmeticError(f"the closed form {exact} is not the integral {number} of {name}")
        return exact, True


def _quadrature(lower: Expr, upper: Expr, expression: Expr) -> mpmath.mpf:
    function = sympy.lambdify(X, expression, "mpmath")
    ends = [mpmath.mpf(sympy.Max(-FAR, sympy.Min(FAR, end)).evalf(DIGITS)) for end in (lower, upper)]
    near = [c for c in range(-NEAR, NEAR + 1, 2) if ends[0] < c < ends[1]]
    every = [c for c in range(-FAR, FAR + 1, 2) if ends[0] < c < ends[1]]
    weight = 1 / mpmath.sqrt(2 * mpmath.pi)

    def integrand(x: mpmath.mpf) -> mpmath.mpf:
        return weight * function(x) ** 2 * mpmath.exp(-x * x / 2)

    try:
        total = mpmath.quad(integrand, [ends[0], *near, ends[1]])
        outside = [(a, b) for a, b in ((ends[0], -NEAR), (NEAR, ends[1])) if ends[0] <= a < b <= ends[1]]
        if any(integrand(mpmath.mpf(place)) > FAINT * (1 + total) for pair in outside for place in pair):
            total = mpmath.quad(integrand, [ends[0], *every, ends[1]])  # f grows: its weight lies far out
        beyond = max((integrand(end) for end in ends if abs(end) == FAR), default=mpmath.mpf(0))
        return total if beyond <= AGREE * (1 + total) else mpmath.inf
    except (ArithmeticError, ValueError):
        return mpmath.inf


def integrate_piece(lower: Expr, upper: Expr, integrand: Expr) -> Expr | None:
    """The integral of integrand times the normal density in closed form, or None where it is not of the kind.

        ∫ x^k e^(m x) φ(x) dx = e^(m²/2) ∫ (y + m)^k φ(y) dy,  y = x - m

    >>> integrate_piece(Integer(0), oo, X**2), integrate_piece(-oo, oo, X**4)
    (1/2, 3)
    """
    terms = _read_terms(integrand) if integrand != 0 else []
    if terms is None:
        return None
    result: Expr = Integer(0)
    for coefficient, power, rate in terms:
        a, b = lower - rate, upper - rate
        parts = (sympy.binomial(power, q) * rate ** (power - q) * _integrate_power(q, a, b) for q in range(power + 1))
        result += coefficient * sympy.exp(rate**2 / 2) * sum(parts, Integer(0))
    return result


def _read_terms(integrand: Expr) -> Terms | None:
    terms: Terms = []
    for term in sympy.Add.make_args(sympy.expand(integrand)):
        coefficient, rest = term.as_independent(X)
        power, rate = 0, Integer(0)
        for factor in sympy.Mul.make_args(rest):
            base, exponent = factor.as_base_exp()
            if base == X and exponent.is_Integer and exponent > 0:
                power += int(exponent)
            elif isinstance(factor, sympy.exp) and _is_linear(factor.args[0]):
                slope, shift = sympy.Poly(factor.args[0], X).all_coeffs()
                rate, coefficient = rate + slope, coefficient * sympy.exp(shift)
            elif factor != 1:
                return None
        terms.append((coefficient, power, rate))
    return terms


def _is_linear(exponent: Expr) -> bool:
    return bool(exponent.is_polynomial(X)) and sympy.degree(exponent, X) == 1


def _integrate_power(power: int, a: Expr, b: Expr) -> Expr:
    """∫ y^k φ(y) dy from a to b, by parts: J_k = a^(k-1) φ(a) - b^(k-1) φ(b) + (k-1) J_(k-2)."""
    if power == 0:
        return (sympy.erf(b / sympy.sqrt(2)) - sympy.erf(a / sympy.sqrt(2))) / 2
    ends = _at_end(power - 1, a) - _at_end(power - 1, b)
    return ends if power == 1 else ends + (power - 1) * _integrate_power(power - 2, a, b)


def _at_end(power: int, end: Expr) -> Expr:
    """y^k φ(y), 0 at infinity."""
    if end in (oo, -oo):
        return Integer(0)
    return end**power * sympy.exp(-(end**2) * Rational(1, 2)) / sympy.sqrt(2 * sympy.pi)
