"""Adds up the integral of p (F - f)^2 over the boxes of a certificate, and shows that p is a density."""

from __future__ import annotations

import heapq
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from functools import reduce
from itertools import pairwise

from backprop.approximation.checking import functions as fn
from backprop.approximation.checking import intervals as iv
from backprop.approximation.checking.boxes import Deadline, Verdict
from backprop.approximation.checking.claims import StatedClaim
from backprop.approximation.checking.evaluate import Place, value
from backprop.approximation.checking.intervals import Interval, Series, TooLarge, Unclear
from backprop.approximation.checking.models import TERMS, expand_error, expand_term, find_hole, measure_radius
from backprop.approximation.checking.reader import Tree
from backprop.errors import UsageError

__all__ = ["check_mean"]

SPARE_BOXES = 2000
"""How many more boxes than the file has may be needed: giving up is an answer."""
OFTEN = 1.1
"""The sum is worked out when there are so many times as many boxes as the last time."""
DIP = iv.rational(Fraction(1, 10**18))
"""Of the largest p: so far below 0 it may be for all that is shown; then |p| is what is summed up."""


@dataclass(frozen=True, order=True)
class _Summand:
    """A box: how much it leaves open (the largest first), its ends, the integral of |p| (F - f)^2 over it."""

    order: float
    low: float
    high: float
    square: Interval = field(compare=False)


def check_mean(claim: StatedClaim, deadline: Deadline, progress: Callable[[int, int], None] | None) -> Verdict:
    """Whether the root of the integral over all boxes is below the epsilon of the claim.

    Errors: UsageError where the time is up before there is an answer, or a number is too large.
    """
    return _Sum(claim, deadline).run(progress)


class _Sum:
    """The boxes so far; the one that leaves most open is halved."""

    def __init__(self, claim: StatedClaim, deadline: Deadline) -> None:
        assert claim.density is not None
        self.claim, self.density, self.deadline = claim, claim.density, deadline
        self.why, self.hole, self.beyond = "", "", False
        self.tallest = iv.ZERO

    def run(self, progress: Callable[[int, int], None] | None) -> Verdict:
        claim, edges = self.claim, list(pairwise(self.claim.edges))
        if claim.doubt:
            return self.refuse(claim.doubt, 0)
        boxes = []
        for place, (a, b) in enumerate(edges):
            boxes.append(self.look_at(a, b))
            if self.hole:
                return self.refuse(self.hole, len(boxes))
            if progress is not None:
                progress(place + 1, len(edges))
        return self.refine(boxes, len(boxes) + SPARE_BOXES)

    def refine(self, boxes: list[_Summand], most: int) -> Verdict:
        """Halve until the sum is small enough, or for certain too large, or there are too many boxes."""
        heapq.heapify(boxes)
        summed_at = 0
        while True:
            is_whole = not math.isinf(boxes[0].order)
            if is_whole and (len(boxes) > summed_at or len(boxes) >= most):
                low, high = reduce(iv.plus, (box.square for box in boxes), iv.ZERO)
                root = iv.upper_float(fn.root([(high, high)], 1)[0])
                if root < self.claim.epsilon:
                    subject = self.claim.subject
                    return Verdict(True, self.claim.epsilon, root, len(boxes), subject=subject, is_pointwise=False)
                square = iv.power([iv.number(self.claim.epsilon)], 2, 1)[0]
                if iv.is_below(square, (low, low)):
                    return self.refuse(f"it is not below {self.claim.epsilon:g}", len(boxes))
                summed_at = int(len(boxes) * OFTEN)
            worst = boxes[0]
            middle = worst.low / 2 + worst.high / 2
            if len(boxes) >= most or not worst.low < middle < worst.high:
                return self.give_up(worst, len(boxes))
            heapq.heapreplace(boxes, self.look_at(worst.low, middle))
            heapq.heappush(boxes, self.look_at(middle, worst.high))
            if self.hole:
                return self.refuse(self.hole, len(boxes))

    def refuse(self, reason: str, boxes: int) -> Verdict:
        """Not confirmed."""
        return Verdict(False, self.claim.epsilon, math.inf, boxes, reason, self.claim.subject, is_pointwise=False)

    def give_up(self, worst: _Summand, boxes: int) -> Verdict:
        """What is in the way on the box that leaves most open."""
        where = f"on [{worst.low!r}, {worst.high!r}]"
        if self.beyond:
            raise UsageError(f"undecided: {where} a number is too large to be worked out")
        if math.isinf(worst.order):
            return self.refuse(f"{where} {self.why}", boxes)
        return self.refuse(f"no bound below {self.claim.epsilon:g} was found", boxes)

    def look_at(self, a: float, b: float) -> _Summand:
        """The integral over a box; everything is open where p, F or a unit is not shown to have a value."""
        self.deadline.watch()
        centre = min(max(a / 2 + b / 2, a), b)
        try:
            total, dip, here = self.integrate(a, b, centre)
        except Unclear as error:
            self.beyond = self.beyond or isinstance(error, TooLarge)
            self.why = f"it is not shown to have a value: {error}"
            self.hole = find_hole(self.claim, centre) or _find_hole_of(self.density, centre)
            return _Summand(-math.inf, a, b, (iv.ZERO[0], iv.ZERO[1]))
        self.tallest = iv.pull("max", [self.tallest, iv.smallest(here)])
        if not iv.is_below(dip, iv.times(DIP, self.tallest)):
            self.why = "p is not shown to be at least 0"
            self.hole = f"p is negative at x = {centre!r}" if iv.is_negative(here) else ""
            return _Summand(-math.inf, a, b, total)
        square = iv.pull("max", [iv.ZERO, total])
        return _Summand(-iv.upper_float(iv.width(square)), a, b, square)

    def integrate(self, a: float, b: float, centre: float) -> tuple[Interval, Interval, Interval]:
        """(the integral of |p| (F - f)^2, how far p may dip, values of p among which is that at the centre)."""
        here: Series = [iv.number(centre), iv.ONE]
        there: Series = [iv.from_numbers(a, b), iv.ONE]
        sides = [iv.rational(Fraction(high) - Fraction(low)) for low, high in ((a, centre), (centre, b))]
        radius = measure_radius(a, b, centre)
        errors = expand_error(self.claim, a, b, centre, self.deadline.watch)
        weights = expand_term(self.density, here, there, radius)
        dip = self.bound_dip(a, b, weights, radius)
        squares = iv.power(errors, 2, 2 * TERMS + 1)
        total = _integrate(iv.multiply(squares, weights, 3 * TERMS + 1), sides)
        if iv.is_positive(dip):
            more = iv.times(iv.integer(2), iv.times(dip, _integrate(squares, sides)))
            total = iv.hull(total, iv.plus(total, more))
        return total, dip, weights[0]

    def bound_dip(self, a: float, b: float, weights: Sequence[Interval], radius: Interval) -> Interval:
        """How far p may be below 0 on the box, by all of its values or by its Taylor model."""
        span = value(self.density, Place({"x": iv.from_numbers(a, b)}))
        model, reach = weights[0], iv.ONE
        for k, weight in enumerate(weights[1:], start=1):
            reach = iv.times(reach, radius)
            size = iv.largest(weight) if k % 2 else iv.pull("max", [iv.ZERO, iv.negate([weight])[0]])
            model = iv.minus(model, iv.times((size[1], size[1]), reach))
        lowest = iv.pull("max", [(span[0], span[0]), (model[0], model[0])])
        return iv.pull("max", [iv.ZERO, iv.negate([lowest])[0]])


def _find_hole_of(node: Tree, point: float) -> str:
    """What is said if p surely has no value at a point."""
    try:
        value(node, Place({"x": iv.number(point)}))
    except iv.NoValue as error:
        return f"p has no value at x = {point!r}: {error}"
    except Unclear:
        return ""  # it may have one
    return ""


def _integrate(coefficients: Sequence[Interval], sides: Sequence[Interval]) -> Interval:
    """The integral of the sum of c_m(h) h^m from -left to right, for any c_m(h) in these intervals: each side by
    itself, where h^m has one sign."""
    total, (left, right) = iv.ZERO, sides
    down, up = left, right
    for m, coefficient in enumerate(coefficients):
        share = iv.rational(Fraction(1, m + 1))
        part = iv.times(iv.times(coefficient, share), down)
        total = iv.plus(total, iv.negate([part])[0] if m % 2 else part)
        total = iv.plus(total, iv.times(iv.times(coefficient, share), up))
        down, up = iv.times(down, left), iv.times(up, right)
    return total
