"""The arithmetic of this room: how many bits, and floats that are surely not above a ball."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction

from flint import arb, ctx, fmpq

from backprop.approximation.proving.enclosures import Ball

__all__ = ["computing", "describe_below", "enclose_fraction", "round_down", "round_up"]

BITS = 256
"""Enough for weights that cancel 40 digits and still leave a double."""


@contextmanager
def computing() -> Iterator[None]:
    """So many bits inside the block."""
    before = ctx.prec
    ctx.prec = BITS
    try:
        yield
    finally:
        ctx.prec = before


def enclose_fraction(number: Fraction) -> Ball:
    """A fraction as a ball."""
    return arb(fmpq(number.numerator, number.denominator))


def round_down(ball: Ball) -> float:
    """The largest float found that is surely not above any number of the ball; the number itself if it is a float.

    >>> round_down(arb(1) / 2), round_down(arb(1) / 3) < 1 / 3 + 1e-17
    (0.5, True)
    """
    near = float(ball.lower())
    while not bool(arb(near) <= ball):
        near = math.nextafter(near, -math.inf)
    return near


def round_up(ball: Ball) -> float:
    """The smallest float found that is surely not below any number of the ball."""
    return 0.0 - round_down(-ball)


def describe_below(number: float, digits: int = 6) -> str:
    """A positive float in so many digits, never more than it is: what is proved is not rounded up in print.

    >>> describe_below(2 / 3), describe_below(0.5), describe_below(1.99999999e-9, 3)
    ('0.666666', '0.5', '1.99e-09')
    """
    text = f"{number:.{digits}g}"
    if float(text) <= number:
        return text
    unit = 10.0 ** (math.floor(math.log10(number)) - digits + 1)
    return f"{number - unit / 2:.{digits}g}"
