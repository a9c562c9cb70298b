"""Leshno's floor: a network with a polynomial for activation is a polynomial, and no polynomial comes nearer than this.

If σ is a polynomial of degree k, then c_0 + Σ c_j σ(w_j x + b_j) is one of degree k or less, whatever the width.
Points x_0 < … < x_{k+1} and weights λ with Σ |λ_i| = 1 that send every such polynomial p to 0 give

    max |F − p| >= |Σ λ_i (F(x_i) − p(x_i))| = |Σ λ_i F(x_i)|,

a lower bound for all of them at once. Where the best polynomial errs most, with alternating signs, it is sharp.
"""

from __future__ import annotations

import bisect
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

import numpy as np
from flint import arb
from numpy.polynomial import chebyshev
from numpy.typing import ArrayLike
from sympy import Expr

from backprop.approximation.ground.solving import list_peaks, solve_minimax_exactly
from backprop.approximation.ground.target import Floats, FunctionTarget
from backprop.approximation.ground.wording import describe_below
from backprop.approximation.limits.balls import BITS, enclose_fraction, round_down
from backprop.approximation.limits.weights import check_weights, find_weights
from backprop.approximation.proving.precision import computing
from backprop.approximation.proving.undecided import Undecided
from backprop.approximation.proving.values import enclose_values

__all__ = ["Floor", "prove_floor"]

"""The highest degree for which a floor is looked for."""


@dataclass(frozen=True)
class Floor:
    """No polynomial of that degree or less, hence no network, is nearer to F than `lower`.

    Attributes:
        target, domain, degree: F, the interval, k.
        points, weights: k + 2 points of the grid and weights λ, exact; checked when the object is made.
        lower: a float not above |Σ λ_i F(x_i)|: proved; 0 if F is such a polynomial.
        upper: the largest |F − p| on a grid for the best polynomial p found: measured.
        coefficients: of p in Chebyshev's polynomials on the domain.

    Errors: `ArithmeticError` where the weights do not send every polynomial of that degree to 0.
    """

    target: str
    domain: tuple[float, float]
    degree: int
    points: tuple[Fraction, ...] = field(repr=False)
    weights: tuple[Fraction, ...] = field(repr=False)
    lower: float
    upper: float
    coefficients: tuple[float, ...] = field(repr=False)

    def __post_init__(self) -> None:
        check_weights(self.points, self.weights, self.degree)

    @property
    def enough_width(self) -> int:
        """With so many units a network can be any polynomial of the degree: more are of no use."""
        return self.degree

    def p(self, x: ArrayLike) -> Floats:
        """The best polynomial found, in floats; the result has the shape of x."""
        return np.asarray(chebyshev.chebval(_shrink(np.asarray(x, dtype=float), self.domain), self.coefficients))

    def describe(self) -> str:
        """What is proved and what is measured, in one sentence."""
        low, high = self.domain
        where = f"{self.target} on [{low:g}, {high:g}]"
        if self.lower == 0:
            return f"no floor above 0 is proved for {where} and polynomials of degree {self.degree}"
        return (
            f"every polynomial of degree {self.degree} or less misses {where} by at least {describe_below(self.lower)} "
            f"at one of {len(self.points)} points (proved), and the best one found by {self.upper:.6g} on a grid"
        )

    def to_dict(self) -> dict[str, Any]:
        """For JSON: points and weights as fractions "p/q", so that anybody can check them."""
        return {
            "kind": "floor",
            "target": self.target,
            "domain": list(self.domain),
            "degree": self.degree,
            "points": [str(point) for point in self.points],
            "weights": [str(weight) for weight in self.weights],
            "lower": self.lower,
            "upper_on_grid": self.upper,
        }


def prove_floor(target: FunctionTarget, degree: int) -> Floor:
    """Prove how near polynomials of a degree can come to F at most: E_k(F) >= |Σ λ_i F(x_i)|.

    Floats only say where to look: a linear programme finds the best polynomial on the grid, its highest peaks of error
    are one set of points, Chebyshev's points another. The proof is in exact weights and balls; the better one is kept.

    Source: C. de la Vallée-Poussin, Leçons sur l'approximation (1919); M. Leshno, V. Lin, A. Pinkus, S. Schocken,
    Multilayer feedforward networks with a nonpolynomial activation function can approximate any function (1993).

    >>> from backprop.approximation.ground.target import read_target
    >>> floor = prove_floor(read_target("x**2", (0, 1)), 1)
    >>> floor.lower, [str(point) for point in floor.points], [str(weight) for weight in floor.weights]
    (0.125, ['0', '1/2', '1'], ['1/4', '-1/2', '1/4'])
    """
    coefficients, residual = _fit(target, degree)
    proved: list[tuple[float, tuple[Fraction, ...], tuple[Fraction, ...]]] = []
    chebyshev_points = _list_chebyshev(target, degree + 2)
    for first in (_choose_peaks(target, residual, degree + 2), _list_beside_jump(target), []):
        others = [x for x in chebyshev_points if x not in first]
        points = tuple(map(Fraction, sorted(first + others[: degree + 2 - len(first)])))
        weights = find_weights(points)
        proved.append((_bound_below(target.as_written, points, weights), points, weights))
    lower, points, weights = max(proved)
    upper = float(np.max(np.abs(residual)))
    return Floor(target.text, target.domain, degree, points, weights, lower, upper, tuple(map(float, coefficients)))


def _bound_below(target: Expr, points: tuple[Fraction, ...], weights: tuple[Fraction, ...]) -> float:
    """A float not above |Σ λ_i F(x_i)|; 0 where F has no ball of values at a point."""
    with computing(BITS):
        total = arb(0)
        try:
            for point, weight in zip(points, weights, strict=True):
                total += enclose_fraction(weight) * enclose_values(target, float(point), float(point))
        except Undecided:
            return 0.0
        return max(round_down(arb(total.abs_lower())), 0.0)


def _shrink(x: Floats, domain: tuple[float, float]) -> Floats:
    """From the domain to [−1, 1]."""
    low, high = domain
    return (x - (low / 2 + high / 2)) / (high / 2 - low / 2)


def _fit(target: FunctionTarget, degree: int) -> tuple[Floats, Floats]:
    """The best polynomial on the grid, in Chebyshev's polynomials, and F minus it."""
    basis = chebyshev.chebvander(_shrink(target.grid, target.domain), degree)
    coefficients = solve_minimax_exactly(np.asarray(basis, dtype=np.float64), target.values)
    return coefficients, target.values - basis @ coefficients


def _choose_peaks(target: FunctionTarget, residual: Floats, count: int) -> list[float]:
    """So many points where the error peaks with alternating sign, the lowest peak as high as can be; [] if too few."""
    heights = sorted(np.abs(residual[list_peaks(residual, np.finfo(float).tiny)]), reverse=True)
    enough = bisect.bisect_left(heights, True, key=lambda height: len(list_peaks(residual, height)) >= count)
    if enough == len(heights):
        return []
    return [float(target.grid[place]) for place in list_peaks(residual, heights[enough])[:count]]


def _list_beside_jump(target: FunctionTarget) -> list[float]:
    """Two points of the grid around the place where F changes most between neighbours: at a jump they alone decide.

    Not the neighbours themselves: one of them may be the break, where the value is a matter of convention.
    """
    place = int(np.argmax(np.abs(np.diff(target.values))))
    return [float(target.grid[max(place - 1, 0)]), float(target.grid[min(place + 2, len(target.grid) - 1)])]


def _list_chebyshev(target: FunctionTarget, count: int) -> list[float]:
    """The points of the grid next above those where Chebyshev's polynomial of degree count − 1 is largest.

    On the grid, so that no error that is measured there is below a floor that is proved with them.
    """
    low, high = target.domain
    ideal = low / 2 + high / 2 - (high / 2 - low / 2) * np.cos(np.pi * np.arange(count) / (count - 1))
    places = np.searchsorted(target.grid, ideal)
    return [float(x) for x in target.grid[np.clip(places, 0, len(target.grid) - 1)]]
