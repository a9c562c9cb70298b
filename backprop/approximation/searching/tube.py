"""A ReLU network with few units inside the tube F ± epsilon: as few pieces as there can be, their heights by a linear
programme.

p pieces have p − 1 kinks, one unit each: a unit that looks left, relu(t − x), bends at t as one that looks right does,
so the slope of the first piece costs no unit if it and the kinks that look left add up to 0: one linear equation for
the heights at the knots. Which kinks look left is a question of subsets with a sum near a number. Where the slope only
rises or only falls there is one such subset at most: all kinks before the lowest or the highest point, where f is flat.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np

from backprop.approximation.ground.outcome import ShallowNetwork
from backprop.approximation.ground.solving import solve_minimax_exactly
from backprop.approximation.ground.target import Floats
from backprop.approximation.proving.stabbing import Line, Start, lay_lines, list_crossings
from backprop.approximation.searching.tilted import find_slopes, make_network, tilt_lines
from backprop.approximation.widths.sums import find_sums

__all__ = ["fit_tube"]

BISECTIONS = 6
SLACK = 4
"""A tube with one piece more to spare could be narrower by about 2 in so many pieces: looked for down to this."""
CUTS = 3
"""How often points are added where lines met, and the lines laid again."""
POINTS_PER_PIECE = 64
"""Of the linear programme."""
MOST_WORK = 1e7
"""Lines times points: beyond it a network takes minutes to lay."""
MANY = 20
"""With more pieces lines are tried as they are laid."""
TRIED = 3
"""Sets of kinks for which the linear programme is solved."""

Function = Callable[[Floats], Floats]
Lay = Callable[[Floats, Floats, float], list[Line]]


def fit_tube(function: Function, x: Floats, epsilon: float) -> ShallowNetwork | None:
    """The narrowest network found that is within epsilon of F at given points and its own knots; None if there is none.

    Shapes: x (m,), increasing, from end to end of the domain; `list_points` makes them dense enough. Floats only: the
    proof for all points is made elsewhere.

    >>> network = fit_tube(lambda x: x**2, np.linspace(0, 1, 1001), 1e-3)
    >>> len(network.w)
    11
    """
    fewest = len(_lay_freely(x, function(x), epsilon))
    if fewest > MANY:
        network = tilt_lines(function, x, epsilon, fewest)
        if network is not None or fewest * len(x) > MOST_WORK:
            return network
    for count in (fewest, fewest + 1):
        fits: list[_Fit] = []
        for lay in LAYS:
            for knots in _place_knots(function, x, epsilon, count, lay):
                fits.append(_Fit(function, x, knots, epsilon))
                network = fits[-1].bend_only()
                if network is not None:
                    return network
                if fits[-1].is_inside():
                    break
        for fit in fits:
            network = fit.with_slope()
            if network is not None:
                return network
    return None


def _close_in(x: Floats, knots: Floats) -> Floats:
    """Points with the knots and the middles beside them."""
    edges = np.union1d(x, knots)
    at = np.searchsorted(edges, knots[1:-1])
    return np.union1d(edges, [(edges[at] + edges[at - 1]) / 2, (edges[at] + edges[at + 1]) / 2])


def _place_knots(function: Function, x: Floats, epsilon: float, count: int, lay: Lay) -> Iterator[Floats]:
    """The knots of `count` pieces in the narrowest tube, on points that close in on them; nothing if it has more.

    Between two points lines that meet may leave the tube: so points are added there.
    """
    low = epsilon * max(0.0, 1 - SLACK / count)
    for _ in range(CUTS + 1):
        found = _even_out(x, function(x), (low, epsilon), count, lay)
        if found is None:
            return
        low, knots = found
        yield knots
        x = _close_in(x, knots)


def _lay_freely(x: Floats, y: Floats, epsilon: float) -> list[Line]:
    return lay_lines(x, y - epsilon, y + epsilon)[0]


def _lay_over_lowest(x: Floats, y: Floats, epsilon: float) -> list[Line]:
    """Lines of which one is flat, as high as can be where F is lowest."""
    lowest = int(np.argmin(y))
    level = float(y[lowest]) + epsilon
    right = _lay_from_flat(x[lowest:], y[lowest:], epsilon, level)
    left = _lay_from_flat(-x[lowest::-1], y[lowest::-1], epsilon, level)
    return [
        *(Line(-line.x, line.y, -line.slope) for line in reversed(left)),
        Line(float(x[lowest]), level, 0.0),
        *right,
    ]


def _lay_under_highest(x: Floats, y: Floats, epsilon: float) -> list[Line]:
    """The mirror image."""
    return [Line(line.x, -line.y, -line.slope) for line in _lay_over_lowest(x, -y, epsilon)]


def _lay_from_flat(x: Floats, y: Floats, epsilon: float, level: float) -> list[Line]:
    """The lines after a flat one that begins at the lowest point: the tube leaves it upwards."""
    above = np.flatnonzero(y - epsilon > level)
    if not above.size:
        return []
    high = y + epsilon
    high[0] = level
    return lay_lines(x, y - epsilon, high, Start(int(above[0]), 0))[0]


LAYS: tuple[Lay, ...] = (_lay_freely, _lay_over_lowest, _lay_under_highest)


def _even_out(x: Floats, y: Floats, between: tuple[float, float], count: int, lay: Lay) -> tuple[float, Floats] | None:
    """A little less than the narrowest tube with `count` pieces, and their knots; None if the wider one has more."""
    low, high = between
    lines = lay(x, y, high)
    if len(lines) > count:
        return None
    for _ in range(BISECTIONS):
        middle = (low + high) / 2
        found = lay(x, y, middle)
        if len(found) <= count:
            high, lines = middle, found
        else:
            low = middle
    inner = [t for t in list_crossings(lines) if x[0] < t < x[-1]]
    return low, np.unique(np.array([x[0], *inner, x[-1]]))


class _Fit:
    """Heights at given knots, the best by a linear programme on some points and the knots; judged on all of them."""

    def __init__(self, function: Function, x: Floats, knots: Floats, epsilon: float) -> None:
        self.knots, self.epsilon = knots, epsilon
        self.points = np.union1d(x, knots)
        self.values = function(self.points)
        some = np.union1d(x[:: 1 + len(x) // (POINTS_PER_PIECE * len(knots))], knots)
        self.hats, self.y = _hats(some, knots), function(some)
        self.heights = solve_minimax_exactly(self.hats, self.y)

    def measure(self, heights: Floats) -> float:
        """The largest error on all points."""
        return float(np.max(np.abs(np.interp(self.points, self.knots, heights) - self.values)))

    def is_inside(self) -> bool:
        """Whether the best heights are inside the tube, whatever units that takes."""
        return self.measure(self.heights) < self.epsilon

    def bend_only(self) -> ShallowNetwork | None:
        """A network with no unit but one for each kink, the best of those tried; None if none is inside the tube."""
        if not self.is_inside():
            return None
        best, network = self.epsilon, None
        for look_left in _list_subsets(self.knots, self.heights):
            heights = _solve_bound(self.hats, self.y, _slope_equation(self.knots, look_left))
            if self.measure(heights) < best:
                best, network = self.measure(heights), make_network(self.knots, heights, look_left)
        return network

    def with_slope(self) -> ShallowNetwork | None:
        """A network with a unit more for the slope of the first piece; None if it is not inside the tube."""
        return _make_network_with_slope(self.knots, self.heights) if self.is_inside() else None


def _hats(points: Floats, knots: Floats) -> Floats:
    """The matrix that takes heights at the knots to values at the points."""
    cell = np.clip(np.searchsorted(knots, points, side="right") - 1, 0, len(knots) - 2)
    share = (points - knots[cell]) / (knots[cell + 1] - knots[cell])
    hats = np.zeros((len(points), len(knots)))
    index = np.arange(len(points))
    hats[index, cell], hats[index, cell + 1] = 1 - share, share
    return hats


def _solve_bound(hats: Floats, y: Floats, equation: Floats) -> Floats:
    """The heights h that make |hats h − y| small with equation · h = 0: one of them follows from the others."""
    last = int(np.argmax(np.abs(equation)))
    ratios = -np.delete(equation, last) / equation[last]
    others = solve_minimax_exactly(np.delete(hats, last, axis=1) + np.outer(hats[:, last], ratios), y)
    return np.insert(others, last, ratios @ others)


def _list_subsets(knots: Floats, heights: Floats) -> Iterator[tuple[int, ...]]:
    """Sets of inner knots whose kinks nearly add up to minus the first slope: all before the flattest piece, others."""
    slopes = find_slopes(knots, heights)
    yield tuple(range(int(np.argmin(np.abs(slopes)))))
    jumps = np.diff(slopes)
    if len(jumps):
        yield from find_sums(jumps, -float(slopes[0]))


def _slope_equation(knots: Floats, look_left: Sequence[int]) -> Floats:
    """The first slope plus the kinks that look left, as a row for the heights."""
    size = len(knots)
    rows = np.zeros((size - 1, size))
    lengths = np.diff(knots)
    index = np.arange(size - 1)
    rows[index, index], rows[index, index + 1] = -1 / lengths, 1 / lengths
    jumps = rows[1:] - rows[:-1]
    return np.asarray(rows[0] + jumps[list(look_left)].sum(axis=0))


def _make_network_with_slope(knots: Floats, heights: Floats) -> ShallowNetwork:
    """The same with a unit more for the first slope."""
    slopes = find_slopes(knots, heights)
    w, b = np.ones(len(knots) - 1), -knots[:-1]
    return ShallowNetwork(w, b, np.append(slopes[0], np.diff(slopes)), float(heights[0]))
