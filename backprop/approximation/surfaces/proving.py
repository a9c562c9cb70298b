"""Proves sup |F - f| < epsilon on a rectangle, or refutes it at a point: Taylor models in x and y, and bisection."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from flint import arb, arb_mat, arb_series, fmpq, fmpq_mat
from sympy import Expr

from backprop.approximation.ground.outcome import ShallowNetwork
from backprop.approximation.proving.bisection import Bisection
from backprop.approximation.proving.enclosures import expand, make_box
from backprop.approximation.proving.precision import computing, float_above
from backprop.approximation.proving.proof import Proof
from backprop.approximation.proving.undecided import Ball, Undecided
from backprop.approximation.surfaces.target import VARIABLES, Rectangle
from theory.functions.pieces import split
from theory.functions.values import real_symbol

__all__ = ["SurfaceCertificate", "SurfaceClaim", "prove_surface"]

ORDER = 8
"""Of the Taylor models: all terms of degree 0 … 7, and a remainder of degree 8."""
MOST_BOXES = 20_000
MOST_TERMS = 1_000_000
"""Units that are expanded, on all boxes: about a minute. Not seconds: the same everywhere."""
SHORTEST = 2.0**-30
"""Boxes are not halved below this share of a side."""

Box = tuple[float, float, float, float]


@dataclass(frozen=True)
class SurfaceClaim:
    """f(x, y) = constant + Σ c_k σ(w_k · (x, y) + b_k) is near F on the rectangle; all weights are exact doubles."""

    target: Expr
    activation: Expr
    network: ShallowNetwork
    domain: Rectangle

    @cached_property
    def powers(self) -> list[Any]:
        """For each degree k the matrix of binomial(k, j) w_n1^(k−j) w_n2^j, shape (width, k + 1)."""
        pairs = [(arb(float(first)), arb(float(second))) for first, second in self.network.w]
        return [
            arb_mat([[math.comb(k, j) * u ** (k - j) * v**j for j in range(k + 1)] for u, v in pairs])
            for k in range(ORDER)
        ]


@dataclass(frozen=True)
class SurfaceCertificate(Proof):
    """What came of it, on how many boxes, and the point that refutes."""

    boxes: int = 0
    witness: tuple[float, float] | None = None

    def describe_places(self) -> tuple[int, str]:
        return self.boxes, "" if self.witness is None else "x = {!r}, y = {!r}".format(*self.witness)

    def list_places(self) -> dict[str, Any]:
        witness = None if self.witness is None else list(self.witness)
        return {"order": ORDER, "boxes": self.boxes, "witness": witness}


def prove_surface(
    claim: SurfaceClaim, epsilon: float, *, seconds: float = math.inf, most_boxes: int = MOST_BOXES
) -> SurfaceCertificate:
    """Bound |F − f| on boxes that cover the rectangle, halving a box until the bound is below epsilon.

    On a box with centre p and half sides r, s, and E = F − f, every point is p + v with |v1| <= r, |v2| <= s and

        |E(p + v)| <= Σ_{i+j<8} |e_ij| r^i s^j + max |E_8|

    e_ij the Taylor coefficients at p; E_8 the eighth Taylor coefficient of t -> E(q + t v) for any such v and any q in
    the box (Lagrange's remainder). Everything in balls, so that rounding is inside the bounds.

    Returns: SurfaceCertificate. Errors: none; giving up is an answer ("undecided").

    >>> import numpy as np
    >>> from theory.functions.elementwise import parse
    >>> unit = ShallowNetwork(np.array([[1.0, 1.0]]), np.zeros(1), np.ones(1), 0.0)
    >>> claim = SurfaceClaim(parse("x + y", VARIABLES), parse("tanh(x)"), unit, ((0.0, 0.5), (0.0, 0.5)))
    >>> prove_surface(claim, 0.24).verdict, prove_surface(claim, 0.2).verdict  # 1 - tanh 1 = 0.238...
    ('proved', 'refuted')
    """
    if len(split(claim.activation)) > 1:
        return SurfaceCertificate("undecided", epsilon, math.inf, reason="units with kinks have no Taylor models")
    with computing(terms=ORDER + 1):
        return _SurfaceProof(claim, epsilon, time.monotonic() + seconds, most_boxes).run()


class _SurfaceProof(Bisection[Box, SurfaceCertificate]):
    """The boxes are rectangles; what a first one takes is counted beforehand."""

    def __init__(self, claim: SurfaceClaim, epsilon: float, deadline: float, most_boxes: int) -> None:
        cost = len(claim.network.w) + ORDER
        super().__init__(epsilon, deadline, most_boxes, MOST_TERMS - cost, cost)
        self.claim = claim
        self.symbols = [real_symbol(name) for name in VARIABLES]
        self.directions = [fmpq(2 * m - ORDER + 1, ORDER - 1) for m in range(ORDER)]
        vandermonde = fmpq_mat([[direction**j for j in range(ORDER)] for direction in self.directions])
        self.interpolation = arb_mat(vandermonde.inv())

    def list_boxes(self) -> list[tuple[float, Box]]:
        (a, b), (c, d) = self.claim.domain
        return [(-1.0, (a, b, c, d))]

    def conclude(self) -> SurfaceCertificate:
        largest = max(bound for _, bound in self.shown)
        return SurfaceCertificate("proved", self.epsilon, largest, boxes=len(self.shown))

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
        halves = ((a, x, c, d), (x, b, c, d)) if wide >= tall else ((a, b, c, y), (a, b, y, d))
        return [(order / 2, half) for half in halves]

    def look_at(self, box: Box) -> tuple[float, SurfaceCertificate | None]:
        """A bound of |E| on the box, infinite where there is none; or the refutation at its centre."""
        a, b, c, d = box
        x, y = a / 2 + b / 2, c / 2 + d / 2
        reach = [_reach(a, x, b), _reach(c, y, d)]
        try:
            terms = self.expand_target([arb(x), arb(y)], reach)
            for degree, row in enumerate(self.expand_network(x, y)):
                for j, coefficient in enumerate(row):
                    terms[degree][j] -= coefficient * reach[0] ** (degree - j) * reach[1] ** j
            refuted = self.refute(terms[0][0], (x, y))
            total = self.bound_remainder(box, reach)
        except Undecided:
            return math.inf, None
        for row in terms:
            total += sum((coefficient.abs_upper() for coefficient in row), arb(0))
        return float_above(total), refuted

    def expand_target(self, centre: list[Ball], reach: list[Ball]) -> list[list[Ball]]:
        """F_ij r^i s^j, by degree and then by j: interpolated from the series of F along eight directions (r, t s)."""
        series = []
        for direction in self.directions:
            steps = [reach[0], reach[1] * arb(direction)]
            along = [arb_series([middle, step]) for middle, step in zip(centre, steps, strict=True)]
            series.append(expand(self.claim.target, dict(zip(self.symbols, along, strict=True))))
        found = self.interpolation * arb_mat([[one[k] for k in range(ORDER)] for one in series])
        return [[found[j, degree] for j in range(degree + 1)] for degree in range(ORDER)]

    def expand_network(self, x: float, y: float) -> list[list[Ball]]:
        """f_ij, by degree and then by j."""
        network = self.claim.network
        arguments = self.list_arguments(arb(x), arb(y))
        series = [expand(self.claim.activation, arb_series([z, 1])) for z in arguments]
        rows = []
        for degree, powers in enumerate(self.claim.powers):
            weighted = arb_mat([[arb(float(c)) * one[degree] for c, one in zip(network.c, series, strict=True)]])
            product = weighted * powers
            rows.append([product[0, j] for j in range(degree + 1)])
        rows[0][0] += arb(network.constant)
        return rows

    def bound_remainder(self, box: Box, reach: list[Ball]) -> Ball:
        """max |E_8|, F and each unit by themselves."""
        a, b, c, d = box
        whole, moves = (make_box(a, b), make_box(c, d)), [length * arb(0, 1) for length in reach]
        along = {s: arb_series([p, v]) for s, p, v in zip(self.symbols, whole, moves, strict=True)}
        total = arb(expand(self.claim.target, along)[ORDER].abs_upper())
        network = self.claim.network
        for z, weight, w in zip(self.list_arguments(*whole), network.c, network.w, strict=True):
            step = arb(abs(float(w[0]))) * reach[0] + arb(abs(float(w[1]))) * reach[1]
            size = expand(self.claim.activation, arb_series([z, 1]))[ORDER].abs_upper()
            total += arb(abs(float(weight))) * size * step**ORDER
        return total

    def list_arguments(self, x: Ball, y: Ball) -> list[Ball]:
        """w_k · (x, y) + b_k for each unit."""
        network = self.claim.network
        return [
            arb(float(w[0])) * x + arb(float(w[1])) * y + arb(float(b))
            for w, b in zip(network.w, network.b, strict=True)
        ]

    def refute(self, error: Ball, point: tuple[float, float]) -> SurfaceCertificate | None:
        """The claim is false if the error at one point is surely epsilon or more."""
        if not bool(abs(error) >= arb(self.epsilon)):
            return None
        at_least = math.nextafter(float(abs(error).abs_lower().lower()), -math.inf)
        return SurfaceCertificate("refuted", self.epsilon, math.inf, witness=point, at_least=at_least)


def _reach(low: float, middle: float, high: float) -> Ball:
    """The longer of the two distances, as a thin ball."""
    return (arb(middle) - arb(low)).max(arb(high) - arb(middle))
