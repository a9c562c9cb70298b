"""All values of an expression on a box, from end to end; where it is not shown to have one, that is said.

A range has exact ends, rounded outward: the ends of a domain (0 of a root) are met exactly, as balls could not.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import reduce
from itertools import product
from typing import NamedTuple

import sympy
from flint import arb, arb_series
from sympy import Expr

from backprop.approximation.proving.enclosures import Ball, Undecided, constant, expand, hull
from backprop.approximation.proving.precision import computing

__all__ = ["NoValue", "Range", "enclose_range", "enclose_values"]

DEPTH = 4
"""So many derivatives at an end may be looked at to show that a base is not negative."""


class NoValue(Undecided):
    """At no point of the box has the expression a value."""


class Range(NamedTuple):
    """All numbers from low to high; both are exact."""

    low: Ball
    high: Ball

    @property
    def is_point(self) -> bool:
        """Whether it is one number."""
        return bool(self.low == self.high)

    def to_ball(self) -> Ball:
        """A ball around it."""
        return self.low if self.is_point else hull(self.low, self.high)


ZERO, ONE = arb(0), arb(1)


def enclose_values(expression: Expr, low: float, high: float) -> Ball:
    """A ball that holds the value of an expression at every point from low to high.

    Errors: Undecided where it may have no finite value.

    >>> ball = enclose_values(sympy.sqrt(sympy.Symbol("x")), 0.0, 0.25)
    >>> bool(ball.contains(0.5)), bool(ball < 0.6)
    (True, True)
    """
    return enclose_range(expression, arb(low), arb(high)).to_ball()


def enclose_range(expression: Expr, low: Ball, high: Ball) -> Range:
    """The same from end to end, of exact ends.  Errors: Undecided; NoValue if it surely has no value on the box."""
    try:
        return _Values(Range(low, high)).visit(expression)
    except (ValueError, ZeroDivisionError) as error:
        raise Undecided(f"{expression}: {error}") from error


def _span(*balls: Ball) -> Range:
    """The range that balls take up together."""
    if not all(ball.is_finite() for ball in balls):
        raise Undecided("a value may not be finite")
    return Range(reduce(_lower, (arb(ball.lower()) for ball in balls)),
                 reduce(_upper, (arb(ball.upper()) for ball in balls)))  # fmt: skip


def _lower(a: Ball, b: Ball) -> Ball:
    return a if bool(a <= b) else b


def _upper(a: Ball, b: Ball) -> Ball:
    return a if bool(a >= b) else b


def _add(a: Range, b: Range) -> Range:
    return _span(a.low + b.low, a.high + b.high)


def _multiply(a: Range, b: Range) -> Range:
    return _span(*(u * v for u, v in product(a, b)))


def _raise(a: Range, exponent: int) -> Range:
    """A whole power; an even one is not negative."""
    if exponent < 0:
        if not bool(a.low > 0) and not bool(a.high < 0):
            raise (NoValue if a.is_point else Undecided)("a denominator that may be 0")
        positive = _raise(a, -exponent)
        return _span(1 / positive.low, 1 / positive.high)
    ends = _span(a.low**exponent, a.high**exponent)
    crosses = bool(a.low < 0) and bool(a.high > 0)
    return Range(ZERO, ends.high) if exponent and exponent % 2 == 0 and crosses else ends


def _limit(a: Range, low: Ball, high: Ball) -> Range:
    """What is inside, of values that are known to be between two numbers."""
    return Range(_upper(a.low, low), _lower(a.high, high))


def _wave(name: str) -> Callable[[Range], Range]:
    return lambda z: _limit(_span(getattr(z.to_ball(), name)()), -ONE, ONE)


def _rise(name: str) -> Callable[[Range], Range]:
    return lambda z: _span(getattr(z.low, name)(), getattr(z.high, name)())


def _logarithm(z: Range) -> Range:
    if not bool(z.low > 0):
        raise (Undecided if bool(z.high > 0) else NoValue)("log of what may be 0 or negative")
    return _rise("log")(z)


def _arc(name: str) -> Callable[[Range], Range]:
    def enclose(z: Range) -> Range:
        if bool(z.low < -1) or bool(z.high > 1):
            outside = bool(z.high < -1) or bool(z.low > 1)
            raise (NoValue if outside else Undecided)(f"{name} of what may be beyond 1")
        return _rise(name)(z)

    return enclose


def _absolute(z: Range) -> Range:
    if bool(z.low >= 0):
        return z
    return Range(-z.high, -z.low) if bool(z.high <= 0) else Range(ZERO, _upper(-z.low, z.high))


def _step(z: Range, at_zero: Ball) -> Range:
    """0 below 0 and 1 above."""
    is_one = bool(z.low > 0) or (bool(z.low >= 0) and bool(at_zero == 1))
    is_zero = bool(z.high < 0) or (bool(z.high <= 0) and bool(at_zero == 0))
    return Range(ONE if is_one else ZERO, ZERO if is_zero else ONE)


def _sign(z: Range) -> Range:
    return Range(ONE if bool(z.low > 0) else -ONE, -ONE if bool(z.high < 0) else ONE)


def _cosh(z: Range) -> Range:
    return _rise("cosh")(_absolute(z))


FUNCTIONS: dict[str, Callable[[Range], Range]] = {
    **{name: _rise(name) for name in ("exp", "atan", "erf", "tanh", "sinh")},
    **{name: _wave(name) for name in ("sin", "cos")},
    **{name: _arc(name) for name in ("asin", "acos")},
    "erfc": _rise("erfc"),
    "tan": lambda z: _span(z.to_ball().tan()),
    "cosh": _cosh,
    "log": _logarithm,
    "Abs": _absolute,
    "sign": _sign,
}


class _Values:
    """Visits an expression with ranges; hulls over branches that are not decided."""

    def __init__(self, box: Range, excluded: tuple[Ball, ...] = ()) -> None:
        self.box, self.excluded = box, excluded

    def visit(self, node: Expr) -> Range:
        """The values of a node."""
        if node.is_Symbol:
            return self.box
        if node.is_number and not node.args:
            return _span(constant(node))
        if node.is_Mul:
            return self.product(node)
        if node.is_Add:
            return reduce(_add, map(self.visit, node.args))
        if node.is_Pow:
            return self.power(*node.args)
        if isinstance(node, sympy.Piecewise):
            return self.piecewise(node)
        return self.call(node)

    def product(self, node: Expr) -> Range:
        """A product; a quotient of two that vanish at an end that is left out by Cauchy's mean value theorem."""
        if len(node.args) == 2 and node.args[0] == node.args[1]:
            return _raise(self.visit(node.args[0]), 2)
        try:
            return reduce(_multiply, map(self.visit, node.args))
        except Undecided:
            for end in self.excluded:
                found = self.divide_slopes(node, end)
                if found is not None:
                    return found
            raise

    def divide_slopes(self, node: Expr, end: Ball) -> Range | None:
        numerator, denominator = node.as_numer_denom()
        at_end = _Values(Range(end, end))
        if not all(bool(limit == 0) for part in (numerator, denominator) for limit in at_end.visit(part)):
            return None
        symbol = next(iter(node.free_symbols))
        slopes = (self.visit(sympy.diff(part, symbol)) for part in (numerator, denominator))
        return _multiply(next(slopes), _raise(next(slopes), -1))

    def power(self, base: Expr, exponent: Expr) -> Range:
        """A whole power; any other of what is shown to be positive; or 0 where the base is 0, if it is positive."""
        if base is sympy.E:
            return FUNCTIONS["exp"](self.visit(exponent))
        inner = self.visit(base)
        if exponent.is_Integer:
            return _raise(inner, int(exponent))
        high = self.visit(exponent)
        if not bool(inner.low > 0):
            self.check_base(base, inner, high)
            top = Range(inner.high, inner.high)
            reach = self.raise_positive(top, exponent, high).high if bool(top.low > 0) else ZERO
            return Range(ZERO, reach)
        return self.raise_positive(inner, exponent, high)

    def raise_positive(self, inner: Range, exponent: Expr, range_of_it: Range) -> Range:
        if exponent == sympy.S.Half:
            return _rise("sqrt")(inner)
        return FUNCTIONS["exp"](_multiply(range_of_it, _logarithm(inner)))

    def check_base(self, base: Expr, inner: Range, exponent: Range) -> None:
        """A base that is not shown to be positive must be shown not to be negative, and the exponent positive."""
        if bool(inner.high < 0) or (bool(inner.high <= 0) and bool(exponent.high <= 0)):
            raise NoValue("a root or power of what is negative")
        if not bool(exponent.low > 0) or not (bool(inner.low >= 0) or self.is_surely_not_negative(base)):
            raise Undecided("a root or power of what may be negative")

    def is_surely_not_negative(self, base: Expr) -> bool:
        """From its Taylor series at an end: all coefficients push it up, the last one on the whole box."""
        with computing(terms=DEPTH + 1):
            for end, side in ((self.box.low, 1), (self.box.high, -1)):
                try:
                    near = expand(base, arb_series([end, 1]))
                    whole = expand(base, arb_series([self.box.to_ball(), 1]))
                except Undecided:
                    return False
                for k in range(DEPTH + 1):
                    if bool(whole[k] * side**k >= 0):
                        return True
                    if not bool(near[k] * side**k >= 0):
                        break
        return False

    def piecewise(self, node: Expr) -> Range:
        """The hull over the branches that may hold; after "x <= c" they hold beyond c only."""
        parts: list[Range] = []
        rest = self
        for value, condition in node.args:
            decided = self.holds(condition)
            if decided is not False:
                parts.append(rest.visit_branch(value, decided))
            if decided:
                break
            if isinstance(condition, sympy.Le) and condition.lhs.is_Symbol:
                rest = _Values(self.box, (*rest.excluded, self.visit(condition.rhs).low))
        if not parts:
            raise Undecided(f"no branch of {node} holds")
        return _span(*(end for part in parts for end in part))

    def visit_branch(self, value: Expr, decided: bool | None) -> Range:
        """A branch; where it may not hold on all of the box, it may have values elsewhere."""
        try:
            return self.visit(value)
        except NoValue as error:
            raise (NoValue if decided else Undecided)(str(error)) from error

    def holds(self, condition: sympy.Basic) -> bool | None:
        """Whether a comparison holds on the whole box (True), nowhere (False), or that is not decided."""
        if condition in (sympy.true, sympy.false):
            return bool(condition)
        left, right = (self.visit(side) for side in condition.args)
        if isinstance(condition, sympy.Gt | sympy.Ge):
            left, right = right, left
        strict = isinstance(condition, sympy.Gt | sympy.Lt)
        if bool(left.high < right.low) or (not strict and bool(left.high <= right.low)):
            return True
        return False if bool(left.low > right.high) or (strict and bool(left.low >= right.high)) else None

    def call(self, node: Expr) -> Range:
        """A function of ranges."""
        name, inner = type(node).__name__, [self.visit(argument) for argument in node.args]
        if name in ("Max", "Min"):
            pick = _upper if name == "Max" else _lower
            return Range(reduce(pick, (z.low for z in inner)), reduce(pick, (z.high for z in inner)))
        if name == "Heaviside":
            return _step(inner[0], inner[1].low)
        if name in FUNCTIONS:
            return FUNCTIONS[name](inner[0])
        raise Undecided(f"no values for {name}")
