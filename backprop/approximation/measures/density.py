"""A density p(x) on an interval: read as safely as a target, and refused where it is none."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from sympy import Expr

from backprop.approximation.ground.target import CONTINUE, Floats, FunctionTarget, read_target
from backprop.approximation.proving.precision import computing
from backprop.approximation.proving.undecided import Undecided
from backprop.approximation.proving.values import enclose_values
from backprop.errors import UsageError

__all__ = ["Density", "read_density"]

EXAMPLE = "'exp(-x**2)'"
MOST_LOOKED_AT = 20
"""Points where floats find it negative are looked at in balls, so many of them."""


@dataclass(frozen=True, eq=False)
class Density:
    """p >= 0 on [a, b], not 0 everywhere; it need not have the area 1."""

    function: FunctionTarget

    @property
    def text(self) -> str:
        """As it was written."""
        return self.function.text

    @property
    def as_written(self) -> Expr:
        """Not simplified: what a proof is about."""
        return self.function.as_written

    @property
    def breaks(self) -> tuple[float, ...]:
        """Where it or its slope may jump."""
        return self.function.breaks

    @property
    def grid(self) -> Floats:
        """Points that close in on its breaks."""
        return self.function.grid

    def __call__(self, x: Floats) -> Floats:
        """p at some points; not below 0, which rounding alone would be."""
        return np.maximum(self.function(x), 0.0)


def read_density(text: str, domain: Sequence[float]) -> Density:
    """Read a density on a finite interval.

    Raises:
        UsageError: text that is no expression in x; no finite value somewhere (so 1/x at 0, which has no finite
            area either); a negative value; 0 at every point that is looked at.

    >>> read_density("exp(-x**2)", (-3, 3)).text
    'exp(-x**2)'
    """
    if not isinstance(text, str):
        raise UsageError(f"the measure must be text, a density such as {EXAMPLE}; got {type(text).__name__}")
    try:
        density = Density(read_target(text, domain))
    except UsageError as error:
        reason = str(error).replace(CONTINUE, "; an infinite density is not followed, even where its area is finite")
        raise UsageError(reason.replace("target", "density", 1) if reason.startswith("target") else reason) from None
    _refuse_negative(density)
    if not np.any(density.function.values > 0):
        raise UsageError(f"density {text!r} is 0 wherever it was looked at on [{domain[0]:g}, {domain[1]:g}]: "
                         f"nothing is measured there; use one that is positive, such as {EXAMPLE}")  # fmt: skip
    return density


def _refuse_negative(density: Density) -> None:
    """Errors: UsageError for a value that is below 0 for certain, not only in floats."""
    values = density.function.values
    for place in np.argsort(values)[:MOST_LOOKED_AT]:
        point = float(density.grid[place])
        if not values[place] < 0:
            return
        try:
            with computing():
                is_negative = bool(enclose_values(density.as_written, point, point) < 0)
        except Undecided:
            continue
        if is_negative:
            raise UsageError(f"density {density.text!r} is negative at x = {point:.6g} (it is "
                             f"{float(values[place]):.3g}); a density is at least 0 everywhere")  # fmt: skip
