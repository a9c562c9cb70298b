"""Polynomial pieces: a function of p >= 0 as polynomials on short stretches, with a proved bound of what is cut off.

On each stretch the polynomial interpolates at Chebyshev points in y = p - (middle).  If |f| <= M on the ellipse with
the stretch's ends as foci whose half axes add up to rho times the half width h, the interpolant of degree n is off by

    at most  4 M rho**-n / (rho - 1)                                (Trefethen, Approximation Theory, theorem 8.2).

The functions here hold g(p) = exp(p**2 a**2) erfc(a p) / 2 and p.  For the scaled tail

    g(p) = integral over s > 0 of exp(-2 a p s - s**2) / sqrt(pi),    so |g(z)| <= g(Re z) and |g'(z)| <= |g'(Re z)|,

and (N(p) - N(r)) / (p - r) is a mean of N' between, so M follows from the leftmost point of the ellipse alone.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass

import mpmath
import sympy
from sympy import Expr, Rational

from theory.functions.accurate_forms import R, Root
from theory.functions.decays import Decay, G
from theory.functions.half_line import P

__all__ = ["PolynomialPieces", "interpolate", "tabulate"]

DIGITS = 45
ONE = 2**170  # of the fixed-point numbers, exact integers, that interpolation works with
SHARE = Rational(1, 4)  # width of a stretch against p + 1, at most
TRUNCATION = mpmath.mpf(2) ** -60  # asked for, against the smallest value on a stretch
STRETCHES = (4.0, 6.0, 9.0, 13.0, 18.0, 25.0)  # rho


@dataclass(frozen=True, slots=True)
class PolynomialPieces:
    """Polynomials sum of c_k y**k on [edge, next edge), y = p - centre; `low` is what c_0 misses as a float.

    `truncation` bounds |polynomial - function| / |function| in exact arithmetic, roundings of c_k included.
    """

    edges: tuple[float, ...]
    centres: tuple[float, ...]
    coefficients: tuple[tuple[float, ...], ...]
    low: tuple[float, ...]
    truncation: float


def interpolate(function: Callable[[mpmath.mpf], mpmath.mpf], low: float, high: float, degree: int) -> list[Rational]:
    """Return c such that sum of c_k y**k is the function at degree + 1 Chebyshev points of [low, high]."""
    middle, radius = (mpmath.mpf(low) + high) / 2, (mpmath.mpf(high) - low) / 2
    count = degree + 1
    points = [middle + radius * mpmath.cos(mpmath.pi * (2 * k + 1) / (2 * count)) for k in range(count)]
    nodes = [int(point * ONE) for point in points]
    differences = [int(function(point) * ONE) for point in points]
    for order in range(1, count):  # Newton's divided differences, in place
        for k in range(count - 1, order - 1, -1):
            differences[k] = (differences[k] - differences[k - 1]) * ONE // (nodes[k] - nodes[k - order])
    coefficients = [differences[-1]]
    for k in range(count - 2, -1, -1):  # multiply by (y - node) and add
        shifted = [0, *coefficients]
        scaled = [nodes[k] * c // ONE for c in coefficients] + [0]
        coefficients = [a - b for a, b in zip(shifted, scaled, strict=True)]
        coefficients[0] += differences[k]
    return [Rational(c, ONE) for c in coefficients]


class _Function:
    """constant N(p, g) or constant N / (p - r), for numbers with many digits."""

    def __init__(self, expression: Expr, decay: Decay, root: Root | None) -> None:
        self.root, self.scale = root, mpmath.mpf(str(sympy.sqrt(decay.exponent.coeff(P, 2)).evalf(DIGITS)))
        numerator = sympy.expand(sympy.cancel(expression * (P - R)) if root else expression)
        self.terms = [(mpmath.mpf(str(c.evalf(DIGITS))), i, j) for (i, j), c in sympy.Poly(numerator, P, G).terms()]
        self.place = mpmath.mpf(int(root.place.p)) / int(root.place.q) if root else None

    def numerator(self, p: mpmath.mpf) -> mpmath.mpf:
        return sum(c * p**i * self.tail(p) ** j for c, i, j in self.terms)

    def tail(self, p: mpmath.mpf) -> mpmath.mpf:
        return mpmath.exp((self.scale * p) ** 2) * mpmath.erfc(self.scale * p) / 2

    def __call__(self, p: mpmath.mpf) -> mpmath.mpf:
        return self.numerator(p) / (p - self.place) if self.place is not None else self.numerator(p)

    def bound(self, left: mpmath.mpf, size: mpmath.mpf) -> mpmath.mpf:
        """A bound of |f(z)| for Re z >= left, |z| <= size; linear in p and g, as all N here are."""
        if any(i + j > 1 for _, i, j in self.terms):
            raise ArithmeticError("only sums of p and g are bounded")
        if self.place is None:
            return sum(abs(c) * (self.tail(left) if j else size**i) for c, i, j in self.terms)
        left = min(left, self.place)
        slope = abs(2 * self.scale**2 * left * self.tail(left) - self.scale / mpmath.sqrt(mpmath.pi))
        return sum(abs(c) * (slope if j else i) for c, i, j in self.terms)


def tabulate(expression: Expr, decay: Decay, root: Root | None, until: int) -> PolynomialPieces:
    """Return pieces for a function of P and G on [0, until]; with R in it, the function divided by p - r.

    Errors: ArithmeticError where no bound is known.

    >>> pieces = tabulate(G, Decay(P**2 / 2), None, 39)
    >>> len(pieces.centres), pieces.truncation < 2**-55
    (21, True)
    """
    with mpmath.workdps(DIGITS):
        function = _Function(expression, decay, root)
        edges = _choose_edges(until)
        sizes = [_measure(function, a, b) for a, b in _pair(edges)]
        degree = next(n for n in range(8, 40) if _bound(sizes, n) < TRUNCATION)
        rows = [interpolate_centred(function, a, b, degree) for a, b in itertools.pairwise(edges)]
        floats = [[float(c) for c in row] for row in rows]
        low = [float(row[0] - Rational(kept[0])) for row, kept in zip(rows, floats, strict=True)]
        pairs = zip(_pair(edges), floats, sizes, strict=True)
        rounding = max(_bound_rounding(a, b, row, smallest) for (a, b), row, (smallest, _) in pairs)
        bound = float(_bound(sizes, degree) + rounding)
    centres = tuple(float((a + b) / 2) for a, b in _pair(edges))
    return PolynomialPieces(tuple(map(float, edges)), centres, tuple(zip(*floats, strict=True)), tuple(low), bound)


def _pair(edges: list[Rational]) -> list[tuple[Rational, Rational]]:
    return list(itertools.pairwise(edges))


def _choose_edges(until: int) -> list[Rational]:
    """Stretches whose width is a power of two, about a quarter of p + 1."""
    edges = [Rational(0)]
    while edges[-1] < until:
        width = Rational(2) ** sympy.floor(sympy.log(SHARE * (edges[-1] + 1), 2))
        edges.append(edges[-1] + width)
    return edges


def interpolate_centred(function: _Function, low: Rational, high: Rational, degree: int) -> list[Rational]:
    """Interpolate in y = p - middle."""
    middle, half = mpmath.mpf(float((low + high) / 2)), float((high - low) / 2)
    return interpolate(lambda y: function(middle + y), -half, half, degree)


_Sizes = tuple[mpmath.mpf, list[mpmath.mpf]]


def _measure(function: _Function, low: Rational, high: Rational) -> _Sizes:
    """The smallest |f| on a stretch, and a bound of |f| on the ellipse for every rho.

    The smallest is at an end: the functions here are monotonic (their slopes have one sign).
    """
    ends = [abs(function(mpmath.mpf(float(end)))) for end in (low, high)]
    middle, half = mpmath.mpf(float((low + high) / 2)), mpmath.mpf(float((high - low) / 2))
    reaches = [half * (rho + 1 / mpmath.mpf(rho)) / 2 for rho in STRETCHES]
    return min(ends), [function.bound(middle - reach, middle + reach) for reach in reaches]


def _bound(sizes: list[_Sizes], degree: int) -> mpmath.mpf:
    """The largest bound of the truncation over the stretches, against the smallest |f| there."""
    return max(
        min(4 * most * mpmath.mpf(rho) ** -degree / (rho - 1) for most, rho in zip(bounds, STRETCHES, strict=True))
        / smallest
        for smallest, bounds in sizes
    )


def _bound_rounding(low: Rational, high: Rational, row: list[float], smallest: mpmath.mpf) -> mpmath.mpf:
    """What rounding c_1, c_2, ... may change; c_0 is kept as two floats."""
    half = mpmath.mpf(float((high - low) / 2))
    return sum(abs(mpmath.mpf(c)) * half**k for k, c in enumerate(row) if k) * mpmath.mpf(2) ** -53 / smallest
