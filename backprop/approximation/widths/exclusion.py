"""Weights that show, exactly, that there are no lines: a linear combination of the constraints that is 0 < 0.

The weights of a linear programme are rounded; so from which constraints have weight the exact weights are found again,
as fractions, and F at the points is enclosed in balls.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from flint import arb, fmpq, fmpq_mat
from sympy import Expr

from backprop.approximation.proving.precision import computing
from backprop.approximation.proving.undecided import Undecided
from backprop.approximation.proving.values import enclose_values
from backprop.approximation.widths.relaxation import Row

__all__ = ["is_excluded"]


def is_excluded(target: Expr, epsilon: float, pieces: int, rows: Sequence[Row]) -> bool:
    """Whether some combination of these constraints leaves no lines within epsilon: proved.

    With λ, μ >= 0, Σ λ_i = 1, and P_i, Q_j what the constraints say of lines, the sum of
    λ_i (side_i (P_i − F(x_i)) − ε) and μ_j Q_j is 0 at most. Where all lines drop out of it, what is left is
    −Σ λ_i side_i F(x_i) − ε: if that is above 0, there are no lines.
    """
    weights = _solve_exactly(pieces, rows)
    if weights is None or any(weight < 0 for weight in weights):
        return False
    with computing():
        total = arb(0)
        try:
            for row, weight in zip(rows, weights, strict=True):
                if row.side:
                    total -= arb(weight) * (row.side * enclose_values(target, row.place, row.place) + arb(epsilon))
        except Undecided:
            return False
        return bool(total > 0)


def _solve_exactly(pieces: int, rows: Sequence[Row]) -> list[fmpq] | None:
    """Weights with which all lines drop out, those of the tube adding up to 1; None if they are not unique."""
    columns = [_list_coefficients(pieces, row) for row in rows]
    height, width = 2 * pieces + 1, len(columns)
    entries = [[columns[j][i] for j in range(width)] + [fmpq(int(i == height - 1))] for i in range(height)]
    reduced, rank = fmpq_mat(entries).rref()
    if rank != width or any(reduced[k, k] != 1 for k in range(width)):
        return None
    return [reduced[k, width] for k in range(len(rows))]


def _list_coefficients(pieces: int, row: Row) -> list[fmpq]:
    """Of value at 0 and slope of each line; then 1 for a constraint of the tube."""
    found = [Fraction(0)] * (2 * pieces + 1)
    for piece, x, weight in row.terms:
        part = (row.side or 1) * weight
        found[2 * piece] += part
        found[2 * piece + 1] += part * Fraction(x)
    found[-1] = Fraction(abs(row.side))
    return [fmpq(part.numerator, part.denominator) for part in found]
