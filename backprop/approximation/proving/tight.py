"""Proofs of bounds that are hardly above the true error: what is asked of a box grows with the errors that are seen."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from dataclasses import replace

from backprop.approximation.proving.precision import computing, float_below
from backprop.approximation.proving.prover import (
    MOST_BOXES,
    MOST_TERMS,
    ORDER,
    Certificate,
    Interval,
    IntervalClaim,
    IntervalProof,
)
from backprop.approximation.proving.ranges import NoValue
from backprop.approximation.proving.undecided import Ball, Undecided

__all__ = ["TightProof", "prove_tightly"]

NEARER, OF_SCALE = 1.015, 0.9e-15
"""A tight bound is that many times the error that was surely seen at a point, and that share of the size of F."""


def prove_tightly(
    claim: IntervalClaim,
    scale: float,
    places: Sequence[float],
    *,
    most: float = math.inf,
    seconds: float = math.inf,
    most_boxes: int = MOST_BOXES,
    most_terms: int = MOST_TERMS,
) -> Certificate:
    """Bound |F − f| by little more than an error that it surely has: at one of the places, or met on the way.

    Args:
        scale: of F; 1e-15 of it is always granted.
        places: where the error is likely to be large.
        most: an error of that or more refutes; the claim proved is then that it is less.

    Returns: Certificate; without `most` its epsilon is what was asked of the last boxes. Errors: none.

    >>> from theory.functions.elementwise import parse
    >>> line = IntervalClaim(parse("x**2"), parse("max(x,0)"), (1.0,), (0.0,), (1.0,), -0.125, (0.0, 1.0))
    >>> 0.125 <= prove_tightly(line, 1.0, [0.0]).bound <= 1.02 * 0.125
    True
    """
    with computing(terms=ORDER + 1 + claim.of_slopes):
        search = TightProof(claim, scale, most, time.monotonic() + seconds, most_boxes, most_terms)
        return search.begin(places) or search.run()


class TightProof(IntervalProof):
    """What is asked of a box grows with the largest error that was surely seen."""

    def __init__(
        self, claim: IntervalClaim, scale: float, most: float, deadline: float, most_boxes: int, most_terms: int
    ) -> None:
        super().__init__(claim, OF_SCALE * scale, deadline, most_boxes, most_terms)
        self.scale, self.most = scale, most

    def begin(self, places: Sequence[float]) -> Certificate | None:
        """Look at some places first."""
        for place in places:
            try:
                refuted = self.see(place, self.error_at(place))
            except Undecided:
                continue
            if refuted is not None:
                return refuted
        return None

    def look_at(self, box: Interval) -> tuple[float, Certificate | None]:
        centre, bound = self.bound_on(*box)
        if bound < self.epsilon:
            return bound, None
        try:
            decided = self.see(centre, self.error_at(centre))
        except NoValue as hole:
            self.why = str(hole)
            decided = self.leave(f"there is no value at x = {centre!r}")
        except Undecided:
            decided = None
        return bound, decided

    def see(self, place: float, error: Ball) -> Certificate | None:
        """Ask for less where the error is larger; the refutation if it is as large as must not be."""
        at_least = float_below(error.abs_lower())
        self.epsilon = max(self.epsilon, NEARER * at_least + OF_SCALE * self.scale)
        if at_least >= self.most:
            return Certificate("refuted", self.most, math.inf, witness=place, at_least=at_least)
        return None

    def conclude(self) -> Certificate:
        found = super().conclude()
        if not found.bound < self.most:
            return self.leave(f"the bound found, {found.bound!r}, is not below")
        return found if math.isinf(self.most) else replace(found, epsilon=self.most)

    def leave(self, reason: str) -> Certificate:
        found = super().leave(reason)
        return found if math.isinf(self.most) else replace(found, epsilon=self.most)
