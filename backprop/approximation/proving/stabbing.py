"""The fewest lines, end to end, that stay in a tube: each is continued as far as it goes.

The tube is low_i <= y <= high_i at points x_i. A line through all of them up to i has a slope from s to S,

    S = min (high_b - low_a) / (x_b - x_a),    s = max (low_b - high_a) / (x_b - x_a)    over a < b,

and none goes on to i + 1 if the tube is above the steepest there, or below the shallowest. The next line crosses that
one after its last contact b: it has to obey the side that was touched from b on, the other side from i + 1 on.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

__all__ = ["Line", "Start", "Turn", "lay_lines", "list_crossings", "list_points", "split_stretches"]

Floats = NDArray[np.float64]
Function = Callable[[Floats], Floats]

FINE = 5e-5
"""Of epsilon: between neighbouring points F is no farther from its chord; a line of the tube spans about 200 then."""
STRETCH = 1024
"""Points that are looked at together."""
ROUNDS, MOST_POINTS = 12, 50_000
"""How often points are halved for that, and how many there are at most."""


class Line(NamedTuple):
    """y(t) = y + slope (t - x)."""

    x: float
    y: float
    slope: float


class Turn(NamedTuple):
    """Three indices a < b < c: no line keeps to one side of the tube at a and c and to the other at b.

    `rises`: the tube at c is above the line that touches it from inside at a (below) and at b (above), so the slope has
    to grow; else the mirror image.
    """

    places: tuple[int, int, int]
    rises: bool


class Start(NamedTuple):
    """From which index on a line obeys the lower and the upper side of the tube."""

    low: int = 0
    high: int = 0


WHOLE = Start()


class _Bound(NamedTuple):
    """The steepest or the shallowest line so far, and the two indices it touches; −1 while there is none."""

    line: Line
    first: int = -1
    last: int = -1

    @property
    def is_found(self) -> bool:
        return self.last >= 0


class _Hull:
    """The points of a lower side that can be touched from above: those on their upper hull, from the last touched on.

    A line that is touched at a point of the hull only gets shallower, turning around it; so nothing before that point
    is touched again, and every point comes and goes once.
    """

    def __init__(self) -> None:
        self.points: list[tuple[int, float, float]] = []
        self.begin = 0

    def add(self, index: int, x: float, y: float, first: int) -> None:
        """One point more, if it is not before the first that counts."""
        points = self.points
        if index < first:
            return
        while len(points) - self.begin > 1:
            (_, x_a, y_a), (_, x_b, y_b) = points[-2:]
            if (y_b - y_a) / (x_b - x_a) > (y - y_b) / (x - x_b):
                break
            points.pop()
        points.append((index, x, y))

    def touch(self, x: float, y: float) -> tuple[float, int]:
        """The smallest slope of a line from one of the points to a new one, and the index of that point."""
        points, k = self.points, self.begin
        slope = (y - points[k][2]) / (x - points[k][1])
        while k + 1 < len(points):
            following = (y - points[k + 1][2]) / (x - points[k + 1][1])
            if following >= slope:
                break
            slope, k = following, k + 1
        self.begin = k
        return slope, points[k][0]


def lay_lines(x: Floats, low: Floats, high: Floats, start: Start = WHOLE) -> tuple[list[Line], list[Turn]]:
    """The lines, from left to right, and the turn between each and the next.

    Shapes: x, low, high (m,), x increasing. No other chain of lines in the tube has fewer.

    Source: H. Imai, M. Iri, An optimal algorithm for approximating a piecewise linear function, Journal of Information
    Processing 9 (1986) 159; S. Suri, A linear time algorithm for minimum link paths inside a simple polygon (1986).

    >>> x = np.linspace(0, 1, 101)
    >>> lines, turns = lay_lines(x, abs(x - 0.5) - 0.01, abs(x - 0.5) + 0.01)
    >>> len(lines), turns[0].rises
    (2, True)
    """
    lines: list[Line] = []
    turns: list[Turn] = []
    while True:
        with np.errstate(over="ignore"):  # points as near as 5e-324 to each other
            steep, shallow, end, rises = _extend(x, low, high, start)
        if end == len(x):
            return [*lines, _choose_last(x, low, high, start, (steep, shallow))], turns
        bound = steep if rises else shallow
        lines.append(bound.line)
        turns.append(Turn((bound.first, bound.last, end), rises))
        start = Start(end, bound.last) if rises else Start(bound.last, end)


def _extend(x: Floats, low: Floats, high: Floats, start: Start) -> tuple[_Bound, _Bound, int, bool]:
    """The lines at the end or at the first index that none reaches; whether the tube is above them there."""
    before = float(x[0]) - 1
    steep, shallow = _Bound(Line(before, 0.0, math.inf)), _Bound(Line(before, 0.0, -math.inf))
    first, stop = min(start), len(x)
    below, above = _Hull(), _Hull()
    while first < stop:
        last = min(first + STRETCH, stop)
        rows = zip(*(side[first:last].tolist() for side in (x, low, high)), strict=True)
        for i, (here, bottom, top) in enumerate(rows, first):
            most = steep.line.y + steep.line.slope * (here - steep.line.x)
            least = shallow.line.y + shallow.line.slope * (here - shallow.line.x)
            if i >= start.low and bottom > most:
                return steep, shallow, i, True
            if i >= start.high and top < least:
                return steep, shallow, i, False
            if i >= start.high and i > start.low and top < most:
                slope, touched = below.touch(here, top)
                steep = _Bound(Line(here, top, slope), touched, i)
            if i >= start.low and i > start.high and bottom > least:
                slope, touched = above.touch(here, -bottom)
                shallow = _Bound(Line(here, bottom, -slope), touched, i)
            below.add(i, here, bottom, start.low)
            above.add(i, here, -top, start.high)
        first = last
    return steep, shallow, stop, True


def _choose_last(x: Floats, low: Floats, high: Floats, start: Start, bounds: Sequence[_Bound]) -> Line:
    """A line in the middle of those that reach the end."""
    slopes = [bound.line.slope for bound in bounds if bound.is_found]
    slope = sum(slopes) / len(slopes) if slopes else 0.0
    lowest = float(np.max(low[start.low :] - slope * (x[start.low :] - x[0])))
    highest = float(np.min(high[start.high :] - slope * (x[start.high :] - x[0])))
    return Line(float(x[0]), lowest / 2 + highest / 2, slope)


def list_crossings(lines: Sequence[Line]) -> list[float]:
    """Where each line meets the next."""
    found = []
    for one, other in pairwise(lines):
        gap = one.y + one.slope * (other.x - one.x) - other.y
        found.append(other.x - gap / (one.slope - other.slope))
    return found


def split_stretches(x: Floats, times: int) -> Floats:
    """The points, and so many times as many, evenly between neighbours.

    >>> split_stretches(np.array([0.0, 1.0, 3.0]), 2).tolist()
    [0.0, 0.5, 1.0, 2.0, 3.0]
    """
    shares = np.arange(times) / times
    return np.unique(np.append((x[:-1, None] + np.diff(x)[:, None] * shares).ravel(), x[-1]))


def list_points(function: Function, grid: Floats, epsilon: float) -> Floats:
    """A grid with points between where F leaves its chord by what counts for a tube of half-width epsilon.

    >>> len(list_points(lambda x: x, np.linspace(0, 1, 11), 1e-3))
    11
    """
    x = grid
    for _ in range(ROUNDS):
        y, middles = function(x), x[:-1] / 2 + x[1:] / 2
        apart = np.abs(function(middles) - (y[:-1] / 2 + y[1:] / 2))
        new = middles[apart > FINE * epsilon]
        if not new.size or len(x) + new.size > MOST_POINTS:
            break
        x = np.union1d(x, new)
    return x
