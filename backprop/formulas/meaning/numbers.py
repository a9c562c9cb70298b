"""Balls and short power series of balls: what a formula is evaluated with, so that every digit is guaranteed.

A number is an `arb`, or an `arb_series` x₀ + x₁ε + x₂ε² whose coefficients are the derivatives along one direction.
Functions are stated forward only; a derivative is a coefficient of the series and nothing else.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from math import factorial
from typing import Any

import numpy as np
from flint import arb, arb_series, ctx

from backprop.formulas.text.tree import NotUnderstood

__all__ = [
    "ELEMENTWISE",
    "NoPoint",
    "Number",
    "absolute",
    "coefficient",
    "constant",
    "decimal",
    "differentiate",
    "each",
    "finite",
    "precise",
    "raise_to",
    "sign_of",
]

Number = Any
DIGITS_IN_BITS = 160
SERIES = 3


class NoPoint(Exception):
    """At this point a ball straddles a kink or leaves a domain: draw another point."""


@contextmanager
def precise() -> Iterator[None]:
    """Work with 160 bits and series up to ε²."""
    bits, cap = ctx.prec, ctx.cap
    ctx.prec, ctx.cap = DIGITS_IN_BITS, SERIES
    try:
        yield
    finally:
        ctx.prec, ctx.cap = bits, cap


def constant(x: Number) -> arb:
    """x₀"""
    return coefficient(x, 0)


def coefficient(x: Number, order: int) -> arb:
    """The coefficient of ε^order."""
    if isinstance(x, arb_series):
        return x[order]
    return arb(x) if order == 0 else arb(0)


def decimal(text: str) -> arb:
    """A printed number, exactly (1e-8 too).

    >>> decimal("0.5") * 2 == 1
    True
    """
    mantissa, _, power = text.lower().rstrip(".").partition("e")
    whole, _, part = mantissa.partition(".")
    exponent = int(power or 0) - len(part)
    if abs(exponent) > 400 or len(whole) > 400:
        raise NotUnderstood(f"the number {text[:20]} is too long or too large")
    ten = arb(10) ** abs(exponent)
    value = arb(int((whole + part) or "0"))
    return value * ten if exponent >= 0 else value / ten


def sign_of(x: Number) -> int:
    """The sign of x₀; undecided where the ball contains 0 without being 0."""
    x0 = constant(x)
    if x0.is_zero():
        return 0
    if x0 > 0:
        return 1
    if x0 < 0:
        return -1
    raise NoPoint


def finite(x: Number) -> Number:
    """x, if it is a number."""
    if not constant(x).is_finite():
        raise NoPoint
    return x


def _positive(x: Number) -> Number:
    if sign_of(x) <= 0:
        raise NoPoint
    return x


def _call(name: str) -> Callable[[Number], Number]:
    return lambda x: finite(getattr(x, name)())


def _exp(x: Number) -> Number:
    if abs(constant(x)) > 5000:
        raise NoPoint
    return x.exp()


def _tanh(x: Number) -> Number:
    if not isinstance(x, arb_series):
        return x.tanh()
    e = _exp(2 * x)
    return (e - 1) / (e + 1)


def absolute(x: Number) -> Number:
    """|x|"""
    sign = sign_of(x)
    if sign == 0 and isinstance(x, arb_series):
        raise NoPoint
    return x * sign


ELEMENTWISE: dict[str, Callable[[Number], Number]] = {
    "exp": _exp,
    "log": lambda x: finite(_positive(x).log()),
    "ln": lambda x: finite(_positive(x).log()),
    "log1p": lambda x: finite(_positive(x + 1).log()),
    "expm1": lambda x: _exp(x) - 1,
    "sqrt": lambda x: finite(_positive(x).sqrt()) if not constant(x).is_zero() or isinstance(x, arb_series) else x,
    "tanh": _tanh,
    "sin": _call("sin"),
    "cos": _call("cos"),
    "tan": _call("tan"),
    "erf": _call("erf"),
    "erfc": _call("erfc"),
    "arctan": _call("atan"),
    "atan": _call("atan"),
    "sinh": lambda x: (_exp(x) - _exp(-x)) / 2,
    "cosh": lambda x: (_exp(x) + _exp(-x)) / 2,
    "sech": lambda x: 2 / (_exp(x) + _exp(-x)),
    "abs": absolute,
    "sgn": lambda x: arb(sign_of(x)),
    "sign": lambda x: arb(sign_of(x)),
    "heaviside": lambda x: arb(int(sign_of(x) > 0)),
}


def raise_to(x: Number, power: Number) -> Number:
    """x^power; a whole power is a product."""
    whole = constant(power).unique_fmpz() if not isinstance(power, arb_series) else None
    if whole is not None and constant(power).is_exact() and abs(int(whole)) <= 64:
        result = arb(1)
        for _ in range(abs(int(whole))):
            result = result * x
        if whole < 0 and sign_of(result) == 0:
            raise NoPoint
        return result if whole >= 0 else finite(1 / result)
    return _exp(power * _positive(x).log())


def differentiate(function: Callable[[Number], Number], x: Number, order: int) -> Number:
    """The derivative of that order of a function of one number, by its power series around x₀."""
    x0 = constant(x)
    cap = ctx.cap
    ctx.cap = SERIES + order
    try:
        value = function(arb_series([x0, arb(1)]))
    finally:
        ctx.cap = cap
    coefficients = [coefficient(value, k + order) * (factorial(k + order) // factorial(k)) for k in range(SERIES)]
    if not isinstance(x, arb_series):
        return finite(coefficients[0])
    step = x - x0
    return coefficients[0] + step * (coefficients[1] + step * coefficients[2])


def each(function: Callable[..., Number], *arrays: Any) -> Any:
    """A function of numbers on arrays, stretched as NumPy does."""
    if all(np.ndim(a) == 0 for a in arrays):
        return np.array(function(*[np.asarray(a, dtype=object).item() for a in arrays]), dtype=object)
    return np.frompyfunc(function, len(arrays), 1)(*arrays)
