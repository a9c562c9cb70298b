"""Units that do nothing: left out, their mean value added to the constant, where the error asked for allows it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from backprop.approximation.ground.hidden import compute_arguments
from backprop.approximation.ground.outcome import ShallowNetwork
from backprop.approximation.searching.result import Approximation, evaluate_network, list_own_points

__all__ = ["prune"]

SPARE = 1e-2
"""Of what is left between the error and the one asked for: so much may be spent on leaving units out."""
ROUNDING = 1e-13
"""Of the size of F: so much changes nothing."""


def prune(approximation: Approximation) -> Approximation:
    """The same approximation without the units whose values hardly change over the domain; itself if all of them count.

    The error on the grid is measured again; a proof has to be made again.

    >>> from backprop.approximation.searching.search import approximate
    >>> approximate("1/3", epsilon=1e-3).width
    1
    """
    target, network = approximation.function, approximation.network
    if approximation.epsilon is None or approximation.width < 2 or approximation.sup_error >= approximation.epsilon:
        return approximation
    with np.errstate(all="ignore"):
        values = approximation.sigma(compute_arguments(network.w, network.b, target.grid)) * network.c
    low, high = np.min(values, axis=0), np.max(values, axis=0)
    swing, middle = (high - low) / 2, (high + low) / 2
    allowed = max(SPARE * (approximation.epsilon - approximation.sup_error), ROUNDING * target.scale)
    order = np.argsort(swing)
    idle = order[np.cumsum(swing[order]) <= allowed][: approximation.width - 1]
    if not idle.size:
        return approximation
    kept = np.setdiff1d(np.arange(approximation.width), idle)
    smaller = ShallowNetwork(network.w[kept], network.b[kept], network.c[kept],
                             network.constant + float(np.sum(middle[idle])))  # fmt: skip
    own = list_own_points(smaller.w, smaller.b, target.domain) if target.known_between else np.zeros(0)
    points, wanted = np.append(target.grid, own), np.append(target.values, target(own))
    error = float(np.max(np.abs(evaluate_network(approximation.sigma, smaller, points) - wanted)))
    if not error < approximation.epsilon:
        return approximation
    return replace(approximation, network=smaller, sup_error=error, grid_points=len(points), certificate=None)
