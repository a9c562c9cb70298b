"""The learning rate as a function of the time, counted in epochs."""

from __future__ import annotations

import math
from collections.abc import Callable

from backprop.arrays import is_number
from backprop.errors import UsageError
from backprop.training.updating.settings import as_rate

__all__ = ["Schedule", "as_schedule", "constant", "cosine", "exponential", "one_cycle", "step", "time_decay"]

Schedule = Callable[[float, int], float]
"""From (epochs done, epochs in all) to the rate of the next step; in the middle of an epoch `done` has a fraction."""


def constant(rate: float) -> Schedule:
    """Keep the rate.

    >>> constant(0.1)(7, 10)
    0.1
    """
    kept = as_rate(rate)
    return lambda done, epochs: kept


def step(first: float, factor: float = 0.1, every: int = 30) -> Schedule:
    """Multiply by `factor` after every so many epochs.

        rate = first factor^floor(done / every)

    >>> [round(step(0.1, factor=0.5, every=2)(done, 6), 4) for done in (0, 1.9, 2, 4)]
    [0.1, 0.1, 0.05, 0.025]
    """
    top, share, period = as_rate(first), _as_factor(factor), _as_positive("every", every)
    return lambda done, epochs: top * share ** (done // period)


def exponential(first: float, factor: float = 0.95) -> Schedule:
    """Multiply by `factor` an epoch.

        rate = first factor^done

    >>> round(exponential(0.1, factor=0.5)(2, 10), 4)
    0.025
    """
    top, share = as_rate(first), _as_factor(factor)
    return lambda done, epochs: top * share**done


def time_decay(t0: float, t1: float) -> Schedule:
    """Fall as one over the time.

        rate = t0 / (t + t1), t in epochs

    Source: H. Robbins, S. Monro, Ann. Math. Statist. 22 (1951) 400: such rates have an infinite sum and a finite
    sum of squares; lecture item 10.

    >>> time_decay(5, 50)(0, 10), round(time_decay(5, 50)(50, 100), 4)
    (0.1, 0.05)
    """
    above, below = _as_positive("t0", t0), _as_positive("t1", t1)
    return lambda done, epochs: above / (done + below)


def cosine(peak: float) -> Schedule:
    """Fall from `peak` to 0 along half a cosine.

        rate = peak (1 + cos(pi done / epochs)) / 2

    Source: I. Loshchilov, F. Hutter, SGDR: stochastic gradient descent with warm restarts (2017), equation 5
    without the restarts.

    >>> [round(cosine(0.1)(done, 4), 4) for done in range(5)]
    [0.1, 0.0854, 0.05, 0.0146, 0.0]
    """
    top = as_rate(peak)
    return lambda done, epochs: _slide(top, 0.0, done / epochs)


def one_cycle(peak: float, warm: float = 0.3, start: float = 25.0, end: float = 1e4) -> Schedule:
    """Rise from peak/start to `peak` in the share `warm` of the time, then fall to peak/(start end), along cosines.

    Source: L. N. Smith, N. Topin, Super-convergence, arXiv:1708.07120, with cosines in place of straight lines as
    torch has it (there the last step, here the end of the last epoch, has the lowest rate).

    >>> [round(one_cycle(0.1, warm=0.25)(done, 4), 6) for done in (0, 1, 4)]
    [0.004, 0.1, 0.0]
    """
    top, first, last = as_rate(peak), _as_positive("start", start), _as_positive("end", end)
    if not is_number(warm) or not 0 < warm < 1:
        raise UsageError(f"warm must be a share of the time, above 0 and below 1; got {warm!r}")

    def rate(done: float, epochs: int) -> float:
        share = done / epochs
        if share < warm:
            return _slide(top / first, top, share / warm)
        return _slide(top, top / (first * last), (share - warm) / (1 - warm))

    return rate


def as_schedule(rate: float | Schedule | None) -> Schedule | None:
    """Turn a plain rate into a constant schedule; None stays None."""
    return rate if rate is None or callable(rate) else constant(rate)


def _slide(first: float, last: float, share: float) -> float:
    """Half a cosine from `first` at share 0 to `last` at share 1."""
    return last + (first - last) * (1 + math.cos(math.pi * share)) / 2


def _as_factor(factor: float) -> float:
    if not is_number(factor) or not 0 < factor <= 1:
        raise UsageError(f"factor must be above 0 and at most 1; got {factor!r}")
    return float(factor)


def _as_positive(name: str, value: float) -> float:
    if not is_number(value) or value <= 0:
        raise UsageError(f"{name} must be a number > 0; got {value!r}")
    return float(value)
