"""Fits a network in the mean square with a density: output weights by weighted least squares, hidden ones moved."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from backprop.approximation.ground.hidden import Hidden, read_sigma
from backprop.approximation.ground.outcome import ShallowNetwork
from backprop.approximation.ground.solving import solve
from backprop.approximation.ground.target import Floats
from backprop.approximation.measures.density import Density
from backprop.approximation.searching.candidate import CUTOFFS
from backprop.approximation.searching.refinement import refine
from backprop.approximation.searching.result import Approximation, evaluate_network, list_own_points

__all__ = ["find_support", "fit_in_mean", "measure_in_mean", "put_in_place"]

NODES = 3
"""Of Gauss's rule on each cell of the grid."""
COARSER = 8
"""For the fit a cell is so many of those in which it is measured."""
ROWS_A_UNIT, FEWEST_ROWS = 20, 200
"""Where hidden units are moved: points that lie as p does, each counted alike."""
STEPS = 40
OUTSIDE = 1e-4
"""Of the area under p, on either side."""
WIDEST_MOVED = 64
"""Wider networks keep their hidden units; a step costs the cube of the width."""


class _Rule(NamedTuple):
    """Σ weight_i g(x_i) is near ∫ p g."""

    x: Floats
    weights: Floats


def measure_in_mean(found: Approximation, density: Density) -> float:
    """√ ∫ p (F − f)² dx by Gauss's rule between the points of both grids and of the network: measured, not proved.

    >>> from backprop.approximation import approximate
    >>> from backprop.approximation.measures.density import read_density
    >>> measure_in_mean(approximate("step", width=1), read_density("1", (0, 1))) < 0.02
    True
    """
    rule = _make_rule(found, density, 1)
    errors = found.f(rule.x) - found.function(rule.x)
    return float(np.sqrt(rule.weights @ errors**2))


def fit_in_mean(found: Approximation, density: Density) -> Approximation:
    """The network, the same with new output weights, or with its units moved as well: the nearest."""
    rule = _make_rule(found, density, COARSER)
    candidates = [found, *(put_in_place(found, network) for network in _list_networks(found, rule))]
    return min(candidates, key=lambda one: measure_in_mean(one, density))


def find_support(found: Approximation, density: Density) -> tuple[float, float]:
    """The interval on whose left and right there is next to nothing of p."""
    rule = _make_rule(found, density, COARSER)
    sums = np.cumsum(rule.weights)
    inside = np.flatnonzero((sums > OUTSIDE * sums[-1]) & (sums < (1 - OUTSIDE) * sums[-1]))
    return (float(rule.x[inside[0]]), float(rule.x[inside[-1]])) if len(inside) > 1 else found.domain


def _list_networks(found: Approximation, rule: _Rule) -> Iterator[ShallowNetwork]:
    low, high = found.domain
    middle, half = low / 2 + high / 2, high / 2 - low / 2
    sigma, target = read_sigma(found.activation), found.function
    start = Hidden(found.w * half, found.b + found.w * middle)
    hiddens = [start]
    if found.width <= WIDEST_MOVED:
        x = _spread(rule, max(FEWEST_ROWS, ROWS_A_UNIT * found.width))
        hiddens.append(refine(sigma, start, (x - middle) / half, target(x) / target.scale, STEPS))
    root, y = np.sqrt(rule.weights), target(rule.x)
    for hidden in hiddens:
        features = sigma.compute_features(hidden, (rule.x - middle) / half)
        for cutoff in CUTOFFS:
            c = solve(features * root[:, None], y * root, cutoff)
            if c is not None:
                w = hidden.w / half
                yield ShallowNetwork(w, hidden.b - w * middle, c[:-1], float(c[-1]))


def put_in_place(found: Approximation, network: ShallowNetwork) -> Approximation:
    """Another network in the place of one, with its largest error on the grid."""
    own = list_own_points(network.w, network.b, found.domain)
    points = np.append(found.function.grid, own)
    with np.errstate(all="ignore"):
        errors = np.abs(evaluate_network(found.sigma, network, points) - found.function(points))
    return replace(found, network=network, sup_error=float(np.max(errors)), grid_points=len(points))


def _make_rule(found: Approximation, density: Density, coarser: int) -> _Rule:
    """Gauss's rule on cells between the breaks of F and p, the steps of the network and so many points of the grid."""
    low, high = found.domain
    own = list_own_points(found.w, found.b, found.domain)
    breaks = (low, *found.function.breaks, *density.breaks, high)
    edges = np.union1d(np.append(found.function.grid[::coarser], breaks), np.append(density.grid[::coarser], own))
    places, weights = np.polynomial.legendre.leggauss(NODES)
    half = np.diff(edges)[:, None] / 2
    x = (edges[:-1, None] + half + half * places).ravel()
    return _Rule(np.clip(x, low, high), (half * weights).ravel() * density(np.clip(x, low, high)))


def _spread(rule: _Rule, count: int) -> Floats:
    """Points that lie as p does: between two of them there is as much of p as between any others."""
    sums = np.cumsum(rule.weights)
    shares = (np.arange(count) + 0.5) / count * sums[-1]
    return np.asarray(np.interp(shares, sums - rule.weights / 2, rule.x), dtype=np.float64)
