"""How large the last Taylor coefficient of a unit is where its argument lies: found once for each short interval."""

from __future__ import annotations

import math

import numpy as np
from flint import arb_series
from sympy import Expr

from backprop.approximation.ground.target import Floats
from backprop.approximation.proving.enclosures import expand, make_box
from backprop.approximation.proving.precision import float_above
from backprop.approximation.proving.undecided import Undecided

__all__ = ["ROUNDED", "Remainders"]

CELL = 2.0**-4
"""How wide the intervals are."""
MOST_CELLS = 64
"""A unit whose argument reaches further is expanded on all of it."""
ROUNDED = 1 + 1e-9
"""Times a sum of floats that are not negative: more than what a million roundings can take away."""


class Remainders:
    """Bounds of |σ_n| on intervals, n the last of the terms that series have now (`precision.computing`)."""

    def __init__(self, activation: Expr, order: int) -> None:
        self.activation, self.order = activation, order
        self.known: dict[int, float] = {}

    def bound(self, low: Floats, high: Floats) -> Floats:
        """A float not below max |σ_n| for each pair of ends, shape (units,); infinite where there may be none.

        >>> import sympy
        >>> from backprop.approximation.proving.precision import computing
        >>> with computing(terms=3):
        ...     bound = Remainders(sympy.tanh(sympy.Symbol("x")), 2).bound(np.array([-1.0]), np.array([1.0]))
        >>> 0.38 < float(bound[0]) < 0.6  # |tanh''/2| is 0.3849 at most
        True
        """
        first, last = np.floor(low / CELL), np.floor(high / CELL)
        found = np.zeros(len(low))
        for k, (start, end) in enumerate(zip(first, last, strict=True)):
            if end - start < MOST_CELLS:
                found[k] = max(self.look_up(int(cell)) for cell in range(int(start), int(end) + 1))
            else:
                found[k] = self.work_out(float(low[k]), float(high[k]))
        return found

    def look_up(self, cell: int) -> float:
        """The bound on [cell, cell + 1] times the width."""
        if cell not in self.known:
            self.known[cell] = self.work_out(cell * CELL, (cell + 1) * CELL)
        return self.known[cell]

    def work_out(self, low: float, high: float) -> float:
        """The bound on an interval."""
        try:
            return float_above(expand(self.activation, arb_series([make_box(low, high), 1]))[self.order].abs_upper())
        except Undecided:
            return math.inf
