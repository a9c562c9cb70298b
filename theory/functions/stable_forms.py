"""Stable forms: f and f' rewritten so that nothing overflows, each proved equal to its definition."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sympy
from sympy import Expr, Integer, Rational

from theory.functions.half_line import HalfLine, M, T, X, find_rate, grows
from theory.functions.pieces import Piece
from theory.functions.ratios import NotRational
from theory.functions.values import NO_OTHERS, SYMPY_ERRORS, evaluate_at, evaluate_precisely

__all__ = ["Branch", "ProofError", "StableForm", "differ", "list_sides", "make_halves", "stabilise"]

DIGITS = 40  # decimal digits of a numerical witness
AGREE = 1e-30  # relative agreement a witness asks for
WITNESS_AT = (Rational(3, 7), Rational(31, 9))


class ProofError(ArithmeticError):
    """A form that was to be proved equal to its definition is not, or cannot be shown to be."""


@dataclass(frozen=True, slots=True)
class Branch:
    """f and f' on the stretch (lower, upper], in x, T = exp(-rate |x|) and M = T - 1."""

    lower: Expr
    upper: Expr
    value: Expr
    derivative: Expr


@dataclass(frozen=True, slots=True)
class StableForm:
    """Formulas for evaluation, branch by branch; `rate` is None where T and M do not occur.

    `proved` says that no exponential in the branches can overflow, and that the branches were proved equal to
    the definition; where it is False the branches are the definition itself.
    """

    rate: Expr | None
    branches: tuple[Branch, ...]
    proved: bool


Halves = Mapping[int, HalfLine]
Meanings = Mapping[sympy.Symbol, Expr]


def make_halves(expressions: Sequence[Expr]) -> Halves:
    """Return the two half-lines, -1 and 1, for expressions that are to be compared with one another."""
    rate = find_rate(expressions) or Integer(1)
    return {side: HalfLine(side, rate) for side in (-1, 1)}


def stabilise(pieces: Sequence[Piece], derivatives: Sequence[Expr], halves: Halves) -> StableForm:
    """Return forms of f and f' for evaluation; the definition itself where the rewriting does not apply."""
    pairs = zip(pieces, derivatives, strict=True)
    plain = tuple(Branch(p.lower, p.upper, p.expression, slope) for p, slope in pairs)
    everything = (*(p.expression for p in pieces), *derivatives)
    if not any(map(grows, everything)):
        return StableForm(None, plain, proved=True)
    rate = find_rate(everything)
    if rate is None:
        return StableForm(None, plain, proved=False)
    parts = [part for branch in plain for part in _cut_at_zero(branch)]
    try:
        return StableForm(rate, tuple(_stabilise_branch(part, halves) for part in parts), proved=True)
    except (NotRational, *SYMPY_ERRORS):  # a ProofError is an ArithmeticError
        return StableForm(None, plain, proved=False)


def list_sides(stretch: Piece | Branch) -> list[int]:
    """List the sides of 0 that a stretch reaches: -1, 1 or both."""
    ends = ((-1, stretch.lower), (1, -stretch.upper))
    return [side for side, end in ends if end.is_extended_negative]


def _cut_at_zero(branch: Branch) -> list[Branch]:
    if len(list_sides(branch)) == 1:
        return [branch]
    zero, same = Integer(0), (branch.value, branch.derivative)
    return [Branch(branch.lower, zero, *same), Branch(zero, branch.upper, *same)]


def _stabilise_branch(branch: Branch, halves: Halves) -> Branch:
    (side,) = list_sides(branch)
    value, slope = (_rewrite(u, halves[side]) for u in (branch.value, branch.derivative))
    return Branch(branch.lower, branch.upper, value, slope)


def _rewrite(expression: Expr, half: HalfLine) -> Expr:
    ratio = half.convert(expression).cancel()
    if half.t.top in ratio.bottom:
        raise NotRational("grows without bound")
    stable = half.write(ratio)
    prove_on(half, expression, stable)
    return stable


def prove_on(half: HalfLine, definition: Expr, stable: Expr, meanings: Meanings = NO_OTHERS) -> None:
    """Prove that a form in x, T and M equals a definition in x for all x of a half-line.

    `meanings` says in x what further symbols stand for; the half-line knows them. Two independent ways, both must
    agree: the difference cancels to zero as a ratio of polynomials in |x|, T and atoms (exact, for all x), and the two
    sides agree to 30 digits at two points.

    Errors: `ProofError` if not.

    >>> prove_on(HalfLine(-1, Integer(1)), 1 / (1 + sympy.exp(-X)), T / (1 + T))
    >>> prove_on(HalfLine(1, Integer(1)), 1 / (1 + sympy.exp(-X)), T / (1 + T))
    Traceback (most recent call last):
    theory.functions.stable_forms.ProofError: t/(t + 1) is not 1/(1 + exp(-x)) for x > 0
    """
    try:
        cancels = (half.convert(definition) - half.convert(stable)).is_zero
    except NotRational as reason:
        raise ProofError(f"{stable} could not be compared with {definition}: {reason}") from None
    decay = sympy.exp(-half.side * half.rate * X)
    meanings = {T: decay, M: decay - 1, **meanings}
    points = [half.side * point / (half.rate if evaluate_at(half.rate) > 1 else 1) for point in WITNESS_AT]
    if not cancels or any(differ(definition, stable, point, meanings) for point in points):
        raise ProofError(f"{stable} is not {definition} for x {'>' if half.side > 0 else '<='} 0")


@functools.lru_cache(maxsize=256)
def _evaluate_once(definition: Expr, point: Expr) -> Any:
    return evaluate_precisely(definition, point, DIGITS)


def differ(left: Expr, right: Expr, point: Expr, meanings: Meanings = NO_OTHERS) -> bool:
    """Whether two expressions differ at a point, by value; where there is no value they do."""
    try:
        a, b = _evaluate_once(left, point), evaluate_precisely(right, point, DIGITS, meanings)
        return not abs(a - b) <= AGREE * max(1, abs(a))
    except (ArithmeticError, ValueError):
        return True
