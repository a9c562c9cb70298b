"""Ranges: exact ends, rounded outward, and what elementary functions make of them.

The ends of a domain (0 of a root) are met exactly, as balls could not.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import reduce
from itertools import product
from typing import NamedTuple

from flint import arb

from backprop.approximation.proving.enclosures import hull
from backprop.approximation.proving.undecided import Ball, Undecided

__all__ = ["FUNCTIONS", "ONE", "ZERO", "NoValue", "Range", "add", "lower", "multiply", "raise_whole", "span", "step",
           "take_angle", "upper"]  # fmt: skip


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


def span(*balls: Ball) -> Range:
    """The range that balls take up together."""
    if not all(ball.is_finite() for ball in balls):
        raise Undecided("a value may not be finite")
    return Range(reduce(lower, (arb(ball.lower()) for ball in balls)),
                 reduce(upper, (arb(ball.upper()) for ball in balls)))  # fmt: skip


def lower(a: Ball, b: Ball) -> Ball:
    return a if bool(a <= b) else b


def upper(a: Ball, b: Ball) -> Ball:
    return a if bool(a >= b) else b


def add(a: Range, b: Range) -> Range:
    return span(a.low + b.low, a.high + b.high)


def multiply(a: Range, b: Range) -> Range:
    return span(*(u * v for u, v in product(a, b)))


def raise_whole(a: Range, exponent: int) -> Range:
    """A whole power; an even one is not negative."""
    if exponent < 0:
        if not bool(a.low > 0) and not bool(a.high < 0):
            raise (NoValue if a.is_point else Undecided)("a denominator that may be 0")
        positive = raise_whole(a, -exponent)
        return span(1 / positive.low, 1 / positive.high)
    ends = span(a.low**exponent, a.high**exponent)
    crosses = bool(a.low < 0) and bool(a.high > 0)
    return Range(ZERO, ends.high) if exponent and exponent % 2 == 0 and crosses else ends


def _limit(a: Range, low: Ball, high: Ball) -> Range:
    """What is inside, of values that are known to be between two numbers."""
    return Range(upper(a.low, low), lower(a.high, high))


def _wave(name: str) -> Callable[[Range], Range]:
    return lambda z: _limit(span(getattr(z.to_ball(), name)()), -ONE, ONE)


def _rise(name: str) -> Callable[[Range], Range]:
    return lambda z: span(getattr(z.low, name)(), getattr(z.high, name)())


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
    return Range(-z.high, -z.low) if bool(z.high <= 0) else Range(ZERO, upper(-z.low, z.high))


def step(z: Range, at_zero: Ball) -> Range:
    """0 below 0 and 1 above."""
    is_one = bool(z.low > 0) or (bool(z.low >= 0) and bool(at_zero == 1))
    is_zero = bool(z.high < 0) or (bool(z.high <= 0) and bool(at_zero == 0))
    return Range(ONE if is_one else ZERO, ZERO if is_zero else ONE)


def _sign(z: Range) -> Range:
    return Range(ONE if bool(z.low > 0) else -ONE, -ONE if bool(z.high < 0) else ONE)


def _cosh(z: Range) -> Range:
    return _rise("cosh")(_absolute(z))


def _beyond(name: str, holds: Callable[[Range], bool], fails: Callable[[Range], bool]) -> Callable[[Range], Range]:
    """An increasing function on the part of the line where its argument has to be."""

    def enclose(z: Range) -> Range:
        if not holds(z):
            raise (NoValue if fails(z) else Undecided)(f"{name} of what may be outside its domain")
        return _rise(name)(z)

    return enclose


def _gamma(name: str, least: float) -> Callable[[Range], Range]:
    """Falling up to 1.4616, rising from 1.4617 on; to the left of 0 only gamma has values, but at whole numbers."""

    def enclose(z: Range) -> Range:
        if bool(z.low > 0):
            ends = _rise(name)(z)
            return ends if bool(z.low > VALLEY[1]) or bool(z.high < VALLEY[0]) else Range(arb(least), ends.high)
        is_hole = bool(z.high <= 0) and (name == "lgamma" or (z.is_point and z.low.is_integer()))
        if is_hole or name == "lgamma":
            raise (NoValue if is_hole else Undecided)(f"{name} of what may be outside its domain")
        return span(z.to_ball().gamma())

    return enclose


VALLEY = (1.46163, 1.46164)
"""Between these gamma is smallest on x > 0: 0.885603…, its logarithm −0.121486…"""


def take_angle(y: Range, x: Range) -> Range:
    """atan2; all angles where the half-line behind 0 may be met."""
    if bool(y.low >= 0) and bool(x.high < 0):
        return add(Range(arb(arb.pi().lower()), arb(arb.pi().upper())), _rise("atan")(multiply(y, raise_whole(x, -1))))
    if bool(x.low > 0) or bool(y.low > 0) or bool(y.high < 0):
        return span(arb.atan2(y.to_ball(), x.to_ball()))
    if y.is_point and x.is_point:
        return span(arb.pi()) if bool(x.low < 0) else Range(ZERO, ZERO)
    return span(arb.pi(), -arb.pi())


FUNCTIONS: dict[str, Callable[[Range], Range]] = {
    **{name: _rise(name) for name in ("exp", "atan", "erf", "tanh", "sinh")},
    **{name: _wave(name) for name in ("sin", "cos")},
    **{name: _arc(name) for name in ("asin", "acos")},
    "erfc": _rise("erfc"),
    "asinh": _rise("asinh"),
    "acosh": _beyond("acosh", lambda z: bool(z.low >= 1), lambda z: bool(z.high < 1)),
    "atanh": _beyond("atanh", lambda z: bool(z.low > -1) and bool(z.high < 1),
                     lambda z: bool(z.high <= -1) or bool(z.low >= 1)),
    "gamma": _gamma("gamma", 0.8856),
    "loggamma": _gamma("lgamma", -0.1215),
    "sinc": lambda z: _limit(span(z.to_ball().sinc()), arb(-0.25), ONE),
    "floor": lambda z: Range(z.low.floor(), z.high.floor()),
    "ceiling": lambda z: Range(z.low.ceil(), z.high.ceil()),
    "tan": lambda z: span(z.to_ball().tan()),
    "cosh": _cosh,
    "log": _logarithm,
    "sqrt": _rise("sqrt"),
    "Abs": _absolute,
    "sign": _sign,
}  # fmt: skip
