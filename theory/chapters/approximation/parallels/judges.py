"""Judges for sums with binomial weights, for waves, and for areas; what they cannot show they refuse.

>>> BinomialMean().decides(mean_over(k**2), "=", n * x * (1 - x) + (n * x) ** 2)
True
>>> BinomialMean().decides(mean_over(k**2), "=", (n * x) ** 2)
False
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import sympy
from sympy import Dummy, Expr, Integral, Sum, Symbol

from theory.chapters.approximation.claim_printing import write_expression
from theory.chapters.approximation.claims import Everywhere, Induction, Relation
from theory.functions.differentiation import differentiate

__all__ = ["Area", "BinomialMean", "OnTheCircle", "k", "mean_over", "n", "weigh", "x"]

k, n = Symbol("k", integer=True, nonnegative=True), Symbol("n", integer=True, positive=True)
x = Symbol("x", real=True)


def weigh() -> Expr:
    """binomial(n, k) x^k (1 - x)^(n - k): the chance of k hits in n throws, each with chance x."""
    return sympy.binomial(n, k) * x**k * (1 - x) ** (n - k)


def mean_over(values: Expr) -> Sum:
    """The mean of a polynomial in k over these weights."""
    return Sum(weigh() * values, (k, 0, n))


class BinomialMean:
    """Equality of expressions in means over binomial weights, for every n and x.

    By Pascal's rule one throw more is a hit or not: E_(n+1)[p(k)] = (1 - x) E_n[p(k)] + x E_n[p(k + 1)]. So p has the
    mean q if it has at n = 0, where k is 0, and if q grows from n to n + 1 by x times the mean of p(k + 1) - p(k),
    whose degree is lower by one. Where q comes from does not matter: here from Newton's differences.
    """

    def decides(self, left: Expr, relation: Relation, right: Expr) -> bool:
        rest = left - right
        for one in rest.atoms(Sum):
            rest = rest.xreplace({one: _find_mean(one)})
        top, _ = sympy.fraction(sympy.together(rest))
        return relation == "=" and bool(sympy.expand(top) == 0)

    def describe(self, relation: Relation) -> str:
        return "induction over n by Pascal's rule, differences of the polynomial"


def _find_mean(one: Sum) -> Expr:
    """The mean that a sum is, shown by induction; nan, equal to nothing, for any other sum."""
    polynomial = sympy.expand(sympy.powsimp(one.function / weigh()))
    if one.limits != mean_over(sympy.S.One).limits or not polynomial.is_polynomial(k):
        return sympy.nan
    fixed = Dummy()  # the letter n inside the polynomial does not grow with the number of throws
    polynomial = polynomial.subs(n, fixed)
    found, difference, order = sympy.S.Zero, polynomial, 0
    while difference != 0:
        found += difference.subs(k, 0) * sympy.ff(n, order) / sympy.factorial(order) * x**order
        difference, order = _step(difference, k), order + 1
    found = sympy.expand(sympy.expand_func(found))
    return found.subs(fixed, n) if _is_mean(polynomial, found) else sympy.nan


def _is_mean(polynomial: Expr, mean: Expr) -> bool:
    if polynomial == 0:
        return bool(sympy.expand(mean) == 0)
    starts = sympy.expand(mean.subs(n, 0) - polynomial.subs(k, 0)) == 0
    return bool(starts) and _is_mean(_step(polynomial, k), sympy.expand(_step(mean, n) / x))


def _step(expression: Expr, letter: Symbol) -> Expr:
    return sympy.expand(expression.subs(letter, letter + 1) - expression)


class OnTheCircle:
    """Writes sines and cosines of the letters by powers of e^(it/2), one letter z for each t; then another judge."""

    def __init__(self, judge: Everywhere | Induction, *angles: Symbol) -> None:
        self.judge, self.angles = judge, angles
        self.points = tuple(Dummy() for _ in angles)

    def decides(self, left: Expr, relation: Relation, right: Expr) -> bool:
        return relation == "=" and self.judge.decides(self.turn(left), relation, self.turn(right))

    def describe(self, relation: Relation) -> str:
        waves = " and ".join(f"e^(i{angle}/2)" for angle in map(write_expression, self.angles))
        return f"waves as powers of {waves}, {self.judge.describe(relation)}"

    def turn(self, expression: Expr) -> Expr:
        """cos u = (e^(iu) + e^(-iu))/2, sin u = (e^(iu) - e^(-iu))/(2i)."""
        i = sympy.I
        forms: dict[Callable[..., Expr], Callable[[Expr], Expr]] = {
            sympy.cos: lambda u: (self.raise_to(u) + self.raise_to(-u)) / 2,
            sympy.sin: lambda u: (self.raise_to(u) - self.raise_to(-u)) / (2 * i),
        }
        for wave, form in forms.items():
            expression = expression.replace(wave, form)
        return expression

    def raise_to(self, angle: Expr) -> Expr:
        """e^(i angle), of an angle that is linear in the letters."""
        angle, power = sympy.expand(angle), sympy.S.One
        for letter, point in zip(self.angles, self.points, strict=True):
            share = angle.coeff(letter, 1)
            power *= point ** (2 * share)
            angle = sympy.expand(angle - share * letter)
        return power if angle == 0 else sympy.nan


@dataclass(frozen=True)
class Area:
    """An integral, by a function whose derivative is what stands under it; the ends are put in."""

    antiderivative: Expr

    def decides(self, left: Expr, relation: Relation, right: Expr) -> bool:
        rest, found = left - right, left.atoms(Integral)
        if relation != "=" or len(found) != 1:
            return False
        ((letter, low, high),) = (whole := found.pop()).limits
        slope = OnTheCircle(Everywhere(), letter)
        if not slope.decides(differentiate(self.antiderivative, letter), "=", whole.function):
            return False
        area = self.antiderivative.subs(letter, high) - self.antiderivative.subs(letter, low)
        return bool(sympy.simplify(rest.xreplace({whole: area})) == 0)

    def describe(self, relation: Relation) -> str:
        return f"the derivative of {write_expression(self.antiderivative)}, and its ends"
