"""How many bits and how many terms of series the balls have, inside a block."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager

from flint import arb, ctx

__all__ = ["BITS", "computing", "float_above", "float_below"]

BITS = 128
"""Enough for networks whose weights cancel fifteen digits to leave as many again."""


@contextmanager
def computing(bits: int = BITS, terms: int | None = None) -> Iterator[None]:
    """So many bits, and series of so many coefficients, inside the block; what was set before comes back.

    >>> from flint import arb
    >>> with computing(bits=20):
    ...     rough = arb(2).sqrt().rad()
    >>> with computing():
    ...     bool(arb(2).sqrt().rad() < rough)
    True
    """
    before = ctx.prec, ctx.cap
    ctx.prec, ctx.cap = bits, before[1] if terms is None else terms
    try:
        yield
    finally:
        ctx.prec, ctx.cap = before


def float_above(ball: arb) -> float:
    """A float that is above every number of a ball; infinite where the ball is."""
    return math.nextafter(float(ball.upper()), math.inf)


def float_below(ball: arb) -> float:
    """A float that is below every number of a ball."""
    return math.nextafter(float(ball.lower()), -math.inf)
