"""check_certificate: is what a saved certificate claims true?  Every box is bounded again, from the file alone."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

from backprop.approximation.checking import intervals as iv
from backprop.approximation.checking.boxes import BoxCheck, Deadline, Verdict
from backprop.approximation.checking.claims import MEAN, StatedClaim, read_claim, read_mean, read_slopes
from backprop.approximation.checking.files import load
from backprop.approximation.checking.intervals import Interval
from backprop.approximation.checking.means.mean_square import check_mean
from backprop.approximation.checking.models import expand_error, find_hole, measure_radius
from backprop.approximation.checking.rectangles import read_along, read_surface
from backprop.approximation.checking.surfaces import SurfaceCheck
from backprop.errors import UsageError

__all__ = ["SECONDS", "check_certificate"]

SECONDS = 60.0
"""The usual limit; reaching it is no answer."""
Ends = tuple[float, float]


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
    data = load(path)
    late = f"{str(path)!a} was not checked to the end in {timeout:g} seconds"
    deadline = Deadline(time.monotonic() + timeout, late)
    if MEAN in data:
        return check_mean(read_mean(data), deadline, progress)
    surface = read_surface(data)
    if surface is not None:
        return SurfaceCheck(surface, deadline).run(surface.list_boxes(), progress)
    claim = read_along(data) or read_claim(data)
    slopes = read_slopes(claim, data.get("derivative_certificate"))
    found, *also = (
        _Check(one, deadline).run(list(pairwise(one.edges)), progress) for one in (claim, slopes) if one is not None
    )
    return replace(found, also=also[0]) if also else found


class _Check(BoxCheck[Ends]):
    """Of one variable: the boxes are intervals."""

    halvings = 60
    spare = 2000

    def __init__(self, claim: StatedClaim, deadline: Deadline) -> None:
        super().__init__(claim.epsilon, claim.subject, claim.doubt)
        self.claim, self.deadline = claim, deadline

    def bound(self, box: Ends) -> float:
        """Σ |e_k| r^k with the last coefficient on the whole box."""
        centre = _middle(box)
        total = expand_error(self.claim, *box, centre, self.deadline.watch)
        if iv.is_below(iv.number(self.epsilon), iv.smallest(total[0])):
            self.refuted = f"at x = {centre!r} it is not below {self.epsilon:g}"
        return _sum_up(total, measure_radius(*box, centre))

    def halve(self, box: Ends) -> tuple[Ends, Ends] | None:
        (a, b), centre = box, _middle(box)
        return ((a, centre), (centre, b)) if a < centre < b else None

    def name(self, box: Ends) -> str:
        return "[{!r}, {!r}]".format(*box)

    def find_hole(self, box: Ends) -> str:
        return find_hole(self.claim, _middle(box))


def _middle(box: Ends) -> float:
    a, b = box
    return min(max(a / 2 + b / 2, a), b)


def _sum_up(coefficients: Sequence[Interval], radius: Interval) -> float:
    bound, reach = [iv.ZERO], [iv.ONE]
    for coefficient in coefficients:
        bound = iv.add(bound, iv.multiply([iv.largest(coefficient)], reach, 1))
        reach = iv.multiply(reach, [radius], 1)
    return iv.upper_float(bound[0])
