"""Networks from lines with knots: the kinks whose units look left have to add up to minus the first slope.

With many kinks some of them nearly do, and what is missing is made up for by tilting all lines together.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from backprop.approximation.ground.outcome import ShallowNetwork
from backprop.approximation.ground.target import Floats
from backprop.approximation.proving.stabbing import Line, lay_lines, list_crossings
from backprop.approximation.widths.sums import find_sums

__all__ = ["find_slopes", "make_network", "tilt_lines"]

NARROWER = (2e-2, 1e-2, 3e-3, 1e-3, 1e-4)
"""By how much tubes are narrower in which lines are laid."""
CUTS_OF_LINES, AROUND = 6, 121
"""How often lines are laid again, with so many points around each knot."""
FINE, NARROWER_FINE, CUTS_FINE = 200_000, (2e-3, 1e-3), 3
"""With more points than that lines take seconds to lay, and leave the tube by little where they meet."""

Function = Callable[[Floats], Floats]


def tilt_lines(function: Function, x: Floats, epsilon: float, count: int) -> ShallowNetwork | None:
    """Lines of a slightly narrower tube, tilted together by what is missing from a sum of kinks to the first slope.

    With many kinks some sum of them is so near that the tilt is nothing.
    """
    is_fine = len(x) > FINE
    for share in NARROWER_FINE if is_fine else NARROWER:
        points = x
        for _ in range(CUTS_FINE if is_fine else CUTS_OF_LINES):
            lines = lay_lines(points, *_bound(function(points), epsilon * (1 - share)))[0]
            knots = np.array([x[0], *list_crossings(lines), x[-1]])
            if len(lines) != count or np.any(np.diff(knots) <= 0):
                break
            network = _tilt(function, points, epsilon, knots, lines, epsilon * (1 - share))
            if network is not None:
                return network
            reach = np.interp(knots[1:-1], points[1:], np.diff(points))
            wide = 32 if is_fine else 4  # of finer points more, for the knots move as far
            near = (knots[1:-1, None] + wide * reach[:, None] * np.linspace(-1, 1, AROUND)).ravel()
            points = np.union1d(points, near[(near > x[0]) & (near < x[-1])])
    return None


def _bound(y: Floats, epsilon: float) -> tuple[Floats, Floats]:
    return y - epsilon, y + epsilon


def _tilt(
    function: Function, x: Floats, epsilon: float, knots: Floats, lines: list[Line], inner: float
) -> ShallowNetwork | None:
    """`inner` is the half-width of the tube in which the lines were laid: where they meet between two points they may
    leave it, and are taken back by half of that; by as much they leave it elsewhere."""
    heights = np.array([line.y + line.slope * (t - line.x) for line, t in zip([lines[0], *lines], knots, strict=True)])
    gaps = heights - function(knots)
    beyond = np.sign(gaps) * np.maximum(np.abs(gaps) - inner, 0)
    heights[1:-1] -= beyond[1:-1] / 2
    points = np.union1d(x, knots)
    values = function(points)
    if float(np.max(np.abs(np.interp(points, knots, heights) - values))) >= epsilon:
        return None
    slopes = find_slopes(knots, heights)
    jumps = np.diff(slopes)
    for look_left in find_sums(jumps, -float(slopes[0])):
        tilted = heights - (slopes[0] + jumps[list(look_left)].sum()) * (knots - (x[0] + x[-1]) / 2)
        if float(np.max(np.abs(np.interp(points, knots, tilted) - values))) < epsilon:
            return make_network(knots, tilted, look_left)
    return None


def find_slopes(knots: Floats, heights: Floats) -> Floats:
    return np.asarray(np.diff(heights) / np.diff(knots))


def make_network(knots: Floats, heights: Floats, look_left: Sequence[int]) -> ShallowNetwork:
    """One unit a kink: relu(x − t), or relu(t − x) for those that look left."""
    jumps, inner = np.diff(find_slopes(knots, heights)), knots[1:-1]
    w = np.ones(len(inner))
    w[list(look_left)] = -1.0
    b = -w * inner
    at_start = float(np.sum(jumps * np.maximum(w * knots[0] + b, 0)))
    return ShallowNetwork(w, b, jumps, float(heights[0]) - at_start)
