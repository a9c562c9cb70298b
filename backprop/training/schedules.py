"""The learning rate as a function of the epoch."""

from __future__ import annotations

import math
from collections.abc import Callable

from backprop.training.optimiser import as_rate

__all__ = ["Schedule", "as_schedule", "constant", "cosine"]

Schedule = Callable[[int, int], float]
"""From (epochs done, epochs in all) to the rate of the next epoch."""


def constant(rate: float) -> Schedule:
    """Keep the rate.

    >>> constant(0.1)(7, 10)
    0.1
    """
    kept = as_rate(rate)
    return lambda done, epochs: kept


def cosine(peak: float) -> Schedule:
    """Fall from `peak` to 0 along half a cosine.

        rate = peak (1 + cos(pi done / epochs)) / 2

    Source: I. Loshchilov, F. Hutter, SGDR: stochastic gradient descent with warm restarts (2017), equation 5
    without the restarts.

    >>> [round(cosine(0.1)(done, 4), 4) for done in range(5)]
    [0.1, 0.0854, 0.05, 0.0146, 0.0]
    """
    top = as_rate(peak)
    return lambda done, epochs: top * (1 + math.cos(math.pi * done / epochs)) / 2


def as_schedule(rate: float | Schedule | None) -> Schedule | None:
    """Turn a plain rate into a constant schedule; None stays None."""
    return rate if rate is None or callable(rate) else constant(rate)
