"""The equation of the ends as constraints, also where it is not yet said which way some units look.

With J_k the jump of the slope at kink k and S the kinks whose units look left, s_0 + Σ_{k in S} J_k = 0. A unit that
is left open counts as it may: the sum is at least what the falling ones of the open units make it, and at most what
the rising ones do; 0 has to be between the two.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from backprop.approximation.widths.relaxation import Kink, Row

__all__ = ["LEFT", "OPEN", "RIGHT", "list_end_rows", "list_looks", "list_signs"]

LEFT, OPEN, RIGHT = -1, 0, 1
"""Which way the unit of a kink looks."""


def list_looks(kinks: int, look_left: Sequence[int]) -> tuple[int, ...]:
    """All units look left or right.

    >>> list_looks(3, [0, 2])
    (-1, 1, -1)
    """
    return tuple(LEFT if kink in set(look_left) else RIGHT for kink in range(kinks))


def list_signs(kinks: int, look_left: Sequence[int]) -> tuple[int, ...]:
    """α of the sum Σ α_k s_k = s_0 + Σ_{k in S} J_k of the slopes; kinks from 0.

    >>> list_signs(2, []), list_signs(2, [0]), list_signs(2, [1])
    ((1, 0, 0), (0, 1, 0), (1, -1, 1))
    """
    signs = [1] + [0] * kinks
    for kink in look_left:
        signs[kink] -= 1
        signs[kink + 1] += 1
    return tuple(signs)


def list_end_rows(low: float, high: float, kinks: Sequence[Kink], looks: Sequence[int]) -> list[Row]:
    """The smallest that the sum may be is 0 at most, the largest 0 at least; times the length of the domain.

    >>> [row.terms for row in list_end_rows(0.0, 1.0, [Kink(0.2, 0.4, True)], [OPEN])][0]
    ((0, 1.0, Fraction(1, 1)), (0, 0.0, Fraction(-1, 1)))
    """
    found = []
    for sign in (1, -1):
        counted = [k for k, kink in enumerate(kinks)
                   if looks[k] == LEFT or (looks[k] == OPEN and kink.rises == (sign < 0))]  # fmt: skip
        terms: list[tuple[int, float, Fraction]] = []
        for piece, alpha in enumerate(list_signs(len(kinks), counted)):
            if alpha:
                terms += [(piece, high, Fraction(sign * alpha)), (piece, low, Fraction(-sign * alpha))]
        found.append(Row(tuple(terms)))
    return found
