"""Tries many starts, keeps the best network, and grows the width where an error was asked for."""

from __future__ import annotations

import math
import operator
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import cached_property

import numpy as np

from backprop.approximation.ground.arguments import MAX_WIDTH, read_epsilon, read_seed, read_width
from backprop.approximation.ground.given import Given, check_width, list_widths, read_given
from backprop.approximation.ground.hidden import Hidden, Sigma, read_sigma
from backprop.approximation.ground.outcome import ShallowNetwork
from backprop.approximation.ground.solving import project, project_each, solve, solve_minimax, solve_minimax_exactly
from backprop.approximation.ground.table import TableTarget
from backprop.approximation.ground.target import Floats, FunctionTarget, Target
from backprop.approximation.limits.find import find_limit
from backprop.approximation.limits.jump import Jump
from backprop.approximation.searching.candidate import CUTOFFS, ROUNDING, Candidate, WidthSearch
from backprop.approximation.searching.certified import (
    NOTHING_TO_PROVE,
    certify_calmly,
    grow_certified,
    narrow_relu,
)
from backprop.approximation.searching.placement import (
    list_nodes,
    list_placements,
    list_wave_placements,
    list_waves,
)
from backprop.approximation.searching.pruning import prune
from backprop.approximation.searching.refinement import refine
from backprop.approximation.searching.result import Approximation, list_own_points
from backprop.errors import UsageError

__all__ = ["approximate"]

GROWN_WIDTHS = (1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128)
"""Widths tried, in this order, when an error is asked for and no width."""
WAVES = (192, 256, 384, 512)
"""And these where a function rises and falls at least a quarter as often."""
SMALL = 8
"""Up to this width each network grows out of the one with a unit less, beyond it out of half of it."""
NARROWED_BELOW = 64
"""Up to this width the smallest sufficient one is looked for between two of the list."""

STEEPEST = 1e8
"""Hidden weights beyond this, on [-1, 1], are steps finer than anything the fit could see; of data the gaps decide."""
FRESH_STARTS, GROWN_STARTS = 3, 2
"""Starts that are refined: so many from scratch, so many that add units to a narrower network."""
MINIMAX_ROUNDS = 40
MOST_NODES = 4096
"""Of data, so many points are fitted; the error is measured at all."""
NOWHERE = np.zeros(0)

# Work is counted in multiplications, so that the same call does the same on every machine.
SCAN_WORK = 3e8
REFINE_WORK = 1e9
MINIMAX_WORK = 2e8


def approximate(
    target: Given,
    *,
    width: int | None = None,
    activation: str = "tanh",
    domain: Sequence[float] | None = None,
    seed: int = 0,
    epsilon: float | None = None,
    certify: bool = False,
    continued: bool = False,
) -> Approximation:
    """Find a network f(x) = c0 + sum_k c_k sigma(w_k x + b_k) near a function on an interval, or near data.

    For a given hidden layer the best output weights are a linear problem. So many hidden layers are tried
    and the best refined, with the output weights always solved for. The network with the smallest error on
    the grid wins, calm ones preferred; it is never worse than the one found for a unit less (up to 8 units) or
    for half the width.

    Args:
        target: F as an expression in x or a name; or data: a file with two columns x and y (a path, or text that
            ends in .csv, .tsv, .txt or .dat), or a pair (x, y) of arrays. Of data nothing is known between the
            points: errors are measured at them only, the width is at most a third of them, and nothing is proved.
        width: number of hidden units, 1..512; None: the smallest found that reaches `epsilon`.
        activation: a name or an expression in x.
        domain: the interval (a, b), finite; None: (0, 1), or that of the data. Data outside it are left out.
        seed: for the random starts; same seed, same network.
        epsilon: the largest error wanted on the grid, in the unit of F. With a width it is only compared.
        certify: prove a bound of the error on the whole domain; with an epsilon and no width the network grows until
            its error is proved to be below it.
        continued: take the limit of F where it has no value by itself, as sin(x)/x at 0.

    Returns:
        Approximation; where no width up to 128 reaches `epsilon`, the best found, with `.reached` False. Where it is
        proved that no width at all does (`.error_lower_bound`), a network is returned without growing.

    Raises:
        UsageError: an expression or data that cannot be read, a target without finite values on the domain, an
            impossible width, domain or epsilon, a proof for data.

    Source: lecture item 13 (Cybenko 1989, Hornik 1989, Leshno et al. 1993): for every continuous F and every
    epsilon > 0 such a network exists, sigma being no polynomial; they say nothing of the width.

    >>> approximation = approximate("sin(2*pi*x)", width=6)
    >>> approximation.sup_error < 1e-4, approximation.grid_points > 10_000
    (True, True)
    """
    count = None if width is None else read_width(width, MAX_WIDTH)
    wanted = None if epsilon is None else read_epsilon(epsilon)
    if count is None and wanted is None:
        raise UsageError("approximate needs a width (number of hidden units) or an epsilon (largest error)")
    what, sigma = read_given(target, domain, continued), read_sigma(activation)
    if certify and not what.known_between:
        raise UsageError(NOTHING_TO_PROVE)
    limit = find_limit(what, sigma.expression) if isinstance(what, FunctionTarget) else None
    search = _Search(what, sigma, read_seed(seed), wanted, isinstance(limit, Jump))
    if count is None and wanted is not None and limit is not None and wanted <= limit.lower:
        count = limit.enough_width  # no width will do
    return replace(_run(search, what, count, wanted, certify), limit=limit)


def _run(search: _Search, what: Target, count: int | None, wanted: float | None, certify: bool) -> Approximation:
    """Fit the width, or grow to the error that is wanted; with a proof if one is asked for."""
    if not certify:
        return search.fit(check_width(what, count)) if count is not None else prune(search.grow(wanted or 0.0))
    if count is not None or wanted is None:
        return certify_calmly(search.fit(count or 1), wanted)
    if search.sigma.name == "relu":
        laid = narrow_relu(certify_calmly(search.fit(1), wanted), wanted)
        if laid.reached:
            return laid
    return grow_certified(search.grow, wanted)


class _Search(WidthSearch[Approximation]):
    """For a function of one variable, or data."""

    def __init__(self, target: Target, sigma: Sigma, seed: int, epsilon: float | None, has_jump: bool) -> None:
        super().__init__(Approximation, target, sigma, seed, epsilon)
        self._has_jump, self._scale = has_jump, target.scale
        self._breaks = (np.array(target.breaks, dtype=np.float64) - self.middle) / self.half
        self._steepest = 2 * self.half / target.gap if isinstance(target, TableTarget) else STEEPEST

    @cached_property
    def _waves(self) -> Floats:
        """The rises and falls of F, if there are many."""
        return list_waves(self._scaled)

    def grow(self, wanted: float) -> Approximation:
        """Widen until the error on the grid is below the one wanted, then look for a smaller width that does."""
        return self.grow_along(list_widths(self.target, self._list_widths()), wanted, _step)

    def _list_widths(self) -> list[int]:
        """The widths to try; for a polynomial none beyond its degree, with which a network is any such polynomial."""
        most = self.sigma.degree
        if most is None and self.target.known_between:
            count = len(self._waves)
            least = count / 8 if count > GROWN_WIDTHS[-1] else 0
            return [width for width in (*GROWN_WIDTHS, *(w for w in WAVES if w <= 4 * count)) if width >= least]
        return list(GROWN_WIDTHS) if most is None else [*(w for w in GROWN_WIDTHS if w < most), most]

    def search(self, width: int) -> Candidate:
        narrow = self._find_narrower(width) if width > 1 else None
        if narrow and narrow.error <= ROUNDING * self._scale:
            return self.pad(width, narrow)
        x, y = self._list_nodes(width)
        fresh, worst = self._scan(self._list_fresh(width), x, y, FRESH_STARTS)
        grown, _ = self._scan(self._list_grown(width, narrow), x, y, GROWN_STARTS) if narrow else ([], 0.0)
        steps = _count_steps(x, width) if worst > ROUNDING else 0
        waves, _ = self._scan(list_wave_placements(self._waves, width), x, y, 1)
        refined = [refine(self.sigma, start, x, y, steps) for start in (*fresh, *waves, *grown) if steps]
        found = [c for hidden in (*fresh[:1], *waves, *grown[:1], *refined) for c in self._finish(hidden, x, y)]
        safe = self.pad(width, narrow)
        is_whole = self.sigma.degree is not None and width >= self.sigma.degree
        polish = self._polish_exactly if is_whole else self._polish
        found += [*(polish(found, x, y) if found else ()), safe]
        allowed = safe.error if narrow else math.inf
        rank = Candidate.by_error if is_whole else Candidate.by_score
        return min((one for one in found if one.error <= allowed), key=rank)

    def _find_narrower(self, width: int) -> Candidate:
        """The network it grows out of; one between that was found before and is better takes its place."""
        before = self.find(width - 1 if width <= SMALL else width // 2)
        others = (found for known, found in self.known.items() if known < width)
        return min([before, *others], key=Candidate.by_error)

    def _list_nodes(self, width: int) -> tuple[Floats, Floats]:
        """Where the fit looks, and F there: of data at the points themselves, or at some that are evenly spread."""
        if self.target.known_between:
            x = list_nodes(self._scaled, self._breaks, width)
            return x, self._scaled(x)
        rows = np.unique(np.linspace(0, len(self.target.grid) - 1, MOST_NODES).astype(int))
        x, y = self.target.grid[rows], self.target.values[rows]
        return (x - self.middle) / self.half, (y - self.offset) / self._scale

    def _scaled(self, u: Floats) -> Floats:
        """F in the coordinates of the search: from [-1, 1] to about [-1, 1]."""
        low, high = self.target.domain
        values: Floats = self.target(np.clip(self.middle + self.half * u, low, high))
        return (values - self.offset) / self._scale

    def _list_fresh(self, width: int) -> Iterator[Hidden]:
        rng = np.random.default_rng((self.seed, width))
        return list_placements(self._scaled, self._breaks, width, rng)

    def _list_grown(self, width: int, narrow: Candidate) -> Iterator[Hidden]:
        """Add units to the narrower network found before: some of those of each fresh start."""
        rng = np.random.default_rng((self.seed, width, 1))
        for start in self._list_fresh(width):
            chosen = rng.permutation(width)[: width - len(narrow.hidden.w)]
            yield Hidden(*(np.append(old, new[chosen]) for old, new in zip(narrow.hidden, start, strict=True)))

    def _scan(self, starts: Iterator[Hidden], x: Floats, y: Floats, wanted: int) -> tuple[list[Hidden], float]:
        """Return the best starts, best first and no two equally good, and the error of the first.

        At a jump the largest errors are all the same, so the mean counts too.
        """
        ranked: dict[str, tuple[float, Hidden]] = {}
        for count, raw in enumerate(starts):
            start, width = self.sigma.normalise(raw), len(raw.w)
            if count >= 4 and count * len(x) * width**2 > SCAN_WORK:
                break
            features = self.sigma.compute_features(start, x)
            c = solve(features, y, CUTOFFS[0])
            if c is not None:
                errors = np.abs(features @ c - y)
                worst = float(np.max(errors) + (np.mean(errors) if self._has_jump else 0))
                ranked.setdefault(f"{worst:.4e}", (worst, start))
        best = sorted(ranked.values(), key=operator.itemgetter(0))[:wanted]
        return [start for _, start in best], best[0][0] if best else math.inf

    def _finish(self, hidden: Hidden, x: Floats, y: Floats) -> Iterator[Candidate]:
        """Solve for the output weights by least squares, from the most accurate to the calmest."""
        if np.max(np.abs(hidden.w)) > self._steepest:
            return
        features = self.sigma.compute_features(hidden, x)
        for cutoff, projection in zip(CUTOFFS, project_each(features, CUTOFFS), strict=False):
            yield self.judge(hidden, projection.weigh(y), cutoff)

    def _polish(self, found: list[Candidate], x: Floats, y: Floats) -> Iterator[Candidate]:
        """Solve again for the output weights of the best networks, now for the smallest largest error."""
        for rank in (Candidate.by_error, Candidate.by_score):
            best = min(found, key=rank)
            features = self.sigma.compute_features(best.hidden, x)
            projection = project(features, best.cutoff)
            rounds = min(MINIMAX_ROUNDS, int(MINIMAX_WORK / features.size / features.shape[1]))
            if projection is not None and best.error > ROUNDING * self._scale:
                yield self.judge(best.hidden, solve_minimax(projection, y, rounds), best.cutoff)

    def _polish_exactly(self, found: list[Candidate], *_: Floats) -> Iterator[Candidate]:
        """The same on the whole grid, for a polynomial with units enough: its networks have few parameters.

        Units side by side span all polynomials of the degree better than units that were placed for least squares.
        """
        u = (self.target.grid - self.middle) / self.half
        y = (self.target.values - self.offset) / self._scale
        best = min(found, key=Candidate.by_error).hidden
        for hidden in (best, Hidden(np.ones(len(best.w)), np.linspace(-1, 1, len(best.w)))):
            projection = project(self.sigma.compute_features(hidden, u), CUTOFFS[0])
            if projection is not None:
                c = projection.lift(solve_minimax_exactly(projection.basis, y))
                yield self.judge(hidden, c, CUTOFFS[0])

    def list_points(self, network: ShallowNetwork) -> tuple[Floats, Floats]:
        """The grid of the target, and points around the network's own steps."""
        own = list_own_points(network.w, network.b, self.target.domain) if self.target.known_between else NOWHERE
        return np.append(self.target.grid, own), np.append(self.target.values, self.target(own))


def _step(width: int) -> int:
    """Up to a width the smallest one is looked for; beyond it the next of the list will do."""
    return 1 if width <= NARROWED_BELOW else width


def _count_steps(x: Floats, width: int) -> int:
    steps = int(REFINE_WORK / (len(x) * (2 * width) ** 2) / (FRESH_STARTS + GROWN_STARTS))
    return min(steps, 100) if steps >= 5 else 0
