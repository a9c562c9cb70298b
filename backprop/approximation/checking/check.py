"""check_certificate: is what a saved certificate claims true?  Every box is bounded again, from the file alone."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

from backprop.approximation.checking import intervals as iv
from backprop.approximation.checking.claims import MEAN, StatedClaim, read_claim, read_mean, read_slopes
from backprop.approximation.checking.files import load
from backprop.approximation.checking.intervals import Interval, TooLarge, Unclear
from backprop.approximation.checking.means.mean_square import check_mean
from backprop.approximation.checking.models import expand_error, find_hole, measure_radius
from backprop.approximation.checking.rectangles import read_along, read_surface
from backprop.approximation.checking.surfaces import SurfaceCheck
from backprop.approximation.checking.verdict import Verdict
from backprop.errors import UsageError

__all__ = ["SECONDS", "check_certificate"]

SECONDS = 60.0
"""The usual limit; reaching it is no answer."""
HALVINGS = 60
"""A box that is too wide for the bounds here is halved so often, not more."""
SPARE_BOXES = 2000
"""How many more boxes than the file has may be needed: giving up is an answer."""


def check_certificate(
    path: str | Path, progress: Callable[[int, int], None] | None = None, timeout: float = SECONDS
) -> Verdict:
    """Read a certificate that `backprop approximate --certificate FILE` saved and bound the error on each of its boxes.

    Of a file that `--measure` made, whose claim is about a mean, the boxes are added up.

    Returns: Verdict; not ok where a bound is not below the epsilon of the file.
    Errors: UsageError for a file that cannot be read or is no certificate, for boxes that do not cover the domain, and
    where the time is up before there is an answer.
    """
    if not 0 < timeout < math.inf:
        raise UsageError(f"--timeout must be a positive number of seconds, got {timeout:g}")
    data, deadline = load(path), time.monotonic() + timeout
    late = f"{str(path)!a} was not checked to the end in {timeout:g} seconds"
    if MEAN in data:
        return check_mean(read_mean(data), deadline, late, progress)
    surface = read_surface(data)
    if surface is not None:
        return SurfaceCheck(surface, deadline, late).run(progress)
    claim = read_along(data) or read_claim(data)
    slopes = read_slopes(claim, data.get("derivative_certificate"))
    found = _Check(claim, deadline, late).run(progress)
    return found if slopes is None else replace(found, also=_Check(slopes, deadline, late).run(progress))


class _Check:
    """Bounds box after box, until one fails or the time is up."""

    def __init__(self, claim: StatedClaim, deadline: float, late: str) -> None:
        self.claim, self.deadline, self.late = claim, deadline, late
        self.beyond, self.refuted = False, ""
        self.why = "it is too large for a float"

    def run(self, progress: Callable[[int, int], None] | None) -> Verdict:
        """Every box of the certificate, halved where that helps."""
        claim, boxes = self.claim, list(pairwise(self.claim.edges))
        if claim.doubt:
            return Verdict(False, claim.epsilon, math.inf, 0, claim.doubt, claim.subject)
        worst, count = 0.0, 0
        for place, (a, b) in enumerate(boxes):
            self.beyond = False
            bound, used = self.bound_box(a, b, HALVINGS, SPARE_BOXES + place - count)
            count += used
            if not bound < claim.epsilon:
                if self.beyond and not self.refuted:
                    raise UsageError(f"undecided: on [{a!r}, {b!r}] a number is too large to be worked out")
                best = f"the best is {bound:.3e}" if math.isfinite(bound) else self.why
                reason = f"on [{a!r}, {b!r}] no bound below {claim.epsilon:g} was found ({self.refuted or best})"
                return Verdict(False, claim.epsilon, math.inf, count, reason, claim.subject)
            worst = max(worst, bound)
            if progress is not None:
                progress(place + 1, len(boxes))
        return Verdict(True, claim.epsilon, worst, count, subject=claim.subject)

    def bound_box(self, a: float, b: float, halvings: int, spare: int) -> tuple[float, int]:
        """(a bound of |F − f| on the box, how many boxes that took)."""
        centre = min(max(a / 2 + b / 2, a), b)
        bound = self.bound_model(a, b, centre)
        if bound < self.claim.epsilon or self.refuted or not halvings or spare < 1 or not a < centre < b:
            return bound, 1
        left, used = self.bound_box(a, centre, halvings - 1, spare - 1)
        if not left < self.claim.epsilon:
            return left, used
        right, more = self.bound_box(centre, b, halvings - 1, spare - used)
        return max(left, right), used + more

    def bound_model(self, a: float, b: float, centre: float) -> float:
        """Σ |e_k| r^k with the last coefficient on the whole box; infinite where F or a unit is not shown to be."""
        claim = self.claim
        try:
            total = expand_error(claim, a, b, centre, self.watch)
            if iv.is_below(iv.number(claim.epsilon), iv.smallest(total[0])):
                self.refuted = f"at x = {centre!r} it is not below {claim.epsilon:g}"
            return _sum_up(total, measure_radius(a, b, centre))
        except Unclear as error:
            self.beyond = self.beyond or isinstance(error, TooLarge)
            self.why = f"there it is not shown to have a value: {error}"
            self.refuted = find_hole(claim, centre)
            return math.inf

    def watch(self) -> None:
        """Errors: UsageError when the time is up."""
        if time.monotonic() > self.deadline:
            raise UsageError(f"undecided: {self.late}; give it more with --timeout")


def _sum_up(coefficients: Sequence[Interval], radius: Interval) -> float:
    bound, reach = [iv.ZERO], [iv.ONE]
    for coefficient in coefficients:
        bound = iv.add(bound, iv.multiply([iv.largest(coefficient)], reach, 1))
        reach = iv.multiply(reach, [radius], 1)
    return iv.upper_float(bound[0])
