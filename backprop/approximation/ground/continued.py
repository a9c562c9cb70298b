"""Removable singularities of a target: where they are, what F tends to there, and floats near them that are right."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from typing import Any

import numpy as np
import sympy
from flint import arb, arb_series
from numpy.typing import NDArray
from sympy import Expr, Rational

from backprop.approximation.proving.enclosures import expand, make_box
from backprop.approximation.proving.precision import computing
from backprop.approximation.proving.undecided import Undecided
from backprop.approximation.proving.values import enclose_values
from backprop.errors import UsageError
from theory.functions.values import ContinuedFunction

__all__ = ["Continuation", "continue_at_holes", "list_candidates"]

ORDER, HALVINGS = 12, 40
"""Of the polynomial that stands for F near a singularity, and how often its reach is halved until it is right."""
ROUNDING = 1e-17
FINE = 1300
"""Bits: e^x − 1 for the smallest float loses 1074 of them."""
CLOSE = 1e-5
"""So near to a singularity, in lengths of the domain, values are worked out in balls."""

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class _Patch:
    """Near a point F is a polynomial, or where there is none, its values are worked out in balls one by one."""

    place: float
    reach: float
    coefficients: Floats
    extended: Expr

    def __call__(self, x: Floats) -> Floats:
        if len(self.coefficients):
            return np.asarray(np.polynomial.polynomial.polyval(x - self.place, self.coefficients))
        return np.array([_work_out(self.extended, float(point)) for point in x])


@lru_cache(maxsize=100_000)
def _work_out(extended: Expr, point: float) -> float:
    with computing(FINE):
        return float(enclose_values(extended, point, point).mid())


@dataclass(frozen=True, eq=False)
class Continuation:
    """F as it is written, extended to some points, and as a function of floats.

    Attributes:
        as_written: the expression, with its points.
        points: where it has no value by itself; exact doubles.
        function: on arrays.
    """

    as_written: Expr
    points: tuple[float, ...]
    function: Callable[[Any], Any]


def continue_at_holes(
    text: str, as_written: Expr, function: Callable[[Any], Any], domain: tuple[float, float]
) -> Continuation:
    """Extend F by its limits to the points where it has no value.

    Errors: `UsageError` where no limit is shown, or there is no such point.
    """
    points = tuple(
        sorted({point for point in list_candidates(as_written, domain) if not _has_value(as_written, point)})
    )
    if not points:
        raise UsageError(f"target {text!r}: no point without a value was found that could be continued; leave it out")
    exact = [Rational(*Fraction(point).as_integer_ratio()) for point in points]
    extended = ContinuedFunction(as_written, *exact)
    for point in points:
        if not _has_value(extended, point):
            raise UsageError(
                f"target {text!r}: no limit is shown at x = {point:g}; what can be continued is a quotient whose parts "
                "vanish there, v*log(v), and exp(-u/v) with u > 0, v >= 0; choose a domain without it"
            )
    patches = [_make_patch(extended, point, domain) for point in points]
    return Continuation(extended, points, lambda x: _evaluate(function, patches, x))


def _has_value(expression: Expr, point: float) -> bool:
    try:
        enclose_values(expression, point, point)
    except Undecided:
        return False
    return True


def list_candidates(node: Expr, domain: tuple[float, float]) -> Iterator[float]:
    """Ends, a few whole numbers, and dyadic zeros of polynomials inside."""
    low, high = domain
    yield from (point for point in (low, high, 0.0, -1.0, 1.0) if low <= point <= high)
    for part in sympy.preorder_traversal(node):
        if not isinstance(part, Expr) or len(part.free_symbols) != 1 or not part.is_polynomial():
            continue
        polynomial = sympy.Poly(part.expand(), *part.free_symbols)
        for root in polynomial.ground_roots() if polynomial.domain in (sympy.ZZ, sympy.QQ) else ():
            if root.is_Rational and low <= root <= high and Rational(float(root)) == root:
                yield float(root)


def _make_patch(extended: Expr, point: float, domain: tuple[float, float]) -> _Patch:
    """The Taylor polynomial at the point, as far as its remainder is less than rounding; else the value alone."""
    reach = (domain[1] - domain[0]) / 4
    with computing(terms=ORDER + 1):
        for _ in range(HALVINGS):
            reach /= 2
            try:
                rest = expand(extended, arb_series([make_box(point - reach, point + reach), 1]))[ORDER]
                near = expand(extended, arb_series([arb(point), 1]))
            except Undecided:
                continue
            if bool(rest.abs_upper() * arb(reach) ** ORDER < ROUNDING * max(1.0, abs(float(near[0].mid())))):
                return _Patch(point, reach, np.array([float(near[k].mid()) for k in range(ORDER)]), extended)
    return _Patch(point, CLOSE * (domain[1] - domain[0]), np.zeros(0), extended)


def _evaluate(function: Callable[[Any], Any], patches: list[_Patch], x: Any) -> Floats:
    points = np.asarray(x, dtype=np.float64)
    values = np.array(np.broadcast_to(function(points), points.shape), dtype=np.float64)
    for patch in patches:
        near = np.abs(points - patch.place) <= patch.reach
        values[near] = patch(points[near])
    return values
