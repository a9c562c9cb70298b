"""The result: a network of one hidden layer, its error on a grid, and its JSON."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from backprop.approximation.ground.hidden import Sigma, compute_arguments
from backprop.approximation.ground.outcome import Outcome, ShallowNetwork, describe_certificate
from backprop.approximation.ground.target import Floats, Target
from backprop.approximation.ground.wording import describe_above, describe_below
from backprop.approximation.limits.find import Limit
from backprop.approximation.proving.prover import Certificate
from backprop.approximation.searching.apriori import AprioriBound
from backprop.codegen.functions.promises import find_promise
from theory.functions.elementwise import find as find_activation

__all__ = ["Approximation", "evaluate_network", "list_own_points", "measure"]

ARGUMENTS = np.array([-4.0, -2.0, -1.0, -0.5, 0.0, 0.5, 1.0, 2.0, 4.0])
"""Arguments w x + b of a unit at which the error is looked at, besides the grid."""
ROWS_AT_ONCE = 4096
ENTRIES_AT_ONCE = 2**22
"""Points, and points times units, evaluated together, so that a wide network on a long grid stays small in memory."""
METHODS = {
    "fit": "",
    "constructive": ", written down as in the proof",
    "adam": ", trained with Adam (an optimisation error: what training reached, not what the network could)",
}
"""How a network was found, in words."""
CALMED = "\ncalmer weights than those found first, of which less could be proved"


@dataclass(frozen=True, eq=False)
class Approximation(Outcome):
    """A network f(x) = constant + sum_k c_k sigma(w_k x + b_k) near a function F on an interval.

    Attributes:
        target: F as it was written.
        activation: the name of sigma, or its expression in x.
        domain: (a, b).
        network: its w, b, c and constant, also to be had one by one from the approximation itself.
        sup_error: the largest |F - f| over the points of a grid, in the unit of F: not a bound between them.
        grid_points: how many points the grid has: 10,001 equispaced ones, more that close in on the ends
            and on the breaks of F, and some around each step of the network. Of data: the points of the table.
        epsilon: the error that was asked for, or None.
        certificate: the proof that |F - f| is below a bound at every point, or what came of the attempt; None if it
            was not tried.
        width_lower_bound: for ReLU and an epsilon, the proved least width of any network within epsilon; None else.
        width_jumps: whether that least width is enough for 1 + 1e-6 times epsilon and too small for 1 - 1e-6 times: at
            epsilon itself it may be either.
        limit: why no network with this activation, of any width, is nearer than some error, with the proof; None where
            nothing of the kind is known.
        method: how it was found: "fit", "constructive" (the network of the proof) or "adam" (plain training).
        bound: for the network of the proof, the bound that was proved before any error was measured; None else.
        slope_certificate: the same for |F' - f'|, if it was asked for.
        rounding: how far f is at most from what float64 makes of it, at any double of the domain; infinite where no
            bound is known. It rests on one promise: how many units in the last place σ is off.
        calmed: whether it took the place of a network with larger weights, of which less could be proved.
    """

    target: str
    activation: str
    domain: tuple[float, float]
    network: ShallowNetwork
    sup_error: float
    grid_points: int
    epsilon: float | None
    function: Target = field(repr=False)
    sigma: Callable[[Any], Any] = field(repr=False)
    certificate: Certificate | None = field(repr=False, default=None)
    width_lower_bound: int | None = None
    width_jumps: bool = False
    limit: Limit | None = field(repr=False, default=None)
    method: str = "fit"
    bound: AprioriBound | None = None
    slope_certificate: Certificate | None = field(repr=False, default=None)
    rounding: float = math.inf
    calmed: bool = False

    @property
    def float64_bound(self) -> float | None:
        """The bound of |F − f| for f as float64 computes it; None where there is none."""
        if not (self.certified and self.certificate is not None and math.isfinite(self.rounding)):
            return None
        return float(np.nextafter(self.certificate.bound + self.rounding, math.inf))

    @property
    def w(self) -> Floats:
        """Weights of the hidden layer, (width,)."""
        return self.network.w

    @property
    def b(self) -> Floats:
        """Biases of the hidden layer, (width,)."""
        return self.network.b

    @property
    def c(self) -> Floats:
        """Weights of the output layer, (width,)."""
        return self.network.c

    @property
    def constant(self) -> float:
        """Bias of the output."""
        return self.network.constant

    @property
    def reached(self) -> bool:
        """Whether the error is below the one asked for: proved where that was tried, else on the grid."""
        if self.epsilon is not None and self.limit is not None and self.epsilon <= self.limit.lower:
            return False
        return super().reached

    @property
    def error_lower_bound(self) -> float | None:
        """The error that every network with this activation makes, of any width: proved; None where none is known."""
        return None if self.limit is None else self.limit.lower

    def f(self, x: ArrayLike) -> Floats:
        """Evaluate the network; the result has the shape of x."""
        points = np.asarray(x, dtype=np.float64)
        return evaluate_network(self.sigma, self.network, points.ravel()).reshape(points.shape)

    def to_dict(self) -> dict[str, Any]:
        """Return what `approximate --json` prints: plain numbers that read back exactly."""
        return {
            "target": self.target,
            "method": self.method,
            "activation": self.activation,
            "activation_expression": find_activation(self.activation).text,
            "domain": list(self.domain),
            **({"continued_at": list(self.function.list_continued())} if self.function.list_continued() else {}),
            **self.list_numbers("grid" if self.function.known_between else "data"),
            "width_lower_bound": self.width_lower_bound,
            **({"width_jumps_at_epsilon": True} if self.width_jumps else {}),
            "error_lower_bound": self.error_lower_bound,
            **({"error_lower_bound_proof": self.limit.to_dict()} if self.limit is not None else {}),
            "a_priori_bound": self.bound.total if self.bound else None,
            **({"a_priori": self.bound.to_dict()} if self.bound else {}),
            **self.list_proof(),
            **self._list_further_proofs(),
            **({"calmed": True} if self.calmed else {}),
        }

    def _list_further_proofs(self) -> dict[str, Any]:
        found: dict[str, Any] = {}
        if self.float64_bound is not None:
            found["float64"] = {"rounding_bound": self.rounding, "sup_error_bound": self.float64_bound,
                                "ulps_of_activation": find_promise(self.activation).value}  # fmt: skip
        if self.slope_certificate is not None:
            found["derivative_certificate"] = self.slope_certificate.to_dict()
        return found

    def _describe_further_proofs(self) -> str:
        text = ""
        if self.float64_bound is not None:
            ulps = find_promise(self.activation).value
            text += (f"\nevaluated in float64: at most {describe_above(self.float64_bound)} (rounding at most "
                     f"{describe_above(self.rounding, 2)}, if {self.activation} is off by {ulps:.2g} units in the last "
                     "place at most)")  # fmt: skip
        if self.slope_certificate is not None:
            text += f"\nderivative, |F' - f'|: {describe_certificate(self.slope_certificate)}"
        return text

    def _repr_latex_(self) -> str:
        """The form of the network; its numbers are w, b, c and constant."""
        name = r"\tanh" if self.activation == "tanh" else r"\sigma"
        return rf"$f(x) = c_0 + \sum_{{k=1}}^{{{self.width}}} c_k\,{name}(w_k x + b_k)$"

    def __str__(self) -> str:
        low, high = self.domain
        units = f"{self.width} {self.activation} unit{'s'[: self.width != 1]}{METHODS[self.method]}"
        places = ", ".join(f"x = {place:g}" for place in self.function.list_continued())
        extended = f", continued by its limit at {places}," if places else ""
        text = f"{self.target}{extended} on [{low:.12g}, {high:.12g}] by {units}: largest error {self.sup_error:.2e} "
        if self.function.known_between:
            text += f"on a grid of {self.grid_points:,} points"
            text += " (not a bound between them)" if self.certificate is None else f"; {self.describe_proof()}"
        else:
            text += f"at {self.grid_points:,} data points (between them nothing is known: the data say nothing there)"
        text += self.describe_end()
        if self.width_lower_bound:
            least = f"{self.width_lower_bound} unit{'s' * (self.width_lower_bound != 1)}"
            text += f"; any {self.activation} network that near has at least {least} (proved)"
            if self.width_jumps:
                text += " - so many are enough for 1.000001 times that error, and too few for 0.999999 times (proved)"
        if self.limit is not None:
            least = describe_below(self.limit.lower)
            text += f"; any {self.activation} network, of any width, errs by at least {least} somewhere (proved)"
        text += f"\n{self.bound}" if self.bound else ""
        text += CALMED if self.calmed else ""
        return text + self._describe_further_proofs() + self.describe_weights()


def evaluate_network(sigma: Callable[[Any], Any], network: ShallowNetwork, x: Floats) -> Floats:
    """Evaluate f at points (n,), or (n, d) if w is (width, d), a few thousand at a time."""
    values = np.empty(len(x))
    count = min(ROWS_AT_ONCE, ENTRIES_AT_ONCE // max(len(network.w), 1))
    for start in range(0, len(x), count):
        rows = slice(start, start + count)
        values[rows] = sigma(compute_arguments(network.w, network.b, x[rows])) @ network.c + network.constant
    return values


def measure(
    target: Target,
    sigma: Sigma,
    network: ShallowNetwork,
    method: str,
    epsilon: float | None,
    bound: AprioriBound | None = None,
) -> Approximation:
    """A network that was found, with its largest error on the grid of its target and around its own steps."""
    own = list_own_points(network.w, network.b, target.domain) if target.known_between else np.zeros(0)
    points, values = np.append(target.grid, own), np.append(target.values, target(own))
    error = float(np.max(np.abs(evaluate_network(sigma.f, network, points) - values)))
    return Approximation(
        target=target.text,
        activation=sigma.name,
        domain=target.domain,
        network=network,
        sup_error=error,
        grid_points=len(points),
        epsilon=epsilon,
        function=target,
        sigma=sigma.f,
        method=method,
        bound=bound,
    )


def list_own_points(w: Floats, b: Floats, domain: tuple[float, float]) -> Floats:
    """List the points of the domain around the steps of a network, where the argument of a unit is small.

    A unit steeper than the grid is fine could hide a spike between two points of it.
    """
    steep = np.abs(w) > 0
    points = ((ARGUMENTS[:, None] - b[steep]) / w[steep]).ravel()
    return points[(points >= domain[0]) & (points <= domain[1])]
