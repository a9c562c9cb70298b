"""Proves sup |F - f| < epsilon on a rectangle, or refutes it at a point: Taylor models in x and y, and bisection."""

from __future__ import annotations

import math
import time

from flint import arb, arb_mat, arb_series, fmpq, fmpq_mat

from backprop.approximation.proving.bisection import Bisection
from backprop.approximation.proving.enclosures import expand, make_box
from backprop.approximation.proving.precision import computing, float_above
from backprop.approximation.proving.ranges import Range
from backprop.approximation.proving.undecided import Ball, Undecided
from backprop.approximation.proving.values import enclose_on
from backprop.approximation.surfaces.claims import ORDER, SurfaceCertificate, SurfaceClaim
from backprop.approximation.surfaces.target import VARIABLES
from backprop.approximation.surfaces.units import Units
from theory.functions.values import real_symbol

__all__ = ["prove_surface"]

MOST_BOXES = 20_000
MOST_TERMS = 1_000_000
"""Units that are expanded, on all boxes: about a minute. Not seconds: the same everywhere."""
SHORTEST = 2.0**-30
"""Boxes are not halved below this share of a side."""

Box = tuple[float, float, float, float]


def prove_surface(
    claim: SurfaceClaim,
    epsilon: float,
    *,
    seconds: float = math.inf,
    most_boxes: int = MOST_BOXES,
) -> SurfaceCertificate:
    """Bound |F − f| on boxes that cover the rectangle, halving a box until the bound is below epsilon.

    On a box with centre p and half sides r, s, and E = F − f, every point is p + v with |v1| <= r, |v2| <= s and

        |E(p + v)| <= Σ_{i+j<n} |e_ij| r^i s^j + max |E_n|

    e_ij the Taylor coefficients at p; E_n the n-th Taylor coefficient of t -> E(q + t v) for any such v and any q in
    the box (Lagrange's remainder). Where F, or a unit, has a kink inside the box all its values there are taken instead
    of its terms. Everything in balls, so that rounding is inside the bounds.

    Returns: SurfaceCertificate. Errors: none; giving up is an answer ("undecided").

    >>> import numpy as np
    >>> from theory.functions.elementwise import parse
    >>> from backprop.approximation.ground.outcome import ShallowNetwork
    >>> unit = ShallowNetwork(np.array([[1.0, 1.0]]), np.zeros(1), np.ones(1), 0.0)
    >>> claim = SurfaceClaim(parse("x + y", VARIABLES), parse("tanh(x)"), unit, ((0.0, 0.5), (0.0, 0.5)))
    >>> prove_surface(claim, 0.24).verdict, prove_surface(claim, 0.2).verdict  # 1 - tanh 1 = 0.238...
    ('proved', 'refuted')
    """
    with computing(terms=ORDER + 1):
        return _SurfaceProof(claim, epsilon, time.monotonic() + seconds, most_boxes).run()


class _SurfaceProof(Bisection[Box, SurfaceCertificate]):
    """The boxes are rectangles; what a first one takes is counted beforehand."""

    def __init__(self, claim: SurfaceClaim, epsilon: float, deadline: float, most_boxes: int) -> None:
        cost = len(claim.network.w) + ORDER
        super().__init__(epsilon, deadline, most_boxes, MOST_TERMS - cost, cost)
        self.claim, self.units = claim, Units(claim)
        self.symbols = [real_symbol(name) for name in VARIABLES]
        self.cut: dict[Box, str] = {}
        self.directions = [fmpq(2 * m - ORDER + 1, ORDER - 1) for m in range(ORDER)]
        vandermonde = fmpq_mat([[direction**j for j in range(ORDER)] for direction in self.directions])
        self.interpolation = arb_mat(vandermonde.inv())

    def list_boxes(self) -> list[tuple[float, Box]]:
        (a, b), (c, d) = self.claim.domain
        return [(-1.0, (a, b, c, d))]

    def conclude(self) -> SurfaceCertificate:
        largest = max(bound for _, bound in self.shown)
        ((_, whole),) = self.list_boxes()
        return SurfaceCertificate("proved", self.epsilon, largest, cuts=self.tell_cuts(whole))

    def tell_cuts(self, whole: Box) -> str:
        """How the rectangle was cut, a box before its halves."""
        letters, waiting = [], [whole]
        while waiting:
            box = waiting.pop()
            letters.append(self.cut.get(box, "."))
            waiting += reversed(_halve(box, letters[-1])) if box in self.cut else []
        return "".join(letters)

    def give_up(self, box: Box, limit: str) -> SurfaceCertificate:
        a, b, c, d = box
        why = "which is too small to halve" if limit == "size" else "within the time or the number of boxes allowed"
        where = f"no decision on [{a:.6g}, {b:.6g}] × [{c:.6g}, {d:.6g}] {why}"
        return SurfaceCertificate("undecided", self.epsilon, math.inf, reason=where)

    def halve(self, order: float, box: Box) -> list[tuple[float, Box]]:
        """Two halves that share a side, cut across the side that is longer by the measure of the domain."""
        a, b, c, d = box
        (low, high), (bottom, top) = self.claim.domain
        wide, tall = (b - a) / (high - low), (d - c) / (top - bottom)
        x, y = a / 2 + b / 2, c / 2 + d / 2
        if max(wide, tall) < SHORTEST or not (a < x < b and c < y < d):
            return []
        self.cut[box] = "x" if wide >= tall else "y"
        return [(order / 2, half) for half in _halve(box, self.cut[box])]

    def look_at(self, box: Box) -> tuple[float, SurfaceCertificate | None]:
        """A bound of |E| on the box, infinite where there is none; or the refutation at its centre."""
        a, b, c, d = box
        x, y = a / 2 + b / 2, c / 2 + d / 2
        reach = [_reach(a, x, b), _reach(c, y, d)]
        left = self.units.bound_rest(x, y, *map(float_above, reach))
        if not left.total < self.epsilon:
            return math.inf, None
        try:
            rows = self.units.expand(x, y, left)
            terms, rest = self.enclose_target(box, [arb(x), arb(y)], reach)
        except Undecided:
            return math.inf, None
        total = rest + arb(left.total)
        for degree, row in enumerate(rows):
            for j, coefficient in enumerate(row):
                scaled = coefficient * reach[0] ** (degree - j) * reach[1] ** j
                own = terms[degree][j] if degree < len(terms) else arb(0)
                total += (own - scaled).abs_upper()
        bound = float_above(total)
        return bound, None if bound < self.epsilon else self.refute((x, y))

    def measure(self, box: Box) -> float:
        """The share of the rectangle."""
        (low, high), (bottom, top) = self.claim.domain
        return (box[1] - box[0]) / (high - low) * (box[3] - box[2]) / (top - bottom)

    def enclose_target(self, box: Box, centre: list[Ball], reach: list[Ball]) -> tuple[list[list[Ball]], Ball]:
        """The scaled terms of F and what they leave; all its values, as one, where it has no terms."""
        try:
            return self.expand_target(centre, reach), self.bound_target(box, reach)
        except Undecided:
            a, b, c, d = box
            sides = (Range(arb(a), arb(b)), Range(arb(c), arb(d)))
            values = enclose_on(self.claim.target, dict(zip(self.symbols, sides, strict=True)))
            return [[values.to_ball()]], arb(0)

    def expand_target(self, centre: list[Ball], reach: list[Ball]) -> list[list[Ball]]:
        """F_ij r^i s^j, by degree and then by j: interpolated from the series of F along directions (r, t s)."""
        series = []
        for direction in self.directions:
            steps = [reach[0], reach[1] * arb(direction)]
            along = [arb_series([middle, step]) for middle, step in zip(centre, steps, strict=True)]
            series.append(expand(self.claim.target, dict(zip(self.symbols, along, strict=True))))
        found = self.interpolation * arb_mat([[one[k] for k in range(ORDER)] for one in series])
        return [[found[j, degree] for j in range(degree + 1)] for degree in range(ORDER)]

    def bound_target(self, box: Box, reach: list[Ball]) -> Ball:
        """max |F_n|"""
        a, b, c, d = box
        whole, moves = (make_box(a, b), make_box(c, d)), [length * arb(0, 1) for length in reach]
        along = {s: arb_series([p, v]) for s, p, v in zip(self.symbols, whole, moves, strict=True)}
        return arb(expand(self.claim.target, along)[ORDER].abs_upper())

    def refute(self, point: tuple[float, float]) -> SurfaceCertificate | None:
        """The claim is false if the error at one point is surely epsilon or more."""
        here = {s: Range(arb(p), arb(p)) for s, p in zip(self.symbols, point, strict=True)}
        try:
            error = enclose_on(self.claim.target, here).to_ball() - self.units.evaluate(*point)
        except Undecided:
            return None
        if not bool(abs(error) >= arb(self.epsilon)):
            return None
        at_least = math.nextafter(float(abs(error).abs_lower().lower()), -math.inf)
        return SurfaceCertificate("refuted", self.epsilon, math.inf, witness=point, at_least=at_least)


def _halve(box: Box, letter: str) -> list[Box]:
    """The two halves of a box, the lower one first."""
    a, b, c, d = box
    x, y = a / 2 + b / 2, c / 2 + d / 2
    return [(a, x, c, d), (x, b, c, d)] if letter == "x" else [(a, b, c, y), (a, b, y, d)]


def _reach(low: float, middle: float, high: float) -> Ball:
    """The longer of the two distances, as a thin ball."""
    return (arb(middle) - arb(low)).max(arb(high) - arb(middle))
