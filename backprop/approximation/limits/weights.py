"""The weights of a divided difference: exact fractions that send every polynomial of low degree to 0."""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction

__all__ = ["check_weights", "find_weights"]


def find_weights(points: Sequence[Fraction]) -> tuple[Fraction, ...]:
    """The weights λ at n distinct points with Σ λ_i p(x_i) = 0 for every polynomial p of degree n − 2 or less.

        λ_i = s / Π_{j≠i} (x_i − x_j),   s such that Σ |λ_i| = 1

    Their signs alternate from point to point (points in order), the last one is positive.

    Errors: `ZeroDivisionError` where two points are the same. Source: Newton's divided difference of order n − 1.

    >>> [str(weight) for weight in find_weights([Fraction(0), Fraction(1, 2), Fraction(1)])]
    ['1/4', '-1/2', '1/4']
    """
    raw = [1 / math.prod((x - other for j, other in enumerate(points) if j != i), start=Fraction(1))
           for i, x in enumerate(points)]  # fmt: skip
    total = sum(map(abs, raw))
    return tuple(weight / total for weight in raw)


def check_weights(points: Sequence[Fraction], weights: Sequence[Fraction], degree: int) -> None:
    """Check exactly that Σ |λ_i| = 1 and Σ λ_i x_i^j = 0 for j = 0 … degree.

    Errors: `ArithmeticError` that names the power, or the total, that is wrong.

    >>> check_weights([Fraction(0), Fraction(1)], [Fraction(1, 2), Fraction(-1, 3)], 0)
    Traceback (most recent call last):
    ArithmeticError: the weights add up to 5/6 in size, not to 1
    """
    if len(points) != len(weights):
        raise ArithmeticError(f"{len(weights)} weights for {len(points)} points")
    total = sum(map(abs, weights))
    if total != 1:
        raise ArithmeticError(f"the weights add up to {total} in size, not to 1")
    terms = list(weights)
    for power in range(degree + 1):
        if sum(terms) != 0:
            raise ArithmeticError(f"the weights do not send x^{power} to 0")
        terms = [term * x for term, x in zip(terms, points, strict=True)]
