"""What every optimiser promises: from a gradient to a change of the parameters."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod

from backprop.errors import UsageError
from backprop.training.trainable import Array

__all__ = ["Optimiser", "as_share"]


class Optimiser(ABC):
    """An update rule theta <- theta - change, with whatever it remembers between steps.

    The interface is the lecture's scheduler: `update_change(gradient)` and `reset()`. `rate` may be
    changed between steps, which is how a schedule acts.

    Source: lecture item 10.
    """

    default_rate: float

    def __init__(self, rate: float | None = None) -> None:
        self.rate = as_rate(self.default_rate if rate is None else rate)
        self.reset()

    @abstractmethod
    def update_change(self, gradient: Array) -> Array:
        """Compute what is to be subtracted from the parameters.

        The array that is returned may be a buffer of the optimiser: use it before the next call.
        The gradient is not changed.
        """

    @abstractmethod
    def reset(self) -> None:
        """Forget everything: the next step is a first step."""

    def step(self, theta: Array, gradient: Array) -> None:
        """Update theta in place."""
        theta -= self.update_change(gradient)


def as_rate(rate: float) -> float:
    """Return the learning rate as a float.

    Raises:
        UsageError: it is not a finite number >= 0 (0 is legal: the end of a schedule, and a way to look).
    """
    if isinstance(rate, bool) or not isinstance(rate, int | float) or not (math.isfinite(rate) and rate >= 0):
        raise UsageError(f"the learning rate must be a finite number >= 0; got {rate!r}")
    return float(rate)


def as_share(name: str, value: float) -> float:
    """Return a decay factor as a float; it must lie in [0, 1), else UsageError."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 1:
        raise UsageError(f"{name} must be a number in [0, 1); got {value!r}")
    return float(value)
