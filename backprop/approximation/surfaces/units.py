"""The units of a network on a box: their Taylor terms in x and y, and what the terms leave."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from flint import arb, arb_mat, arb_series

from backprop.approximation.ground.target import Floats
from backprop.approximation.proving.enclosures import expand
from backprop.approximation.proving.ranges import Range
from backprop.approximation.proving.undecided import Ball
from backprop.approximation.proving.values import enclose_on
from backprop.approximation.surfaces.claims import ORDER, SurfaceClaim
from backprop.approximation.surfaces.remainders import ROUNDED, Remainders

__all__ = ["Rest", "Units"]


class Rest(NamedTuple):
    """What the terms of smooth units leave together on a box, and which units may have a kink in it."""

    total: float
    has_kink: np.ndarray[tuple[int], np.dtype[np.bool_]]
    low: Floats
    high: Floats
    """Ends of each unit's argument on the box."""


class Units:
    """The hidden units of a claim, in balls; inside `precision.computing`."""

    def __init__(self, claim: SurfaceClaim) -> None:
        self.network, self.activation = claim.network, claim.activation
        self.remainders = Remainders(claim.activation, ORDER)
        pairs = [(arb(float(first)), arb(float(second))) for first, second in self.network.w]
        self.powers = [
            arb_mat([[math.comb(k, j) * u ** (k - j) * v**j for j in range(k + 1)] for u, v in pairs])
            for k in range(ORDER)
        ]
        """For each degree k the matrix of binomial(k, j) w_n1^(k−j) w_n2^j, shape (width, k + 1)."""

    def bound_rest(self, x: float, y: float, wide: float, tall: float) -> Rest:
        """Σ |c_n| max |σ_k| (|w_n1| r + |w_n2| s)^k for the smooth units on a box with this centre and half sides."""
        w, b, c = self.network.w, self.network.b, np.abs(self.network.c)
        reach = (np.abs(w[:, 0]) * wide + np.abs(w[:, 1]) * tall) * ROUNDED
        middle = w[:, 0] * x + w[:, 1] * y + b
        slack = reach + (np.abs(w[:, 0] * x) + np.abs(w[:, 1] * y) + np.abs(b)) * (ROUNDED - 1) + math.ulp(0.0)
        low, high = middle - slack, middle + slack
        size = self.remainders.bound(low, high)
        has_kink = ~np.isfinite(size) & (c != 0)
        smooth = np.isfinite(size) & (c != 0)
        with np.errstate(over="ignore", under="ignore"):
            parts = c[smooth] * size[smooth] * (reach[smooth] * ROUNDED) ** ORDER
        return Rest(float(np.sum(parts)) * ROUNDED + math.ulp(0.0) * len(c), has_kink, low, high)

    def expand(self, x: float, y: float, rest: Rest) -> list[list[Ball]]:
        """f_ij, by degree and then by j, at a point; a unit with a kink is the ball of all its values on the box.

        Errors: Undecided where a unit may have no value.
        """
        terms = []
        for k, z in enumerate(self.list_arguments(arb(x), arb(y))):
            if rest.has_kink[k]:
                values = enclose_on(self.activation, Range(arb(float(rest.low[k])), arb(float(rest.high[k]))))
                terms.append([values.to_ball()])
            else:
                terms.append(list(expand(self.activation, arb_series([z, 1]))))
        rows = []
        for degree, powers in enumerate(self.powers):
            weights = [
                arb(float(c)) * (one[degree] if degree < len(one) else 0)
                for c, one in zip(self.network.c, terms, strict=True)
            ]
            product = arb_mat([weights]) * powers if weights else arb_mat(1, degree + 1)
            rows.append([product[0, j] for j in range(degree + 1)])
        rows[0][0] += arb(self.network.constant)
        return rows

    def evaluate(self, x: float, y: float) -> Ball:
        """f at a point.  Errors: Undecided where a unit has no value."""
        total = arb(self.network.constant)
        for z, c in zip(self.list_arguments(arb(x), arb(y)), self.network.c, strict=True):
            total += arb(float(c)) * enclose_on(self.activation, Range(arb(z.lower()), arb(z.upper()))).to_ball()
        return total

    def list_arguments(self, x: Ball, y: Ball) -> list[Ball]:
        """w_k · (x, y) + b_k for each unit."""
        network = self.network
        return [
            arb(float(w[0])) * x + arb(float(w[1])) * y + arb(float(b))
            for w, b in zip(network.w, network.b, strict=True)
        ]
