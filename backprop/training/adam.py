"""Adam: momentum, scaled entry by entry."""

from __future__ import annotations

import math

import numpy as np

from backprop.training.optimiser import Optimiser, as_share
from backprop.training.trainable import Array

__all__ = ["Adam"]


class Adam(Optimiser):
    """Divide a running mean of the gradient by the root of a running mean of its square.

        t <- t + 1
        m <- beta1 m + (1 - beta1) g                  m = 0 at first
        v <- beta2 v + (1 - beta2) g^2                v = 0 at first, g^2 entry by entry
        change = rate (m / (1 - beta1^t)) / (sqrt(v / (1 - beta2^t)) + epsilon)

    Source: D. P. Kingma, J. Ba, Adam: a method for stochastic optimization (2015), algorithm 1;
    lecture item 10 (there: rho = beta1, rho2 = beta2).

    The first change is the rate times the sign of the gradient, whatever its size:

    >>> import numpy as np
    >>> Adam(0.1).update_change(np.array([1e-3, -50.0])).round(6).tolist()
    [0.099999, -0.1]
    """

    default_rate = 0.001

    def __init__(
        self, rate: float | None = None, beta1: float = 0.9, beta2: float = 0.999, epsilon: float = 1e-8
    ) -> None:
        self.beta1, self.beta2 = as_share("beta1", beta1), as_share("beta2", beta2)
        self.epsilon = epsilon
        super().__init__(rate)

    def reset(self) -> None:
        self._steps = 0
        self._mean: Array | None = None

    def update_change(self, gradient: Array) -> Array:
        if self._mean is None:
            self._mean, self._square = np.zeros_like(gradient), np.zeros_like(gradient)
            self._change = np.empty_like(gradient)
        mean, square, change = self._mean, self._square, self._change
        self._steps += 1
        mean *= self.beta1
        mean += np.multiply(gradient, 1 - self.beta1, out=change)
        square *= self.beta2
        np.multiply(gradient, gradient, out=change)
        square += np.multiply(change, 1 - self.beta2, out=change)
        np.sqrt(square, out=change)
        change /= math.sqrt(1 - self.beta2**self._steps)
        change += self.epsilon
        np.divide(mean, change, out=change)
        change *= self.rate / (1 - self.beta1**self._steps)
        return change
