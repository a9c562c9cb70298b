"""The result: a network of one hidden layer for a function of two variables, its error on a grid, and its JSON."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from backprop.approximation.ground.outcome import Outcome, ShallowNetwork
from backprop.approximation.ground.target import Floats
from backprop.approximation.ground.wording import describe_below
from backprop.approximation.searching.result import Approximation, evaluate_network
from backprop.approximation.surfaces.claims import SurfaceCertificate
from backprop.approximation.surfaces.target import GRID_SIDE, Rectangle, Surface
from theory.functions.elementwise import find as find_activation

__all__ = ["SurfaceApproximation", "say_line"]


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
        along: (p, q) where F is seen to be G(p x + q y); None for any other.
        profile: the approximation of G then, whose units these are; its least width and least error are those of F.
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
    along: tuple[int, int] | None = None
    profile: Approximation | None = field(repr=False, default=None)

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
            "activation_expression": find_activation(self.activation).text,
            "domain": [list(side) for side in self.domain],
            **self.list_numbers(),
            "width_lower_bound": self.width_lower_bound,
            **self._list_profile(),
            **self.list_proof(),
        }

    @property
    def width_lower_bound(self) -> int | None:
        """The proved least width of any network within epsilon, where that of the profile is known."""
        return None if self.profile is None else self.profile.width_lower_bound

    @property
    def reached(self) -> bool:
        """Whether the error is below the one asked for: proved where that was tried, else on the grid."""
        return super().reached and (self.profile is None or self.profile.limit is None or self.profile.reached)

    def _list_profile(self) -> dict[str, Any]:
        if self.profile is None or self.along is None:
            return {}
        return {
            "profile": {"along": list(self.along), "target": self.profile.target, "domain": list(self.profile.domain)},
            "error_lower_bound": self.profile.error_lower_bound,
        }

    def _describe_profile(self) -> str:
        """What is known because it varies along one direction only."""
        if self.profile is None or self.along is None:
            return ""
        line = say_line(self.along)
        text = f"\nit varies along {line} only: units and proof are those of one variable, {self.profile.target}"
        if self.width_lower_bound:
            least = f"{self.width_lower_bound} unit{'s' * (self.width_lower_bound != 1)}"
            text += f"; any {self.activation} network that near has at least {least} (proved)"
        if self.profile.limit is not None:
            least = describe_below(self.profile.limit.lower)
            text += f"; any {self.activation} network, of any width, errs by at least {least} somewhere (proved)"
        return text

    def __str__(self) -> str:
        rectangle = " × ".join(f"[{low:g}, {high:g}]" for low, high in self.domain)
        units = f"{self.width} {self.activation} unit{'s'[: self.width > 1]}"
        text = (
            f"{self.target} on {rectangle} by {units}: largest error {self.sup_error:.2e} on a grid of "
            f"{GRID_SIDE} × {GRID_SIDE} points, none of them fitted"
        )
        text += " (not a bound between them)" if self.certificate is None else f"; {self.describe_proof()}"
        if self.certificate is not None and self.certificate.bound < self.sup_error:
            text += " (of the network itself; the rest is what float64 rounds)"
        return text + self.describe_end() + self._describe_profile() + self.describe_weights()


def say_line(direction: tuple[int, int]) -> str:
    """p x + q y in words.

    >>> say_line((1, -1)), say_line((2, 3))
    ('x - y', '2*x + 3*y')
    """
    p, q = direction
    first, second = ("x" if p == 1 else f"{p}*x"), ("y" if abs(q) == 1 else f"{abs(q)}*y")
    return f"{first} {'-' if q < 0 else '+'} {second}"
