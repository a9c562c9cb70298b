"""The result: a network, √ ∫ p (F − f)² measured and proved, in words and as JSON."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

from backprop.approximation.ground.wording import describe_above, describe_outcome
from backprop.approximation.measures.density import Density
from backprop.approximation.measures.proving import MeanCertificate
from backprop.approximation.searching.result import METHODS, Approximation
from backprop.shown import ShownAsText

__all__ = ["MeanApproximation"]


@dataclass(frozen=True, eq=False)
class MeanApproximation(ShownAsText):
    """A network f near F on an interval, in the mean square with a density p.

    Attributes:
        approximation: the network, with its largest error on a grid, which here is beside the point.
        density: p.
        measured: √ ∫ p (F − f)² dx by a quadrature rule, in the unit of F times the root of that of ∫ p.
        epsilon: what the root was to be below, or None.
        certificate: two proved bounds of the root, or what came of the attempt; None if it was not tried.
    """

    approximation: Approximation
    density: Density
    measured: float
    epsilon: float | None
    certificate: MeanCertificate | None = field(repr=False, default=None)

    @property
    def target(self) -> str:
        """F as it was written."""
        return self.approximation.target

    @property
    def certified(self) -> bool:
        """Whether a bound of the root is proved."""
        return self.certificate is not None and self.certificate.verdict == "proved"

    @property
    def undecided(self) -> bool:
        """Whether a proof was tried and given up."""
        return self.certificate is not None and self.certificate.verdict == "undecided"

    @property
    def reached(self) -> bool:
        """Whether the root is below the epsilon asked for: proved where that was tried, else measured."""
        return self.certified if self.certificate is not None else self.epsilon is None or self.measured < self.epsilon

    @property
    def bound(self) -> float | None:
        """The proved bound of √ ∫ p (F − f)² dx; None where there is none."""
        return self.certificate.bound if self.certified and self.certificate is not None else None

    @property
    def mean_square_bound(self) -> float | None:
        """The same for E[(F − f)²], x drawn from p/∫p; None where there is none, or p may have no area."""
        if self.bound is None or self.certificate is None or not self.certificate.mass[0] > 0:
            return None
        return math.nextafter(math.nextafter(self.bound**2, math.inf) / self.certificate.mass[0], math.inf)

    def describe_proof(self) -> str:
        """What the certificate says, in words."""
        return "no proof was tried" if self.certificate is None else self.certificate.describe()

    def to_dict(self) -> dict[str, Any]:
        """Return what `approximate --measure P --json` prints: plain numbers that read back exactly."""
        proof = {} if self.certificate is None else {"mean_square_certificate": self.certificate.to_dict()}
        return {
            **self.approximation.to_dict(),
            "measure": self.density.text,
            "epsilon": self.epsilon,
            "root_mean_square": self.measured,
            "root_mean_square_bound": self.bound,
            "mean_square_bound": self.mean_square_bound,
            "certified": self.certified,
            **proof,
        }

    def __str__(self) -> str:
        found = self.approximation
        low, high = found.domain
        units = f"{found.width} {found.activation} unit{'s'[: found.width != 1]}{METHODS[found.method]}"
        text = f"{self.target} on [{low:.12g}, {high:.12g}] by {units}, measured by p(x) = {self.density.text}: "
        text += f"root of ∫ p (F − f)² dx about {self.measured:.2e}; {self.describe_proof()}"
        if self.epsilon is not None:
            text += f"; {describe_outcome(self.epsilon, reached=self.reached, undecided=self.undecided)}"
        if self.certified and self.certificate is not None:
            mass, mean = sum(self.certificate.mass) / 2, self.mean_square_bound
            if mean is not None:
                text += f"\nx drawn from p/∫p on that interval (∫p about {mass:.5g}): E[(F − f)²] at most "
                text += f"{describe_above(mean)} (proved); outside of it nothing is claimed"
            if self.certificate.density_at_least < 0:
                least = f"{self.certificate.density_at_least:.1e}"
                text += f"\np is shown to be at least {least}; the bound is of ∫ |p| (F − f)² dx"
        return text + found.describe_weights()
