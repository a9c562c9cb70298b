"""The arithmetic of this room: how many bits, and floats that are surely not above a ball."""

from __future__ import annotations

import math
from fractions import Fraction

from flint import arb, fmpq

from backprop.approximation.proving.undecided import Ball

__all__ = ["BITS", "enclose_fraction", "round_down", "round_up"]

BITS = 256
"""Enough for weights that cancel 40 digits and still leave a double."""


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
