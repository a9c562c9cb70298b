"""A network while it is searched for: its weights, its errors, and what makes one better than another."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from backprop.approximation.ground.hidden import Hidden
from backprop.approximation.ground.target import Floats

__all__ = ["Candidate"]


@dataclass(frozen=True, eq=False)
class Candidate:
    """A network on [-1, 1] with values in [-1, 1], the constant last in c; its errors on the grid of F."""

    hidden: Hidden
    c: Floats
    error: float
    mean_error: float
    points: int
    cutoff: float

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
