"""Enclosures of an expression in x on a box: Taylor coefficients that surely hold the true ones.

A ball is an interval that surely holds the true value (python-flint's `arb`). Where a branch is not decided on the box
(a kink or a jump inside, a root of the denominator, the end of the domain of a root) there are no Taylor coefficients;
`values` then has all values.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias, cast

import sympy
from flint import arb, arb_series, fmpq
from sympy import Expr

from backprop.approximation.proving.continuing import divide_out
from backprop.approximation.proving.special import SERIES_OF_ONE, arc_tangent_of_two
from backprop.approximation.proving.undecided import Ball, Undecided
from theory.functions.values import ContinuedFunction, WrittenChoice

__all__ = ["constant", "expand", "expand_quotient", "hull", "make_box"]

Series: TypeAlias = "arb_series"


def expand(expression: Expr, x: Series | Mapping[Expr, Series]) -> Series:
    """The Taylor series of an expression at the series x = c + h (or x = [box] + h), as long as `ctx.cap`.

    Of several variables each has its series.

    Errors: Undecided where the expression may have no Taylor series on the box.

    >>> from flint import ctx
    >>> before, ctx.cap = ctx.cap, 3
    >>> [bool(c.contains(v)) for c, v in zip(expand(sympy.Symbol("x") ** 2, arb_series([3, 1])), (9, 6, 1))]
    [True, True, True]
    >>> ctx.cap = before
    """
    try:
        series = _Expansion(x).visit(expression)
    except (ValueError, ZeroDivisionError) as error:  # flint: a ball with 0 in it as a denominator
        raise Undecided(f"{expression}: {error}") from error
    return _check_finite(expression, series)


def _check_finite(expression: Expr, series: Series) -> Series:
    """Itself, if it has numbers only: 0 times what has not would be 0.  Errors: Undecided."""
    if not all(map(arb.is_finite, series)):
        raise Undecided(f"{expression} is not finite on the box")
    return series


def expand_quotient(node: Expr, x: Series | Mapping[Expr, Series], points: tuple[Expr, ...]) -> Series:
    """A quotient whose parts vanish at one of the points.  Errors: Undecided for any other."""
    if isinstance(x, Mapping):
        raise Undecided("a denominator may be 0 on the box")
    found: Series = divide_out(node, x, points, lambda part, series: _Expansion(series, points).visit(part))
    return found


def make_box(low: float, high: float) -> Ball:
    """The ball of all numbers from low to high."""
    return hull(arb(low), arb(high))


def constant(number: Expr) -> Ball:
    """A number of an expression as a ball."""
    if number.is_Rational:
        return arb(fmpq(int(number.p), int(number.q)))
    if number is sympy.pi:
        return arb.pi()
    if number is sympy.E:
        return arb(1).exp()
    raise Undecided(f"{number} is no number that is known")


def hull(*parts: Ball) -> Ball:
    """The smallest ball that holds several."""
    whole = parts[0]
    for part in parts[1:]:
        whole = whole.union(part)
    return whole


def holds(condition: sympy.Basic, value: Callable[[Expr], Ball]) -> bool | None:
    """Whether a comparison holds on the whole box (True), nowhere (False), or that is not decided."""
    if condition in (sympy.true, sympy.false):
        return bool(condition)
    gap = value(condition.lhs) - value(condition.rhs)
    above, below = bool(gap > 0), bool(gap < 0)
    if isinstance(condition, sympy.StrictGreaterThan | sympy.GreaterThan):
        return True if above or (gap >= 0 and isinstance(condition, sympy.GreaterThan)) else False if below else None
    if isinstance(condition, sympy.StrictLessThan | sympy.LessThan):
        return True if below or (gap <= 0 and isinstance(condition, sympy.LessThan)) else False if above else None
    raise Undecided(f"the condition {condition} is not known")


class _Expansion:
    """Visits an expression with series."""

    def __init__(self, x: Series | Mapping[Expr, Series], points: tuple[Expr, ...] = ()) -> None:
        self.x, self.points = x, points

    def head(self, expression: Expr) -> Ball:
        """The values on the box: the zeroth coefficient."""
        series = self.visit(expression)
        return series[0] if isinstance(series, arb_series) else series

    def visit(self, node: Expr) -> Series:
        """The series of a node."""
        if node.is_Symbol:
            return self.x[node] if isinstance(self.x, Mapping) else self.x
        if not node.args and node.is_number:
            return arb_series([constant(node)])
        if node.is_Mul and self.points:
            return self.continued_product(node)
        if node.is_Add or node.is_Mul:
            return self.fold(node)
        if node.is_Pow:
            return _check_finite(node, self.power(node))
        if isinstance(node, sympy.Piecewise):
            return self.piecewise(node)
        if isinstance(node, WrittenChoice):
            step = self.head(node.args[0])
            return self.visit(node.args[1 if bool(step == 1) else 2])
        if isinstance(node, ContinuedFunction):
            return _Expansion(self.x, node.args[1:]).visit(node.args[0])
        return _check_finite(node, self.call(node))

    def continued_product(self, node: Expr) -> Series:
        """A product, or a quotient of two that vanish at a point where it is continued."""
        try:
            return self.fold(node)
        except (Undecided, ValueError, ZeroDivisionError):
            return expand_quotient(node, self.x, self.points)

    def fold(self, node: Expr) -> Series:
        """A sum or a product."""
        total = self.visit(node.args[0])
        for argument in node.args[1:]:
            total = total + self.visit(argument) if node.is_Add else total * self.visit(argument)
        return total

    def power(self, node: Expr) -> Series:
        """An integer power, a root, or e to a power."""
        base, exponent = node.args
        if base is sympy.E:
            return self.visit(exponent).exp()
        steep = find_steep(base) if exponent == -1 else None
        if steep is not None:
            z = self.visit(steep)
            if bool(z[0] > 0):
                small = (-z).exp()
                return small / (1 + small)
        inner = self.visit(base)
        if exponent.is_Integer:
            return cast("Series", raise_to(inner, int(exponent), lambda s: bool(s[0] != 0)))
        if not inner[0] > 0:
            raise Undecided(f"{base} may be 0 or negative on the box")
        if exponent == sympy.S.Half:
            return inner.sqrt()
        return (inner.log() * self.visit(exponent)).exp()

    def piecewise(self, node: Expr) -> Series:
        """The branch that holds on the whole box."""
        for value, condition in node.args:
            decided = holds(condition, self.head)
            if decided is None:
                raise Undecided(f"{condition} is not decided on the box")
            if decided:
                return self.visit(value)
        raise Undecided(f"no branch of {node} holds")

    def call(self, node: Expr) -> Series:
        """A function of one or more series."""
        if isinstance(node, sympy.log):
            found = self.steep_logarithm(node.args[0])
            if found is not None:
                return found
        arguments = [self.visit(argument) for argument in node.args]
        name = type(node).__name__
        if name in ("Abs", "sign", "Heaviside"):
            return self.by_sign(name, arguments[0], *node.args[1:])
        if name in ("Max", "Min"):
            return choose(arguments, name == "Max")
        if name in SERIES:
            return SERIES[name](arguments[0])
        known = arc_tangent_of_two if name == "atan2" else SERIES_OF_ONE.get(name)
        found = None if known is None else known(*arguments)
        if found is not None:
            return found
        raise Undecided(f"no series for {name}")

    def steep_logarithm(self, argument: Expr) -> Series | None:
        """log(1 + e^z) = z + log(1 + e^−z) for z > 0, or log(1/(1 + e^z)) likewise; None for any other."""
        factors = [part for part in argument.args if part != 1] if argument.is_Mul else [argument]
        is_inverse = len(factors) == 1 and factors[0].is_Pow and factors[0].args[1] == -1
        steep = find_steep(factors[0].args[0] if is_inverse else argument)
        if steep is None:
            return None
        z = self.visit(steep)
        found = z + (1 + (-z).exp()).log() if bool(z[0] > 0) else (1 + z.exp()).log()
        return -found if is_inverse else found

    def by_sign(self, name: str, inner: Series, at_zero: Expr = sympy.S.Zero) -> Series:
        """What depends on the sign of the argument."""
        if name == "Heaviside":
            return arb_series([self.step(inner[0], self.head(at_zero))])
        if not inner[0] != 0:  # a tie at the centre would not say which branch the box is on
            raise Undecided("the sign is not decided on the box")
        positive = bool(inner[0] > 0)
        if name == "Abs":
            return inner if positive else -inner
        return arb_series([1 if positive else -1])

    def step(self, gap: Ball, at_zero: Ball) -> Ball:
        """1 where a number is positive, 0 where it is negative; decided also where it may be 0, if that is the same."""
        if bool(gap > 0) or (bool(gap >= 0) and bool(at_zero == 1)):
            return arb(1)
        if bool(gap < 0) or (bool(gap <= 0) and bool(at_zero == 0)):
            return arb(0)
        raise Undecided("the sign is not decided on the box")


def find_steep(node: Expr) -> Expr | None:
    """z of 1 + e^z: where z is large this varies by huge factors on a box, and 1 + e^−z hardly does; None for others.

    >>> x = sympy.Symbol("x")
    >>> find_steep(1 + sympy.exp(2 * x)), find_steep(2 + sympy.exp(x))
    (2*x, None)
    """
    if not (node.is_Add and len(node.args) == 2 and sympy.S.One in node.args):
        return None
    other = node.args[1 if node.args[0] == 1 else 0]
    return other.args[0] if isinstance(other, sympy.exp) else None


def choose(series: list[Series], largest: bool) -> Series:
    """The largest (smallest) of several, if one is so on the whole box."""
    best = series[0]
    for other in series[1:]:
        gap = (other - best)[0]
        if not gap != 0:
            raise Undecided("which of two is larger is not decided on the box")
        best = other if bool(gap > 0) == largest else best
    return best


def raise_to(base: Any, exponent: int, is_nonzero: Callable[[Any], bool]) -> Any:
    """An integer power by multiplications: a ball with 0 in it has no logarithm."""
    if exponent < 0:
        if not is_nonzero(base):
            raise Undecided("the denominator may be 0 on the box")
        return 1 / raise_to(base, -exponent, is_nonzero)
    result, square = base * 0 + 1, base
    while exponent:
        result = result * square if exponent & 1 else result
        exponent >>= 1
        square = square * square if exponent else square
    return result


def tanh_series(z: Series) -> Series:
    """1 − 2 / (e^2z + 1), from the side that does not overflow."""
    if bool(z[0] < 0):
        return -tanh_series(-z)
    t = (-2 * z).exp()
    return (1 - t) / (1 + t)


SERIES: dict[str, Callable[[Series], Series]] = {
    "exp": lambda z: z.exp(),
    "log": lambda z: z.log() if bool(z[0] > 0) else _refuse("log"),
    "sin": lambda z: z.sin(),
    "cos": lambda z: z.cos(),
    "tan": lambda z: z.tan(),
    "atan": lambda z: z.atan(),
    "asin": lambda z: z.asin() if bool(abs(z[0]) < 1) else _refuse("asin"),
    "acos": lambda z: z.acos() if bool(abs(z[0]) < 1) else _refuse("acos"),
    "erf": lambda z: z.erf(),
    "erfc": lambda z: z.erfc(),
    "tanh": tanh_series,
    "sinh": lambda z: (z.exp() - (-z).exp()) / 2,
    "cosh": lambda z: (z.exp() + (-z).exp()) / 2,
}


def _refuse(name: str) -> Series:
    raise Undecided(f"{name} of what may be outside its domain")
