"""Encloses ∫ p (F − f)² dx: Taylor models of p and of F − f, integrated term by term, and bisection."""

from __future__ import annotations

import heapq
import math
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Any

from flint import arb, arb_poly
from sympy import S

from backprop.approximation.ground.wording import describe_above, describe_below
from backprop.approximation.measures.density import Density
from backprop.approximation.proving.precision import computing, float_above, float_below
from backprop.approximation.proving.proof import Proof
from backprop.approximation.proving.prover import ORDER, IntervalClaim, IntervalProof
from backprop.approximation.proving.ranges import NoValue
from backprop.approximation.proving.undecided import Ball, Undecided
from backprop.approximation.proving.values import enclose_range

__all__ = ["MeanCertificate", "enclose_mean_square"]

MOST_BOXES, MOST_TERMS = 20_000, 1_000_000
"""Taylor models of units on all boxes: about a minute. Not seconds: the same everywhere."""
NEAR = 0.01
"""Relatively: the upper end of the square is not brought nearer to the lower one."""
AS_GOOD_AS_ZERO = 1e-30
"""Of the square of the target's size, times the area under p: nearer to 0 is not asked for."""
DIP = 1e-20
"""Of the largest p: so far below 0 it may be for all that is shown, as at a zero whose place is no float."""
OFTEN = 1.1
"""The sum is worked out when there are so many times as many pieces as the last time."""
ROOM = 1.001
"""Times the bound: what is claimed where no error was asked for; the checker has bounds of its own."""
SHORTEST = 2.0**-60
"""Boxes are not halved below this share of the domain."""


@dataclass(frozen=True)
class MeanCertificate(Proof):
    """What came of it: √ ∫ |p| (F − f)² is between `root_at_least` and `bound`.

    `mass`: two floats with ∫ p between them; `density_at_least`: p is at least that everywhere, so |p| is p where that
    is 0; `edges`: the ends of the boxes, in order.
    """

    edges: tuple[float, ...] = field(repr=False, default=())
    root_at_least: float = 0.0
    mass: tuple[float, float] = (0.0, math.inf)
    density_at_least: float = 0.0

    def describe_places(self) -> tuple[int, str]:
        return len(self.edges) - 1, ""

    def list_places(self) -> dict[str, Any]:
        return {
            "order": ORDER,
            "edges": list(self.edges),
            "root_at_least": self.root_at_least,
            "mass": list(self.mass) if math.isfinite(self.mass[1]) else None,
            "density_at_least": self.density_at_least,
        }

    def describe(self) -> str:
        """What is proved of the root of the mean square, in words."""
        boxes = len(self.edges) - 1
        if self.verdict == "undecided":
            return f"not proved: {self.reason}"
        low, high = describe_below(self.root_at_least, 4), describe_above(self.bound)
        if self.verdict == "refuted":
            return f"REFUTED: it is at least {low}"
        return f"PROVED: at most {high}, at least {low} ({boxes} box{'es' * (boxes != 1)})"

    def __str__(self) -> str:
        return self.describe()


def enclose_mean_square(
    claim: IntervalClaim,
    density: Density,
    scale: float,
    epsilon: float | None = None,
    *,
    seconds: float = math.inf,
    most_boxes: int = MOST_BOXES,
    most_terms: int = MOST_TERMS,
) -> MeanCertificate:
    """Two floats with √ ∫ p (F − f)² dx between them, over the domain of the claim.

    On a box c + h with |h| <= r:  F − f = Σ e_k h^k and p = Σ q_k h^k, k = 0 … 8, where e_8 and q_8 are balls of all
    values that they take on the box and the others are at c. So p (F − f)² = Σ c_m h^m with balls c_m, and

        ∫ c_m h^m dh  is in  mid(c_m) ∫ h^m dh ± rad(c_m) ∫ |h|^m dh.

    The box that says least is halved until the sum is known to a hundredth, or the work allowed is done. Nothing is
    claimed outside of the interval.

    Args:
        scale: the size of F; a sum that is 0 for all that floats can tell is not looked at further.
        epsilon: what the root is to be below; None: only the two floats.

    Returns: MeanCertificate. Errors: none; giving up is an answer ("undecided").

    >>> from theory.functions.elementwise import parse
    >>> from backprop.approximation.measures.density import read_density
    >>> line = IntervalClaim(parse("x**2"), parse("max(x,0)"), (1.0,), (0.0,), (1.0,), 0.0, (0.0, 1.0))
    >>> found = enclose_mean_square(line, read_density("30*x", (0, 1)), 1.0)  # 30 ∫ x (x² − x)² = 1/2
    >>> found.root_at_least <= 0.5**0.5 <= found.bound <= 0.72
    True
    """
    with computing(terms=ORDER + 1):
        search = _Enclosure(claim, density, scale, time.monotonic() + seconds, most_boxes, most_terms)
        return search.conclude(search.run(), epsilon)


@dataclass(frozen=True, order=True)
class _Piece:
    """One box: how much it leaves open (the largest first), where it is, ∫ |p| (F − f)², ∫ p, how far p may dip."""

    order: float
    low: float
    high: float
    square: tuple[Ball, Ball] = field(compare=False)
    mass: Ball = field(compare=False)
    dip: Ball = field(compare=False)


class _Enclosure:
    """The boxes so far, and the totals."""

    def __init__(
        self, claim: IntervalClaim, density: Density, scale: float, deadline: float, most_boxes: int, most_terms: int
    ) -> None:
        self.claim, self.density, self.scale = claim, density, scale
        self.deadline, self.most_boxes, self.terms_left = deadline, most_boxes, most_terms
        self.error = IntervalProof(claim, math.inf, deadline, most_boxes, most_terms)
        weight = IntervalClaim(density.as_written, S.Zero, (), (), (), 0.0, claim.domain)
        self.weight = IntervalProof(weight, math.inf, deadline, most_boxes, most_terms)
        self.why, self.tallest = "", arb(0)
        self.pieces: list[_Piece] = []

    def run(self) -> str:
        """Halve the piece that leaves most open; what is in the way, if it is given up."""
        low, high = self.claim.domain
        cuts = {*self.claim.breaks, *self.density.breaks}
        edges = [low, *(cut for cut in sorted(cuts) if low < cut < high), high]
        self.pieces = [self.look_at(a, b) for a, b in pairwise(edges)]
        heapq.heapify(self.pieces)
        summed_at = 0
        while True:
            if not math.isinf(self.pieces[0].order) and len(self.pieces) > summed_at:
                if self.is_enough():
                    return ""
                summed_at = int(len(self.pieces) * OFTEN)
            worst = self.pieces[0]
            middle = worst.low / 2 + worst.high / 2
            if not worst.low < middle < worst.high or worst.high - worst.low < SHORTEST * (high - low):
                return f"[{worst.low:.17g}, {worst.high:.17g}] is too short to halve"
            if self.terms_left < 0 or len(self.pieces) >= self.most_boxes or time.monotonic() > self.deadline:
                return f"no decision on [{worst.low:.6g}, {worst.high:.6g}] within the work allowed"
            heapq.heapreplace(self.pieces, self.look_at(worst.low, middle))
            heapq.heappush(self.pieces, self.look_at(middle, worst.high))

    def is_enough(self) -> bool:
        """Whether the sum is known well."""
        low, high = self.add_up()
        nothing = AS_GOOD_AS_ZERO * arb(self.scale) ** 2 * self.mass()
        return bool(high - low <= arb(NEAR) * high) or bool(high <= nothing)

    def add_up(self) -> tuple[Ball, Ball]:
        """Two thin balls with ∫ |p| (F − f)² between them."""
        return (sum((one.square[0] for one in self.pieces), arb(0)),
                sum((one.square[1] for one in self.pieces), arb(0)))  # fmt: skip

    def mass(self) -> Ball:
        """∫ p."""
        return sum((one.mass for one in self.pieces), arb(0))

    def look_at(self, a: float, b: float) -> _Piece:
        """Both integrals on a box; a piece that leaves everything open where F, f or p has no bound."""
        self.terms_left -= len(self.claim.w) + 2
        centre = a / 2 + b / 2
        left, right = arb(centre) - arb(a), arb(b) - arb(centre)
        nothing = arb(0)
        try:
            errors, weights = self.error.model(a, b, centre), self.weight.model(a, b, centre)
            dip = self._bound_dip(a, b, weights, left.max(right))
        except Undecided as error:
            self.why = str(error)[:200] if isinstance(error, NoValue) or not self.why else self.why
            return _Piece(-math.inf, a, b, (nothing, nothing), nothing, nothing)
        squares = arb_poly(errors) ** 2
        low, high = _integrate(squares * arb_poly(weights), left, right)
        if bool(dip > 0):
            high += 2 * dip * _integrate(squares, left, right)[1]
        below, above = _integrate(arb_poly(weights), left, right)
        low = arb(low.max(arb(0)).lower())
        self.tallest = self.tallest.max(arb(weights[0].abs_lower()))
        is_open = bool(dip > DIP * self.tallest)
        order = -math.inf if is_open else -float_above(high - low)
        self.why = "p is not shown to be at least 0" if is_open else self.why
        return _Piece(order, a, b, (low, arb(high.upper())), below.union(above), dip)

    def _bound_dip(self, a: float, b: float, weights: Sequence[Ball], radius: Ball) -> Ball:
        """How far p may be below 0 on the box, from its values and from its Taylor model."""
        span = enclose_range(self.density.as_written, arb(a), arb(b))
        model = arb(weights[0].lower())
        for k, weight in enumerate(weights[1:], start=1):
            reach = weight.abs_upper() if k % 2 else arb((-weight).upper()).max(arb(0))
            model -= arb(reach.upper()) * radius**k
        lowest = arb(span.low.max(arb(model.lower())).lower())
        return arb((-lowest).max(arb(0)).upper())

    def conclude(self, obstacle: str, epsilon: float | None) -> MeanCertificate:
        """The verdict, from the pieces as they are."""
        wanted = math.inf if epsilon is None else epsilon
        if any(math.isinf(one.order) for one in self.pieces):
            reason = f"{obstacle} ({self.why})" if self.why else obstacle
            return MeanCertificate("undecided", wanted, reason=reason)
        low, high = self.add_up()
        root = float_above(high.sqrt())
        self.pieces.sort(key=lambda one: one.low)
        mass = self.mass()
        found = MeanCertificate(
            "proved",
            ROOM * root if epsilon is None else epsilon,
            root,
            edges=(*(one.low for one in self.pieces), self.claim.domain[1]),
            root_at_least=max(float_below(low.sqrt()), 0.0),
            mass=(max(float_below(mass), 0.0), float_above(mass)),
            density_at_least=min(0.0, *(float_below(-one.dip) if bool(one.dip > 0) else 0.0 for one in self.pieces)),
        )
        if root < found.epsilon:
            return found
        if found.root_at_least >= found.epsilon:
            return replace(found, verdict="refuted", bound=math.inf, at_least=found.root_at_least)
        reason = f"it is between {found.root_at_least:.6g} and {root:.6g}"
        return replace(found, verdict="undecided", bound=math.inf, reason=reason)


def _integrate(polynomial: Any, left: Ball, right: Ball) -> tuple[Ball, Ball]:
    """Two thin balls with ∫ Σ c_m(h) h^m dh between them, h from −left to right, for any c_m(h) in the balls c_m."""
    middle, spread = arb(0), arb(0)
    up, down = right, left
    for m in range(len(polynomial)):
        coefficient = polynomial[m]
        signed, whole = (up + (-1) ** m * down) / (m + 1), (up + down) / (m + 1)
        middle += arb(coefficient.mid()) * signed
        spread += arb(coefficient.rad()) * whole
        up, down = up * right, down * left
    return arb((middle - spread).lower()), arb((middle + spread).upper())
