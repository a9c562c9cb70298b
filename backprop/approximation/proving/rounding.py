"""How far the network in float64 is from the network: the rounding of its forward pass, bounded on the whole domain.

u = 2^−53, x a double, n units. The argument of a unit is computed as fl(fl(w x) + b), so it is off by at most
δ = u (|w x| + |z|)(1 + 2u); its value by at most L δ and m units in the last place of what it is then, L the largest
|σ'| there; a sum of n products and a constant, in whatever order, by γ (Σ |c_k| |a_k| + |c_0|) with
γ = (n + 2) u / (1 − (n + 2) u).
"""

from __future__ import annotations

import heapq
import math
from itertools import pairwise

from flint import arb
from sympy import Expr

from backprop.approximation.proving.enclosures import make_box
from backprop.approximation.proving.precision import computing, float_above
from backprop.approximation.proving.prover import IntervalClaim, is_bent_line
from backprop.approximation.proving.ranges import Range
from backprop.approximation.proving.undecided import Ball, Undecided
from backprop.approximation.proving.values import enclose_on

__all__ = ["bound_rounding"]

BOXES, MOST_TERMS = 16, 20_000
"""With so many boxes it begins; units that are looked at, on all boxes."""
NEAR = 1.25
"""A bound that many times what it is at a point is not improved on."""
TINY = 1e-300
"""What numbers below all normal ones may add."""


def bound_rounding(claim: IntervalClaim, slope: Expr, ulps: float) -> float:
    """A bound of |f − what float64 makes of f| at every double of the domain; infinite where none is found.

    Args:
        claim: the network; its target does not matter.
        slope: σ', with cases where σ has kinks; σ is continuous.
        ulps: how many units in the last place the computed σ(z) is off at most. Everything else is proved.

    >>> from theory.functions.elementwise import find, parse
    >>> tanh = find("tanh")
    >>> line = IntervalClaim(parse("x"), tanh.as_written, (1.0,), (0.0,), (1e6,), 0.0, (0.0, 1.0))
    >>> 1e-10 < bound_rounding(line, tanh.derivative, 4) < 3e-9
    True
    """
    low, high = claim.domain
    edges = sorted({low + (high - low) * k / BOXES for k in range(BOXES)} | {*claim.domain})
    edges += [cut for cut in claim.breaks if low < cut < high]
    with computing():
        found = _Rounding(claim, slope, ulps)
        boxes = [(-found.bound_on(a, b), a, b) for a, b in pairwise(sorted(set(edges)))]
        heapq.heapify(boxes)
        terms = MOST_TERMS - len(boxes) * len(claim.w)
        while terms > 0:
            bound, a, b = boxes[0]
            middle = a / 2 + b / 2
            if not a < middle < b or -bound <= NEAR * found.bound_on(middle, middle):
                break
            heapq.heapreplace(boxes, (-found.bound_on(a, middle), a, middle))
            heapq.heappush(boxes, (-found.bound_on(middle, b), middle, b))
            terms -= 3 * len(claim.w)
        return -boxes[0][0]


class _Rounding:
    """The bound on one box."""

    def __init__(self, claim: IntervalClaim, slope: Expr, ulps: float) -> None:
        self.claim, self.slope = claim, slope
        self.unit = arb(2) ** -53
        self.of_value = 2 * arb(ulps) * self.unit
        self.is_bent_line = is_bent_line(claim.activation)
        count = len(claim.w) + 2
        self.of_sum = count * self.unit / (1 - count * self.unit)

    def bound_on(self, a: float, b: float) -> float:
        """What rounding adds on a box, at most."""
        x, total, size = make_box(a, b), arb(0), abs(arb(self.claim.constant))
        try:
            for w, shift, c in zip(self.claim.w, self.claim.b, self.claim.c, strict=True):
                value, error = self.bound_unit(arb(w) * x, arb(shift))
                total += abs(arb(c)) * error
                size += abs(arb(c)) * (value + error)
        except Undecided:
            return math.inf
        return float_above(total + self.of_sum * size + TINY)

    def bound_unit(self, product: Ball, shift: Ball) -> tuple[Ball, Ball]:
        """(the largest |σ(z)|, the largest error of it)."""
        z = product + shift
        moved = self.unit * (product.abs_upper() + z.abs_upper()) * (1 + 2 * self.unit)
        if self.is_bent_line:  # max(z, 0) moves by no more than z does, and by nothing where both are below 0
            reach = arb(z.upper()) + moved
            if bool(reach <= 0):
                return arb(0), arb(0)
            value = arb(z.upper()).max(arb(0))
            return value, moved + self.of_value * (value + moved)
        near = z + moved * arb(0, 1)
        slopes = enclose_on(self.slope, Range(arb(near.lower()), arb(near.upper()))).to_ball()
        values = enclose_on(self.claim.activation, Range(arb(z.lower()), arb(z.upper()))).to_ball()
        carried = arb(slopes.abs_upper()) * moved
        value = arb(values.abs_upper())
        return value, carried + self.of_value * (value + carried)
