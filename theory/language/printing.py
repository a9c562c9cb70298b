"""How an equation looks: one traversal, three alphabets (terminal text, LaTeX, MathML).

>>> from theory.language.notation import l, total, unit, var
>>> i, j = unit("i", l - 1), unit("j", l)
>>> show(total(var("w", l, i, j) * var("a", l - 1, i), i) + var("b", l, j))
'Σ_i w_ij^l a_i^(l-1) + b_j^l'
>>> show(var("b", l, j), "latex")
'b_{j}^{l}'
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import ClassVar, Literal

from sympy import Add, Expr, Integer, Mul, Pow, Rational, Symbol, preorder_traversal
from sympy.core.function import AppliedUndef
from sympy.core.function import Function as NamedFunction

from theory.language.alphabets import ALPHABETS, Alphabet, MathML
from theory.language.notation import Delta, Function, Held, Index, Partial, Total, Variable, Width

__all__ = ["Style", "math_ml", "printed_as", "printer", "rank", "show"]

Style = Literal["text", "latex", "mathml"]

SUM, PRODUCT, ATOM = 0, 1, 2
RANK = {"y": 3, "w": 4, "b": 4, "v": 4, "e": 4, "c": 4, "a": 5, "z": 5, "delta": 6}


def rank(factor: Expr) -> tuple[int, str]:
    """The reading order of the factors of a product: numbers, f', letters, errors, derivatives, deltas, sums."""
    base = factor.base if isinstance(factor, Pow) else factor
    for kind, place in ((Function, 2), (Variable, 0), (Partial, 7), (Delta, 8), (Total, 9)):
        if isinstance(base, kind):
            return (RANK.get(base.name.partition("_")[0], 5) if kind is Variable else place), str(factor)
    return (0 if base.is_number else 1 if base.is_Symbol else 6), str(factor)


class Printer:
    """Writes a tree of nodes in one alphabet.  Other rooms add their nodes with `printer(NodeType)`."""

    table: ClassVar[dict[type, Callable[[Printer, Expr], tuple[str, int]]]] = {}

    def __init__(self, alphabet: Alphabet) -> None:
        self.alphabet = alphabet

    def show(self, expr: Expr, tightness: int = SUM) -> str:
        for kind in type(expr).__mro__:
            if kind in self.table:
                text, level = self.table[kind](self, expr)
                return self.alphabet.group(text) if level < tightness else text
        raise TypeError(f"no way to print a {type(expr).__name__} node: {expr!r}")


def printer(*kinds: type) -> Callable[[Callable[[Printer, Expr], tuple[str, int]]], Callable[..., tuple[str, int]]]:
    """Register how nodes of a type are printed: the function returns the text and how tightly it binds."""

    def register(function: Callable[[Printer, Expr], tuple[str, int]]) -> Callable[..., tuple[str, int]]:
        for kind in kinds:
            Printer.table[kind] = function
        return function

    return register


Signs = Sequence[tuple[str, str]]
_MANNER: ContextVar[tuple[Callable[[Expr], Expr], Signs] | None] = ContextVar("manner", default=None)


@contextmanager
def printed_as(rewriting: Callable[[Expr], Expr], signs: Signs = ()) -> Iterator[None]:
    """While it lasts every expression is rewritten before it is printed, and some signs are others.

    >>> from theory.language.notation import Function, l, unit, var
    >>> with printed_as(lambda expr: expr, [("f", "σ")]):
    ...     show(Function(l, 1, var("z", l, unit("j", l))))
    "σ'_l(z_j^l)"
    """
    token = _MANNER.set((rewriting, signs))
    try:
        yield
    finally:
        _MANNER.reset(token)


def show(expr: Expr, style: Style = "text") -> str:
    """The expression as text, LaTeX or MathML (without the outer delimiters)."""
    manner = _MANNER.get()
    if manner is None:
        return Printer(ALPHABETS[style]).show(expr)
    rewriting, signs = manner
    return Printer(ALPHABETS[style].with_signs(signs)).show(rewriting(expr))


def math_ml(body: str, block: bool = False) -> str:
    """Wrap a MathML body into its element; a block has large sums and fractions, and stays where text would be."""
    return f"<math displaystyle='{'true' if block else 'false'}'>{body}</math>"


Printer.table |= {
    Rational: lambda p, e: (p.alphabet.fraction(p.alphabet.number(str(e.p)), p.alphabet.number(str(e.q))), PRODUCT),
    Symbol: lambda p, e: (p.alphabet.letter(e.name), ATOM),
    Width: lambda p, e: (p.alphabet.scripts(p.alphabet.letter("M"), p.show(e.layer), ""), ATOM),
    Index: lambda p, e: (p.alphabet.letter(e.name), ATOM),
    Function: lambda p, e: (head(p, e) + p.alphabet.group(p.show(e.argument)), ATOM),
    Total: lambda p, e: (p.alphabet.sum(p.show(e.index), p.show(e.index.size)) + p.show(e.body, PRODUCT), PRODUCT),
}
"""What is printed in one line."""


@printer(Integer)
def print_integer(p: Printer, e: Expr) -> tuple[str, int]:
    return (p.alphabet.number(str(e)), ATOM) if e >= 0 else (p.alphabet.minus + p.alphabet.number(str(-e)), SUM)


@printer(Variable)
def print_variable(p: Printer, e: Expr) -> tuple[str, int]:
    layer = "" if e.layer is None else p.show(e.layer)
    names = p.alphabet.indices([p.show(index) for index in e.indices])
    return p.alphabet.scripts(p.alphabet.letter(e.name), names, layer), ATOM


def head(p: Printer, e: Function) -> str:
    """f with its layer and its primes; of layer 0 the function of the gates."""
    name, layer = ("σ", "") if e.layer == 0 else (p.alphabet.function, p.show(e.layer))
    if isinstance(p.alphabet, MathML):
        return p.alphabet.prime_scripts(p.alphabet.letter(name), e.order, layer)
    return p.alphabet.scripts(p.alphabet.prime(p.alphabet.letter(name), e.order), layer, "")


@printer(NamedFunction, AppliedUndef)
def print_named_function(p: Printer, e: Expr) -> tuple[str, int]:
    arguments = p.alphabet.operator(", ").join(p.show(arg) for arg in e.args)
    return p.alphabet.word(type(e).__name__) + p.alphabet.group(arguments), ATOM


@printer(Delta)
def print_delta(p: Printer, e: Expr) -> tuple[str, int]:
    """[i=j]: a sign of its own, since δ is the error."""
    return p.alphabet.same(*(p.show(index) for index in e.args)), ATOM


@printer(Partial)
def print_partial(p: Printer, e: Expr) -> tuple[str, int]:
    u = p.show(e.u)
    if not isinstance(e.u, Variable | Function | NamedFunction):
        u = p.alphabet.group(u)
    return p.alphabet.derivative(u, p.show(e.x), isinstance(e, Held)), ATOM


@printer(Add)
def print_add(p: Printer, e: Expr) -> tuple[str, int]:
    constants = [t for t in e.args if t.is_number]
    terms = sorted((t for t in e.args if not t.is_number), key=lambda t: (negative(t), term_rank(t)))
    if not any(isinstance(node, Variable) for node in preorder_traversal(e)):
        terms, constants = terms + constants, []  # l - 1, not -1 + l
    if constants and constants[0].is_negative and terms and not negative(terms[0]):
        terms, constants = terms + constants, []  # a - 1, not -1 + a
    text = ""
    for position, term in enumerate(constants + terms):
        sign = p.alphabet.minus if negative(term) else ("" if position == 0 else p.alphabet.operator("+"))
        body = p.show(-term if negative(term) else term, PRODUCT if negative(term) else SUM)
        spaced = isinstance(p.alphabet, MathML) or all(t.is_number or t.is_Symbol for t in e.args)
        text += (sign + body) if spaced or position == 0 else f" {sign} {body}"
    return text, SUM


def negative(term: Expr) -> bool:
    """Does the term carry a minus sign in front?"""
    return bool(term.as_coeff_Mul()[0].is_negative)


def term_rank(term: Expr) -> tuple[int, str]:
    """Sums first (Σ w a + b), then letters, as the lecture writes them; what is subtracted the other way round."""
    has_sum = any(isinstance(node, Total) for node in preorder_traversal(term))
    return int(has_sum == negative(term)), str(term)


@printer(Mul)
def print_mul(p: Printer, e: Expr) -> tuple[str, int]:
    if e.as_coeff_Mul()[0].is_negative:
        return p.alphabet.minus + p.show(-e, PRODUCT), SUM
    above = [f for f in e.args if not is_reciprocal(f) and not isinstance(f, Rational)]
    below = [1 / f for f in e.args if is_reciprocal(f)]
    coefficient = e.as_coeff_Mul()[0]
    if coefficient.q != 1:
        below.insert(0, Integer(coefficient.q))
    if coefficient.p != 1:
        above.insert(0, Integer(coefficient.p))
    sums = [f for f in above if isinstance(f, Total)]
    top = [f for f in above if not isinstance(f, Total)] if below and sums else above
    if not below:
        return join_factors(p, above), PRODUCT
    bottom = p.show(Mul(*below))
    if type(p.alphabet) is Alphabet:
        bottom = bottom if len(below) == 1 and not isinstance(below[0], Add) else f"({bottom})"
    lead = join_factors(p, top) if top else p.alphabet.number("1")
    if type(p.alphabet) is Alphabet and "∂" in lead:
        lead = p.alphabet.group(lead)
    text = p.alphabet.fraction(lead, bottom)
    return (text + p.alphabet.times + join_factors(p, sums) if top is not above else text), PRODUCT


def is_reciprocal(factor: Expr) -> bool:
    """Does the factor belong below the fraction line?"""
    return isinstance(factor, Pow) and bool(factor.exp.is_negative)


def join_factors(p: Printer, factors: Sequence[Expr]) -> str:
    """The factors in reading order; a sum that is not the last one is put in parentheses."""
    ordered = sorted(factors, key=rank)
    shown = [
        p.show(f, ATOM if isinstance(f, Total) and position < len(ordered) - 1 else PRODUCT)
        for position, f in enumerate(ordered)
    ]
    return p.alphabet.times.join(shown)


@printer(Pow)
def print_pow(p: Printer, e: Expr) -> tuple[str, int]:
    if is_reciprocal(e):
        return p.alphabet.fraction(
            p.alphabet.number("1"), p.show(1 / e, ATOM if type(p.alphabet) is Alphabet else SUM)
        ), PRODUCT
    base = e.base
    bare = isinstance(base, Symbol | Integer) and not negative(base)
    body = p.show(base, ATOM) if bare or isinstance(base, Add | Mul) else p.alphabet.group(p.show(base))
    return p.alphabet.scripts(p.alphabet.row([body]), "", p.show(e.exp)), ATOM
