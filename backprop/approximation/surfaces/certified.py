"""An approximation of a surface with its proof: the claim as exact numbers, and growing until it is proved."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

from backprop.approximation.searching.growing import grow_until
from backprop.approximation.surfaces.claims import SurfaceClaim
from backprop.approximation.surfaces.proving import prove_surface
from backprop.approximation.surfaces.result import SurfaceApproximation
from theory.functions.elementwise import find as find_activation

__all__ = ["certify_surface", "grow_certified"]

LOOSER = (1.05, 1.5, 3.0)
"""Times the error on the grid: what is tried to prove where no error was asked for."""
TIGHTER = (1.0, 0.9, 0.5)
"""Times the error asked for: what the grid must show before a proof is tried."""
TINY = 1e-15
"""Of the size of the weights: below this the grid shows rounding only."""


def certify_surface(
    approximation: SurfaceApproximation, epsilon: float | None = None, seconds: float = math.inf
) -> SurfaceApproximation:
    """The same approximation with a certificate: sup |F − f| < epsilon proved, refuted or undecided.

    Without an epsilon the smallest bound is proved of a few a little above the error on the grid.
    """
    sigma = find_activation(approximation.activation).as_written
    target, network = approximation.function, approximation.network
    claim = SurfaceClaim(target.as_written, sigma, network, target.domain)
    floor = TINY * max(target.scale, approximation.sum_abs_c, math.ulp(1.0))
    bounds = [times * approximation.sup_error + floor for times in LOOSER] if epsilon is None else [epsilon]
    for bound in bounds:
        certificate = prove_surface(claim, bound, seconds=seconds)
        if certificate.verdict != "refuted":
            break
    return replace(approximation, certificate=certificate)


def grow_certified(grow: Callable[[float], SurfaceApproximation], epsilon: float) -> SurfaceApproximation:
    """Ask for less and less error on the grid until the error is proved to be below epsilon everywhere."""

    def is_settled(found: SurfaceApproximation) -> bool:
        return found.certificate is None or found.certificate.verdict != "refuted"

    return grow_until(is_settled, grow, certify_surface, TIGHTER, epsilon)
