"""Gradient descent with momentum."""

from __future__ import annotations

from backprop.training.optimiser import Optimiser, as_share
from backprop.training.trainable import Array

__all__ = ["Momentum"]


class Momentum(Optimiser):
    """Keep a part of the previous change.

        v <- momentum v + rate g          v = 0 at first
        change = v

    Source: B. T. Polyak, Some methods of speeding up the convergence of iteration methods (1964);
    lecture item 10.

    >>> import numpy as np
    >>> rule = Momentum(1.0, momentum=0.5)
    >>> [rule.update_change(np.array([1.0])).item() for _ in range(3)]
    [1.0, 1.5, 1.75]
    """

    default_rate = 0.05

    def __init__(self, rate: float | None = None, momentum: float = 0.9) -> None:
        self.momentum = as_share("momentum", momentum)
        super().__init__(rate)

    def reset(self) -> None:
        self._velocity: Array | None = None

    def update_change(self, gradient: Array) -> Array:
        if self._velocity is None:
            self._velocity = self.rate * gradient
        else:
            self._velocity *= self.momentum
            self._velocity += self.rate * gradient
        return self._velocity
