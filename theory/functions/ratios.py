"""Ratios of polynomials, with the divisor kept in factors: sums and products need no greatest common divisor.

The ratio is polynomial / (factor**power ...).  Two ratios are equal if the numerator of their difference is zero.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from types import MappingProxyType

from sympy import QQ, Rational, lex
from sympy.polys.rings import PolyElement, PolyRing

__all__ = ["NotRational", "Ratio", "factorise", "make_ring", "share_divisor", "to_rational"]

MAX_PRODUCTS = 4000  # terms of one factor times terms of the other
MAX_TERMS = 300  # of a polynomial
MAX_FACTORED = (12, 12)  # terms and degree of a polynomial that SymPy is asked to factor
MAX_COEFFICIENT = 10**80  # of such a polynomial
ATOMS = 5

Powers = Mapping[PolyElement, int]
Factors = tuple[Rational, tuple[tuple[PolyElement, int], ...]]
NONE: Powers = MappingProxyType({})


class NotRational(Exception):
    """The expression is outside this algebra, or too large for it."""


@functools.cache
def make_ring() -> PolyRing:
    """Return the ring of polynomials in p, t and the atoms u0, u1, ..."""
    return PolyRing(("p", "t", *(f"u{i}" for i in range(ATOMS))), QQ, lex)


def to_rational(number: object) -> Rational:
    """Convert a coefficient."""
    return Rational(int(number.numerator), int(number.denominator))  # type: ignore[attr-defined]


class Ratio:
    """top / product of the factors in `bottom` to their powers; never changed."""

    __slots__ = ("bottom", "top")

    def __init__(self, top: PolyElement, bottom: Powers = NONE) -> None:
        self.top, self.bottom = top, bottom

    def __add__(self, other: Ratio) -> Ratio:
        (left, right), bottom = share_divisor([self, other])
        return Ratio(_check(left + right), bottom)

    def __neg__(self) -> Ratio:
        return Ratio(-self.top, self.bottom)

    def __sub__(self, other: Ratio) -> Ratio:
        return self + -other

    def __mul__(self, other: Ratio) -> Ratio:
        powers = {f: self.bottom.get(f, 0) + other.bottom.get(f, 0) for f in {**self.bottom, **other.bottom}}
        return Ratio(_multiply(self.top, other.top), powers)

    def __pow__(self, exponent: int) -> Ratio:
        base = self if exponent >= 0 else self.invert()
        result = Ratio(make_ring().one)
        for _ in range(abs(exponent)):
            result = result * base
        return result

    @property
    def is_zero(self) -> bool:
        return not self.top

    def invert(self) -> Ratio:
        """1 / self.  Errors: `NotRational` for zero."""
        if self.is_zero:
            raise NotRational("division by zero")
        content, factors = factorise(self.top)
        return Ratio(_expand(self.bottom) * QQ(content.q, content.p), dict(factors)).cancel()

    def cancel(self) -> Ratio:
        """Take the factors of the divisor out of the numerator."""
        if self.is_zero:
            return Ratio(self.top)
        top, left = self.top, {}
        for factor, power in self.bottom.items():
            while power and (quotient := _divide(top, factor)) is not None:
                top, power = quotient, power - 1  # noqa: PLW2901
            if power:
                left[factor] = power
        return Ratio(top, left)


def share_divisor(ratios: list[Ratio]) -> tuple[list[PolyElement], Powers]:
    """Bring ratios to one divisor; return their numerators and the divisor."""
    bottom: dict[PolyElement, int] = {}
    for ratio in ratios:
        for factor, power in ratio.bottom.items():
            bottom[factor] = max(power, bottom.get(factor, 0))
    missing = ({f: k - ratio.bottom.get(f, 0) for f, k in bottom.items()} for ratio in ratios)
    return [_multiply(ratio.top, _expand(more)) for ratio, more in zip(ratios, missing, strict=True)], bottom


def _expand(powers: Powers) -> PolyElement:
    result = make_ring().one
    for factor, power in powers.items():
        for _ in range(power):
            result = _multiply(result, factor)
    return result


def _multiply(left: PolyElement, right: PolyElement) -> PolyElement:
    if right == 1:
        return left
    if len(left) * len(right) > MAX_PRODUCTS:
        raise NotRational("too many terms")
    return _check(left * right)


def _check(polynomial: PolyElement) -> PolyElement:
    if len(polynomial) > MAX_TERMS:
        raise NotRational("too many terms")
    return polynomial


def _divide(top: PolyElement, factor: PolyElement) -> PolyElement | None:
    """Return top / factor if that is a polynomial."""
    quotient, rest = top.div(factor)
    return None if rest else quotient


@functools.lru_cache(maxsize=1024)
def factorise(polynomial: PolyElement) -> Factors:
    """Return the content and the factors with their powers; a large polynomial is one factor.

    >>> p, t, *_ = make_ring().gens
    >>> factorise(2 * p + 2 * p * t)
    (2, ((p, 1), (t + 1, 1)))
    """
    ring, factors = polynomial.ring, {}
    lowest = functools.reduce(lambda a, b: tuple(map(min, a, b)), polynomial.monoms())
    for generator, power in zip(ring.gens, lowest, strict=True):
        if power:
            factors[generator] = power
    rest = ring.from_dict({tuple(i - j for i, j in zip(m, lowest, strict=True)): c for m, c in polynomial.items()})
    for factor, power in _split_factors(rest):
        primitive = _normalise(factor)
        factors[primitive] = factors.get(primitive, 0) + power
    size = _find_content(polynomial)
    for factor, power in factors.items():
        size /= _find_content(factor) ** power
    return size, tuple(factors.items())


def _find_content(polynomial: PolyElement) -> Rational:
    """Return the largest rational that leaves integers without a common divisor, with the sign of the first term."""
    content = to_rational(polynomial.content())
    return -content if polynomial.LC < 0 else content


def _normalise(polynomial: PolyElement) -> PolyElement:
    content = _find_content(polynomial)
    return polynomial if content == 1 else polynomial * QQ(content.q, content.p)


def _split_factors(polynomial: PolyElement) -> list[tuple[PolyElement, int]]:
    """List factors whose product is the polynomial up to a number."""
    degrees = polynomial.degrees()
    if len(polynomial) == 1:
        return []
    if 1 in degrees:
        return _split_linear(polynomial, degrees.index(1))
    terms, degree = MAX_FACTORED
    largest = max(abs(part) for c in polynomial.coeffs() for part in (int(c.numerator), int(c.denominator)))
    if len(polynomial) > terms or max(degrees) > degree or largest > MAX_COEFFICIENT:
        return [(polynomial, 1)]
    return list(polynomial.factor_list()[1])


def _split_linear(polynomial: PolyElement, place: int) -> list[tuple[PolyElement, int]]:
    """a + b v, where v occurs in neither: every factor but one is common to a and b."""
    ring = polynomial.ring
    parts = [ring.from_dict({m: c for m, c in polynomial.items() if m[place] == k}) for k in (0, 1)]
    slope = _divide(parts[1], ring.gens[place])
    shorter, found = min((part for part in (parts[0], slope) if part), key=len), []
    for factor, power in factorise(shorter)[1]:
        common = 0
        while common < power and (quotient := _divide(polynomial, factor)) is not None:
            polynomial, common = quotient, common + 1
        found += [(factor, common)] if common else []
    return [*found, (polynomial, 1)]
