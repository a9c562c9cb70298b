"""The result: a network of one hidden layer for a function of two variables, its error on a grid, and its JSON."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from backprop.approximation.ground.outcome import Outcome, ShallowNetwork
from backprop.approximation.ground.target import Floats
from backprop.approximation.searching.result import evaluate_network
from backprop.approximation.surfaces.proving import SurfaceCertificate
from backprop.approximation.surfaces.target import GRID_SIDE, Rectangle, Surface

__all__ = ["SurfaceApproximation"]


@dataclass(frozen=True, eq=False)
class SurfaceApproximation(Outcome):
    """A network f(x, y) = constant + sum_k c_k sigma(w_k · (x, y) + b_k) near a function F on a rectangle.

    Attributes:
        target: F as it was written.
        activation: the name of sigma, or its expression in x.
        domain: ((a, b), (c, d)).
        network: w (width, 2), b and c (width,), and the constant.
        sup_error: the largest |F - f| over the points of a grid: not a bound between them.
        grid_points: how many points the grid has; none of them was fitted.
        epsilon: the error that was asked for, or None.
        certificate: the proof that |F - f| is below a bound at every point, or what came of the attempt; None if it
            was not tried.
    """

    target: str
    activation: str
    domain: Rectangle
    network: ShallowNetwork
    sup_error: float
    grid_points: int
    epsilon: float | None
    function: Surface = field(repr=False)
    sigma: Callable[[Any], Any] = field(repr=False)
    certificate: SurfaceCertificate | None = field(repr=False, default=None)

    def f(self, x: ArrayLike, y: ArrayLike) -> Floats:
        """Evaluate the network; x and y are broadcast against each other."""
        first, second = np.broadcast_arrays(np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64))
        points = np.column_stack([first.ravel(), second.ravel()])
        return evaluate_network(self.sigma, self.network, points).reshape(first.shape)

    def to_dict(self) -> dict[str, Any]:
        """Return what `approximate --json` prints: plain numbers that read back exactly."""
        return {
            "target": self.target,
            "activation": self.activation,
            "domain": [list(side) for side in self.domain],
            **self.list_numbers(),
            "width_lower_bound": None,
            **self.list_proof(),
        }

    def __str__(self) -> str:
        rectangle = " × ".join(f"[{low:g}, {high:g}]" for low, high in self.domain)
        units = f"{self.width} {self.activation} unit{'s'[: self.width > 1]}"
        text = (
            f"{self.target} on {rectangle} by {units}: largest error {self.sup_error:.2e} on a grid of "
            f"{GRID_SIDE} × {GRID_SIDE} points, none of them fitted"
        )
        text += " (not a bound between them)" if self.certificate is None else f"; {self.describe_proof()}"
        return text + self.describe_end() + self.describe_weights()
