"""Simpler networks: units that do nothing left out; the same units with smaller weights, for a proof that failed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import scipy.linalg

from backprop.approximation.ground.hidden import compute_arguments
from backprop.approximation.ground.outcome import ShallowNetwork
from backprop.approximation.ground.target import Floats
from backprop.approximation.searching.result import Approximation, evaluate_network, list_own_points

__all__ = ["calm", "prune"]

SPARE = 1e-2
"""Of what is left between the error and the one asked for: so much may be spent on leaving units out."""
ROUNDING = 1e-13
"""Of the size of F: so much changes nothing."""
PENALTIES = (1e-12, 1e-8, 1e-4)
"""On the output weights, relative to the strongest direction of the units: from hardly any to strong."""
STEEP = 1e3
"""The steepest slope of a calmer network, over the length of the domain."""
LARGE = 10.0
"""Times the size of F: a Σ|c| that is no more, of units that are not steep, is calm already."""
SMALLER = 0.5
"""With the same slopes, a network is calmer if its Σ|c| is at most so much of what it was."""


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
    pruned = _measure_again(approximation, smaller)
    return pruned if pruned.sup_error < approximation.epsilon else approximation


def calm(approximation: Approximation) -> Iterator[Approximation]:
    """The same units with smaller weights, the nearest to F first; only such as are much calmer than before.

        minimise |A c - F|^2 + p^2 s^2 |c|^2   (A: the units on the grid, s: its largest singular value)

    (ridge regression) for a few penalties p, with the slopes as they are, and, if there are steep ones, with slopes
    bounded about the middle of each unit. Their errors are measured again; nothing is proved of them.

    >>> import numpy as np
    >>> from backprop.approximation.searching.search import approximate
    >>> found = approximate("sin(3*x)", width=3)
    >>> steep = replace(found, network=found.network._replace(w=found.w * 1e7, b=found.b * 1e7))
    >>> all(calmer.max_abs_w <= 1e3 for calmer in calm(steep) if calmer.max_abs_w < steep.max_abs_w)
    True
    """
    network, target = approximation.network, approximation.function
    most = STEEP / (target.domain[1] - target.domain[0])
    shares = np.minimum(1, most / np.maximum(np.abs(network.w), most))
    layers = [(network.w, network.b), *([(network.w * shares, network.b * shares)] if np.any(shares < 1) else [])]
    if len(layers) == 1 and approximation.sum_abs_c <= LARGE * target.scale:
        return
    found = []
    for w, b in layers:
        for c, constant in _solve_with_penalties(approximation, w, b):
            calmer = _measure_again(approximation, ShallowNetwork(w, b, c, constant))
            smaller = calmer.sum_abs_c <= SMALLER * approximation.sum_abs_c
            if np.isfinite(calmer.sup_error) and (smaller or w is not network.w):
                found.append(replace(calmer, calmed=True))
    yield from sorted(found, key=lambda one: one.sup_error)


def _solve_with_penalties(approximation: Approximation, w: Floats, b: Floats) -> Iterator[tuple[Floats, float]]:
    """Output weights and constant for each penalty; the constant costs nothing."""
    target = approximation.function
    with np.errstate(all="ignore"):
        features = approximation.sigma(compute_arguments(w, b, target.grid))
    if not np.all(np.isfinite(features)):
        return
    means, middle = features.mean(axis=0), float(np.mean(target.values))
    u, s, vt = scipy.linalg.svd(features - means, full_matrices=False)
    if not s.size or not s[0] > 0:
        return
    for penalty in PENALTIES:
        c = vt.T @ (s / (s**2 + (penalty * s[0]) ** 2) * (u.T @ (target.values - middle)))
        yield c, middle - float(means @ c)


def _measure_again(approximation: Approximation, network: ShallowNetwork) -> Approximation:
    """Another network in its place, without proof, with its error on the grid and around its own steps."""
    target = approximation.function
    own = list_own_points(network.w, network.b, target.domain) if target.known_between else np.zeros(0)
    points, wanted = np.append(target.grid, own), np.append(target.values, target(own))
    error = float(np.max(np.abs(evaluate_network(approximation.sigma, network, points) - wanted)))
    return replace(approximation, network=network, sup_error=error, grid_points=len(points), certificate=None)
