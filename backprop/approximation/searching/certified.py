"""An approximation with its proof: the claim as exact numbers, and growing until it is proved."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

import numpy as np

from backprop.approximation.ground.target import FunctionTarget
from backprop.approximation.limits.continuity import is_surely_continuous
from backprop.approximation.proving.kinks import force_kinks
from backprop.approximation.proving.prover import Certificate, IntervalClaim, prove
from backprop.approximation.proving.stabbing import list_points
from backprop.approximation.searching.growing import grow_until
from backprop.approximation.searching.result import Approximation, evaluate_network, list_own_points
from backprop.approximation.searching.tube import fit_tube
from backprop.errors import UsageError
from theory.functions.elementwise import find as find_activation

__all__ = ["NOTHING_TO_PROVE", "certify", "grow_certified", "make_claim", "narrow_relu"]

NOTHING_TO_PROVE = (
    "no certificate: a table of values is not a function, there is nothing to prove against between its points; "
    "leave --certify and --certificate out"
)

LOOSER = (1.02, 1.1, 1.5, 3.0, 10.0)
"""Times the error on the grid: what is tried to prove where no error was asked for."""
TIGHTER = (1.0, 0.97, 0.9, 0.75, 0.5)
"""Times the error asked for: what the grid must show before a proof is tried."""
INSIDE = 1e-4
"""How far inside the tube, relatively, a network is laid: the rest is for what is between the points."""
BOXES_TO_TIGHTEN, TERMS_TO_TIGHTEN = 2000, 100_000
"""How much a bound may cost that is nearer to the error than the one asked for."""
TINY = 1e-15
"""Of the size of the target: below this the grid shows rounding only."""


def require_function(approximation: Approximation) -> FunctionTarget:
    """The target, if it is a function.  Errors: `UsageError` where there is nothing to prove against."""
    if not isinstance(approximation.function, FunctionTarget):
        raise UsageError(NOTHING_TO_PROVE)
    return approximation.function


def make_claim(approximation: Approximation) -> IntervalClaim:
    """The network and its target as a claim of exact numbers; cut at kinks of the target and of the units."""
    target = require_function(approximation)
    activation = find_activation(approximation.activation)
    sigma = activation.as_written
    units = [
        (float(w), float(b), float(c))
        for w, b, c in zip(approximation.w, approximation.b, approximation.c, strict=True)
        if c != 0 or not is_surely_continuous(sigma)
    ]
    kinks = [float(piece.upper) for piece in activation.pieces if piece.upper.is_finite]
    cuts = [(kink - b) / w for kink in kinks for w, b, _ in units if w]
    return IntervalClaim(
        target.as_written,
        sigma,
        tuple(w for w, _, _ in units),
        tuple(b for _, b, _ in units),
        tuple(c for _, _, c in units),
        float(approximation.constant),
        target.domain,
        tuple(sorted({*target.breaks, *cuts})),
    )


def certify(approximation: Approximation, epsilon: float | None = None, seconds: float = math.inf) -> Approximation:
    """The same approximation with a certificate: sup |F − f| < epsilon proved, refuted or undecided.

    The smallest bound is proved of a few a little above the error on the grid; without an epsilon it is the claim.
    """
    claim, certificate = make_claim(approximation), None
    if epsilon is not None:
        certificate = prove(claim, epsilon, seconds=seconds)
        if certificate.verdict == "proved":
            certificate = _tighten(claim, certificate, list(_list_bounds(approximation)))
        return replace(approximation, certificate=certificate)
    for wanted in _list_bounds(approximation):
        certificate = prove(claim, wanted, seconds=seconds)
        if certificate.verdict == "proved":
            break
    return replace(approximation, certificate=certificate)


def _tighten(claim: IntervalClaim, proof: Certificate, bounds: Sequence[float]) -> Certificate:
    """The same claim with a proof that comes nearer to the error; the one there is where that takes too many boxes."""
    for wanted in bounds:
        if wanted >= proof.bound:
            break
        nearer = prove(claim, wanted, most_boxes=BOXES_TO_TIGHTEN, most_terms=TERMS_TO_TIGHTEN)
        if nearer.verdict == "proved":
            return replace(nearer, epsilon=proof.epsilon)
    return proof


def _list_bounds(approximation: Approximation) -> Iterator[float]:
    floor = TINY * max(approximation.function.scale, approximation.sum_abs_c, math.ulp(1.0))
    for looser in LOOSER:
        yield looser * approximation.sup_error + floor


def narrow_relu(approximation: Approximation, epsilon: float) -> Approximation:
    """The narrower of a ReLU network and one laid into the tube, and how many units every such network needs.

    Both widths are proved: the upper one by the certificate, the lower one by forced kinks.
    """
    target = require_function(approximation)
    x = list_points(target, target.grid, epsilon)
    least = force_kinks(target.as_written, x, target(x), epsilon).least_width
    laid = fit_tube(target, x, epsilon * (1 - INSIDE))
    if laid is not None and (not approximation.reached or len(laid.w) < approximation.width):
        points = np.append(target.grid, list_own_points(laid.w, laid.b, target.domain))
        error = float(np.max(np.abs(evaluate_network(approximation.sigma, laid, points) - target(points))))
        found = certify(replace(approximation, network=laid, sup_error=error, grid_points=len(points)), epsilon)
        approximation = found if found.certified else approximation
    return replace(approximation, width_lower_bound=least)


def grow_certified(grow: Callable[[float], Approximation], epsilon: float) -> Approximation:
    """Ask for less and less error on the grid until the error is proved to be below epsilon everywhere."""
    found = grow_until(lambda one: one.reached, grow, certify, TIGHTER, epsilon)
    return narrow_relu(found, epsilon) if found.activation == "relu" else found
