"""What "full" accuracy promises of an activation: by proof and test for the catalogue, as measured for an expression.

An error is counted in units in the last place (ulp) of the true value, which is computed with more and more digits
until two results agree.  The places are chosen to hurt: every size of number, both tails, kinks, and the floats next to
the roots of f and f', where what is left of a difference has lost its digits.
"""

from __future__ import annotations

import functools
import itertools
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import mpmath
import numpy as np
from numpy.typing import NDArray
from sympy import Expr, Rational

from backprop.codegen.functions.elementwise import write_functions
from backprop.codegen.lowering.load import load_functions
from backprop.errors import UsageError
from theory.functions.activation_catalogue import NAMES
from theory.functions.elementwise import ActivationFunction, find
from theory.functions.values import evaluate_precisely

__all__ = ["LARGEST", "SLOPE_ULPS", "VALUE_ULPS", "Promise", "find_promise", "require_full"]

Floats = NDArray[np.floating[Any]]
VALUE_ULPS, SLOPE_ULPS = 4.0, 8.0
"""What the full forms of the catalogue promise for every float."""
LARGEST = 16.0
"""What f and f' of an expression may at most have been measured to be off, to be called full."""
DIGITS = (400, 800, 1600)
"""With fewer, a term beside 1 could vanish in both results although it is a float: the smallest is 5e-324."""
AGREE = mpmath.mpf(10) ** -25
SEED, SCATTERED, TAIL = 20240612, 14, 745.0
STEP = 0.37  # between the places where signs are compared


@dataclass(frozen=True)
class Promise:
    """How far f and f' are off at most, in ulp, at so many floats (0: for every float), and where that is."""

    value: float
    slope: float
    place: float
    measured: int

    @property
    def is_full(self) -> bool:
        """May it be called full accuracy?"""
        return self.value <= LARGEST and self.slope <= LARGEST

    def __str__(self) -> str:
        where = f"as measured at {self.measured} floats" if self.measured else "for every float"
        worst = f"; the worst is at x = {self.place!r}" if self.measured else ""
        return f"f within {self.value:.2g} and f' within {self.slope:.2g} units in the last place, {where}{worst}"


def require_full(name: str) -> None:
    """Errors: UsageError where "full" cannot be said of an activation, with what was measured."""
    promise = find_promise(name)
    if not promise.is_full:
        raise UsageError(
            f"there is no full accuracy for the activation {name!r:.60}: {promise}; use accuracy='fast', or write it "
            "so that nothing cancels"
        )


def find_promise(name: str) -> Promise:
    """What full accuracy is for an activation or expression.

    >>> str(find_promise("gelu"))
    "f within 4 and f' within 8 units in the last place, for every float"
    >>> find_promise("x**3 - x").is_full
    False
    """
    return measure(find(name).name)


@functools.lru_cache(maxsize=256)
def measure(name: str) -> Promise:
    """Measured for what is no name of the catalogue."""
    if name in NAMES:
        return Promise(VALUE_ULPS, SLOPE_ULPS, 0.0, 0)
    found = find(name)
    functions = load_functions(write_functions(found, accuracy="full").text, f"activation {name}")
    pairs = [(found.expression, functions["f"]), (found.derivative, functions["f_prime"])]
    places = choose_places(found, [function for _, function in pairs])
    errors = [
        [(float(error), float(x)) for x, error in zip(points, measure_errors(*pair, points), strict=True)]
        for pair in pairs
        for points in (places, np.unique(places.astype(np.float32)))
    ]
    value, slope = max(errors[0] + errors[1]), max(errors[2] + errors[3])
    return Promise(round_up(value[0]), round_up(slope[0]), max(value, slope)[1], sum(map(len, errors)) // 2)


def round_up(number: float) -> float:
    """Two digits, never below the number."""
    if not number or not math.isfinite(number):
        return number
    unit = 10.0 ** (math.floor(math.log10(number)) - 1)
    return math.ceil(number / unit) * unit


def choose_places(found: ActivationFunction, functions: list[Callable[[Floats], Any]]) -> Floats:
    """Floats of every size and sign, in the tails, at kinks, and beside roots of f and f'."""
    rng = np.random.default_rng(SEED)
    sizes = 10.0 ** rng.uniform(-300, 3, SCATTERED)
    near = [rng.uniform(0, reach, SCATTERED) for reach in (3.0, 40.0, TAIL)]
    half = np.concatenate([sizes, *near, [1e-310, 0.5, 1.0, 20.0, 36.0]])
    kinks = [float(kink) for kink in found.kinks]
    roots = [x for function in functions for x in find_roots(function)]
    beside = [np.nextafter(x, side) for x in (*kinks, *roots) for side in (-np.inf, np.inf)]
    off = [x * (1 + s * e) for x in (*kinks, *roots) for s in (-1, 1) for e in (1e-12, 1e-6)]
    return np.unique(np.concatenate([half, -half, [0.0], kinks, roots, beside, off]))


def find_roots(function: Callable[[Floats], Any]) -> Iterator[float]:
    """The float on one side of each change of sign."""
    grid = np.arange(-40.0, 40.0, STEP)
    with np.errstate(all="ignore"):
        values = np.broadcast_to(np.asarray(function(grid), float), grid.shape)
        for (a, b), (left, right) in zip(itertools.pairwise(grid), itertools.pairwise(values), strict=True):
            if left * right < 0:
                yield bisect(function, float(a), float(b), left < 0)


def bisect(function: Callable[[Floats], Any], low: float, high: float, rises: bool) -> float:
    """Halve until nothing lies between."""
    while low < (middle := (low + high) / 2) < high:
        low, high = (middle, high) if (float(function(np.array([middle]))[0]) < 0) == rises else (low, middle)
    return low


def measure_errors(expression: Expr, function: Callable[[Floats], Any], points: Floats) -> Iterator[float]:
    """The error at each point in ulp of the points' type; infinite where there is a NaN, 0 where nothing is known."""
    kind = points.dtype.type
    info = np.finfo(kind)
    with np.errstate(all="ignore"):
        values = np.broadcast_to(np.asarray(function(points)), points.shape)
    for x, computed in zip(points, values, strict=True):
        true = find_true(expression, float(x))
        if true is None or abs(true) > info.max:
            yield 0.0
            continue
        unit = float(np.spacing(kind(max(float(abs(true)), float(info.smallest_normal)))))
        yield float(abs(mpmath.mpf(float(computed)) - true) / unit) if np.isfinite(computed) else np.inf


def find_true(expression: Expr, x: float) -> Any:
    """The true value to many digits; None where it cannot be had."""
    before = None
    for digits in DIGITS:
        try:
            value = evaluate_precisely(expression, Rational(x), digits)
        except (ArithmeticError, ValueError):
            return None
        with mpmath.workdps(digits):
            if before is not None and abs(value - before) <= AGREE * abs(value):
                return value
        before = value
    return None
