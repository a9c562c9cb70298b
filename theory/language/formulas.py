"""Formulas in one line, as text or LaTeX: the argument's own letter, and decimals for unwieldy fractions."""

from __future__ import annotations

import sympy
from sympy import Expr, Rational, Symbol
from sympy.printing.latex import LatexPrinter
from sympy.printing.precedence import PRECEDENCE
from sympy.printing.str import StrPrinter

__all__ = ["describe", "describe_in_latex", "shorten", "write"]

LENGTH = 75
SHORT_FRACTION = 1000  # fractions of larger numbers are shown as decimals
LONG_INTEGER = 10**6
LONGEST_INTEGER = 30  # digits that are written in one piece where the text is read again
FLOAT_DIGITS = 17  # enough to tell any two floats apart


class _TextPrinter(StrPrinter):
    """SymPy's text with lower-case names, cases in words and decimals in place of unwieldy fractions."""

    def __init__(self, argument: str, digits: int) -> None:
        super().__init__()
        self.argument, self.digits = argument, digits

    def _print_Symbol(self, expr: Symbol) -> str:
        return self.argument or str(expr.name)

    def _print_Rational(self, expr: Rational) -> str:
        return _write_decimal(expr, self.digits) if _is_unwieldy(expr) else str(super()._print_Rational(expr))

    _print_Integer = _print_Rational

    def _print_Mul(self, expr: Expr) -> str:
        number, rest = expr.as_coeff_Mul()
        if not _is_unwieldy(number):
            return str(super()._print_Mul(expr))
        return f"{self._print(number)}*{self.parenthesize(rest, PRECEDENCE['Mul'])}".replace("*1/", "/")

    def _print_Piecewise(self, expr: sympy.Piecewise) -> str:
        *cases, (rest, _) = expr.args
        texts = [f"{self._print(value)} for {self._print(condition)}" for value, condition in cases]
        return ", ".join([*texts, f"{self._print(rest)} otherwise"])

    def _print_Max(self, expr: sympy.Max) -> str:
        return f"max({', '.join(map(self._print, expr.args))})"

    def _print_Min(self, expr: sympy.Min) -> str:
        return f"min({', '.join(map(self._print, expr.args))})"

    def _print_Abs(self, expr: sympy.Abs) -> str:
        return f"abs({self._print(expr.args[0])})"


class _GrammarPrinter(_TextPrinter):
    """Text by the grammar of `theory.functions.expressions`, exact: cases as factors 0 and 1, long integers in
    pieces."""

    def _print_Rational(self, expr: Rational) -> str:
        return f"{self._print(sympy.Integer(expr.p))}/{self._print(sympy.Integer(expr.q))}"

    def _print_Integer(self, expr: sympy.Integer) -> str:
        high, low = divmod(abs(int(expr)), 10**LONGEST_INTEGER)
        top = f"{self._print(sympy.Integer(high))}*1e{LONGEST_INTEGER}" if high else ""
        whole = f"({top}{f' + {low}' * bool(low)})" if high else str(low)
        return f"-{whole}" if expr < 0 else whole

    def _print_Mul(self, expr: Expr) -> str:
        return str(StrPrinter._print_Mul(self, expr))

    def _print_Piecewise(self, expr: sympy.Piecewise) -> str:
        (value, condition), *others = expr.args
        if condition == sympy.true:
            return f"({self._print(value)})"
        rest = self._print(sympy.Piecewise(*others, evaluate=False))
        return f"(({self._print(condition)})*({self._print(value)}) + ({self._print(~condition)})*({rest}))"

    def _print_Exp1(self, expr: Expr) -> str:
        return "e"


class _LatexPrinter(LatexPrinter):
    """SymPy's LaTeX with decimals in place of unwieldy fractions."""

    def __init__(self, digits: int) -> None:
        super().__init__()
        self.digits = digits

    def _print_Rational(self, expr: Rational) -> str:
        return _write_decimal(expr, self.digits) if _is_unwieldy(expr) else str(super()._print_Rational(expr))

    _print_Integer = _print_Rational

    def _print_Mul(self, expr: Expr) -> str:
        number, rest = expr.as_coeff_Mul()
        if not _is_unwieldy(number):
            return str(super()._print_Mul(expr))
        return f"{self._print(number)} {self.parenthesize(rest, PRECEDENCE['Mul'])}"


def describe(expression: Expr, argument: str = "", digits: int = FLOAT_DIGITS) -> str:
    """Return a formula as text, every symbol printed as the argument if one is given.

    >>> describe(sympy.Max(0, sympy.Symbol("x")) * Rational("0.044715"), "z")
    '0.044715*max(0, z)'
    """
    return str(_TextPrinter(argument, digits).doprint(expression))


def write(expression: Expr) -> str:
    """Return an expression as text that `theory.functions.expressions` reads as the same function.

    >>> write(sympy.Piecewise((0, sympy.Symbol("x") <= 0), (sympy.exp(sympy.Symbol("x")), True)))
    '((x <= 0)*(0) + (x > 0)*(exp(x)))'
    """
    return str(_GrammarPrinter("", FLOAT_DIGITS).doprint(expression))


def describe_in_latex(expression: Expr, digits: int = FLOAT_DIGITS) -> str:
    """Return a formula as LaTeX."""
    return str(_LatexPrinter(digits).doprint(expression))


def shorten(text: str, length: int = LENGTH) -> str:
    """Cut a text that is too long for a line."""
    return text if len(text) <= length else text[: length - 3] + "..."


def _is_unwieldy(number: Rational) -> bool:
    return max(abs(number.p), number.q) > (LONG_INTEGER if number.q == 1 else SHORT_FRACTION)


def _write_decimal(number: Rational, digits: int) -> str:
    try:
        value = int(number.p) / int(number.q)
    except OverflowError:
        return f"{sympy.Float(number, digits)}"
    return repr(value) if digits >= FLOAT_DIGITS else f"{value:.{digits}g}"
