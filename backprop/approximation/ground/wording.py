"""Numbers and outcomes in words: what is proved is never rounded to where it would claim too much."""

from __future__ import annotations

from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal, localcontext

__all__ = ["describe_above", "describe_below", "describe_outcome"]


def describe_above(number: float, digits: int = 4) -> str:
    """A bound from above in so many digits, never less than it is.

    >>> describe_above(2 / 3), describe_above(0.5), describe_above(1.00001e-9)
    ('0.6667', '0.5', '1.001e-09')
    """
    return _round(number, digits, ROUND_CEILING)


def describe_below(number: float, digits: int = 6) -> str:
    """A bound from below in so many digits, never more than it is.

    >>> describe_below(2 / 3), describe_below(0.5), describe_below(1.99999999e-9, 3)
    ('0.666666', '0.5', '1.99e-09')
    """
    return _round(number, digits, ROUND_FLOOR)


def describe_outcome(epsilon: float, *, reached: bool, undecided: bool) -> str:
    """Whether the error asked for was reached; giving up on a proof is neither yes nor no."""
    word = "below" if reached else "not proved to be below" if undecided else "NOT below"
    return f"{word} the {epsilon:g} asked for"


def _round(number: float, digits: int, direction: str) -> str:
    with localcontext() as context:
        context.prec, context.rounding = digits, direction
        return f"{float(+Decimal(number)):.{digits}g}"
