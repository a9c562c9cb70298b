"""All that training needs to know of a network: one flat vector in, a cost and its gradient out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

__all__ = ["Array", "State", "Trainable"]

Array = NDArray[np.floating[Any]]

State = dict[str, Array]
"""Running statistics of batch normalisation by name; {} for networks without any."""


class Trainable(Protocol):
    """A network with parameters theta of shape (size,); what `backprop.build` returns is one.

    X has shape (n, M_0), Y has shape (n, M_L); the gradient has the shape of theta. Networks with masks or
    running statistics have more; `backprop.training.running.learner` knows how to ask for it.
    """

    @property
    def size(self) -> int:
        """The number of parameters."""

    def initial(self, rng: np.random.Generator) -> Array:
        """Draw a starting point."""

    def views(self, theta: Array) -> Sequence[Sequence[Array]]:
        """Look at theta layer by layer, without copies: [(W1, b1), ...]."""

    def forward(self, theta: Array, X: Array) -> Array:
        """Compute the outputs, (n, M_L)."""

    def cost(self, theta: Array, X: Array, Y: Array) -> Any:
        """Compute the cost, one number."""

    def value_and_gradient(self, theta: Array, X: Array, Y: Array) -> tuple[Any, Array]:
        """Compute the cost and dC/dtheta together."""
