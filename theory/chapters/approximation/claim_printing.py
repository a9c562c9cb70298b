"""How claims look: sums over an index, indexed letters, Greek letters; in text and in LaTeX."""

from __future__ import annotations

from typing import Any

from sympy import Expr, Indexed, Integral, Sum, Symbol
from sympy.printing.latex import LatexPrinter
from sympy.printing.str import StrPrinter

__all__ = ["write_claim", "write_expression"]

GREEK = {
    "sigma": "σ", "omega": "ω", "tau": "τ", "theta": "θ", "delta": "δ", "epsilon": "ε", "eta": "η",
}  # fmt: skip
SIGNS = {"=": "=", "<=": r"\le", "<": "<"}


def _put_minus_last(terms: list[Any]) -> list[Any]:
    """The same terms, a positive one first if there is one."""
    return sorted(terms, key=lambda term: bool(term.as_coeff_Mul()[0].is_negative))


class _ClaimTextPrinter(StrPrinter):
    """SymPy's text with Σ, indices and Greek letters."""

    printmethod = "_book_text"  # nodes that bring a text of their own are printed here all the same

    def _as_ordered_terms(self, expr: Expr, order: str | None = None) -> list[Any]:
        return _put_minus_last(super()._as_ordered_terms(expr, order=order))

    def _print_Symbol(self, expr: Symbol) -> str:
        letter, _, index = str(expr.name).partition("_")
        shown = GREEK.get(letter, letter)
        return f"{shown}_{index}" if index else shown

    def _print_Function(self, expr: Expr) -> str:
        name = str(expr.func.__name__)
        letter = GREEK.get(name.rstrip("'"), name.rstrip("'")) + "'" * name.count("'")
        return f"{letter}({', '.join(map(self._print, expr.args))})"

    def _print_Indexed(self, expr: Indexed) -> str:
        index = str(self._print(expr.indices[0])).replace(" ", "")
        return f"{expr.base.label}_{index if index.isalnum() else f'({index})'}"

    def _print_Sum(self, expr: Sum) -> str:
        index, low, high = (str(self._print(part)).replace(" ", "") for part in expr.limits[0])
        return f"Σ_({index}={low}..{high}) ({self._print(expr.function)})"

    def _print_Integral(self, expr: Integral) -> str:
        letter, low, high = map(self._print, expr.limits[0])
        return f"(∫_({letter}={low}..{high}) {self._print(expr.function)} d{letter})"

    def _print_Pi(self, expr: Expr) -> str:
        return "π"

    def _print_binomial(self, expr: Expr) -> str:
        return "({} over {})".format(*map(self._print, expr.args))

    def _print_Abs(self, expr: Expr) -> str:
        return f"|{self._print(expr.args[0])}|"


class _ClaimLatexPrinter(LatexPrinter):
    """SymPy's LaTeX with a positive term first and primes as primes."""

    def _as_ordered_terms(self, expr: Expr, order: str | None = None) -> list[Any]:
        return _put_minus_last(super()._as_ordered_terms(expr, order=order))

    def _hprint_Function(self, func: str) -> str:
        bare = func.rstrip("'")
        return str(super()._hprint_Function(bare)) + "'" * (len(func) - len(bare))


def write_expression(expression: Expr, latex: bool = False) -> str:
    r"""An expression as text or LaTeX.

    >>> from sympy import IndexedBase
    >>> y, i, n = IndexedBase("y"), Symbol("i"), Symbol("n")
    >>> write_expression(Sum(y[i + 1] - y[i], (i, 1, n - 1)))
    'Σ_(i=1..n-1) (y_(i+1) - y_i)'
    >>> write_expression(Symbol("tau") / 2, latex=True)
    '\\frac{\\tau}{2}'
    """
    return str((_ClaimLatexPrinter() if latex else _ClaimTextPrinter()).doprint(expression))


def write_claim(left: Expr, relation: str, right: Expr, latex: bool = False) -> str:
    r"""Two sides and what is between them.

    >>> write_claim(Symbol("x"), "<=", Symbol("omega"), latex=True)
    'x \\le \\omega'
    """
    sign = SIGNS[relation] if latex else relation
    return f"{write_expression(left, latex)} {sign} {write_expression(right, latex)}"
