"""The jump: a continuous function is at least half a jump away from a function that makes one.

Let F have the limits L and R at t from the left and the right, and let f be continuous at t. Near t the error |F − f|
comes as near as one likes to |L − f(t)| and to |R − f(t)|, and the larger of the two is at least |L − R| / 2.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import sympy
from flint import arb
from sympy import Expr

from backprop.approximation.ground.target import FunctionTarget
from backprop.approximation.ground.wording import describe_below
from backprop.approximation.limits.balls import BITS, round_down, round_up
from backprop.approximation.proving.precision import computing
from backprop.approximation.proving.undecided import Ball, Undecided
from backprop.approximation.proving.values import enclose_values

__all__ = ["Jump", "prove_jump"]

SWITCHES = (sympy.Abs, sympy.sign, sympy.Heaviside, sympy.Max, sympy.Min, sympy.Piecewise)
NEAREST, FARTHEST = 60, 30
"""The box around a break reaches this power of 1/2 to both sides, times the size of the domain: the shortest first."""


@dataclass(frozen=True)
class Jump:
    """No continuous function, hence no network with a continuous activation, is nearer to F than `lower`.

    Attributes:
        target, domain: F, the interval.
        box: two floats with exactly one break of F between them (or on both, if it is that float).
        left, right: floats that surely hold the limit of F at the break from the left, from the right.
        lower: a float not above half the distance of the two limits: proved.
    """

    target: str
    domain: tuple[float, float]
    box: tuple[float, float]
    left: tuple[float, float] = field(repr=False)
    right: tuple[float, float] = field(repr=False)
    lower: float

    @property
    def place(self) -> float:
        """Where the break is, as a float."""
        return self.box[0] / 2 + self.box[1] / 2

    @property
    def enough_width(self) -> int:
        """With so many units a network can be a constant, and one steep step: more are of no use at the break."""
        return 1

    def describe(self) -> str:
        """What is proved, in one sentence."""
        return (
            f"{self.target} jumps at x = {self.place:.6g} from {self.left[0]:.6g} to {self.right[0]:.6g}; a continuous "
            f"function has one value there, so it errs by at least half the jump, {describe_below(self.lower)} (proved)"
        )

    def to_dict(self) -> dict[str, Any]:
        """For JSON; the floats read back exactly."""
        return {
            "kind": "jump",
            "target": self.target,
            "domain": list(self.domain),
            "box": list(self.box),
            "left": list(self.left),
            "right": list(self.right),
            "lower": self.lower,
        }


def prove_jump(target: FunctionTarget) -> Jump | None:
    """Find the highest jump of F inside the domain and prove it; None where none is proved.

    At a break one quantity q that decides between cases changes its sign. A box around it, q monotone on the box (its
    derivative is nowhere 0) and every other decision the same on the whole box, holds exactly one break; the formulas
    on both sides are continuous where their balls of values are finite, so these balls hold the limits.

    >>> from backprop.approximation.ground.target import read_target
    >>> jump = prove_jump(read_target("x > 1/2", (0, 1)))
    >>> (jump.place, jump.left, jump.right, jump.lower)
    (0.5, (0.0, 0.0), (1.0, 1.0), 0.5)
    >>> prove_jump(read_target("abs(x - 1/2)", (0, 1))) is None
    True
    """
    with computing(BITS):
        found = [jump for place in target.breaks if (jump := _prove_at(target, place)) is not None]
    return max(found, key=lambda jump: jump.lower, default=None)


def _prove_at(target: FunctionTarget, place: float) -> Jump | None:
    """The jump at a break, if one is proved."""
    for power in range(NEAREST, FARTHEST, -10):
        low, high = _surround(target.domain, place, power)
        if not target.domain[0] < low < high < target.domain[1]:
            continue
        try:
            sides = _find_sides(target.expression, low, high)
            low, high = (place, place) if _is_zero_at(sides.quantity, place) else (low, high)
            left, right = enclose_values(sides.left, low, high), enclose_values(sides.right, low, high)
        except Undecided:
            continue
        lower = round_down(arb(abs(left - right).abs_lower()) / 2)
        return Jump(target.text, target.domain, (low, high), _span(left), _span(right), lower) if lower > 0 else None
    return None


def _surround(domain: tuple[float, float], place: float, power: int) -> tuple[float, float]:
    """Floats below and above a place."""
    reach = (domain[1] - domain[0]) * 2.0**-power
    return min(place - reach, math.nextafter(place, -math.inf)), max(place + reach, math.nextafter(place, math.inf))


def _span(ball: Ball) -> tuple[float, float]:
    return round_down(ball), round_up(ball)


def _is_zero_at(quantity: Expr, place: float) -> bool:
    return bool(enclose_values(quantity, place, place).is_zero())


class _Sides(NamedTuple):
    """The formulas that hold left and right of the one break in a box, and the quantity that is 0 there."""

    left: Expr
    right: Expr
    quantity: Expr


def _find_sides(expression: Expr, low: float, high: float) -> _Sides:
    """The formulas on both sides of the one break in a box.  Errors: Undecided if there is not exactly one."""
    box = _Box(low, high)
    left, right = box.resolve(expression, 0), box.resolve(expression, 1)
    if box.quantity is None:
        raise Undecided("no case changes on the box")
    return _Sides(left, right, box.quantity)


class _Box:
    """Decides cases left (side 0) and right (side 1) of the zero of one quantity."""

    def __init__(self, low: float, high: float) -> None:
        self.low, self.high = low, high
        self.quantity: Expr | None = None
        self.signs = (0, 0)

    def resolve(self, node: Expr, side: int) -> Expr:
        """The node without abs, sign, step, max, min and cases, as it is on one side."""
        if not node.has(*SWITCHES):
            return node
        if isinstance(node, sympy.Piecewise):
            return self.choose_case(node, side)
        arguments = [self.resolve(argument, side) for argument in node.args]
        if isinstance(node, sympy.Max | sympy.Min):
            return self.choose_extreme(arguments, isinstance(node, sympy.Max), side)
        if not isinstance(node, SWITCHES):
            return node.func(*arguments)
        sign = self.find_sign(arguments[0], side)
        if isinstance(node, sympy.Abs):
            return sign * arguments[0]
        return sympy.Integer(sign if isinstance(node, sympy.sign) else max(sign, 0))

    def choose_case(self, node: Expr, side: int) -> Expr:
        """The case of a Piecewise that holds on one side."""
        for value, condition in node.args:
            if condition in (sympy.true, sympy.false):
                holds = bool(condition)
            elif isinstance(condition, sympy.StrictLessThan | sympy.LessThan):
                holds = self.find_sign(self.resolve(condition.rhs - condition.lhs, side), side) > 0
            elif isinstance(condition, sympy.StrictGreaterThan | sympy.GreaterThan):
                holds = self.find_sign(self.resolve(condition.lhs - condition.rhs, side), side) > 0
            else:
                raise Undecided(f"the condition {condition} is not known")
            if holds:
                return self.resolve(value, side)
        raise Undecided(f"no case of {node} holds")

    def choose_extreme(self, arguments: list[Expr], largest: bool, side: int) -> Expr:
        """The largest or smallest of several on one side."""
        best = arguments[0]
        for other in arguments[1:]:
            above = self.find_sign(other - best, side) > 0
            best = other if above == largest else best
        return best

    def find_sign(self, quantity: Expr, side: int) -> int:
        """The sign on one side: the same on the whole box, or that of the quantity that changes it there."""
        if quantity.is_zero:
            raise Undecided("two cases are always the same")
        values = enclose_values(quantity, self.low, self.high)
        if bool(values != 0):
            return 1 if bool(values > 0) else -1
        if self.quantity is None:
            self.quantity, self.signs = quantity, self.find_change(quantity)
        ratio = sympy.cancel(quantity / self.quantity)
        if not ratio.is_nonzero or not ratio.is_number:
            raise Undecided(f"{quantity} and {self.quantity} both change their sign in the box")
        return self.signs[side] * (1 if ratio.is_positive else -1)

    def find_change(self, quantity: Expr) -> tuple[int, int]:
        """The signs at both ends of a box with exactly one zero in it."""
        (x,) = quantity.free_symbols
        ends = [enclose_values(quantity, end, end) for end in (self.low, self.high)]
        slope = enclose_values(sympy.diff(quantity, x), self.low, self.high)
        if not all(bool(value != 0) for value in (*ends, slope)) or bool(ends[0] * ends[1] > 0):
            raise Undecided(f"{quantity} has no single zero in the box")
        return (-1, 1) if bool(slope > 0) else (1, -1)
