"""Prints one expression of NumPy code; collects the constants and special functions that it needs."""

from __future__ import annotations

import math
from collections.abc import Mapping
from types import MappingProxyType

import sympy
from sympy import Expr, Rational, Symbol

from backprop.codegen.functions.special import SPECIAL_FUNCTIONS
from backprop.errors import UsageError
from theory.functions.values import evaluate_precisely
from theory.language.formulas import shorten

__all__ = ["PRODUCT", "NumpyPrinter"]

_FUNCTIONS: Mapping[type, str] = MappingProxyType(
    {getattr(sympy, name): name for name in ("exp", "sin", "cos", "tan", "sinh", "cosh", "tanh", "log", "erf",
                                               "erfc", "gamma", "floor")}
    | {sympy.asin: "arcsin", sympy.acos: "arccos", sympy.atan: "arctan", sympy.Abs: "abs", sympy.atan2: "arctan2",
       sympy.asinh: "arcsinh", sympy.acosh: "arccosh", sympy.atanh: "arctanh", sympy.ceiling: "ceil",
       sympy.loggamma: "lgamma"}
)  # fmt: skip
_JUMPS: Mapping[type, str] = MappingProxyType(
    {sympy.sign: "np.sign(np.real({0}))", sympy.Heaviside: "np.heaviside(np.real({0}), {1})"}
)
_SUM, PRODUCT, _POWER, _ATOM = range(4)  # how tightly the surroundings bind
_LARGEST_INTEGER = 2**31  # larger ones are written as floats
_SHORT = 6  # characters of a decimal that is exact and easy to read
_SAME_VALUE = 1e-20  # two values nearer than this, at _DIGITS digits, are one
_DIGITS = 30  # of a constant before it is rounded to a float


class NumpyPrinter:
    """Prints one expression; collects on the way the constants and the special functions it needs."""

    def __init__(self, names: Mapping[Symbol, str], prefix: str = "np.") -> None:
        self.names, self.prefix = dict(names), prefix
        self.constants: dict[Expr, str] = {}
        self.special: list[str] = []

    def write(self, node: Expr, level: int = _SUM) -> str:
        """Return the text of an expression, in brackets where the surroundings bind more tightly.

        Errors: `UsageError` naming the node where there is no way to print it.
        """
        text, own = self.write_bare(node)
        return f"({text})" if own < level else text

    def write_bare(self, node: Expr) -> tuple[str, int]:
        if node in self.names:
            return self.names[node], _ATOM
        if isinstance(node, Rational):
            return self.write_rational(node)
        if node in (sympy.pi, sympy.E):
            return self.prefix + ("pi" if node == sympy.pi else "e"), _ATOM
        if node.is_Add:
            return self.write_sum(node), _SUM
        if node.is_Mul or (node.is_Pow and node.exp.is_Rational and node.exp < 0):
            return self.write_product(node), _SUM if _is_negative(node) else PRODUCT
        if not node.free_symbols and node.is_number:
            return self.name_constant(node), _ATOM
        if node.is_Pow:
            return self.write_power(node)
        return self.write_function(node)

    def write_rational(self, number: Rational) -> tuple[str, int]:
        sign = _SUM if number < 0 else _ATOM
        if number.q == 1 and abs(number.p) <= _LARGEST_INTEGER:
            return str(number.p), sign
        decimal = self.write_float(number)
        if (len(decimal) <= _SHORT and Rational(decimal) == number) or max(abs(number.p), number.q) > 1000:
            return decimal, sign
        return f"{number.p} / {number.q}", _SUM if number < 0 else PRODUCT

    def name(self, symbol: str, text: str) -> Symbol:
        """Return a new symbol that is printed as that text."""
        fresh = Symbol(symbol, real=True)
        self.names[fresh] = text
        return fresh

    def write_sum(self, node: Expr) -> str:
        terms = node.as_ordered_terms()[::-1]
        terms.sort(key=lambda u: (_is_negative(u), not u.is_number))
        text = self.write(terms[0], _SUM)
        for term in terms[1:]:
            negative = _is_negative(term)
            text += (" - " if negative else " + ") + self.write(-term if negative else term, PRODUCT)
        return text

    def write_product(self, node: Expr) -> str:
        everything = node.as_ordered_factors() if node.is_Mul else [node]
        top, bottom = self.write_coefficient(sympy.Mul(*(u for u in everything if not u.free_symbols)))
        negative = top[:1] == ["-"]
        for factor in (u for u in everything if u.free_symbols):
            if factor.is_Pow and factor.exp.is_Rational and factor.exp < 0:
                bottom.append(self.write(1 / factor, _POWER))
            else:
                top.append(self.write(factor, PRODUCT))
        body = " * ".join(top[negative:]) or "1"
        if bottom:
            body += " / " + (bottom[0] if len(bottom) == 1 else f"({' * '.join(bottom)})")
        return ("-" if negative else "") + body

    def write_coefficient(self, number: Expr) -> tuple[list[str], list[str]]:
        """Split a constant factor into what stands above and below the line; a leading "-" is its sign."""
        sign = ["-"] if number.could_extract_minus_sign() else []
        number = -number if sign else number
        top, bottom = list(sign), []
        multiple = number / sympy.pi
        if not isinstance(number, Rational) and not isinstance(multiple, Rational):
            return [*sign, self.name_constant(number)], []
        rational = number if isinstance(number, Rational) else multiple
        if max(rational.p, rational.q) > 1000 or (rational.p != 1 and rational.q not in (1, 3, 6, 7, 9)):
            top.append(self.write_rational(rational)[0])
        else:
            top += [str(rational.p)] if rational.p != 1 else []
            bottom += [str(rational.q)] if rational.q != 1 else []
        return (top if isinstance(number, Rational) else [*top, f"{self.prefix}pi"]), bottom

    def write_power(self, node: Expr) -> tuple[str, int]:
        base, exponent = node.args
        if exponent == Rational(1, 2):
            return f"{self.prefix}sqrt({self.write(base)})", _ATOM
        return f"{self.write(base, _ATOM)} ** {self.write(exponent, _ATOM)}".replace(" ** ", "**"), _POWER

    def write_function(self, node: Expr) -> tuple[str, int]:
        if isinstance(node, (sympy.Max, sympy.Min)):
            return self.write_extreme(node), _ATOM
        if isinstance(node, sympy.Piecewise):
            return self.write_cases(node), _ATOM
        if isinstance(node, sympy.sinc):
            return f"{self.prefix}sinc({self.write(node.args[0] / sympy.pi)})", _ATOM
        if isinstance(node, sympy.cot):
            return f"1 / {self.prefix}tan({self.write(node.args[0])})", PRODUCT
        if node.func in _JUMPS:
            return _JUMPS[node.func].format(*map(self.write, node.args)), _ATOM
        if isinstance(node, sympy.log) and 1 in node.args[0].args and node.args[0].is_Add:
            return f"{self.prefix}log1p({self.write(node.args[0] - 1)})", _ATOM
        if node.func not in _FUNCTIONS:
            where = shorten(str(node))
            raise UsageError(f"cannot print {node.func.__name__} in {where} as NumPy code; rewrite it without")
        name = _FUNCTIONS[node.func]
        if name in SPECIAL_FUNCTIONS:
            self.special.append(name)
        prefix = "" if name in SPECIAL_FUNCTIONS else self.prefix
        return f"{prefix}{name}({', '.join(map(self.write, node.args))})", _ATOM

    def write_extreme(self, node: Expr) -> str:
        name = "maximum" if isinstance(node, sympy.Max) else "minimum"
        first, *others = sorted(node.args, key=lambda u: not u.free_symbols)
        text = self.write(first)
        for other in others:
            text = f"{self.prefix}{name}({text}, {self.write(other)})"
        return text

    def write_cases(self, node: Expr) -> str:
        *cases, (text_of_rest, _) = node.args
        text = self.write(text_of_rest)
        for value, condition in reversed(cases):
            text = f"np.where({self.write_relation(condition)}, {self.write(value)}, {text})"
        return text

    def write_relation(self, relation: Expr) -> str:
        if not isinstance(relation, (sympy.Le, sympy.Lt, sympy.Ge, sympy.Gt)):
            raise UsageError(f"cannot print the condition {relation} as NumPy code; use < <= > >=")
        return f"{self.write(relation.lhs)} {relation.rel_op} {self.write(relation.rhs)}"

    def name_constant(self, number: Expr) -> str:
        """Give an irrational constant a local name: NumPy scalars would turn float32 into float64."""
        return self.constants.setdefault(number, f"c{len(self.constants) + 1}")

    def write_constants(self) -> list[str]:
        """Return the lines that define the constants named so far."""
        lines = []
        for number, name in self.constants.items():
            lines.append(f"{name} = {self.write_float(number)}  # {shorten(str(number))}")
        return lines

    def write_float(self, number: Expr) -> str:
        """Return the float nearest to a constant."""
        try:
            is_rational = isinstance(number, Rational)
            value = int(number.p) / int(number.q) if is_rational else _round_constant(number)
            if not math.isfinite(value):
                raise OverflowError("beyond all floats")
            return repr(value)
        except (ArithmeticError, ValueError, TypeError):
            where = shorten(str(number))
            raise UsageError(f"the constant {where} is no finite real float; rewrite the expression") from None


def _round_constant(number: Expr) -> float:
    return float(evaluate_precisely(number, sympy.Integer(0), _DIGITS))


def _is_negative(node: Expr) -> bool:
    return bool(node.as_coeff_Mul()[0] < 0)
