"""The network for a function that varies along one direction only: that of its profile, with the profile's proof."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from backprop.approximation.ground.hidden import Sigma
from backprop.approximation.searching.certified import certify as certify_profile
from backprop.approximation.searching.result import Approximation, evaluate_network
from backprop.approximation.searching.search import approximate
from backprop.approximation.surfaces.claims import SurfaceCertificate
from backprop.approximation.surfaces.result import SurfaceApproximation, say_line
from backprop.approximation.surfaces.ridges import bound_argument, lay_along, round_weights, write_profile
from backprop.approximation.surfaces.target import Surface

__all__ = ["approximate_along"]


def approximate_along(
    surface: Surface,
    sigma: Sigma,
    direction: tuple[int, int],
    *,
    width: int | None,
    epsilon: float | None,
    seed: int,
    certify: bool,
) -> SurfaceApproximation:
    """F(x, y) = G(p x + q y): the network for G with its weights times (p, q); what is proved of G holds for F.

    Every value of p x + q y is taken on the way between two opposite corners, along which a network for F is a network
    for G of the same width: so are the least widths and errors that are proved of G those of F.

    Errors: UsageError where G is refused, such as for a constant.
    """
    asked: Any = {"width": width, "epsilon": epsilon, "seed": seed, "certify": certify}
    domain = bound_argument(direction, surface.domain)
    found = approximate(write_profile(surface.text, direction), activation=sigma.name, domain=domain, **asked)
    rounded = round_weights(found.w, direction)
    if not np.array_equal(rounded, found.w):
        found = replace(found, network=found.network._replace(w=rounded))
        found = certify_profile(found, epsilon) if certify else found
    return _lay(surface, sigma, direction, found)


def _lay(surface: Surface, sigma: Sigma, direction: tuple[int, int], found: Approximation) -> SurfaceApproximation:
    network = lay_along(found.network, direction)
    errors = np.abs(evaluate_network(sigma.f, network, surface.grid) - surface.values)
    return SurfaceApproximation(
        target=surface.text,
        activation=sigma.name,
        domain=surface.domain,
        network=network,
        sup_error=float(np.max(errors)),
        grid_points=len(surface.grid),
        epsilon=found.epsilon,
        function=surface,
        sigma=sigma.f,
        certificate=_tell(found, direction),
        along=direction,
        profile=found,
    )


def _tell(found: Approximation, direction: tuple[int, int]) -> SurfaceCertificate | None:
    """The proof for G as one for F; what is refuted of G, where no two doubles may lead, is left open."""
    proof = found.certificate
    if proof is None:
        return None
    verdict, reason = proof.verdict, proof.reason
    if verdict == "refuted":
        where = f"{say_line(direction)} = {proof.witness!r}"
        verdict, reason = "undecided", f"where {where} the error is {proof.at_least:.4g} or more"
    return SurfaceCertificate(verdict, proof.epsilon, proof.bound, reason=reason, along=direction, edges=proof.edges)
