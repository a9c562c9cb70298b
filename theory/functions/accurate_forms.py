"""Accurate forms: f and f' written so that no digit is lost, derived from the definition and proved equal to it.

On either side of 0, with p = |x| and t = exp(-phi(p)), f and f' are products and quotients of polynomials in p, t
and a few functions of them.  A polynomial whose terms have one sign loses nothing.  One that has a root r loses
everything there; it is written by differences from the root, N(p, t) = N(p, t) - N(r, tau) with tau = exp(-phi(r)):

    N(p, t) = d Q(p, t) + tau w R(t),   d = p - r,  w = exp(-(phi(p) - phi(r))) - 1,

where both terms have one sign again, which also proves that there is no other root.  What holds the scaled tail g
of the error function is left whole, to be tabulated; where it has a root, it is divided by p - r first.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import mpmath
import sympy
from sympy import Expr, Integer, Rational, Symbol
from sympy.polys.rings import PolyElement

from theory.functions.decays import Decay, G, find_decay, make_half
from theory.functions.half_line import HalfLine, M, P, T, X
from theory.functions.pieces import Piece
from theory.functions.ratios import NotRational, Ratio, factorise, make_ring
from theory.functions.stable_forms import ProofError, prove_on
from theory.functions.values import SYMPY_ERRORS, evaluate_precisely, to_rational

__all__ = ["TAU", "AccurateForm", "D", "FactoredProduct", "PowerFactor", "R", "Root", "Side", "W", "derive_accurate"]

R = Symbol("r", real=True)  # the root
TAU = Symbol("tau", positive=True)  # t at the root
D = Symbol("d", real=True)  # p - r
W = Symbol("w", real=True)  # exp(-(phi(p) - phi(r))) - 1 = t/tau - 1
DIGITS = 50
SCAN_TO, SCAN_STEPS = 40, 400  # where roots are looked for: t has vanished beyond


@dataclass(frozen=True, slots=True)
class Root:
    """The place r > 0 (or 0) where `polynomial`(p, t, g) vanishes, to 50 digits, and t there."""

    polynomial: Expr
    place: Rational
    decay: Rational


@dataclass(frozen=True, slots=True)
class PowerFactor:
    """A factor and its power; `tabulated` says that it is known as a function of p by `expression` only."""

    expression: Expr
    power: int = 1
    root: Root | None = None
    tabulated: bool = False


@dataclass(frozen=True, slots=True)
class FactoredProduct:
    """constant p**linear t**tail (top factors) / (bottom factors)."""

    constant: Rational
    linear: int
    tail: int
    top: tuple[PowerFactor, ...]
    bottom: tuple[PowerFactor, ...]

    def multiply(self) -> Expr:
        """The product as one expression in P, T, G and the symbols of the root."""
        above = sympy.Mul(*(f.expression**f.power for f in self.top))
        return (
            self.constant
            * P**self.linear
            * T**self.tail
            * above
            / sympy.Mul(*(f.expression**f.power for f in self.bottom))
        )


@dataclass(frozen=True, slots=True)
class Side:
    """One function on one side of 0: a product, or `offset` + `sign` (the product of the left side)."""

    product: FactoredProduct
    offset: Expr | None = None
    sign: int = 1


@dataclass(frozen=True, slots=True)
class AccurateForm:
    """f and f' for x <= 0 and x > 0, in p = |x| and t = exp(-decay.exponent); all proved."""

    decay: Decay
    value: tuple[Side, Side]
    derivative: tuple[Side, Side]


def derive_accurate(pieces: Sequence[Piece], derivatives: Sequence[Expr]) -> AccurateForm | None:
    """Return accurate forms of f and f', each proved equal to the definition; None where the method does not apply.

    It applies to one exponential decay (see `theory.functions.decays`), pieces that meet at 0, and at most one root.
    """
    ends = [piece.upper for piece in pieces[:-1]]
    values = [piece.expression for piece in pieces]
    decay = find_decay([*values, *derivatives])
    if decay is None or any(end != 0 for end in ends):
        return None
    try:
        sides = [
            tuple(_derive_side(one[0 if side < 0 else -1], decay, side) for side in (-1, 1))
            for one in (values, derivatives)
        ]
        value, slope = (_settle(left, right, decay) for left, right in sides)
    except (NotRational, *SYMPY_ERRORS):  # a ProofError is an ArithmeticError
        return None
    return AccurateForm(decay, value, slope)


def _derive_side(definition: Expr, decay: Decay, side: int) -> FactoredProduct:
    """Write a definition on one side as a product of primitive factors, and prove it."""
    half = make_half(decay, side, [definition])
    ratio = half.convert(definition).cancel()
    product = _write_product(ratio, half)
    meanings = {symbol: meaning.subs(P, side * X) for symbol, meaning in decay.meanings().items() if symbol != M}
    prove_on(half, definition, product.multiply().subs(P, side * X), {**meanings, M: meanings[T] - 1})
    return product


def _write_product(ratio: Ratio, half: HalfLine) -> FactoredProduct:
    content, factors = factorise(ratio.top) if ratio.top else (Integer(0), ())
    p, t = half.p.top, half.t.top
    powers = dict(factors)
    top = tuple(PowerFactor(_write_polynomial(f, half), k) for f, k in factors if f not in (p, t))
    bottom = tuple(PowerFactor(_write_polynomial(f, half), k) for f, k in ratio.bottom.items())
    if any(f in (p, t) for f in ratio.bottom):
        raise NotRational("it grows without bound")
    return FactoredProduct(content, powers.get(p, 0), powers.get(t, 0), top, bottom)


def _write_polynomial(polynomial: PolyElement, half: HalfLine) -> Expr:
    names = {atom: key for key, atom in half.atoms.items()}
    generators = make_ring().gens
    return polynomial.as_expr(P, T, *(names.get(generator, Integer(0)) for generator in generators[2:]))


# -------------------------------------------------------------------------------- factors that lose digits


def _settle(left: FactoredProduct, right: FactoredProduct, decay: Decay) -> tuple[Side, Side]:
    """Rewrite the factors that lose digits; on the right with a tabulated tail, reflect: f(x) = x + f(-x), ..."""
    if right.multiply().has(G):
        for offset, sign in ((P, 1), (P, -1), (Integer(1), -1), (Integer(1), 1)):
            if sympy.expand(right.multiply() - offset - sign * left.multiply()) == 0:
                whole = _secure(left, decay)
                return Side(whole), Side(whole, offset, sign)
        raise NotRational("the error function's tail without a reflection")
    return Side(_secure(left, decay)), Side(_secure(right, decay))


def _secure(product: FactoredProduct, decay: Decay) -> FactoredProduct:
    top = tuple(_secure_factor(factor, decay) for factor in product.top)
    bottom = tuple(_secure_factor(factor, decay) for factor in product.bottom)
    if sum(factor.root is not None for factor in (*top, *bottom)) > 1 or any(f.root for f in bottom):
        raise NotRational("more than one root")
    return FactoredProduct(product.constant, product.linear, product.tail, top, bottom)


def _secure_factor(factor: PowerFactor, decay: Decay) -> PowerFactor:
    """Return a factor that may be evaluated as it is written."""
    if factor.expression == T - 1:
        return PowerFactor(M, factor.power)
    if factor.expression.has(G):
        root = _find_root(factor.expression, decay)
        expression = factor.expression / (P - R) if root else factor.expression
        return PowerFactor(expression, factor.power, root, tabulated=True)
    if _has_one_sign(factor.expression):
        return factor
    if factor.power != 1 or factor.expression.has(sympy.log):
        raise NotRational("a root of this kind is not known")
    root = _find_root(factor.expression, decay)
    if root is None:
        raise NotRational("a difference without a root to take it from")
    return PowerFactor(_factor_root(factor.expression, root, decay), 1, root)


def _factor_root(polynomial: Expr, root: Root, decay: Decay) -> Expr:
    """Write N(p, t) as d Q(p, t) + tau w R(t), proved, with both terms of one sign."""
    by_place = _divide_difference(polynomial, P, R)
    by_decay = _divide_difference(polynomial.subs(P, R), T, TAU)
    numbers = {R: root.place, TAU: root.decay}
    if not _has_one_sign(sympy.expand(by_place.subs(numbers) - by_decay.subs(numbers))):
        raise NotRational("terms of both signs at a root")
    result = D * by_place + TAU * W * by_decay
    there = polynomial.subs({P: R, T: TAU}, simultaneous=True)
    back = {D: P - R, W: T / TAU - 1}
    if sympy.expand(result.subs(back) + there - polynomial) != 0:
        raise ProofError(f"{result} is not {polynomial}")
    return result


def _divide_difference(polynomial: Expr, variable: Symbol, other: Symbol) -> Expr:
    """(N(u) - N(v)) / (u - v) as a polynomial: sum of a_k (u**(k-1) + ... + v**(k-1))."""
    coefficients = sympy.Poly(polynomial, variable).all_coeffs()[::-1]
    terms = [
        coefficient * sum(variable**i * other ** (k - 1 - i) for i in range(k))
        for k, coefficient in enumerate(coefficients)
    ]
    return sympy.Poly(sum(terms), P, T).as_expr() if any(terms) else Integer(0)


def _has_one_sign(polynomial: Expr) -> bool:
    """Whether all terms have the same sign for p, t, and logarithms > 0."""
    generators = [u for u in (P, T, *polynomial.atoms(sympy.log)) if polynomial.has(u)]
    coefficients = sympy.Poly(polynomial, *generators).coeffs() if generators else [polynomial]
    numbers = [evaluate_precisely(c, Integer(0), DIGITS) for c in coefficients]
    return all(n > 0 for n in numbers) or all(n < 0 for n in numbers)


def _find_root(polynomial: Expr, decay: Decay) -> Root | None:
    """Find the only place p >= 0 where N vanishes; None without one."""
    meanings = decay.meanings()

    def evaluate_on(p: mpmath.mpf) -> mpmath.mpf:
        return evaluate_precisely(polynomial.xreplace({P: X}), to_rational(p), DIGITS, in_x)

    in_x = {symbol: meaning.xreplace({P: X}) for symbol, meaning in meanings.items() if polynomial.has(symbol)}
    if not polynomial.has(G) and sympy.expand(polynomial.subs({P: 0, T: 1})) == 0:
        return Root(polynomial, Integer(0), Integer(1))
    points = [mpmath.mpf(SCAN_TO) * k / SCAN_STEPS for k in range(SCAN_STEPS // 4)]
    values = [evaluate_on(p) for p in points]
    changes = [(a, b) for (a, u), (b, v) in itertools.pairwise(zip(points, values, strict=True)) if u * v < 0]
    if not changes:
        return None
    if len(changes) > 1:
        raise NotRational("more than one root")
    place = _bisect(evaluate_on, *changes[0])
    return Root(polynomial, place, to_rational(evaluate_precisely(in_t(decay), place, DIGITS)))


def in_t(decay: Decay) -> Expr:
    """t in x = p."""
    return decay.meanings()[T].xreplace({P: X})


def _bisect(function: Callable[[mpmath.mpf], mpmath.mpf], low: mpmath.mpf, high: mpmath.mpf) -> Rational:
    """Return the root between two places of different sign, to 45 digits and more."""
    with mpmath.workdps(DIGITS + 10):
        root = mpmath.findroot(function, (low, high), solver="anderson", tol=mpmath.mpf(10) ** (4 - 2 * DIGITS))
        return to_rational(root)
