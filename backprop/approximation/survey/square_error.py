"""The L² error of an approximation, measured: what the theorem for square-integrable functions speaks of."""

from __future__ import annotations

import numpy as np

from backprop.approximation.searching.result import Approximation, list_own_points

__all__ = ["measure_l2"]

NODES = 3
"""Of Gauss's rule on each cell of the grid."""


def measure_l2(approximation: Approximation) -> float:
    """√ ∫ |F − f|² dx over the domain, by Gauss's rule between neighbouring points of the grid: measured, not proved.

    The grid closes in on the breaks of F and on the steps of the network, so no cell has a break inside.

    >>> from backprop.approximation import approximate
    >>> found = approximate("step", width=1)
    >>> found.sup_error >= 0.5, measure_l2(found) <= 0.5 + 1e-9
    (True, True)
    """
    own = list_own_points(approximation.w, approximation.b, approximation.domain)
    edges = np.union1d(approximation.function.grid, own)
    places, weights = np.polynomial.legendre.leggauss(NODES)
    half = np.diff(edges) / 2
    x = (edges[:-1] + half)[:, None] + half[:, None] * places
    errors = approximation.f(x) - approximation.function(x)
    return float(np.sqrt(np.sum(half * (errors**2 @ weights))))
