"""Proves sup |F - f| < epsilon on the whole interval, or refutes it at a point: Taylor models and bisection."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from flint import arb, arb_series
from sympy import Expr, Max
from sympy.core.numbers import Zero

from backprop.approximation.proving.bisection import Bisection
from backprop.approximation.proving.enclosures import expand, make_box
from backprop.approximation.proving.precision import computing, float_above, float_below
from backprop.approximation.proving.proof import Proof
from backprop.approximation.proving.ranges import NoValue
from backprop.approximation.proving.undecided import Ball, Undecided
from backprop.approximation.proving.values import enclose_range
from theory.functions.half_line import X

__all__ = ["Certificate", "IntervalClaim", "IntervalProof", "is_bent_line", "prove"]

ORDER = 8
"""Of the Taylor models: terms h^0 … h^7, and a remainder h^8."""
MOST_BOXES = 20_000
LINES_A_TERM = 8
"""So many units that are lines on a box cost as much as one that is expanded."""
MOST_TERMS = 2_000_000
"""Taylor models of F and of units, on all boxes: about a minute or two. Not seconds: the same everywhere."""
SURE = 1e-20
"""A remainder below this is not looked at again."""
LONGEST_REASON = 200
SHORTEST = 2.0**-60
"""Boxes are not halved below this share of the domain."""


Interval = tuple[float, float]


def is_bent_line(activation: Expr) -> bool:
    """Whether it is max(x, 0), whose units are lines on either side of their kinks."""
    return isinstance(activation, Max) and set(activation.args) == {X, Zero()}


@dataclass(frozen=True)
class IntervalClaim:
    """f(x) = constant + Σ c_k σ(w_k x + b_k) is within epsilon of F on the domain; all weights are exact doubles."""

    target: Expr
    activation: Expr
    w: tuple[float, ...]
    b: tuple[float, ...]
    c: tuple[float, ...]
    constant: float
    domain: tuple[float, float]
    breaks: tuple[float, ...] = ()
    """Where to cut first: kinks of F and of f, as far as they are known."""
    of_slopes: bool = False
    """Whether the claim is about F' and f' instead."""


@dataclass(frozen=True)
class Certificate(Proof):
    """What came of it; `edges` are the ends of the boxes, in order, on each of which the bound was shown."""

    edges: tuple[float, ...] = field(repr=False, default=())
    witness: float | None = None

    def describe_places(self) -> tuple[int, str]:
        return len(self.edges) - 1, f"x = {self.witness!r}"

    def list_places(self) -> dict[str, Any]:
        return {"order": ORDER, "edges": list(self.edges), "witness": self.witness}


def prove(
    claim: IntervalClaim,
    epsilon: float,
    *,
    seconds: float = math.inf,
    most_boxes: int = MOST_BOXES,
    most_terms: int = MOST_TERMS,
) -> Certificate:
    """Bound |F − f| on boxes that cover the domain, halving a box until the bound is below epsilon.

    On a box c ± r:  |E(x)| <= Σ_k<8 |e_k| r^k + |e_8| r^8, e_k the Taylor coefficients of E = F − f at c, the last one
    on the whole box; everything in balls, so that rounding is inside the bounds. Where F or a unit has no series on the
    box (a kink), the ball of its values stands for it.

    Returns: Certificate. Errors: none; giving up is an answer ("undecided").

    >>> from theory.functions.elementwise import parse
    >>> line = IntervalClaim(parse("x**2"), parse("max(x,0)"), (1.0,), (0.0,), (1.0,), -0.125, (0.0, 1.0))
    >>> prove(line, 0.1251).verdict, prove(line, 0.1249).verdict
    ('proved', 'refuted')
    """
    search = IntervalProof(claim, epsilon, time.monotonic() + seconds, most_boxes, most_terms)
    with computing(terms=ORDER + 1 + claim.of_slopes):
        return search.run()


class IntervalProof(Bisection[Interval, Certificate]):
    """The boxes are intervals; `why` is what was in the way of the last one."""

    def __init__(self, claim: IntervalClaim, epsilon: float, deadline: float, most_boxes: int, most_terms: int) -> None:
        self.is_bent_line = is_bent_line(claim.activation)
        cost = len(claim.w) // (LINES_A_TERM if self.is_bent_line else 1) + 1
        super().__init__(epsilon, deadline, most_boxes, most_terms, cost)
        self.claim, self.why = claim, ""
        self.units = [(arb(w), arb(b), arb(c)) for w, b, c in zip(claim.w, claim.b, claim.c, strict=True)]

    def list_boxes(self) -> list[tuple[float, Interval]]:
        low, high = self.claim.domain
        cuts = [low, *(cut for cut in sorted(set(self.claim.breaks)) if low < cut < high), high]
        return [(a - b, (a, b)) for a, b in pairwise(cuts)]

    def measure(self, box: Interval) -> float:
        low, high = self.claim.domain
        return (box[1] - box[0]) / (high - low)

    def look_at(self, box: Interval) -> tuple[float, Certificate | None]:
        centre, bound = self.bound_on(*box)
        return bound, None if bound < self.epsilon else self.decide_at(centre)

    def halve(self, order: float, box: Interval) -> list[tuple[float, Interval]]:
        (a, b), (low, high) = box, self.claim.domain
        centre = a / 2 + b / 2
        if not a < centre < b or b - a < SHORTEST * (high - low):
            return []
        return [(left - right, (left, right)) for left, right in ((a, centre), (centre, b))]

    def conclude(self) -> Certificate:
        self.shown.sort()
        edges = (*(a for (a, _), _ in self.shown), self.claim.domain[1])
        return Certificate("proved", self.epsilon, max(bound for _, bound in self.shown), edges=edges)

    def give_up(self, box: Interval, limit: str) -> Certificate:
        a, b = box
        if limit == "size":
            return self.leave(f"no decision on [{a:.17g}, {b:.17g}], which is too short to halve")
        allowed = {"boxes": "number of boxes", "time": "time"}[limit]
        return self.leave(f"no decision on [{a:.6g}, {b:.6g}] within the {allowed} allowed")

    def leave(self, reason: str) -> Certificate:
        """Undecided."""
        reason += f" ({self.why})" if self.why else ""
        return Certificate("undecided", self.epsilon, math.inf, reason=reason)

    def decide_at(self, point: float) -> Certificate | None:
        """The claim is false if the error at one point is surely epsilon or more, and none if there is no value."""
        try:
            error = abs(self.error_at(point))
        except NoValue as hole:
            self.why = str(hole)
            return self.leave(f"there is no value at x = {point!r}")
        except Undecided:
            return None
        if not bool(error >= arb(self.epsilon)):
            return None
        at_least = float_below(error.abs_lower())
        return Certificate("refuted", self.epsilon, math.inf, witness=point, at_least=at_least)

    def error_at(self, point: float) -> Ball:
        """F − f at one point."""
        claim, x = self.claim, arb(point)
        if claim.of_slopes:
            return self.model(point, point, point)[0]
        total = _evaluate(claim.target, x) - arb(claim.constant)
        for w, b, c in self.units:
            z = w * x + b
            total -= c * (z.max(arb(0)) if self.is_bent_line else _evaluate(claim.activation, z))
        return total

    def bound_on(self, a: float, b: float) -> tuple[float, float]:
        """(centre, a bound of |E| on the box); infinite where there is none."""
        centre = a / 2 + b / 2
        radius = (arb(b) - arb(centre)).max(arb(centre) - arb(a))
        try:
            total = sum((e.abs_upper() * radius**k for k, e in enumerate(self.model(a, b, centre))), arb(0))
        except Undecided as error:
            self.why = str(error)[:LONGEST_REASON]
            return centre, math.inf
        return centre, float_above(total)

    def model(self, a: float, b: float, centre: float) -> list[Ball]:
        """e_0 … e_7 at the centre and e_8 on the box; values that have no series are in e_0."""
        claim = self.claim
        here, there = arb_series([arb(centre), 1]), arb_series([make_box(a, b), 1])
        total = [arb(0)] * (ORDER + 1)
        total[0] -= arb(0 if claim.of_slopes else claim.constant)
        radius = (arb(b) - arb(centre)).max(arb(centre) - arb(a))
        make_term = _slope_term if claim.of_slopes else _term
        _add(total, make_term(claim.target, here, there, [arb(a), arb(b)], radius), arb(1))
        places = (arb(a), arb(centre), arb(b))
        for unit in self.units:
            if self.is_bent_line and self.add_line(total, unit, places):
                continue
            w, shift, c = unit
            inner = [w * x + shift for x in (here, there)]
            ends = [w * end + shift for end in (places[0], places[2])]
            _add(total, make_term(claim.activation, inner[0], inner[1], ends, radius), -c)
        return total

    def add_line(self, total: list[Ball], unit: tuple[Ball, Ball, Ball], places: tuple[Ball, Ball, Ball]) -> bool:
        """A unit max(x, 0) where its argument has one sign on the box: nothing, or a line; whether it has."""
        w, shift, c = unit
        low, high = w * places[0] + shift, w * places[2] + shift
        if self.claim.of_slopes and not (bool(low != 0) and bool(high != 0)):
            return False  # at its kink it has no slope
        if bool(low <= 0) and bool(high <= 0):
            return True
        if not (bool(low >= 0) and bool(high >= 0)):
            return False
        values = (w, arb(0)) if self.claim.of_slopes else (w * places[1] + shift, w)
        for k, value in enumerate(values):
            total[k] -= c * value
        return True


def _evaluate(expression: Expr, *ends: Ball) -> Ball:
    """The values between the numbers in some balls."""
    low, high = ends[0], ends[0]
    for end in ends:
        low, high = low.min(end), high.max(end)
    return enclose_range(expression, arb(low.lower()), arb(high.upper())).to_ball()


def _term(expression: Expr, here: Any, there: Any, ends: list[Ball], radius: Ball) -> list[Ball]:
    """Coefficients 0..7 at the centre and the eighth on the box; or the ball of all values alone, if that is smaller:
    a steep unit has few values where it is saturated, and derivatives that are not bounded well."""
    try:
        remainder = expand(expression, there)[ORDER]
        near = expand(expression, here)
    except Undecided:
        return [_evaluate(expression, *ends)]
    reach = remainder.abs_upper() * radius**ORDER
    if bool(reach > SURE):
        try:
            values = _evaluate(expression, *ends)
        except Undecided:
            values = None
        if values is not None and bool(arb(values.rad()) < reach):
            return [values]
    return [near[k] for k in range(ORDER)] + [remainder]


def _slope_term(expression: Expr, here: Any, there: Any, ends: list[Ball], radius: Ball) -> list[Ball]:
    """The same of the derivative; where there is no series on the box there is none of it."""
    whole = expand(expression, there)
    remainder = (ORDER + 1) * whole[ORDER + 1]
    if bool(arb(whole[1].rad()) < remainder.abs_upper() * radius**ORDER):
        return [whole[1]]
    near = expand(expression, here)
    return [(k + 1) * near[k + 1] for k in range(ORDER)] + [remainder]


def _add(total: list[Ball], part: Sequence[Ball], factor: Ball) -> None:
    for k, coefficient in enumerate(part):
        total[k] += factor * coefficient
