"""Identities: f' as an expression in a = f(x), such as a(1 - a), found with unknown coefficients and proved."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence

import sympy
from sympy import QQ, Expr, Integer, Rational, Symbol
from sympy.polys.matrices import DomainMatrix

from theory.functions.elementary import exponentiate
from theory.functions.half_line import HalfLine, X
from theory.functions.pieces import Piece
from theory.functions.ratios import NotRational, Ratio, share_divisor, to_rational
from theory.functions.stable_forms import Halves, differ, list_sides, prove_on
from theory.functions.values import SYMPY_ERRORS

__all__ = ["A", "find_identity", "find_polynomial", "join_cases"]

A = Symbol("a", real=True)  # the value of f, in an identity f' = g(a)


def find_polynomial(piece: Piece, slope: Expr, halves: Halves) -> Expr | None:
    """Find and prove f' = c0 + c1 a + c2 a**2 on one piece.

    >>> whole = Piece(-sympy.oo, sympy.oo, sympy.tanh(X))
    >>> find_polynomial(whole, 1 - sympy.tanh(X) ** 2, {side: HalfLine(side, Integer(1)) for side in (-1, 1)})
    1 - a**2
    """
    trial = {side: halves[side].copy() for side in list_sides(piece)}
    try:
        for half in trial.values():
            half.known[A] = half.convert(piece.expression)
        half, *_ = trial.values()
        powers = [half.convert(a) for a in (Integer(1), A, A**2)]
        coefficients = _solve(powers, half.convert(slope))
        if coefficients is None:
            return None
        claim = _write_polynomial(*coefficients)
        for half in trial.values():
            prove_on(half, slope, claim, {A: piece.expression})
    except (NotRational, *SYMPY_ERRORS):
        return None
    return claim


def find_exponential(piece: Piece, slope: Expr, halves: Halves) -> Expr | None:
    """Find and prove f' = c0 + c1 a + c2 exp(a) + c3 exp(-a) on one piece; a must hold a logarithm."""
    if not piece.expression.has(sympy.log):
        return None
    trial = {side: halves[side].copy() for side in list_sides(piece)}
    basis = (Integer(1), A, exponentiate(A), exponentiate(-A))
    try:
        meanings = [exponentiate(u) for u in (piece.expression, -piece.expression)]
        half, *_ = trial.values()
        values = [half.convert(u) for u in (Integer(1), piece.expression, *meanings)]
        coefficients = _solve(values, half.convert(slope))
        if coefficients is None:
            return None
        claim = sympy.Add(*(c * u for c, u in zip(coefficients, basis, strict=True)))
        for half in trial.values():
            prove_on(half, slope, claim.xreplace({A: piece.expression}))
    except (NotRational, *SYMPY_ERRORS):  # exp(a) itself may be too large to write down
        return None
    return claim


def find_identity(pieces: Sequence[Piece], derivatives: Sequence[Expr], halves: Halves) -> Expr | None:
    """Find f' = g(a) on each piece by an ansatz with unknown coefficients, prove it, join the pieces by a."""
    found = []
    for piece, slope in zip(pieces, derivatives, strict=True):
        claim = find_polynomial(piece, slope, halves)
        claim = find_exponential(piece, slope, halves) if claim is None else claim
        if claim is None:
            return None
        found.append(claim)
    if len(found) > 1 and not _increases(pieces, derivatives, halves):
        return None
    edges = [p.upper if p.upper.is_infinite else p.expression.subs(X, p.upper) for p in pieces]
    return join_cases(zip(found, edges, strict=True), A)


def join_cases(values: Iterable[tuple[Expr, Expr]], variable: Symbol) -> Expr:
    """Join (value, upper end) pairs to one expression in the variable."""
    cases = [(value, variable <= upper if upper.is_finite else sympy.true) for value, upper in values]
    if all(value == cases[0][0] for value, _ in cases):
        return cases[0][0]
    return sympy.Piecewise(*cases, evaluate=False)


def _solve(columns: list[Ratio], target: Ratio) -> list[Rational] | None:
    """Return c with target = sum of c_i columns_i, if there is such a c."""
    polynomials, _ = share_divisor([*columns, target])
    monomials = sorted({monomial for one in polynomials for monomial in one.monoms()})
    rows = [[one.get(monomial, QQ(0)) for one in polynomials] for monomial in monomials]
    matrix = DomainMatrix(rows, (len(rows), len(polynomials)), QQ)
    for vector in matrix.nullspace().to_list():
        if vector[-1] != 0:
            return [to_rational(-entry / vector[-1]) for entry in vector[:-1]]
    return None


def _write_polynomial(one: Rational, first: Rational, second: Rational) -> Expr:
    """Write c0 + c1 a + c2 a**2, with a factored out where that is all."""
    if one == 0 and first != 0 and second != 0:
        return sympy.Mul(A, first + second * A, evaluate=False)
    return one + first * A + second * A**2


def _increases(pieces: Sequence[Piece], derivatives: Sequence[Expr], halves: Halves) -> bool:
    """Whether x <= kink can be read off a = f(x): f is continuous, f' >= 0, and > 0 right of a kink."""
    joints = itertools.pairwise(pieces)
    if any(differ(left.expression, right.expression, left.upper) for left, right in joints):
        return False
    signs = [
        _is_surely_positive(slope, halves[side])
        for piece, slope in zip(pieces, derivatives, strict=True)
        for side in list_sides(piece)
    ]
    return all(signs[1:] if derivatives[0] == 0 else signs)


def _is_surely_positive(slope: Expr, half: HalfLine) -> bool:
    """Whether f' is a quotient of polynomials in p, t > 0 with positive coefficients only."""
    try:
        ratio = half.copy().convert(slope).cancel()
    except NotRational:
        return False
    if ratio.is_zero:
        return False
    used = [any(m[2:]) for part in (ratio.top, *ratio.bottom) for m in part.monoms()]
    return not any(used) and all(c > 0 for part in (ratio.top, *ratio.bottom) for c in part.coeffs())
