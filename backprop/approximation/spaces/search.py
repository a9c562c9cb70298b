"""Draws hidden layers in several dimensions, fits the output weights, keeps the best, grows where that is wanted."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from backprop.approximation.ground.arguments import read_epsilon, read_seed, read_width
from backprop.approximation.ground.hidden import Hidden, Sigma
from backprop.approximation.ground.target import Floats
from backprop.approximation.spaces.result import SpaceApproximation
from backprop.approximation.spaces.target import Space, read_space, scatter
from backprop.approximation.surfaces.search import SurfaceSearch, check_sigma
from backprop.errors import UsageError

__all__ = ["MAX_WIDTH", "approximate_nd"]

MAX_WIDTH = 512
"""The widest network that is tried: beyond it a fit takes minutes, not seconds."""
FEWEST_NODES = 1500
"""Where the fit looks, however narrow the network is."""
STEEPEST = 50.0
"""On [-1, 1]^d a steeper unit could rise and fall between the points where the error is measured, unseen."""


def approximate_nd(
    target: str,
    *,
    width: int | None = None,
    epsilon: float | None = None,
    activation: str = "tanh",
    domain: Sequence[Sequence[float]] | None = None,
    seed: int = 0,
) -> SpaceApproximation:
    """Find a network f(p) = c0 + sum_k c_k sigma(w_k · p + b_k) near a function of three to six variables on a box.

    The search is that of `approximate_2d`, with nodes that lie evenly in the cube. Its error is measured and not
    proved: the largest at some 50,000 points of a grid and 20,000 scattered ones. In four dimensions that is a grid of
    15 points along each side, which sees nothing that is finer.

    Args:
        target: F as an expression in x, y, z, or x, y, z, w, or x1, x2, … up to x6; all of them have to occur.
        width: number of hidden units, 1..512; None: the smallest found that reaches `epsilon`.
        epsilon: the largest error wanted at these points. With a width it is only compared.
        activation: a name or an expression in x; not a polynomial.
        domain: (low, high) for each variable; None: the unit cube.
        seed: for the draws; same seed, same network.

    Raises:
        UsageError: an expression that cannot be read, a target without finite values at the points, a polynomial
            activation, an impossible width, domain or epsilon.

    Source: lecture item 13 for the existence, in any dimension (Cybenko 1989, Hornik 1991).

    >>> approximation = approximate_nd("x*y*z", width=6)
    >>> approximation.sup_error < 0.05, approximation.certified
    (True, False)
    """
    count = None if width is None else read_width(width, MAX_WIDTH)
    wanted = None if epsilon is None else read_epsilon(epsilon)
    if count is None and wanted is None:
        raise UsageError("approximate_nd needs a width (number of hidden units) or an epsilon (largest error)")
    search = _SpaceSearch(read_space(target, domain), check_sigma(activation), read_seed(seed), wanted)
    return search.fit(count) if count is not None else search.grow(wanted or 0.0)


class _SpaceSearch(SurfaceSearch[SpaceApproximation]):
    """The search for surfaces, with nodes and directions in more dimensions."""

    steepest = STEEPEST
    widths = tuple(width for width in SurfaceSearch.widths if width <= MAX_WIDTH)

    def __init__(self, target: Space, sigma: Sigma, seed: int, epsilon: float | None) -> None:
        super().__init__(SpaceApproximation, target, sigma, seed, epsilon)
        self.place = target.place
        self.dimensions = len(target.variables)

    def draw(self, width: int, slope: float, rng: np.random.Generator) -> Hidden:
        """Units that rise equally steeply, in any direction, each along a plane through a random point of the cube."""
        directions = rng.normal(size=(width, self.dimensions))
        w = slope * directions / np.linalg.norm(directions, axis=1, keepdims=True)
        return Hidden(w, -np.sum(w * rng.uniform(-1, 1, w.shape), axis=1))

    def list_nodes(self, count: int) -> Floats:
        """Points of the cube that are none of those at which the error is measured."""
        return 2 * scatter(self.dimensions, max(count, FEWEST_NODES), self.seed + 1) - 1
