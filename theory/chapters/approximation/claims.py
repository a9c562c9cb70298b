"""A claim of a proof: two sides, a relation, where it is to hold, and the judge that decides.

A judge that says yes has shown the claim for every value of its letters; what it cannot show it refuses, so a claim
that was changed does not pass.

>>> v = sympy.Symbol("v")
>>> right = Claim("squares", 2 * v, "<=", v**2 + 1 + 2 * v, Everywhere(at_least(v, 0)))
>>> import dataclasses
>>> right.holds(), dataclasses.replace(right, left=3 * v).holds()
(True, False)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

import sympy
from sympy import Dummy, Expr, Function, Poly, Sum, Symbol

from theory.chapters.approximation.claim_printing import write_claim, write_expression
from theory.functions.elementwise import find
from theory.functions.half_line import X

__all__ = [
    "SIGMA",
    "SLOPE",
    "At",
    "Claim",
    "Everywhere",
    "Induction",
    "Limit",
    "Relation",
    "any_exponent",
    "at_least",
    "between",
    "exponent",
    "means",
    "open_sigma",
]

Relation = Literal["=", "<=", "<"]
SIGMA, SLOPE = Function("sigma"), Function("sigma'")
"""The sigmoid and its derivative as letters; `open_sigma` puts in what the catalogue states and what is derived."""


def open_sigma(expression: Expr) -> Expr:
    """The same with the catalogue's sigmoid and its derived derivative.

    >>> open_sigma(SIGMA(Symbol("t")))
    1/(1 + exp(-t))
    """
    activation = find("sigmoid")
    meanings = {SIGMA: activation.expression, SLOPE: activation.derivative}
    for letter, meaning in meanings.items():
        expression = expression.replace(letter, lambda t, m=meaning: m.xreplace({X: t}))
    return expression.rewrite(sympy.exp)


@dataclass(frozen=True)
class At:
    """What a letter stands for: an expression in which every letter that is left is positive, or at least 0."""

    symbol: Symbol
    value: Expr
    text: str


def means(symbol: Symbol, value: Expr) -> At:
    """A letter with a definition."""
    return At(symbol, value, f"{write_expression(symbol)} = {write_expression(value)}")


def between(symbol: Symbol, low: Expr, high: Expr) -> At:
    """low <= symbol <= high, as low + (high - low) v/(1 + v); the upper end by continuity."""
    v = Dummy("v", nonnegative=True)
    value = low + (high - low) * v / (1 + v)
    return At(symbol, value, " <= ".join(map(write_expression, (low, symbol, high))))


def at_least(symbol: Symbol, low: Expr) -> At:
    """symbol >= low, as low + v."""
    return _from_below(symbol, low, low + Dummy("v", nonnegative=True))


def exponent(symbol: Symbol) -> At:
    """symbol >= 0, as log(1 + v), so that its exponential is 1 + v."""
    return _from_below(symbol, sympy.S.Zero, sympy.log(1 + Dummy("v", nonnegative=True)))


def any_exponent(symbol: Symbol) -> At:
    """A real number, as log v with v > 0, so that its exponential is v."""
    return At(symbol, sympy.log(Dummy("v", positive=True)), f"{symbol} is any real number")


def _from_below(symbol: Symbol, low: Expr, value: Expr) -> At:
    return At(symbol, value, f"{write_expression(symbol)} >= {write_expression(low)}")


class Judge(Protocol):
    """Decides whether a relation holds."""

    def decides(self, left: Expr, relation: Relation, right: Expr) -> bool:
        """Whether the relation is shown."""
        ...

    def describe(self, relation: Relation) -> str:
        """How, in words."""
        ...


@dataclass(frozen=True)
class Claim:
    """left (relation) right, for the reason `note`, as the judge finds."""

    name: str
    left: Expr
    relation: Relation
    right: Expr
    judge: Judge
    note: str = ""

    def holds(self) -> bool:
        """Whether the judge can show it."""
        return self.judge.decides(self.left, self.relation, self.right)

    def describe_letters(self) -> str:
        """What its letters stand for, and where it is to hold; "" if there is nothing to say."""
        return ", ".join(letter.text for letter in self.judge.letters) if isinstance(self.judge, Everywhere) else ""

    def write(self, latex: bool = False) -> str:
        """As one line of text or of LaTeX."""
        if isinstance(self.judge, Limit):
            return self.judge.write(self.left, self.right, latex)
        return write_claim(self.left, self.relation, self.right, latex)


class Everywhere:
    """Puts in what the letters stand for; then right - left is one fraction.

    "=": it is 0. "<=": numerator and denominator are polynomials without a negative coefficient in letters that are
    positive or at least 0, and the denominator is never 0; "<": the numerator is never 0 either.
    """

    def __init__(self, *letters: At) -> None:
        self.letters = letters

    def decides(self, left: Expr, relation: Relation, right: Expr) -> bool:
        difference = open_sigma(right - left)
        for letter in self.letters:
            difference = difference.subs(letter.symbol, letter.value)
        top, bottom = sympy.fraction(sympy.together(sympy.expand(difference, deep=True, mul=False)))
        if relation == "=":
            return bool(sympy.expand(top) == 0)
        return _is_never_negative(top, strict=relation == "<") and _is_never_negative(bottom, strict=True)

    def describe(self, relation: Relation) -> str:
        return "algebra" if relation == "=" else "algebra, no negative coefficient"


def _is_never_negative(expression: Expr, strict: bool) -> bool:
    """Whether no coefficient is negative in letters that are at least 0; strict: nor can all terms vanish together."""
    expanded = sympy.expand(expression)
    letters = sorted(expanded.free_symbols, key=str)
    if not all(letter.is_nonnegative for letter in letters):
        return False
    if not letters:
        return bool(expanded > 0) or (not strict and bool(expanded == 0))
    if not expanded.is_polynomial(*letters):
        return False
    signs = [coefficient.is_nonnegative for coefficient in Poly(expanded, *letters).coeffs()]
    at_zero = expanded.subs({letter: 0 for letter in letters if not letter.is_positive})
    return all(signs) and not (strict and at_zero == 0)


class Induction:
    """Equality for all values of whole numbers: equal at the start, and both sides grow by the same.

    Several letters are done one after the other: (n, j + 1), (j, 1) means n = j + 1, j + 2, … for j = 1, 2, …
    """

    def __init__(self, *over: tuple[Symbol, Expr]) -> None:
        self.over = over

    def decides(self, left: Expr, relation: Relation, right: Expr) -> bool:
        return relation == "=" and _closes(left - right, self.over)

    def describe(self, relation: Relation) -> str:
        starts = ", then ".join(f"{symbol} from {write_expression(start)}" for symbol, start in self.over)
        return f"induction over {starts}"


def _closes(rest: Expr, over: Sequence[tuple[Symbol, Expr]]) -> bool:
    """Whether an expression with sums is 0 at the start and does not change from one number to the next."""
    if not over:
        return bool(sympy.expand(rest.doit()) == 0)
    (symbol, start), *others = over
    if sympy.expand(_increase(rest, symbol) - rest) != 0:
        return False
    return _closes(rest.subs(symbol, start), others)


def _increase(expression: Expr, symbol: Symbol) -> Expr:
    """The expression at symbol + 1, its sums written as the sums at symbol with the new terms."""
    sums = {one: Dummy() for one in expression.atoms(Sum)}
    grown = expression.xreplace(sums).subs(symbol, symbol + 1)
    return grown.xreplace({letter: one + _list_new_terms(one, symbol) for one, letter in sums.items()})


def _list_new_terms(one: Sum, symbol: Symbol) -> Expr:
    """What a sum gains at its upper end and loses at its lower end when the symbol grows by 1."""
    (index, low, high), body = one.limits[0], one.function
    if body.has(symbol):
        return sympy.nan  # equal to nothing: such a sum is refused
    gained, lost = (sympy.expand(end.subs(symbol, symbol + 1) - end) for end in (high, low))
    if not (gained.is_Integer and lost.is_Integer and gained >= 0 and lost >= 0):
        return sympy.nan
    above = sum((body.subs(index, high + k + 1) for k in range(int(gained))), sympy.S.Zero)
    return above - sum((body.subs(index, low + k) for k in range(int(lost))), sympy.S.Zero)


@dataclass(frozen=True)
class Limit:
    """left tends to right as a letter tends to a point; SymPy's algorithm for limits (D. Gruntz, 1996)."""

    symbol: Symbol
    point: Expr

    def decides(self, left: Expr, relation: Relation, right: Expr) -> bool:
        found = sympy.limit(open_sigma(left), self.symbol, self.point)
        return relation == "=" and bool(sympy.simplify(found - open_sigma(right)) == 0)

    def describe(self, relation: Relation) -> str:
        return f"SymPy's limit at {self.symbol} = {self.point}"

    def write(self, left: Expr, right: Expr, latex: bool) -> str:
        """left -> right as symbol -> point."""
        sides = [write_expression(e, latex) for e in (left, right, self.symbol, self.point)]
        if latex:
            return r"{} \to {} \quad ({} \to {})".format(*sides)
        return "{} -> {} as {} -> {}".format(*sides)
