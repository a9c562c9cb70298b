"""Lines in the tube F ± ε whose kinks are each known up to an interval: a linear programme.

K kinks t_1 < … < t_K, t_k in [l_k, r_k], cut f into lines p_0 … p_K. Between r_k and l_{k+1} f is p_k. Where kink k
rises, p_k − p_{k−1} is at most 0 at l_k and at least 0 at r_k, and on [l_k, r_k] f is the larger of the two: both are
at most F + ε there, and the chord of f from l_k to r_k, above f, is F − ε at least; where it falls, the mirror image.
All of that is linear in the lines, and so may be further constraints, those of the ends. The least t for which the tube
F ± (ε + t) has such lines is found, with weights of the constraints that show it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linprog

__all__ = ["Kink", "Relaxation", "Row", "TubeLines", "solve"]

Floats = NDArray[np.float64]

FIRST_POINTS, ROUNDS = 4, 12
"""Of each stretch, points in the first programme; how often those are added that are farthest outside."""
INSIDE = 1e-7
"""Of epsilon: a point so far outside is not added."""
WEIGHTLESS = 1e-11


class Kink(NamedTuple):
    """Where a kink may be, from low to high, and whether the slope rises there."""

    low: float
    high: float
    rises: bool


class Row(NamedTuple):
    """A constraint on Σ weight · p_piece(x): side · (that − F(place)) <= ε + t, or with no side that <= 0."""

    terms: tuple[tuple[int, float, Fraction], ...]
    side: int = 0
    place: float = 0.0


ONE = Fraction(1)


class Stretch(NamedTuple):
    """On these points of the grid, from first to before last, a line obeys that side of the tube; or, with a kink, the
    chord over it does."""

    piece: int
    side: int
    first: int
    last: int
    kink: Kink | None = None

    def make_row(self, x: float) -> Row:
        if self.kink is None:
            return Row(((self.piece, x, ONE),), self.side, x)
        low, high = Fraction(self.kink.low), Fraction(self.kink.high)
        share = (Fraction(x) - low) / (high - low)
        return Row(((self.piece, self.kink.low, 1 - share), (self.piece + 1, self.kink.high, share)), self.side, x)

    def measure(self, lines: TubeLines, x: Floats) -> Floats:
        """The line, or the chord, at points."""
        if self.kink is None:
            return lines.evaluate(self.piece, x)
        low, high, _ = self.kink
        left, right = (lines.evaluate(piece, end) for piece, end in ((self.piece, low), (self.piece + 1, high)))
        return np.asarray(left + (right - left) * (x - low) / (high - low))


@dataclass(frozen=True)
class Relaxation:
    """The problem: the points of the grid and F there, the width of the tube, further constraints on the lines."""

    x: Floats
    values: Floats
    epsilon: float
    ends: tuple[Row, ...] = ()


@dataclass(frozen=True)
class TubeLines:
    """The best lines: value and slope of each at its middle; t; the rows with weight, and their weights.

    `excess` above 0: there are none in the tube.
    """

    excess: float
    middles: Floats
    heights: Floats
    slopes: Floats
    rows: tuple[Row, ...]
    weights: tuple[float, ...]

    def evaluate(self, piece: int, x: Floats | float) -> Floats:
        """A line at points."""
        return np.asarray(self.heights[piece] + self.slopes[piece] * (x - self.middles[piece]))

    def cross(self) -> Floats:
        """Where each line meets the next."""
        gaps = self.heights - self.slopes * self.middles
        with np.errstate(all="ignore"):
            return np.asarray(-np.diff(gaps) / np.diff(self.slopes))


def solve(
    problem: Relaxation, kinks: Sequence[Kink], known: Sequence[Row] = (), rounds: int = ROUNDS
) -> TubeLines | None:
    """The lines that need the narrowest tube; None where the programme is not solved.

    `known`: rows of a problem of which this one is a part; they hold here too.

    >>> x = np.linspace(0, 1, 101)
    >>> found = solve(Relaxation(x, abs(x - 0.5), 0.1), [Kink(0.4, 0.6, True)])
    >>> found.excess < 0
    True
    """
    stretches = _list_stretches(problem, kinks)
    middles = _choose_middles(problem, kinks)
    crossings = [*_list_crossings(kinks), *problem.ends]
    rows = [one.make_row(float(problem.x[k]))
            for one in stretches
            for k in np.unique(np.linspace(one.first, one.last - 1, FIRST_POINTS).astype(int))]  # fmt: skip
    rows += [row for row in known if row.side]
    for _ in range(rounds):
        found = _solve_rows(problem, middles, [*rows, *crossings])
        if found is None:
            return None
        new = _list_outside(problem, found, stretches)
        if found.excess > 0 or not new:
            return found
        rows += new
    return found


def _find(x: Floats, low: float, high: float) -> tuple[int, int]:
    """From the first point that is not below to the last that is not above, and one on."""
    return int(np.searchsorted(x, low)), int(np.searchsorted(x, high, side="right"))


def _list_stretches(problem: Relaxation, kinks: Sequence[Kink]) -> list[Stretch]:
    x = problem.x
    lows = [float(x[0]), *(kink.low for kink in kinks), float(x[-1])]
    highs = [float(x[0]), *(kink.high for kink in kinks), float(x[-1])]
    found = []
    for piece in range(len(kinks) + 1):
        first, last = _find(x, highs[piece], lows[piece + 1])
        found += [Stretch(piece, side, first, last) for side in (1, -1)]
    for place, kink in enumerate(kinks, 1):
        left, right = max(kink.low, highs[place - 1]), min(kink.high, lows[place + 1])
        first, last = _find(x, left, right)
        side = 1 if kink.rises else -1
        found += [Stretch(piece, side, first, last) for piece in (place - 1, place)]
        if (left, right) == (kink.low, kink.high) and left < right:
            found.append(Stretch(place - 1, -side, first, last, kink))
    return [one for one in found if one.first < one.last]


def _choose_middles(problem: Relaxation, kinks: Sequence[Kink]) -> Floats:
    edges = [float(problem.x[0]), *((kink.low + kink.high) / 2 for kink in kinks), float(problem.x[-1])]
    return np.array([(a + b) / 2 for a, b in pairwise(edges)])


def _list_crossings(kinks: Sequence[Kink]) -> list[Row]:
    found = []
    for place, (low, high, rises) in enumerate(kinks, 1):
        upper, lower = (place, place - 1) if rises else (place - 1, place)
        found += [Row(((upper, low, ONE), (lower, low, -ONE))), Row(((lower, high, ONE), (upper, high, -ONE)))]
    return found


def _solve_rows(problem: Relaxation, middles: Floats, rows: Sequence[Row]) -> TubeLines | None:
    matrix, right = _write_programme(problem, middles, rows)
    cost = np.zeros(matrix.shape[1])
    cost[-1] = 1
    bounds = [(None, None)] * (len(cost) - 1) + [(-1.0, None)]
    found = linprog(cost, matrix, right, bounds=bounds, method="highs")
    if found.status != 0:
        return None
    weights = -np.asarray(found.ineqlin.marginals)
    kept = np.flatnonzero(weights > WEIGHTLESS)
    return TubeLines(
        excess=float(found.x[-1]) * problem.epsilon,
        middles=middles,
        heights=np.asarray(found.x[0:-1:2]),
        slopes=np.asarray(found.x[1:-1:2]),
        rows=tuple(rows[int(k)] for k in kept),
        weights=tuple(float(weights[k]) for k in kept),
    )


def _write_programme(problem: Relaxation, middles: Floats, rows: Sequence[Row]) -> tuple[Floats, Floats]:
    """The matrix and the right side: heights and slopes of the lines, then t."""
    count = len(middles)
    sides, places = np.array([row.side for row in rows]), np.array([row.place for row in rows])
    matrix, crossing = np.zeros((len(rows), 2 * count + 1)), sides == 0
    signs = np.where(crossing, 1, sides)
    for index, (row, sign) in enumerate(zip(rows, signs.tolist(), strict=True)):
        for piece, x, weight in row.terms:
            part = sign * float(weight)
            matrix[index, 2 * piece] += part
            matrix[index, 2 * piece + 1] += part * (x - middles[piece])
    matrix[~crossing, -1] = -problem.epsilon
    values = np.interp(places, problem.x, problem.values)
    right = np.where(crossing, 0.0, signs * values + problem.epsilon)
    return matrix, right


def _list_outside(problem: Relaxation, lines: TubeLines, stretches: Sequence[Stretch]) -> list[Row]:
    """The point of each stretch that is farthest outside."""
    found = []
    for one in stretches:
        points = problem.x[one.first : one.last]
        errors = one.side * (one.measure(lines, points) - problem.values[one.first : one.last])
        worst = int(np.argmax(errors))
        if errors[worst] > problem.epsilon * (1 + INSIDE) + lines.excess:
            found.append(one.make_row(float(points[worst])))
    return found
