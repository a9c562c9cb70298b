"""All values of an expression on a box, from end to end; where it is not shown to have one, that is said."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache, reduce
from typing import Any

import sympy
from flint import arb, arb_series
from sympy import Expr

from backprop.approximation.proving.continuing import enclose_entropy, find_entropy, split_quotient
from backprop.approximation.proving.enclosures import constant, expand, expand_quotient
from backprop.approximation.proving.precision import computing
from backprop.approximation.proving.ranges import (
    FUNCTIONS,
    ONE,
    ZERO,
    NoValue,
    Range,
    add,
    lower,
    multiply,
    raise_whole,
    span,
    step,
    take_angle,
    upper,
)
from backprop.approximation.proving.undecided import Ball, Undecided
from theory.functions.values import ContinuedFunction, WrittenChoice

__all__ = ["enclose_on", "enclose_range", "enclose_values"]

DEPTH = 4
"""So many derivatives at an end may be looked at to show that a base is not negative."""
ORDERS = 8
"""A zero of a denominator that is continued may be of this order, less one."""


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
    return enclose_on(expression, Range(low, high))


def enclose_on(expression: Expr, box: Range | Mapping[Expr, Range]) -> Range:
    """The same; of several variables each has its range."""
    try:
        return _Values(box).visit(expression)
    except (ValueError, ZeroDivisionError) as error:
        raise Undecided(f"{expression}: {error}") from error


@cache
def find_half_line(condition: sympy.Basic, truth: bool) -> tuple[Expr, bool, bool] | None:
    """Where a linear comparison holds (or not): its end, whether it lies above, whether the end is outside.

    None for any other condition.
    """
    if not isinstance(condition, sympy.Gt | sympy.Ge | sympy.Lt | sympy.Le) or len(condition.free_symbols) != 1:
        return None
    gap = sympy.expand(condition.lhs - condition.rhs)
    (symbol,) = condition.free_symbols
    slope, offset = gap.coeff(symbol, 1), gap.coeff(symbol, 0)
    if not (slope.is_Rational and offset.is_Rational) or slope == 0 or sympy.expand(gap - slope * symbol - offset) != 0:
        return None
    is_positive = isinstance(condition, sympy.Gt | sympy.Ge) == truth
    is_open = isinstance(condition, sympy.Gt | sympy.Lt) == truth
    return -offset / slope, is_positive == bool(slope > 0), is_open


class _Values:
    """Visits an expression with ranges; hulls over branches that are not decided."""

    def __init__(self, box: Range | Mapping[Expr, Range], points: tuple[Expr, ...] = ()) -> None:
        self.box, self.points = box, points

    def visit(self, node: Expr) -> Range:
        """The values of a node."""
        if node.is_Symbol:
            return self.box[node] if isinstance(self.box, Mapping) else self.box
        if node.is_number and not node.args:
            return span(constant(node))
        if node.is_Mul:
            return self.product(node)
        if node.is_Add:
            return reduce(add, map(self.visit, node.args))
        if node.is_Pow:
            return self.power(*node.args)
        if isinstance(node, sympy.Piecewise):
            return self.piecewise(node.args)
        if isinstance(node, WrittenChoice):
            gap, at_zero = node.args[0].args
            relation = sympy.Ge if at_zero == 1 else sympy.Gt
            condition = relation(gap, sympy.S.Zero, evaluate=False)
            return self.piecewise([(node.args[1], condition), (node.args[2], sympy.true)])
        if isinstance(node, ContinuedFunction):
            return _Values(self.box, node.args[1:]).visit(node.args[0])
        return self.call(node)

    def product(self, node: Expr) -> Range:
        """A product; where one is continued also a quotient of two that vanish."""
        if len(node.args) == 2 and node.args[0] == node.args[1]:
            return raise_whole(self.visit(node.args[0]), 2)
        try:
            return reduce(multiply, map(self.visit, node.args))
        except Undecided:
            if not self.points:
                raise
            return self.continued_product(node)

    def continued_product(self, node: Expr) -> Range:
        """What it tends to: v log v, or a quotient of two that vanish."""
        found = find_entropy(node)
        if found is not None:
            inner = self.visit(found[0])
            if bool(inner.low >= 0):
                return reduce(multiply, map(self.visit, found[1]), span(*enclose_entropy(*inner)))
        if isinstance(self.box, Mapping):
            raise Undecided("a denominator may be 0 on the box")
        with computing(terms=ORDERS):
            return span(expand_quotient(node, arb_series([self.box.to_ball(), 1]), self.points)[0])

    def exponential(self, exponent: Expr) -> Range:
        try:
            return FUNCTIONS["exp"](self.visit(exponent))
        except Undecided:
            found = self.vanishing_exponential(exponent)
            if found is None:
                raise
            return found

    def vanishing_exponential(self, exponent: Expr) -> Range | None:
        """exp(u/v) for u < 0 and v >= 0; None for any other."""
        above, below = split_quotient(exponent)
        if not self.points or not below:
            return None
        top, bottom = (reduce(multiply, map(self.visit, part), Range(ONE, ONE)) for part in (above, below))
        if not (bool(top.high < 0) and bool(bottom.low >= 0)):
            return None
        return Range(ZERO, ZERO) if bool(bottom.high == 0) else Range(ZERO, span((top.high / bottom.high).exp()).high)

    def power(self, base: Expr, exponent: Expr) -> Range:
        """A whole power; any other of what is shown to be positive; or 0 where the base is 0, if it is positive."""
        if base is sympy.E:
            return self.exponential(exponent)
        inner = self.visit(base)
        if self.points and base == exponent and bool(inner.low >= 0):
            return FUNCTIONS["exp"](span(*enclose_entropy(*inner)))
        if exponent.is_Integer:
            return raise_whole(inner, int(exponent))
        high = self.visit(exponent)
        if not bool(inner.low > 0):
            self.check_base(base, inner, high)
            top = Range(inner.high, inner.high)
            reach = self.raise_positive(top, exponent, high).high if bool(top.low > 0) else ZERO
            return Range(ZERO, reach)
        return self.raise_positive(inner, exponent, high)

    def raise_positive(self, inner: Range, exponent: Expr, range_of_it: Range) -> Range:
        if exponent == sympy.S.Half:
            return FUNCTIONS["sqrt"](inner)
        return FUNCTIONS["exp"](multiply(range_of_it, FUNCTIONS["log"](inner)))

    def check_base(self, base: Expr, inner: Range, exponent: Range) -> None:
        """A base that is not shown to be positive must be shown not to be negative, and the exponent positive."""
        if bool(inner.high < 0) or (bool(inner.high <= 0) and bool(exponent.high <= 0)):
            raise NoValue("a root or power of what is negative")
        if not bool(exponent.low > 0) or not (bool(inner.low >= 0) or self.is_surely_not_negative(base)):
            raise Undecided("a root or power of what may be negative")

    def is_surely_not_negative(self, base: Expr) -> bool:
        """From its Taylor series at an end: all coefficients push it up, the last one on the whole box."""
        if isinstance(self.box, Mapping):
            return False
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

    def piecewise(self, cases: Sequence[Any]) -> Range:
        """The hull over the branches that may hold, each on the part of the box where it may."""
        parts: list[Range] = []
        rest = self
        for value, condition in cases:
            decided = rest.holds(condition)
            if decided is not False:
                parts.append(rest.restrict(condition, True).visit_branch(value, decided))
            if decided:
                break
            rest = rest.restrict(condition, False)
        if not parts:
            raise Undecided("no branch holds")
        return span(*(end for part in parts for end in part))

    def restrict(self, condition: sympy.Basic, truth: bool) -> _Values:
        """The part of the box where a comparison holds (or not), if it is a linear one; else all of it.

        An end that is outside is one where the branch need not have a value: there its limit does.
        """
        found = None if isinstance(self.box, Mapping) else find_half_line(condition, truth)
        if found is None or isinstance(self.box, Mapping):
            return self
        place, is_above, is_open = found
        low, high = self.box
        end = constant(place)
        part = Range(upper(low, arb(end.lower())), high) if is_above else Range(low, lower(high, arb(end.upper())))
        if not bool(part.low <= part.high):
            return self
        return _Values(part, (*self.points, place) if is_open else self.points)

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
        if isinstance(node, sympy.exp):
            return self.exponential(node.args[0])
        name, inner = type(node).__name__, [self.visit(argument) for argument in node.args]
        if name in ("Max", "Min"):
            pick = upper if name == "Max" else lower
            return Range(reduce(pick, (z.low for z in inner)), reduce(pick, (z.high for z in inner)))
        if name == "atan2":
            return take_angle(*inner)
        if name == "Heaviside":
            return step(inner[0], inner[1].low)
        if name in FUNCTIONS:
            return FUNCTIONS[name](inner[0])
        raise Undecided(f"no values for {name}")
