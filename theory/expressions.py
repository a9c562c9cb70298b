"""Expressions: text that a stranger typed becomes a SymPy expression, and nothing else ever happens.

The grammar is our own (no Python is evaluated), loosest first:

    comparison  :=  sum [ ("<" | "<=" | ">" | ">=") sum ]        1 where it holds, 0 elsewhere
    sum         :=  product { ("+" | "-") product }
    product     :=  sign { ("*" | "/") sign }
    sign        :=  { "+" | "-" } power
    power       :=  atom [ ("**" | "^") sign ]                   to the right: 2**3**2 = 2**9
    atom        :=  number | name | call | "(" comparison ")" | "|" comparison "|"
    call        :=  name "(" comparison { "," comparison } ")"

Numbers are exact (0.1 is 1/10).  Every constant that arises must be a finite real number.
"""

from __future__ import annotations

import difflib
import itertools
import math
import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType, SimpleNamespace
from typing import Any

import mpmath
import sympy
from sympy import QQ, ZZ, Expr, Integer, Rational, Symbol

__all__ = [
    "ELEMENTARY",
    "ExpressionError",
    "Piece",
    "evaluate_at",
    "evaluate_precisely",
    "exponentiate",
    "parse",
    "real_symbol",
    "split",
]

MAX_TEXT = 1000  # characters
MAX_DEPTH = 40  # brackets, signs and powers inside one another
MAX_NODES = 250  # numbers, names and operations
MAX_DIGITS = 40  # of one number
MAX_EXPONENT = 1000  # of a constant, and of a number's own exponent
MAX_POWER = 64  # of anything with x in it
MAX_BITS = 4096  # of an exact integer, numerator or denominator
MAX_ARGUMENTS = 8  # of min and max

_TOKEN = re.compile(
    r"(?P<number>(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)"
    r"|(?P<name>[A-Za-z_][A-Za-z_0-9]*)"
    r"|(?P<symbol>\*\*|<=|>=|[-+*/^(),<>|])"
    r"|(?P<space>[ \t]+)"
)

FunctionTable = Mapping[str, Callable[..., Expr]]


class ExpressionError(ValueError):
    """An expression that cannot be used, in one line; `.column` counts from 1 (0: the whole text)."""

    def __init__(self, text: str, column: int, complaint: str) -> None:
        self.text, self.column = text, column
        where = f" at column {column}" if column else ""
        super().__init__(f"expression {_shorten(text, column)}{where}: {complaint}")


def real_symbol(name: str = "x") -> Symbol:
    """Return the real variable every expression is written in; the same name is the same symbol."""
    return Symbol(name, real=True)


# ------------------------------------------------------------------------------------------- functions


def _take_absolute(u: Expr) -> Expr:
    return sympy.Abs(u, evaluate=bool(u.is_extended_real))


def _take_sign(u: Expr) -> Expr:
    return sympy.sign(u, evaluate=bool(u.is_extended_real))


def exponentiate(u: Expr) -> Expr:
    """Build exp(u), but never exp(10**9 log 2), which SymPy would work out as an exact integer.

    Errors: `OverflowError`.

    >>> exponentiate(parse("x + log(2)"))
    2*exp(x)
    """
    _check_exponent(u)
    return sympy.exp(u)


def _check_exponent(u: Expr) -> None:
    if not u.free_symbols and abs(evaluate_at(u)) > MAX_EXPONENT:
        raise OverflowError("too large an exponent")
    if any(bits * _find_largest(u) > MAX_BITS for bits in _measure_logarithms(u)):
        raise OverflowError("too large an exponent")


def _measure_logarithms(u: Expr) -> list[int]:
    """List the bits of the numbers whose logarithms occur."""
    return [_measure(node.args[0]) for node in u.atoms(sympy.log) if isinstance(node.args[0], Rational)]


def _step(u: Expr, at_zero: int) -> Expr:
    if not u.free_symbols:
        value = evaluate_at(u)
        return Integer(at_zero if value == 0 else value > 0)
    return sympy.Heaviside(u, Integer(at_zero), evaluate=bool(u.is_extended_real))


def _choose(extreme: type[Expr], *arguments: Expr) -> Expr:
    """Build Max or Min without SymPy's pairwise comparisons, which are slow on arguments it cannot order."""
    if all(not u.free_symbols for u in arguments):
        return (max if extreme is sympy.Max else min)(arguments, key=evaluate_at)
    return extreme(*arguments, evaluate=False)


ELEMENTARY: FunctionTable = MappingProxyType(
    {
        "exp": exponentiate,
        "log": sympy.log,
        "ln": sympy.log,
        "sqrt": sympy.sqrt,
        "sin": sympy.sin,
        "cos": sympy.cos,
        "tan": sympy.tan,
        "sinh": sympy.sinh,
        "cosh": sympy.cosh,
        "tanh": sympy.tanh,
        "asin": sympy.asin,
        "acos": sympy.acos,
        "atan": sympy.atan,
        "arctan": sympy.atan,
        "erf": sympy.erf,
        "abs": _take_absolute,
        "sign": _take_sign,
        "heaviside": lambda u: _step(u, 0),
        "min": lambda *u: _choose(sympy.Min, *u),
        "max": lambda *u: _choose(sympy.Max, *u),
    }
)
"""The functions every expression may use; `theory.activations.parse` adds the catalogue of activations."""

CONSTANTS: Mapping[str, Expr] = MappingProxyType({"pi": sympy.pi, "e": sympy.E})
_MANY_ARGUMENTS = ("min", "max")
_COMPARISONS: Mapping[str, Callable[[Expr, Expr], Expr]] = MappingProxyType(
    {
        ">": lambda a, b: _step(a - b, 0),
        ">=": lambda a, b: _step(a - b, 1),
        "<": lambda a, b: _step(b - a, 0),
        "<=": lambda a, b: _step(b - a, 1),
    }
)


# ---------------------------------------------------------------------------------------------- values

# mpmath spends memory in proportion to the logarithm of a sine's argument, to an exponential's argument itself.
_LARGEST_BASE = 1e300  # of a power; argument of the periodic functions
_LARGEST_ARGUMENT = 10**6  # of exponentials; exponent of a power


def _raise_power(base: Any, exponent: Any) -> Any:
    if abs(exponent) > _LARGEST_ARGUMENT or abs(base) > _LARGEST_BASE:
        raise OverflowError("too large a power")
    value = base**exponent
    if isinstance(value, complex):
        raise ValueError("not a real number")
    return value


_NAMES_IN_LIBRARY: Mapping[type, str] = MappingProxyType(
    {
        getattr(sympy, name): name
        for name in ("exp", "log", "sin", "cos", "tan", "sinh", "cosh", "tanh", "asin", "acos", "atan", "erf")
    }
)
_OWN_FUNCTIONS: Mapping[type, Callable[..., Any]] = MappingProxyType(
    {
        sympy.Abs: abs,
        sympy.sign: lambda u: (u > 0) - (u < 0),
        sympy.Heaviside: lambda u, at_zero: at_zero if u == 0 else int(u > 0),
        sympy.Max: max,
        sympy.Min: min,
        sympy.Add: lambda *u: sum(u),
        sympy.Mul: lambda *u: math.prod(u),
        sympy.Pow: _raise_power,
    }
)
_KNOWN = {*_NAMES_IN_LIBRARY, *_OWN_FUNCTIONS, sympy.cot}


def evaluate_at(expression: Expr, point: float = 0.0) -> float:
    """Evaluate an expression of one variable in Python floats: slow, obvious, and finite or an error.

    Errors: `ArithmeticError` or `ValueError` where the value is not a finite real number.

    >>> evaluate_at(parse("x**2 + 1/4"), 0.5)
    0.5
    """
    value = float(_evaluate(expression, point, math))
    if not math.isfinite(value):
        raise OverflowError("not a finite number")
    return value


def evaluate_precisely(expression: Expr, point: Expr, digits: int) -> Any:
    """Evaluate with that many decimal digits; an mpmath number, complex or infinite if it must be.

    Errors: `ArithmeticError` or `ValueError` where there is no value.

    >>> mpmath.nstr(evaluate_precisely(parse("sqrt(x)"), Rational(2), 20), 19)
    '1.414213562373095049'
    """
    with mpmath.workdps(digits):
        return _evaluate(expression, _convert_number(point, _PRECISE), _PRECISE)


def _bound_argument(function: Callable[[Any], Any], largest: float) -> Callable[[Any], Any]:
    def evaluate_bounded(u: Any) -> Any:
        if abs(u) > largest:
            raise OverflowError("too large an argument")
        return function(u)

    return evaluate_bounded


_PRECISE = SimpleNamespace(
    **{name: getattr(mpmath, name) for name in ("log", "tanh", "asin", "acos", "atan", "erf", "pi", "e")},
    **{name: _bound_argument(getattr(mpmath, name), _LARGEST_ARGUMENT) for name in ("exp", "sinh", "cosh")},
    **{name: _bound_argument(getattr(mpmath, name), _LARGEST_BASE) for name in ("sin", "cos", "tan")},
)


def _evaluate(node: Expr, point: Any, library: Any) -> Any:
    """Evaluate with the functions of a library: `math`, or mpmath's with bounds; constants such as a root by SymPy."""
    if isinstance(node, Symbol):
        return point
    if isinstance(node, sympy.Piecewise):
        return next(_evaluate(v, point, library) for v, holds in node.args if _holds(holds, point, library))
    if not node.args or (node.func not in _KNOWN and node.is_number):
        return _convert_number(node, library)
    arguments = [_evaluate(u, point, library) for u in node.args]
    if isinstance(node, sympy.cot):
        return 1 / library.tan(*arguments)
    if node.func in _NAMES_IN_LIBRARY:
        return getattr(library, _NAMES_IN_LIBRARY[node.func])(*arguments)
    if node.func in _OWN_FUNCTIONS:
        return _OWN_FUNCTIONS[node.func](*arguments)
    raise ValueError(f"no rule for {node.func.__name__}")


def _convert_number(number: Expr, library: Any) -> Any:
    if isinstance(number, Rational):
        if library is math:
            return int(number.p) / int(number.q)
        return mpmath.mpf(int(number.p)) / int(number.q)
    if number in (sympy.pi, sympy.E):
        return +(library.pi if number is sympy.pi else library.e)
    if not (number.is_finite and number.is_real):
        raise ValueError(f"{number} is not a finite real number")
    return float(number) if library is math else mpmath.mpf(str(number.evalf(mpmath.mp.dps)))


def _holds(condition: sympy.Basic, point: Any, library: Any = math) -> bool:
    if condition in (sympy.true, sympy.false):
        return bool(condition)
    left, right = (_evaluate(u, point, library) for u in condition.args)
    return bool(_RELATIONS[condition.func](left, right))


_RELATIONS: Mapping[type, Callable[[Any, Any], bool]] = MappingProxyType(
    {sympy.Le: operator.le, sympy.Lt: operator.lt, sympy.Ge: operator.ge, sympy.Gt: operator.gt}
)


# ---------------------------------------------------------------------------------------------- pieces

_SWITCHES = (sympy.Abs, sympy.sign, sympy.Heaviside, sympy.Max, sympy.Min, sympy.Piecewise)
_SAME_POINT = 1e-12  # two zeros closer than this are one
_LARGEST_DEGREE = 8  # of a polynomial whose zeros are isolated exactly

# v = g^(-1)(c) solves g(v) = c where g is strictly increasing; None where c is outside the range of g.
_INVERSES: Mapping[type, Callable[[Expr], Expr | None]] = MappingProxyType(
    {
        sympy.exp: lambda c: sympy.log(c) if c.is_positive else None,
        sympy.log: sympy.exp,
        sympy.sinh: sympy.asinh,
        sympy.tanh: lambda c: sympy.atanh(c) if (1 - abs(c)).is_positive else None,
        sympy.atan: lambda c: sympy.tan(c) if (sympy.pi / 2 - abs(c)).is_positive else None,
        sympy.erf: lambda c: sympy.erfinv(c) if (1 - abs(c)).is_positive else None,
    }
)


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch (lower, upper] of the line on which an expression needs no abs, max, min, sign or case."""

    lower: Expr
    upper: Expr
    expression: Expr


def split(expression: Expr) -> tuple[Piece, ...]:
    """Cut an expression of one variable at the points where abs, max, min, sign, a step or a case switches.

    The pieces are in order, cover the line and are smooth inside wherever the functions in them are.

    Errors: `ValueError` where such a point cannot be found exactly (abs(sin(x)) has infinitely many).

    >>> [str(piece.expression) for piece in split(parse("abs(x - 1/2)"))]
    ['1/2 - x', 'x - 1/2']
    """
    breaks: list[Expr] = []
    for quantity in _find_switching_quantities(expression):
        for piece in split(quantity):
            zeros = _find_zeros(piece.expression, expression)
            breaks += [zero for zero in zeros if _is_inside(zero, piece)] + [piece.upper]
    edges = [-sympy.oo, *_order_points(breaks), sympy.oo]
    pieces: list[Piece] = []
    for low, high in itertools.pairwise(edges):
        resolved = _resolve(expression, _choose_sample(low, high))
        joined = pieces.pop().lower if pieces and pieces[-1].expression == resolved else low
        pieces.append(Piece(joined, high, resolved))
    return tuple(pieces)


def _find_switching_quantities(node: Expr) -> list[Expr]:
    """List the quantities whose sign decides between the cases of an expression."""
    quantities: list[Expr] = []
    for switch in node.atoms(*_SWITCHES):
        if isinstance(switch, (sympy.Max, sympy.Min)):
            quantities += [a - b for i, a in enumerate(switch.args) for b in switch.args[:i]]
        elif isinstance(switch, sympy.Piecewise):
            relations = switch.atoms(sympy.core.relational.Relational)
            quantities += [relation.lhs - relation.rhs for relation in relations]
        else:
            quantities.append(switch.args[0])
    return quantities


def _find_zeros(quantity: Expr, whole: Expr) -> list[Expr]:
    """List the real zeros of a quantity without switches, exactly."""
    if not quantity.free_symbols:
        return []
    (x,) = quantity.free_symbols
    if quantity.is_Mul:
        return [zero for factor in quantity.args for zero in _find_zeros(factor, whole)]
    if isinstance(quantity, sympy.exp):
        return []
    if quantity.is_Pow and not quantity.exp.free_symbols:
        return _find_zeros(quantity.base, whole) if quantity.exp.is_positive else []
    polynomial = quantity.as_poly(x)
    if polynomial is not None and polynomial.degree() == 1:
        return [-polynomial.coeff_monomial(1) / polynomial.coeff_monomial(x)]
    if polynomial is not None and polynomial.degree() <= _LARGEST_DEGREE and polynomial.domain in (ZZ, QQ):
        return list(dict.fromkeys(polynomial.real_roots()))
    return _invert(quantity, whole)


def _invert(quantity: Expr, whole: Expr) -> list[Expr]:
    """Solve c + k g(v) = 0 for an increasing g, then for x."""
    (x,) = quantity.free_symbols
    constant, rest = quantity.as_independent(x, as_Add=True)
    factor, core = rest.as_independent(x, as_Add=False)
    if core.func not in _INVERSES:
        raise ValueError(f"the points where {whole} switches between its cases cannot be found exactly")
    solution = _INVERSES[core.func](-constant / factor)
    return [] if solution is None else _find_zeros(core.args[0] - solution, whole)


def _order_points(points: list[Expr]) -> list[Expr]:
    ordered: list[Expr] = []
    for point in sorted((p for p in set(points) if p.is_finite), key=_locate):
        if not ordered or _locate(point) - _locate(ordered[-1]) > _SAME_POINT:
            ordered.append(point)
    return ordered


def _locate(point: Expr) -> float:
    return float(point) if point.is_number else evaluate_at(point)


def _is_inside(point: Expr, piece: Piece) -> bool:
    return float(piece.lower) < _locate(point) <= float(piece.upper)


def _choose_sample(low: Expr, high: Expr) -> float:
    if low.is_infinite and high.is_infinite:
        return 0.0
    if low.is_infinite or high.is_infinite:
        return _locate(high) - 1 if low.is_infinite else _locate(low) + 1
    return (_locate(low) + _locate(high)) / 2


def _resolve(node: Expr, sample: float) -> Expr:
    """Replace every switch by the case that holds at the sample point."""
    if not node.has(*_SWITCHES):
        return node
    if isinstance(node, sympy.Piecewise):
        return next(_resolve(value, sample) for value, holds in node.args if _holds(holds, sample))
    arguments = [_resolve(u, sample) for u in node.args]
    if not isinstance(node, _SWITCHES):
        return node.func(*arguments)
    values = [evaluate_at(u, sample) for u in arguments]
    if isinstance(node, sympy.Max):
        return arguments[values.index(max(values))]
    if isinstance(node, sympy.Min):
        return arguments[values.index(min(values))]
    if isinstance(node, sympy.Abs):
        return arguments[0] if values[0] > 0 else -arguments[0]
    low = 0 if isinstance(node, sympy.Heaviside) else -1
    return Integer(1 if values[0] > 0 else low)


# ---------------------------------------------------------------------------------------------- tokens


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str  # number, name, symbol or end
    text: str
    column: int


def _split_tokens(text: str) -> list[_Token]:
    tokens, position = [], 0
    while position < len(text):
        match = _TOKEN.match(text, position)
        if match is None:
            raise ExpressionError(text, position + 1, _describe_character(text[position]))
        if match.lastgroup != "space":
            tokens.append(_Token(str(match.lastgroup), match.group(), position + 1))
        position = match.end()
    return [*tokens, _Token("end", "", len(text) + 1)]


def _describe_character(character: str) -> str:
    code = f"{character!a} (U+{ord(character):04X})"
    return f"unexpected character {code}; only ASCII letters, digits and + - * / ^ ( ) , < > = . |"


def _shorten(text: str, column: int, width: int = 60) -> str:
    """Quote the text, or the part of it around the column, on one line whatever it contains."""
    if len(text) <= width:
        return ascii(text)
    begin = max(0, min(column - width // 2, len(text) - width))
    piece = text[begin : begin + width]
    return ascii(("..." if begin else "") + piece + ("..." if begin + width < len(text) else ""))


# ---------------------------------------------------------------------------------------------- parser


def parse(text: str, variable: str = "x", functions: FunctionTable = ELEMENTARY) -> Expr:
    """Read an expression of one variable.

    The result is a SymPy expression in `real_symbol(variable)`, or a constant; numbers stay exact.

    Errors: `ExpressionError`, one line with the column, for anything outside the grammar of this module,
    beyond its bounds, or with a constant that is not a finite real number (1/0, sqrt(-1), exp(1000)).

    Source: the grammar above; no other evaluation of the text takes place.

    >>> parse("1/(1 + 25*(2*x - 1)^2)")
    1/(25*(2*x - 1)**2 + 1)
    >>> parse("1/0")
    Traceback (most recent call last):
    theory.expressions.ExpressionError: expression '1/0' at column 2: division by zero
    """
    if not isinstance(text, str):
        raise ExpressionError(repr(text), 0, f"expected text, got {type(text).__name__}")
    if len(text) > MAX_TEXT:
        raise ExpressionError(text, 0, f"{len(text)} characters are too many (at most {MAX_TEXT})")
    if not text.strip():
        raise ExpressionError(text, 0, "it is empty; write for example 'sin(2*pi*x)'")
    return _Parser(text, variable, functions).read()


def _count_bits(expression: Expr) -> int:
    """Bound the size of the exact numbers in an expression, those that a power may still become included."""
    sizes = [_measure(number) for number in expression.atoms(Rational)]
    sizes += [bits * _find_largest(exponent) for bits, exponent in _list_exponentials(expression)]
    return max(sizes, default=0)


def _list_exponentials(expression: Expr) -> list[tuple[int, Expr]]:
    """List the (bits of the base, exponent) of what may become an exact power: 2**u, and exp(u) with log(2) in u."""
    powers = [power for power in expression.atoms(sympy.Pow) if isinstance(power.base, Rational)]
    found = [(_measure(power.base), power.exp) for power in powers]
    for exponential in expression.atoms(sympy.exp):
        found += [(bits, exponential.args[0]) for bits in _measure_logarithms(exponential)]
    return found


def _find_largest(exponent: Expr) -> int:
    return max((math.ceil(abs(r)) for r in exponent.atoms(Rational)), default=1)


def _measure(number: Rational) -> int:
    return max(abs(int(number.p)), int(number.q)).bit_length()


class _Parser:
    """Recursive descent; one method a line of the grammar."""

    def __init__(self, text: str, variable: str, functions: FunctionTable) -> None:
        self.text, self.variable, self.functions = text, variable, functions
        self.tokens = _split_tokens(text)
        self.position = self.depth = self.nodes = 0

    def read(self) -> Expr:
        result = self.read_comparison()
        if self.next.kind != "end":
            raise self.complain(self.next, self.describe_surprise())
        return result

    # -- helpers

    @property
    def next(self) -> _Token:
        return self.tokens[self.position]

    def take(self, *symbols: str) -> _Token | None:
        """Step over the next token if it is one of these symbols."""
        token = self.next
        if token.kind != "symbol" or token.text not in symbols:
            return None
        self.position += 1
        return token

    def complain(self, token: _Token, complaint: str) -> ExpressionError:
        return ExpressionError(self.text, token.column, complaint)

    def describe_surprise(self) -> str:
        token = self.next
        if token.kind == "end":
            return "it ends too early"
        if token.text == ")":
            return "unexpected ')' without a '('"
        if token.kind != "symbol" and self.position:
            return f"expected an operator before {token.text!r} (write 2*x)"
        return f"unexpected {token.text!r}"

    def descend(self, token: _Token, reader: Callable[[], Expr]) -> Expr:
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise self.complain(token, f"nested too deeply (at most {MAX_DEPTH} levels)")
        result = reader()
        self.depth -= 1
        return result

    def build(self, token: _Token, make: Callable[..., Expr], *arguments: Expr) -> Expr:
        """Make one node and hold it to the rules: counted, real, finite, of bounded size."""
        self.nodes += 1
        if self.nodes > MAX_NODES:
            raise self.complain(token, f"too many parts (at most {MAX_NODES})")
        try:
            result = make(*arguments)
            if result.has(sympy.nan, sympy.zoo, sympy.oo, -sympy.oo, sympy.I):
                raise ValueError("not real")
            if not result.free_symbols:
                evaluate_at(result)
        except OverflowError:
            raise self.complain(token, f"{token.text!r} gives a number that is too large") from None
        except (ArithmeticError, ValueError, TypeError, AttributeError):  # SymPy raises the last by mistake
            raise self.complain(token, f"{token.text!r} gives no finite real number here") from None
        if _count_bits(result) > MAX_BITS:
            raise self.complain(token, f"{token.text!r} gives an exact number of more than {MAX_BITS} bits")
        return result

    # -- the grammar

    def read_comparison(self) -> Expr:
        left = self.read_sum()
        token = self.take("<", "<=", ">", ">=")
        return left if token is None else self.build(token, _COMPARISONS[token.text], left, self.read_sum())

    def read_sum(self) -> Expr:
        result = self.read_product()
        while token := self.take("+", "-"):
            right = self.read_product()
            result = self.build(token, lambda a, b, s=token.text: a + b if s == "+" else a - b, result, right)
        return result

    def read_product(self) -> Expr:
        result = self.read_sign()
        while token := self.take("*", "/"):
            right = self.read_sign()
            if token.text == "/" and right.is_zero:
                raise self.complain(token, "division by zero")
            result = self.build(token, lambda a, b, s=token.text: a * b if s == "*" else a / b, result, right)
        return result

    def read_sign(self) -> Expr:
        token = self.take("+", "-")
        if token is None:
            return self.read_power()
        operand = self.descend(token, self.read_sign)
        return operand if token.text == "+" else self.build(token, lambda u: -u, operand)

    def read_power(self) -> Expr:
        base = self.read_atom()
        token = self.take("**", "^")
        if token is None:
            return base
        exponent = self.descend(token, self.read_sign)
        self.check_power(token, base, exponent)
        return self.build(token, lambda u, v: exponentiate(v) if u is sympy.E else u**v, base, exponent)

    def check_power(self, token: _Token, base: Expr, exponent: Expr) -> None:
        """Refuse a power before SymPy works it out exactly."""
        constant = not exponent.free_symbols
        largest = MAX_POWER if base.free_symbols else MAX_EXPONENT
        size = math.ceil(abs(evaluate_at(exponent))) if constant else _find_largest(exponent)
        if constant and size > largest:
            raise self.complain(token, f"the exponent is too large (at most {largest})")
        if base.is_zero and exponent.is_negative:
            raise self.complain(token, "division by zero")
        inner = [(bits * _find_largest(u)) for bits, u in _list_exponentials(base)]
        bits = max([*inner, _measure(base) if isinstance(base, Rational) else 0])
        if size * bits > MAX_BITS:
            raise self.complain(token, f"{token.text!r} gives an exact number of more than {MAX_BITS} bits")

    def read_atom(self) -> Expr:
        token = self.next
        self.position += 1
        if token.kind == "number":
            number = self.read_number(token)
            return self.build(token, lambda: number)
        if token.kind == "name":
            return self.read_name(token)
        if token.kind == "symbol" and token.text == "(":
            result = self.descend(token, self.read_comparison)
            self.close(token, ")")
            return result
        if token.kind == "symbol" and token.text == "|":
            result = self.descend(token, self.read_comparison)
            self.close(token, "|")
            return self.build(token, _take_absolute, result)
        self.position -= 1
        raise self.complain(token, self.describe_surprise())

    def read_number(self, token: _Token) -> Expr:
        mantissa, _, exponent = token.text.lower().partition("e")
        if len(mantissa) > MAX_DIGITS:
            raise self.complain(token, f"{len(mantissa)} digits are too many (at most {MAX_DIGITS})")
        if len(exponent) > 6 or abs(int(exponent or 0)) > MAX_EXPONENT:
            raise self.complain(token, f"the exponent is too large (at most {MAX_EXPONENT})")
        return Rational(token.text)

    def read_name(self, token: _Token) -> Expr:
        name = token.text
        if name == self.variable:
            return self.build(token, lambda: real_symbol(name))
        if name in CONSTANTS:
            return self.build(token, lambda: CONSTANTS[name])
        if name not in self.functions:
            raise self.complain(token, self.describe_unknown(name))
        opening = self.take("(")
        if opening is None:
            raise self.complain(token, f"{name!r} is a function: write {name}({self.variable})")
        arguments = [self.descend(opening, self.read_comparison)]
        while self.take(","):
            arguments.append(self.descend(opening, self.read_comparison))
        self.close(opening, ")")
        self.check_arguments(token, len(arguments))
        return self.build(token, lambda *u: self.call(name, *u), *arguments)

    def call(self, name: str, *arguments: Expr) -> Expr:
        """Apply a function; those that are not elementary may hold exponentials."""
        if name not in ELEMENTARY and arguments[0].free_symbols:
            _check_exponent(arguments[0])
        return self.functions[name](*arguments)

    def check_arguments(self, token: _Token, count: int) -> None:
        low, high = (2, MAX_ARGUMENTS) if token.text in _MANY_ARGUMENTS else (1, 1)
        if not low <= count <= high:
            wanted = f"{low} to {high} arguments" if high > low else "one argument"
            raise self.complain(token, f"{token.text!r} takes {wanted}, got {count}")

    def close(self, opening: _Token, closing: str) -> None:
        if self.take(closing):
            return
        if self.next.kind == "end":
            raise self.complain(opening, f"{opening.text!r} is never closed")
        raise self.complain(self.next, self.describe_surprise())

    def describe_unknown(self, name: str) -> str:
        names = sorted(self.functions)
        near = difflib.get_close_matches(name.lower(), [*names, self.variable, *CONSTANTS], n=1)
        guess = f" (did you mean {near[0]!r}?)" if near else ""
        allowed = f"{', '.join([self.variable, *CONSTANTS])} and the functions {', '.join(names)}"
        return f"unknown name {_shorten(name, 0)}{guess}; allowed: {allowed}"
