"""Hidden layers drawn at random over the square [-1, 1]², and the points of the square where the fit looks."""

from __future__ import annotations

import math

import numpy as np

from backprop.approximation.ground.hidden import Hidden
from backprop.approximation.ground.target import Floats

__all__ = ["draw_hidden", "list_nodes"]

FEWEST_NODES = 20
"""Along each side."""


def draw_hidden(width: int, slope: float, rng: np.random.Generator) -> Hidden:
    """Draw units that rise equally steeply, in any direction, each along a line through a random point of the square.

        w_k = slope (cos t_k, sin t_k),   t_k uniform in [0, pi]
        b_k = -w_k · p_k,                 p_k uniform in the square

    Of the distributions tried on smooth surfaces (normal weights, mixed slopes, evenly spread angles and distances)
    this one came nearest at every width from 128 on.

    Source: random features with a linear fit: A. Rahimi, B. Recht, Weighted sums of random kitchen sinks (2008).

    >>> hidden = draw_hidden(3, 2.0, np.random.default_rng(0))
    >>> hidden.w.shape, hidden.b.shape, bool(np.allclose(np.linalg.norm(hidden.w, axis=1), 2))
    ((3, 2), (3,), True)
    """
    angle = rng.uniform(0, math.pi, width)
    w = slope * np.column_stack([np.cos(angle), np.sin(angle)])
    points = rng.uniform(-1, 1, (width, 2))
    return Hidden(w, -np.sum(w * points, axis=1))


def list_nodes(count: int) -> Floats:
    """List at least `count` points of the square: m × m Chebyshev points with an even m.

    No coordinate cos((2k + 1) pi / 2m) is rational then: by Niven's theorem it would be 0, ±1/2 or ±1, and these need
    an odd m or are missed by odd multiples. So no node is a point of an equispaced grid: what is measured there was
    not fitted.

    >>> list_nodes(400).shape
    (400, 2)
    """
    side = max(FEWEST_NODES, math.ceil(math.sqrt(count)))
    side += side % 2
    line = np.cos(np.pi * (np.arange(side) + 0.5) / side)
    return np.column_stack([one.ravel() for one in np.meshgrid(line, line)])
