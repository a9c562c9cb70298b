"""Plain gradient descent."""

from __future__ import annotations

from backprop.training.optimiser import Optimiser
from backprop.training.trainable import Array

__all__ = ["GradientDescent"]


class GradientDescent(Optimiser):
    """Step against the gradient.

        change = rate g

    Source: lecture items 3 and 10 (there: constant learning rate).

    >>> import numpy as np
    >>> theta = np.array([1.0, -2.0])
    >>> GradientDescent(0.5).step(theta, gradient=np.array([1.0, 1.0]))
    >>> theta.tolist()
    [0.5, -2.5]
    """

    default_rate = 0.1

    def reset(self) -> None:
        """Do nothing: there is no memory."""

    def update_change(self, gradient: Array) -> Array:
        return self.rate * gradient
