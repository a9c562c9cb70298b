"""An approximation with its proof: the claim as exact numbers, and growing until it is proved."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np

from backprop.approximation.ground.outcome import ShallowNetwork
from backprop.approximation.ground.target import Floats, FunctionTarget
from backprop.approximation.limits.continuity import is_surely_continuous
from backprop.approximation.proving.kinks import force_kinks_both_ways
from backprop.approximation.proving.prover import IntervalClaim, prove
from backprop.approximation.proving.rounding import bound_rounding
from backprop.approximation.proving.stabbing import list_points, split_stretches
from backprop.approximation.proving.tight import prove_tightly
from backprop.approximation.searching.growing import grow_until
from backprop.approximation.searching.pruning import calm, prune
from backprop.approximation.searching.result import Approximation, evaluate_network, list_own_points
from backprop.approximation.searching.tilted import make_network
from backprop.approximation.searching.tube import fit_tube
from backprop.approximation.widths.decide import decide
from backprop.approximation.widths.orders import list_orders
from backprop.codegen.functions.promises import find_promise
from backprop.errors import UsageError
from theory.functions.elementwise import find as find_activation

__all__ = [
    "NOTHING_TO_PROVE",
    "certify",
    "certify_calmly",
    "certify_slopes",
    "grow_certified",
    "make_claim",
    "narrow_relu",
]

NOTHING_TO_PROVE = (
    "no certificate: a table of values is not a function, there is nothing to prove against between its points; "
    "leave --certify and --certificate out"
)

LOOSER = (1.02, 1.1, 1.5, 3.0, 10.0)
"""Times the error on the grid: what is tried to prove where no error was asked for."""
TIGHTER = (1.0, 0.97, 0.9, 0.75, 0.5)
"""Times the error asked for: what the grid must show before a proof is tried."""
JUMP = 1e-6
"""Relatively: if the width is another for so much more and so much less than epsilon, that is said."""
INSIDE = 1e-4
"""How far inside the tube, relatively, a network is laid: the rest is for what is between the points."""
BOXES_TO_TIGHTEN, TERMS_TO_TIGHTEN = 4000, 200_000
"""How much a bound may cost that is as near to the error as can be."""
HUGGING = 1.015
"""An error within so much of what was asked for leaves no room for a tighter bound."""
STRETCHES, PLACES = 64, 8
"""The largest errors of the grid are looked for on so many stretches; so many of them are looked at in balls first."""
MANY_KINKS, FINER, MOST_FINE = 150, 16, 700_000
"""With so many kinks a line more or less depends on what is between the points: then there are more of them, so many
times as many, if that is no more than can be laid in seconds."""
FINEST = 1e-6
"""Of the domain: nearer points say nothing about slopes."""
CALMER = 3
"""So many calmer networks are tried to be proved, at most."""
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

    The bound is little above the true error where that takes no more boxes than are allowed; without an epsilon it is
    the claim.
    """
    claim, most = make_claim(approximation), math.inf if epsilon is None else epsilon
    scale, places = approximation.function.scale, _list_worst(approximation)
    if epsilon is not None and HUGGING * approximation.sup_error >= epsilon:
        certificate = prove(claim, epsilon, seconds=seconds)  # no bound below epsilon is nearer to the error
        rounding = _bound_rounding(claim, approximation) if certificate.verdict == "proved" else math.inf
        return replace(approximation, certificate=certificate, rounding=rounding)
    tight = prove_tightly(
        claim, scale, places, most=most, seconds=seconds, most_boxes=BOXES_TO_TIGHTEN, most_terms=TERMS_TO_TIGHTEN
    )
    certificate = tight
    for wanted in _list_bounds(approximation) if epsilon is None else [epsilon]:
        if certificate.verdict != "undecided":
            break
        certificate = prove(claim, wanted, seconds=seconds)
        if epsilon is None and certificate.verdict == "refuted":
            certificate = replace(certificate, verdict="undecided")  # more may still be proved
    rounding = _bound_rounding(claim, approximation) if certificate.verdict == "proved" else math.inf
    return replace(approximation, certificate=certificate, rounding=rounding)


def certify_calmly(approximation: Approximation, epsilon: float | None = None) -> Approximation:
    """The same with a certificate; where it fails, a calmer network of the same units of which more can be proved.

    It fails where it is left undecided, and where what float64 makes of the network is not below epsilon. With an
    epsilon, calmer networks are tried whose error on the grid is below it.
    """
    first = certify(approximation, epsilon)
    if first.certificate is None or first.certificate.verdict == "refuted" or _is_calm(first, epsilon):
        return first
    most = approximation.function.scale if epsilon is None else epsilon
    nearer = (one for one in calm(approximation) if one.sup_error < most)
    for calmer, _ in zip(nearer, range(CALMER), strict=False):
        found = certify(calmer, epsilon)
        if found.certified and (not first.certified or _is_calm(found, epsilon)):
            return found
    return first


def _is_calm(approximation: Approximation, epsilon: float | None) -> bool:
    """Whether it is proved, also of what float64 makes of it, if an error was asked for and a bound is known."""
    computed = approximation.float64_bound
    return approximation.certified and (epsilon is None or computed is None or computed < epsilon)


def certify_slopes(approximation: Approximation, seconds: float = math.inf) -> Approximation:
    """The same approximation with a second certificate: a bound of |F' − f'| at every point, proved.

    F and the units need derivatives everywhere; where they have kinks it is undecided.
    """
    target = require_function(approximation)
    claim = replace(make_claim(approximation), of_slopes=True)
    errors = approximation.f(target.grid) - target.values
    with np.errstate(all="ignore"):
        slopes = np.abs(np.diff(errors) / np.diff(target.grid))
    slopes[np.diff(target.grid) < FINEST * (target.domain[1] - target.domain[0])] = 0  # rounding only
    places = [float(target.grid[k]) for k in np.argsort(-slopes)[:PLACES]]
    scale = target.scale / (target.domain[1] - target.domain[0])
    found = prove_tightly(claim, scale, places, seconds=seconds)
    return replace(approximation, slope_certificate=found)


def _bound_rounding(claim: IntervalClaim, approximation: Approximation) -> float:
    """What the network in float64 is away from itself, at most; infinite where that is not known."""
    activation = find_activation(approximation.activation)
    if not is_surely_continuous(activation.as_written):
        return math.inf
    return bound_rounding(claim, activation.derivative, find_promise(approximation.activation).value)


def _list_worst(approximation: Approximation) -> list[float]:
    """Where the error on the grid is largest, on so many stretches of the domain."""
    target = require_function(approximation)
    points = np.sort(np.append(target.grid, list_own_points(approximation.w, approximation.b, target.domain)))
    errors = np.abs(evaluate_network(approximation.sigma, approximation.network, points) - target(points))
    worst = [part[np.argmax(errors[part])] for part in np.array_split(np.arange(len(points)), STRETCHES)]
    return [float(points[k]) for k in sorted(worst, key=lambda k: -errors[k])[:PLACES]]


def _list_bounds(approximation: Approximation) -> Iterator[float]:
    floor = TINY * max(approximation.function.scale, approximation.sum_abs_c, math.ulp(1.0))
    for looser in LOOSER:
        yield looser * approximation.sup_error + floor


def narrow_relu(approximation: Approximation, epsilon: float) -> Approximation:
    """The narrowest of a ReLU network and of those laid into the tube, and how many units every such network needs.

    Both widths are proved: the upper one by the certificate, the lower one by forced kinks; where one unit is between
    them, it is decided whether it is needed, if that takes no more work than is allowed.
    """
    target = require_function(approximation)
    x = list_points(target, target.grid, epsilon)
    proofs = force_kinks_both_ways(target.as_written, x, target(x), epsilon)
    times = FINER if proofs[0].count > 2 * MANY_KINKS else FINER // 2
    if proofs[0].count > MANY_KINKS and times * len(x) <= MOST_FINE:
        x = split_stretches(x, times)
        proofs = force_kinks_both_ways(target.as_written, x, target(x), epsilon)
    least = max(proof.least_width for proof in proofs)
    laid = fit_tube(target, x, epsilon * (1 - INSIDE))
    if laid is not None and (not approximation.reached or len(laid.w) < approximation.width):
        approximation = _take_if_proved(approximation, laid, epsilon)
    kinks = max(proof.count for proof in proofs)
    orders = list_orders([proof for proof in proofs if proof.count == kinks])
    if orders and approximation.reached and approximation.width == least + 1 == kinks + 1:
        answer = decide(target.as_written, target, x, epsilon, orders)
        if answer.found is not None:
            approximation = _take_if_proved(approximation, make_network(*answer.found), epsilon)
        least += answer.is_excluded
    jumps = (
        approximation.reached and approximation.width == least + 1 == kinks + 1 and _jumps(target, x, epsilon, kinks)
    )
    return replace(approximation, width_lower_bound=least, width_jumps=jumps)


def _jumps(target: FunctionTarget, x: Floats, epsilon: float, kinks: int) -> bool:
    """Whether so many units as there are kinks are enough for a little more than epsilon, and not for a little less."""
    answers = []
    for wanted in (epsilon * (1 + JUMP), epsilon * (1 - JUMP)):
        proofs = force_kinks_both_ways(target.as_written, x, target(x), wanted)
        orders = list_orders([proof for proof in proofs if proof.count == kinks])
        if not orders or max(proof.count for proof in proofs) != kinks:
            return False
        answers.append(decide(target.as_written, target, x, wanted, orders))
        if len(answers) == 1 and answers[0].found is None:
            return False
    return answers[1].is_excluded


def _take_if_proved(approximation: Approximation, network: ShallowNetwork, epsilon: float) -> Approximation:
    """The network in the place of another, if it is proved to be within epsilon."""
    target = require_function(approximation)
    points = np.append(target.grid, list_own_points(network.w, network.b, target.domain))
    error = float(np.max(np.abs(evaluate_network(approximation.sigma, network, points) - target(points))))
    found = certify(replace(approximation, network=network, sup_error=error, grid_points=len(points)), epsilon)
    return found if found.certified else approximation


def grow_certified(grow: Callable[[float], Approximation], epsilon: float) -> Approximation:
    """Ask for less and less error on the grid until the error is proved to be below epsilon everywhere."""
    found = grow_until(lambda one: one.reached, lambda wanted: prune(grow(wanted)), certify_calmly, TIGHTER, epsilon)
    return narrow_relu(found, epsilon) if found.activation == "relu" else found
