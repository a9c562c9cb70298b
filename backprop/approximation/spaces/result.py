"""The result: a network of one hidden layer for a function of several variables, its measured error, and its JSON."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from backprop.approximation.ground.outcome import Outcome, ShallowNetwork
from backprop.approximation.ground.target import Floats
from backprop.approximation.searching.result import evaluate_network
from backprop.approximation.spaces.target import Box, Space

__all__ = ["SpaceApproximation"]


@dataclass(frozen=True, eq=False)
class SpaceApproximation(Outcome):
    """A network f(p) = constant + sum_k c_k sigma(w_k · p + b_k) near a function F on a box.

    Attributes:
        target: F as it was written.
        activation: the name of sigma, or its expression in x.
        domain: (low, high) for each variable.
        network: w (width, d), b and c (width,), and the constant.
        sup_error: the largest |F - f| at the points of a grid and at scattered ones: not a bound between them.
        grid_points: how many points that are; none of them was fitted.
        epsilon: the error that was asked for, or None.
        certificate: None; nothing is proved.
    """

    target: str
    activation: str
    domain: Box
    network: ShallowNetwork
    sup_error: float
    grid_points: int
    epsilon: float | None
    function: Space = field(repr=False)
    sigma: Callable[[Any], Any] = field(repr=False)
    certificate: None = None

    def f(self, *coordinates: ArrayLike) -> Floats:
        """Evaluate the network; the coordinates are broadcast against each other."""
        arrays = np.broadcast_arrays(*(np.asarray(one, dtype=np.float64) for one in coordinates))
        points = np.column_stack([one.ravel() for one in arrays])
        return evaluate_network(self.sigma, self.network, points).reshape(arrays[0].shape)

    def to_dict(self) -> dict[str, Any]:
        """Return what `approximate --json` prints: plain numbers that read back exactly."""
        side, count = self.function.side, len(self.function.variables)
        return {
            "target": self.target,
            "variables": list(self.function.variables),
            "activation": self.activation,
            "domain": [list(one) for one in self.domain],
            **self.list_numbers("grid and scattered points"),
            "points_a_side": side,
            "scattered_points": self.grid_points - side**count,
            "width_lower_bound": None,
        }

    def __str__(self) -> str:
        sides = [f"[{low:g}, {high:g}]" for low, high in self.domain]
        count = len(sides)
        box = f"{sides[0]}^{count}" if len(set(sides)) == 1 else " × ".join(sides)
        side = self.function.side
        units = f"{self.width} {self.activation} unit{'s'[: self.width != 1]}"
        return (
            f"{self.target} on {box} by {units}: largest error {self.sup_error:.2e} on a grid of {side}^{count} points "
            f"and at {self.grid_points - side**count:,} scattered ones, none of them fitted (measured, not proved: "
            f"between them nothing is known){self.describe_end()}{self.describe_weights()}"
        )
