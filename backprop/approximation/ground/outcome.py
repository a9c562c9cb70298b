"""Whether a network is near enough: what its proof says, or else its error at the points that were looked at."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from backprop.approximation.ground.target import Floats
from backprop.approximation.ground.wording import describe_above, describe_below, describe_outcome
from backprop.approximation.proving.proof import Proof
from backprop.shown import ShownAsText

__all__ = ["Outcome", "ShallowNetwork", "describe_certificate"]


class ShallowNetwork(NamedTuple):
    """Weights w (width,), or (width, 2), and biases b of the hidden layer, output weights c, and the output's bias."""

    w: Floats
    b: Floats
    c: Floats
    constant: float


class Outcome(ShownAsText):
    """What approximations of functions of one variable and of two have in common."""

    sup_error: float
    grid_points: int
    epsilon: float | None
    network: ShallowNetwork
    certificate: Proof | None

    @property
    def max_abs_w(self) -> float:
        """Largest |w_k|, or length of a w_k: large where the network has steep steps."""
        w = self.network.w
        return float(np.max(np.abs(w) if w.ndim == 1 else np.linalg.norm(w, axis=1), initial=0.0))

    @property
    def width(self) -> int:
        """The number of hidden units."""
        return len(self.network.c)

    @property
    def sum_abs_c(self) -> float:
        """Sum of |c_k|: large where big terms cancel."""
        return float(np.sum(np.abs(self.network.c)))

    @property
    def reached(self) -> bool:
        """Whether the error is below the one asked for: proved where that was tried, else on the grid."""
        if self.certificate is not None:
            return self.certified
        return self.epsilon is None or self.sup_error < self.epsilon

    @property
    def certified(self) -> bool:
        """Whether a bound of the error on the whole domain is proved."""
        return self.certificate is not None and self.certificate.verdict == "proved"

    @property
    def undecided(self) -> bool:
        """Whether a proof was tried and given up, and the grid does not decide against it."""
        given_up = self.certificate is not None and self.certificate.verdict == "undecided"
        return given_up and not (self.epsilon is not None and self.sup_error >= self.epsilon)

    def describe_proof(self) -> str:
        """What the certificate says, in words."""
        return "no proof was tried" if self.certificate is None else describe_certificate(self.certificate)

    def describe_end(self) -> str:
        """Whether it is near enough, if an error was asked for."""
        if self.epsilon is None:
            return ""
        return f"; {describe_outcome(self.epsilon, reached=self.reached, undecided=self.undecided)}"

    def describe_weights(self) -> str:
        """How large the weights are."""
        return f"\nweights: sum of |c| {self.sum_abs_c:.3g}, largest |w| {self.max_abs_w:.3g}"

    def list_numbers(self, measured_on: str = "grid") -> dict[str, Any]:
        """For JSON: the network, its error, what is proved of it."""
        return {
            "hidden": {name: getattr(self.network, name).tolist() for name in "wbc"},
            "constant": self.network.constant,
            "width": self.width,
            "epsilon": self.epsilon,
            "sup_error_on_grid": self.sup_error,
            "grid_points": self.grid_points,
            "measured_on": measured_on,
            "sum_abs_c": self.sum_abs_c,
            "max_abs_w": self.max_abs_w,
            "sup_error_bound": self.certificate.bound if self.certified and self.certificate else None,
            "certified": self.certified,
        }

    def list_proof(self) -> dict[str, Any]:
        """For JSON: the certificate, if a proof was tried."""
        return {} if self.certificate is None else {"certificate": self.certificate.to_dict()}


def describe_certificate(proof: Proof) -> str:
    """What a certificate says, in words."""
    boxes, point = proof.describe_places()
    if proof.verdict == "proved":
        count = f"{boxes} box{'es' * (boxes != 1)}"
        return f"PROVED: at most {describe_above(proof.bound)} at every point of the domain ({count})"
    if proof.verdict == "refuted":
        return f"REFUTED: at {point} the error is at least {describe_below(proof.at_least or 0.0, 4)}"
    return f"not proved: {proof.reason}"
