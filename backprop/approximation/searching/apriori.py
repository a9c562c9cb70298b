"""The a-priori bound of the constructed network: the formula of the proof, its numbers in ball arithmetic."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import cache
from typing import Any, cast

import sympy
from flint import arb

from backprop.approximation.proving.undecided import Ball
from theory.chapters.approximation.claims import open_sigma
from theory.chapters.approximation.staircase import (
    BOUND,
    LENGTH,
    OSCILLATION,
    SHARE,
    STEEPNESS,
    STEEPNESS_FOR,
    VARIATION,
)

__all__ = ["AprioriBound", "compute_bound", "compute_steepness"]

HALF, WHOLE = sympy.symbols("half whole")
BALLS: dict[str, Callable[[Any], Any]] = {"exp": lambda ball: ball.exp()}


@dataclass(frozen=True)
class AprioriBound:
    """sup |F - f| <= `total`, proved before any error is measured.

    Attributes:
        cells: n, one more than hidden units.
        half_change, change: upper bounds of ω(h/2) and ω(h), h the length of a cell.
        variation: V, the sum of |c_k|.
        steepness: s, the weight of every hidden unit.
        tail: V sigma(-s h/2).
        rounding: what the rounding of the weights to floats adds.
        total: the bound.
        remark: why it does not tend to 0, if it does not.
    """

    cells: int
    half_change: float
    change: float
    variation: float
    steepness: float
    tail: float
    rounding: float
    total: float
    remark: str = ""

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)

    def __str__(self) -> str:
        text = (
            f"a-priori bound {self.total:.3e} at every point (proved): {self.cells} cells, F changes by at most "
            f"{self.half_change:.3g} over half a cell and {self.change:.3g} over a cell, tails {self.tail:.1e}"
        )
        return f"{text}; {self.remark}" if self.remark else text


@cache
def _compile() -> Callable[..., Ball]:
    """The formula of the book as a function of balls."""
    formula = open_sigma(BOUND.xreplace({OSCILLATION[1]: HALF, OSCILLATION[2]: WHOLE}))
    return cast(
        "Callable[..., Ball]", sympy.lambdify((HALF, WHOLE, VARIATION, LENGTH, STEEPNESS), formula, modules=[BALLS])
    )


def compute_bound(half_change: float, change: float, variation: Ball, length: float, steepness: float) -> Ball:
    """(ω(h/2) + ω(h))/2 + V sigma(-s h/2) as a ball.

    >>> bool(abs(compute_bound(0.5, 1.0, arb(2), 0.1, 400.0) - 0.75) < 1e-8)
    True
    """
    return _compile()(arb(half_change), arb(change), variation, arb(length), arb(steepness))


def compute_steepness(variation: float, share: float, length: float) -> float:
    """The steepness with which all tails together are at most `share`, as the proof has it.

    >>> round(compute_steepness(2.0, 0.02, 0.1), 3)
    92.103
    """
    return float(STEEPNESS_FOR.subs({VARIATION: variation, SHARE: share, LENGTH: length}))
