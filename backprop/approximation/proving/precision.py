"""How many bits and how many terms of series the balls have, inside a block."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from flint import ctx

__all__ = ["BITS", "computing"]

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
