"""Whether a network is near enough: what its proof says, or else its error at the points that were looked at."""

from __future__ import annotations

from typing import Protocol

import numpy as np

from backprop.approximation.ground.target import Floats

__all__ = ["Outcome"]


class Proof(Protocol):
    """What came of an attempt to prove a bound."""

    @property
    def verdict(self) -> str:
        """proved, refuted or undecided"""
        ...


class Weights(Protocol):
    """A network's output weights."""

    @property
    def c(self) -> Floats:
        """(width,)"""
        ...


class Outcome:
    """What approximations of functions of one variable and of two have in common."""

    sup_error: float
    epsilon: float | None
    certificate: Proof | None
    network: Weights

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
