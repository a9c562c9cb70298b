"""Draws hidden layers, fits the output weights, keeps the best, and grows the width where an error is wanted."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from backprop.approximation.ground.arguments import MAX_WIDTH as MOST_ALONG
from backprop.approximation.ground.arguments import read_epsilon, read_seed, read_width
from backprop.approximation.ground.hidden import Hidden, Sigma, read_sigma
from backprop.approximation.ground.solving import solve
from backprop.approximation.ground.target import UNIT, Floats, check_values
from backprop.approximation.searching.candidate import CUTOFFS, ROUNDING, Candidate, Found, WidthSearch
from backprop.approximation.searching.refinement import refine
from backprop.approximation.surfaces.along import approximate_along
from backprop.approximation.surfaces.certified import certify_surface, grow_certified
from backprop.approximation.surfaces.draws import draw_hidden, list_nodes
from backprop.approximation.surfaces.result import SurfaceApproximation
from backprop.approximation.surfaces.ridges import find_direction
from backprop.approximation.surfaces.target import GRID_SIDE, PLACE, Surface, read_surface
from backprop.errors import UsageError

__all__ = ["MAX_WIDTH", "SurfaceSearch", "approximate_2d", "check_sigma"]

MAX_WIDTH = 1024
"""The widest network that is tried: beyond it a fit takes minutes, not seconds."""
GROWN_WIDTHS: tuple[int, ...] = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024)
"""Widths tried, in this order, when an error is asked for and no width; every width starts from the one below it."""
FINENESS = 16
"""The smallest sufficient width is looked for in steps of so small a share of it."""
SLOPES = (2.5, 1.5, 4.0, 1.0, 7.0, 0.5, 12.0, 25.0)
"""Slopes of units on [-1, 1]², tried in this order."""
NEARER = (1.0, 0.8, 1.25, 0.65, 1.5)
"""Times the best slope of the narrower network: what is tried for a wide one."""
STEEPEST = (GRID_SIDE - 1) / 2
"""On [-1, 1]² a steeper unit could rise and fall between two points of the grid, unseen."""
REFINED_TO, STARTS = 128, 2
"""Up to this width the units are moved as well, from so many starts."""
GROWN_TO = 256
"""Up to this width the units of the narrower network are kept in half of the draws."""
NODES_A_UNIT = 3.5
NODES_A_MOVED_UNIT = 10.0

# Work is counted in multiplications, so that the same call does the same on every machine.
DRAW_WORK = 1.2e10
REFINE_WORK = 3e9
"""For one start."""


def approximate_2d(
    target: str,
    *,
    width: int | None = None,
    epsilon: float | None = None,
    activation: str = "tanh",
    domain: Sequence[Sequence[float]] = (UNIT, UNIT),
    seed: int = 0,
    certify: bool = False,
) -> SurfaceApproximation:
    """Find a network f(x, y) = c0 + sum_k c_k sigma(w_k · (x, y) + b_k) near a function on a rectangle.

    Hidden layers are drawn at random, several slopes, several draws; for each the best output weights are a linear
    problem, solved at Chebyshev points. Up to 128 units the hidden layer is then moved as well (variable projection).
    The smallest error on the grid wins, calm weights preferred; it is never worse than for the power of two below.
    Where F(x, y) = G(p x + q y), as in abs(x - y), the network for G is found instead, with all that is proved of it.

    Args:
        target: F as an expression in x and y, or the name franke.
        width: number of hidden units, 1..1024; None: the smallest found that reaches `epsilon`.
        epsilon: the largest error wanted on the grid, in the unit of F. With a width it is only compared.
        activation: a name or an expression in x; not a polynomial.
        domain: ((a, b), (c, d)), finite.
        seed: for the draws; same seed, same network.
        certify: prove a bound of the error on the whole rectangle; about a minute is spent on it.
            With an epsilon and no width the network grows until its error is proved below it.

    Returns:
        SurfaceApproximation; where no width up to 1024 reaches `epsilon`, the best found, with `.reached` False.

    Raises:
        UsageError: an expression that cannot be read, a target without finite values on the rectangle, a
            polynomial activation, an impossible width, domain or epsilon.

    Source: lecture item 13 for the existence; A. Rahimi, B. Recht (2008) for random features.

    >>> approximation = approximate_2d("x*y", width=4)
    >>> approximation.sup_error < 1e-3, approximation.grid_points
    (True, 40401)
    """
    count = None if width is None else read_width(width, MAX_WIDTH)
    wanted = None if epsilon is None else read_epsilon(epsilon)
    if count is None and wanted is None:
        raise UsageError("approximate_2d needs a width (number of hidden units) or an epsilon (largest error)")
    return _find(read_surface(target, domain), check_sigma(activation), count, wanted, read_seed(seed), certify)


def _find(
    surface: Surface, sigma: Sigma, count: int | None, wanted: float | None, seed: int, certify: bool
) -> SurfaceApproximation:
    direction = find_direction(surface.as_written)
    if direction is not None and (count is None or count <= MOST_ALONG):
        how: Any = {"width": count, "epsilon": wanted, "seed": seed, "certify": certify}
        return approximate_along(surface, sigma, direction, **how)
    search = SurfaceSearch(SurfaceApproximation, surface, sigma, seed, wanted)
    if not certify:
        return search.fit(count) if count is not None else search.grow(wanted or 0.0)
    if count is not None or wanted is None:
        return certify_surface(search.fit(count or 1), wanted)
    return grow_certified(search.grow, wanted)


def check_sigma(activation: str) -> Sigma:
    """An activation by name or expression.  Errors: `UsageError` for a polynomial, and what `read_sigma` refuses."""
    sigma = read_sigma(activation)
    if sigma.degree is not None:
        raise UsageError(
            f"activation {activation!r} is a polynomial: however wide, such a network is a polynomial of the same "
            "degree and cannot come near every function (Leshno et al. 1993); use tanh"
        )
    return sigma


class SurfaceSearch(WidthSearch[Found]):
    """For a function of two variables, or of more: then with other nodes and another grid."""

    steepest, place, widths = STEEPEST, PLACE, GROWN_WIDTHS

    def __init__(
        self, outcome: Callable[..., Found], target: Any, sigma: Sigma, seed: int, epsilon: float | None
    ) -> None:
        super().__init__(outcome, target, sigma, seed, epsilon)
        self._slopes: dict[int, float] = {}

    def draw(self, width: int, slope: float, rng: np.random.Generator) -> Hidden:
        """A hidden layer by chance."""
        return draw_hidden(width, slope, rng)

    def list_nodes(self, count: int) -> Floats:
        """Where the fit looks, at least so many points."""
        return list_nodes(count)

    def grow(self, wanted: float) -> Found:
        """Widen until the error on the grid is below the one wanted, then look for a smaller width that does."""
        return self.grow_along(self.widths, wanted, lambda width: max(1, width // FINENESS))

    def search(self, width: int) -> Candidate:
        """The best of fresh draws, of those refined, and of the next smaller power of two with idle units."""
        narrow = self.find(_step_down(width)) if width > 1 else None
        allowed = narrow.error if narrow else math.inf
        if allowed <= ROUNDING * self.target.scale:
            return self.pad(width, narrow, SLOPES[0])
        moved = width <= REFINED_TO
        nodes = self.list_nodes(math.ceil(width * (NODES_A_MOVED_UNIT if moved else NODES_A_UNIT)))
        y = self._scaled(nodes)
        drawn = sorted(self._draw(width, nodes, y), key=lambda one: one.error)
        self._slopes[width] = drawn[0].slope
        if narrow is not None and width <= GROWN_TO:
            drawn = sorted([*drawn, *self._graft(drawn, narrow, nodes, y)], key=lambda one: one.error)
        found = [each for one in drawn[:1] for each in self._calm(one, nodes, y)]
        if moved:
            found += [each for one in drawn[:STARTS] for each in self._refine(one, nodes, y)]
        found = [one for one in found if one.error <= allowed and np.max(np.abs(one.hidden.w)) <= self.steepest]
        return min(found, key=Candidate.by_score, default=None) or self.pad(width, narrow, SLOPES[0])

    def _draw(self, width: int, nodes: Floats, y: Floats) -> Iterator[Candidate]:
        """Draw and fit as many hidden layers as the work allows, two at least; errors are those at the nodes."""
        rng = np.random.default_rng((self.seed, width))
        known = self._slopes.get(_step_down(width), SLOPES[0])
        slopes = SLOPES if width <= REFINED_TO else [known * times for times in NEARER]
        for count, slope in enumerate(slopes):
            if count >= 2 and count * len(nodes) * width**2 > DRAW_WORK:
                break
            yield self._try(self.sigma.normalise(self.draw(width, slope, rng)), slope, nodes, y)

    def _graft(self, drawn: list[Candidate], narrow: Candidate, nodes: Floats, y: Floats) -> Iterator[Candidate]:
        """Put the units of the narrower network in the place of some that were drawn."""
        for one in drawn:
            both = zip(narrow.hidden, one.hidden, strict=True)
            hidden = Hidden(*(np.append(known, new[len(known) :], axis=0) for known, new in both))
            yield self._try(hidden, one.slope, nodes, y)

    def _try(self, hidden: Hidden, slope: float, nodes: Floats, y: Floats) -> Candidate:
        features = self.sigma.compute_features(hidden, nodes)
        c = solve(features, y, CUTOFFS[0])
        if c is None:
            return Candidate(hidden, np.zeros(len(hidden.b) + 1), slope=slope)
        return Candidate(hidden, c, float(np.max(np.abs(features @ c - y))), slope=slope)

    def _calm(self, drawn: Candidate, nodes: Floats, y: Floats) -> Iterator[Candidate]:
        """The same hidden layer with output weights from the most accurate to the calmest, measured on the grid."""
        yield self.judge(drawn.hidden, drawn.c, slope=drawn.slope)
        features = self.sigma.compute_features(drawn.hidden, nodes)
        for cutoff in CUTOFFS[1:]:
            c = solve(features, y, cutoff)
            if c is not None:
                yield self.judge(drawn.hidden, c, slope=drawn.slope)

    def _refine(self, start: Candidate, nodes: Floats, y: Floats) -> Iterator[Candidate]:
        steps = min(60, int(REFINE_WORK / (len(nodes) * (start.hidden.w.size + len(start.hidden.b)) ** 2)))
        hidden = refine(self.sigma, start.hidden, nodes, y, max(steps, 5))
        yield from self._calm(self._try(hidden, start.slope, nodes, y), nodes, y)

    def _scaled(self, nodes: Floats) -> Floats:
        """F in the coordinates of the search: from [-1, 1]² to about [-1, 1]."""
        points = self.middle + self.half * nodes
        values: Floats = self.target(points)
        check_values(f"{self.target.text!r:.80}", points, values, self.place)
        scale: float = self.target.scale
        return (values - self.offset) / scale


def _step_down(width: int) -> int:
    """The next smaller power of two; 0 below 1.

    >>> _step_down(48), _step_down(64), _step_down(1)
    (32, 32, 0)
    """
    return 1 << ((width - 1).bit_length() - 1) if width > 1 else 0
