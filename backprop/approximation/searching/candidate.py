"""A network while it is searched for: its weights, its errors, and what makes one better than another."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np

from backprop.approximation.ground.hidden import Hidden
from backprop.approximation.ground.target import Floats

__all__ = ["CUTOFFS", "ROUNDING", "Candidate", "measure_errors"]

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
