"""A ReLU network with few units inside the tube F ± epsilon: knots where pieces end, heights by a linear programme.

The longest affine pieces that stay in a tube, taken from left to right and evened out, give the knots. The heights at
the knots that make the largest error smallest are a linear programme. p pieces have p − 1 kinks, one unit each: a unit
that looks left, relu(t − x), bends at t as one that looks right does, so the slope of the first piece costs no unit if
the kinks that look left add up to it; that is one more linear equation.
"""

from __future__ import annotations

import numpy as np
import scipy.optimize
import scipy.sparse

from backprop.approximation.proving.kinks import list_pieces
from backprop.approximation.result import Network
from backprop.approximation.target import Floats

__all__ = ["fit_tube"]

BISECTIONS = 16
COARSE = 3000
"""Points on which the pieces are evened out."""
EXTRA = 4
"""Pieces more than the discontinuous ones that are tried."""
MOST_ROWS = 3000
SUBSETS = 12


def fit_tube(x: Floats, y: Floats, epsilon: float) -> Network | None:
    """The narrowest network found that is within epsilon at the points; None if there is none.

    Shapes: x, y (m,), increasing points with the values of F. Floats only: the proof for all points is made elsewhere.
    """
    coarse = np.unique(np.linspace(0, len(x) - 1, min(len(x), COARSE)).astype(int))
    x, y = x[coarse], y[coarse]
    fewest = len(list_pieces(x, y, epsilon))
    for count in range(fewest, fewest + EXTRA):
        knots = x[np.array([*_even_out(x, y, epsilon, count), len(x) - 1])]
        network = _fit_heights(x, y, knots, epsilon)
        if network is not None:
            return network
    return None


def _even_out(x: Floats, y: Floats, epsilon: float, count: int) -> list[int]:
    """The starts of at most `count` pieces in the narrowest tube that allows so many."""
    low, high = 0.0, epsilon
    starts = list_pieces(x, y, high)
    for _ in range(BISECTIONS):
        middle = (low + high) / 2
        found = list_pieces(x, y, middle)
        if len(found) <= count:
            high, starts = middle, found
        else:
            low = middle
    return starts


def _fit_heights(x: Floats, y: Floats, knots: Floats, epsilon: float) -> Network | None:
    """Solve for the heights at the knots, then again with the first slope made of kinks."""
    rows = np.unique(np.linspace(0, len(x) - 1, min(len(x), MOST_ROWS)).astype(int))
    place = np.unique(np.concatenate([rows, np.searchsorted(x, knots)]))
    points, values = x[place], y[place]
    hats = _hats(points, knots)
    free = _solve(hats, values, None)
    if free is None or free[1] >= epsilon:
        return None
    for look_left in _list_subsets(knots, free[0]):
        bound = _solve(hats, values, _slope_equation(knots, look_left))
        if bound is not None and bound[1] < epsilon:
            return _make_network(knots, bound[0], look_left)
    return _make_network_with_slope(knots, free[0])


def _hats(points: Floats, knots: Floats) -> scipy.sparse.csr_array:
    """The matrix that takes heights at the knots to values at the points."""
    cell = np.clip(np.searchsorted(knots, points, side="right") - 1, 0, len(knots) - 2)
    share = (points - knots[cell]) / (knots[cell + 1] - knots[cell])
    index = np.arange(len(points))
    entries = (np.concatenate([1 - share, share]), (np.tile(index, 2), np.concatenate([cell, cell + 1])))
    return scipy.sparse.csr_array(entries, shape=(len(points), len(knots)))


def _solve(hats: scipy.sparse.csr_array, values: Floats, equation: Floats | None) -> tuple[Floats, float] | None:
    """Minimise e with |hats h − values| <= e, and equation · h = 0 if there is one: (h, e)."""
    size = hats.shape[1]
    ones = scipy.sparse.csr_array(np.ones((len(values), 1)))
    upper = scipy.sparse.hstack([hats, -ones])
    lower = scipy.sparse.hstack([-hats, -ones])
    equal = {} if equation is None else {"A_eq": np.append(equation, 0.0)[None], "b_eq": [0.0]}
    found = scipy.optimize.linprog(
        np.append(np.zeros(size), 1.0),
        A_ub=scipy.sparse.vstack([upper, lower]),
        b_ub=np.concatenate([values, -values]),
        bounds=[(None, None)] * size + [(0, None)],
        **equal,
    )
    return (found.x[:-1], float(found.x[-1])) if found.status == 0 else None


def _slopes(knots: Floats, heights: Floats) -> Floats:
    return np.asarray(np.diff(heights) / np.diff(knots))


def _list_subsets(knots: Floats, heights: Floats) -> list[tuple[int, ...]]:
    """Sets of inner knots whose kinks nearly add up to minus the first slope: prefixes, improved by one exchange."""
    slopes = _slopes(knots, heights)
    jumps = np.diff(slopes)
    ranked: dict[tuple[int, ...], float] = {}
    for length in range(len(jumps) + 1):
        chosen = set(range(length))
        for k in (None, *range(len(jumps))):
            changed = tuple(sorted(chosen if k is None else chosen ^ {k}))
            ranked[changed] = abs(float(slopes[0] + jumps[list(changed)].sum())) if changed else abs(float(slopes[0]))
    return sorted(ranked, key=lambda subset: ranked[subset])[:SUBSETS]


def _slope_equation(knots: Floats, look_left: tuple[int, ...]) -> Floats:
    """The first slope plus the kinks that look left, as a row for the heights."""
    size = len(knots)
    rows = np.zeros((size - 1, size))
    lengths = np.diff(knots)
    index = np.arange(size - 1)
    rows[index, index], rows[index, index + 1] = -1 / lengths, 1 / lengths
    jumps = rows[1:] - rows[:-1]
    return np.asarray(rows[0] + jumps[list(look_left)].sum(axis=0))


def _make_network(knots: Floats, heights: Floats, look_left: tuple[int, ...]) -> Network:
    """One unit a kink: relu(x − t), or relu(t − x) for those that look left."""
    jumps, inner = np.diff(_slopes(knots, heights)), knots[1:-1]
    w = np.ones(len(inner))
    w[list(look_left)] = -1.0
    b = -w * inner
    at_start = float(np.sum(jumps * np.maximum(w * knots[0] + b, 0)))
    return Network(w, b, jumps, float(heights[0]) - at_start)


def _make_network_with_slope(knots: Floats, heights: Floats) -> Network:
    """The same with a unit more for the first slope."""
    slopes = _slopes(knots, heights)
    w, b = np.ones(len(knots) - 1), -knots[:-1]
    return Network(w, b, np.append(slopes[0], np.diff(slopes)), float(heights[0]))
