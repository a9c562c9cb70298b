"""An approximation with its proof: the claim as exact numbers, and growing until it is proved."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import replace

from backprop.activation_functions import activation as find_activation
from backprop.approximation.proving.prover import SECONDS, Claim, prove
from backprop.approximation.result import Approximation
from theory.pieces import split

__all__ = ["certify", "grow_certified", "make_claim"]

LOOSER = (1.02, 1.1, 1.5, 3.0, 10.0)
"""Times the error on the grid: what is tried to prove where no error was asked for."""
TIGHTER = (1.0, 0.97, 0.9, 0.75, 0.5)
"""Times the error asked for: what the grid must show before a proof is tried."""
TINY = 1e-15
"""Of the size of the target: below this the grid shows rounding only."""


def make_claim(approximation: Approximation) -> Claim:
    """The network and its target as a claim of exact numbers; cut at kinks of the target and of the units."""
    target = approximation.function
    sigma = find_activation(approximation.activation).expression
    units = [
        (float(w), float(b), float(c))
        for w, b, c in zip(approximation.w, approximation.b, approximation.c, strict=True)
        if c != 0
    ]
    kinks = [float(piece.upper) for piece in split(sigma) if piece.upper.is_finite]
    cuts = [(kink - b) / w for kink in kinks for w, b, _ in units if w]
    return Claim(
        target.expression,
        sigma,
        tuple(w for w, _, _ in units),
        tuple(b for _, b, _ in units),
        tuple(c for _, _, c in units),
        float(approximation.constant),
        target.domain,
        tuple(sorted({*target.breaks, *cuts})),
    )


def certify(approximation: Approximation, epsilon: float | None = None, seconds: float = SECONDS) -> Approximation:
    """The same approximation with a certificate: sup |F − f| < epsilon proved, refuted or undecided.

    Without an epsilon the smallest bound is proved of a few a little above the error on the grid.
    """
    claim = make_claim(approximation)
    for wanted in _list_bounds(approximation, epsilon):
        certificate = prove(claim, wanted, seconds=seconds)
        approximation = replace(approximation, certificate=certificate)
        if certificate.verdict == "proved" or epsilon is not None:
            break
    return approximation


def _list_bounds(approximation: Approximation, epsilon: float | None) -> Iterator[float]:
    if epsilon is not None:
        yield epsilon
        return
    floor = TINY * max(approximation.function.scale, approximation.sum_abs_c, math.ulp(1.0))
    for looser in LOOSER:
        yield looser * approximation.sup_error + floor


def grow_certified(grow: Callable[[float], Approximation], epsilon: float) -> Approximation:
    """Ask for less and less error on the grid until the error is proved to be below epsilon everywhere."""
    found: Approximation | None = None
    for share in TIGHTER:
        grown = grow(share * epsilon)
        if found is not None and not grown.sup_error < epsilon:
            break
        found = certify(grown, epsilon)
        if found.reached:
            break
    assert found is not None
    return found
