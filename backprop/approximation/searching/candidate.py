"""Networks while they are searched for: what makes one better than another, and the best of each width."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

import numpy as np

from backprop.approximation.ground.hidden import Hidden, Sigma
from backprop.approximation.ground.outcome import Outcome, ShallowNetwork
from backprop.approximation.ground.target import Floats
from backprop.approximation.searching.growing import find_width
from backprop.approximation.searching.result import evaluate_network

__all__ = ["CUTOFFS", "ROUNDING", "Candidate", "Found", "WidthSearch", "measure_errors"]

Found = TypeVar("Found", bound=Outcome)

CUTOFFS = (1e-14, 1e-11, 1e-8)
"""Least squares leaves out weaker directions than these: the first is most accurate, the last calmest."""
ROUNDING = 1e-13
"""A fit this good, relative to the target, is not improved on: the rest is rounding."""


@dataclass(frozen=True, eq=False)
class Candidate:
    """A network on [-1, 1], or its square, with values in [-1, 1], the constant last in c; its errors on the grid of F.

    `points`, `cutoff`: at how many points it was measured, and how it was solved for; `slope`: how steep it was drawn.
    """

    hidden: Hidden = field(repr=False)
    c: Floats = field(repr=False)
    error: float = math.inf
    mean_error: float = math.inf
    points: int = 0
    cutoff: float = 0.0
    slope: float = 0.0

    def by_error(self) -> float:
        """The largest error."""
        return self.error

    def by_score(self) -> float:
        """(largest error + mean error) (1 + sum |c_k|)^(1/8), smaller is better.

        Of two networks with much the same error the calmer is better: huge output weights that cancel lose
        digits. The mean error counts because at a jump every network has the same largest error.
        """
        calm = 1 + float(np.sum(np.abs(self.c[:-1])))
        return float((self.error + self.mean_error) * calm**0.125)


def measure_errors(values: Floats, wanted: Floats) -> tuple[float, float]:
    """The largest error and the root of the mean square; both infinite where one is not finite."""
    errors = np.abs(values - wanted)
    largest, mean = float(np.max(errors)), float(np.sqrt(np.mean(errors**2)))
    return (largest, mean) if math.isfinite(largest) and math.isfinite(mean) else (math.inf, math.inf)


class WidthSearch(ABC, Generic[Found]):
    """One target and one activation; remembers the best network of each width.

    Inside, points are on [-1, 1], or its square, and values on [-1, 1]: `middle` and `half` of the domain, `offset` and
    scale of the values lead there.
    """

    def __init__(
        self, outcome: Callable[..., Found], target: Any, sigma: Sigma, seed: int, epsilon: float | None
    ) -> None:
        self.outcome, self.target, self.sigma, self.seed, self.epsilon = outcome, target, sigma, seed, epsilon
        low, high = np.transpose(target.domain)
        self.middle, self.half = low / 2 + high / 2, high / 2 - low / 2
        self.offset = float(np.max(target.values) / 2 + np.min(target.values) / 2)
        self.known: dict[int, Candidate] = {}

    @abstractmethod
    def search(self, width: int) -> Candidate:
        """The best network of that width."""

    def find(self, width: int) -> Candidate:
        """The best network of that width, searched for once."""
        if width not in self.known:
            self.known[width] = self.search(width)
        return self.known[width]

    def grow_along(self, widths: Sequence[int], wanted: float, step: Callable[[int], int]) -> Found:
        """Widen until the error on the grid is below the one wanted, then look for a smaller width that does."""
        found = find_width(lambda width: self.find(width).error, widths, wanted, step)
        return self.fit(found or min(self.known, key=lambda known: self.known[known].error))

    def fit(self, width: int) -> Found:
        """The best network of that width, in the coordinates of the target."""
        found = self.find(width)
        return self.outcome(
            target=self.target.text,
            activation=self.sigma.name,
            domain=self.target.domain,
            network=self.restore(found.hidden, found.c),
            sup_error=found.error,
            grid_points=found.points,
            epsilon=self.epsilon,
            function=self.target,
            sigma=self.sigma.f,
        )

    def restore(self, hidden: Hidden, c: Floats) -> ShallowNetwork:
        """A network in the coordinates of the target."""
        w = hidden.w / self.half
        constant = float(c[-1]) * self.target.scale + self.offset
        return ShallowNetwork(w, hidden.b - np.dot(w, self.middle), c[:-1] * self.target.scale, constant)

    def pad(self, width: int, narrow: Candidate | None, slope: float = 0.0) -> Candidate:
        """A network that always works: the narrower one with idle units, or the constant."""
        nothing = np.zeros((0, *np.shape(self.middle)))
        known = narrow or Candidate(Hidden(nothing, np.zeros(0)), np.zeros(1), slope=slope)
        idle = width - len(known.hidden.b)
        hidden = Hidden(*(np.pad(part, [(0, idle), (0, 0)][: part.ndim]) for part in known.hidden))
        return self.judge(hidden, np.insert(known.c, len(known.c) - 1, np.zeros(idle)), slope=known.slope)

    def judge(self, hidden: Hidden, c: Floats, cutoff: float = CUTOFFS[0], slope: float = 0.0) -> Candidate:
        """Measure a network in its final form, on the grid of the target and around its own steps."""
        network = self.restore(hidden, c)
        with np.errstate(all="ignore"):
            points, wanted = self.list_points(network)
            values = evaluate_network(self.sigma.f, network, points)
            return Candidate(hidden, c, *measure_errors(values, wanted), len(values), cutoff, slope)

    def list_points(self, network: ShallowNetwork) -> tuple[Floats, Floats]:
        """Where a network is measured, and F there."""
        return self.target.grid, self.target.values
