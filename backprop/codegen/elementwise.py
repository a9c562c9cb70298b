"""Prints activations and expressions as NumPy functions that a student can read.

Everything works entry by entry on arrays: float32 stays float32 and NaN stays NaN.  Where the formula is
analytic complex arrays work too (comparisons look at the real part first), so a complex step goes through.
"""

from __future__ import annotations

import linecache
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np
import sympy
from sympy import Expr, Rational, Symbol
from sympy.printing.str import StrPrinter

from backprop.codegen.special import SPECIAL_FUNCTIONS, Support, write_special
from backprop.errors import UsageError
from theory.activations import A, Activation, M, StableForm, T, X
from theory.expressions import Piece, evaluate_precisely, real_symbol

__all__ = [
    "ElementwiseSource",
    "FunctionSource",
    "evaluate",
    "load_functions",
    "merge_support",
    "write_expression",
    "write_functions",
]

INDENT = "    "


@dataclass(frozen=True, slots=True)
class ElementwiseSource:
    """The source of one activation: two functions, and the module-level helpers they call."""

    name: str
    value: str
    derivative: str
    support: Support

    @property
    def text(self) -> str:
        """Everything as one module, without the import of NumPy."""
        return "\n\n".join([*(helper for _, helper in self.support), self.value, self.derivative])


@dataclass(frozen=True, slots=True)
class FunctionSource:
    """The source of one function, and the module-level helpers it calls."""

    name: str
    value: str
    support: Support

    @property
    def text(self) -> str:
        """Everything as one module, without the import of NumPy."""
        return "\n\n".join([*(helper for _, helper in self.support), self.value])


# ---------------------------------------------------------------------------------------------- printer

_FUNCTIONS: Mapping[type, str] = MappingProxyType(
    {getattr(sympy, name): name for name in ("exp", "sin", "cos", "tan", "sinh", "cosh", "tanh", "log", "erf")}
    | {sympy.asin: "arcsin", sympy.acos: "arccos", sympy.atan: "arctan", sympy.Abs: "abs"}
)
_JUMPS: Mapping[type, str] = MappingProxyType(
    {sympy.sign: "np.sign(np.real({0}))", sympy.Heaviside: "np.heaviside(np.real({0}), {1})"}
)
_SUM, _PRODUCT, _POWER, _ATOM = range(4)  # how tightly the surroundings bind
_LARGEST_INTEGER = 2**31  # larger ones are written as floats
_SHORT = 6  # characters of a decimal that is exact and easy to read
_SAME_VALUE = 1e-20  # two values nearer than this, at _DIGITS digits, are one
_DIGITS = 30  # of a constant before it is rounded to a float


class Printer:
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
            return self.write_product(node), _SUM if _is_negative(node) else _PRODUCT
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
        return f"{number.p} / {number.q}", _SUM if number < 0 else _PRODUCT

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
            text += (" - " if negative else " + ") + self.write(-term if negative else term, _PRODUCT)
        return text

    def write_product(self, node: Expr) -> str:
        everything = node.as_ordered_factors() if node.is_Mul else [node]
        top, bottom = self.write_coefficient(sympy.Mul(*(u for u in everything if not u.free_symbols)))
        negative = top[:1] == ["-"]
        for factor in (u for u in everything if u.free_symbols):
            if factor.is_Pow and factor.exp.is_Rational and factor.exp < 0:
                bottom.append(self.write(1 / factor, _POWER))
            else:
                top.append(self.write(factor, _PRODUCT))
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
        if isinstance(node, sympy.cot):
            return f"1 / {self.prefix}tan({self.write(node.args[0])})", _PRODUCT
        if node.func in _JUMPS:
            return _JUMPS[node.func].format(*map(self.write, node.args)), _ATOM
        if isinstance(node, sympy.log) and 1 in node.args[0].args and node.args[0].is_Add:
            return f"{self.prefix}log1p({self.write(node.args[0] - 1)})", _ATOM
        if node.func not in _FUNCTIONS:
            where = _shorten(str(node))
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
            lines.append(f"{name} = {self.write_float(number)}  # {_shorten(str(number))}")
        return lines

    def write_float(self, number: Expr) -> str:
        """Return the float nearest to a constant."""
        try:
            if isinstance(number, Rational):
                return repr(int(number.p) / int(number.q))
            return repr(float(evaluate_precisely(number, sympy.Integer(0), _DIGITS)))
        except (ArithmeticError, ValueError, TypeError):
            where = _shorten(str(number))
            raise UsageError(f"the constant {where} is no finite real float; rewrite the expression") from None


def _is_negative(node: Expr) -> bool:
    return bool(node.as_coeff_Mul()[0] < 0)


# -------------------------------------------------------------------------------------------- activation


def write_functions(activation: Activation, name: str = "f") -> ElementwiseSource:
    """Print an activation and its derivative as NumPy functions `name` and `name_prime`.

    z is an array of any shape; the result has its shape and, if it is a float array, its type.  Nothing
    overflows or warns for |z| up to 1e4 where the activation's stable form is proved.

    Equation: the activation's own, in the forms of `theory.activations.branches`; f' by its identity in
    a = f(z) where that is a polynomial.  Errors: `UsageError` naming what cannot be printed.

    >>> from theory.activations import find
    >>> print(write_functions(find("sigmoid")).derivative)
    def f_prime(z):
        \"\"\"Derivative of sigmoid: a * (1 - a) with a = f(z)\"\"\"
        a = f(z)
        return a * (1 - a)
    <BLANKLINE>
    """
    value = _write_value(activation, name)
    slope = _write_identity(activation, name) or _write_slope(activation, name)
    support = merge_support([value.support, slope.support])
    return ElementwiseSource(name, value.value, slope.value, support)


def merge_support(parts: Iterable[Support]) -> Support:
    """Join helpers from several sources, each name once, in the order of first need."""
    return tuple({name: text for part in parts for name, text in part}.items())


def _write_value(activation: Activation, name: str) -> FunctionSource:
    form = activation.stable
    doc = f"{_shorten(activation.name)}: {_describe(activation.expression)}"
    if _is_best_plain(activation):
        return _write_plain(activation.expression, name, doc, "z")
    return _write_form(form, [b.value for b in form.branches], name, doc)


def _write_slope(activation: Activation, name: str) -> FunctionSource:
    form = activation.stable
    doc = f"Derivative of {_shorten(activation.name)}: {_describe(activation.derivative)}"
    return _write_form(form, [b.derivative for b in form.branches], f"{name}_prime", doc)


def _write_identity(activation: Activation, name: str) -> FunctionSource | None:
    """Print f' = g(a) where there is one formula for all x, a polynomial that is not a constant."""
    if len(activation.pieces) > 1 or not activation.derivative.free_symbols:
        return None
    identity = activation.identity_in_value
    if identity is None or not identity.is_polynomial(A):
        return None
    text = Printer({A: "a"}).write(identity)
    doc = f"Derivative of {_shorten(activation.name)}: {text} with a = {name}(z)"
    return _assemble(f"{name}_prime", "z", doc, [f"a = {name}(z)", f"return {text}"])


_Case = tuple[Expr, Expr]  # upper end of a stretch, and the formula there
_LONG = 32  # characters of a branch before it gets a line of its own
_S = Symbol("s", real=True)  # -|x|, or x where only x <= 0 matters
_JUMPING = (sympy.sign, sympy.Heaviside)


def _is_best_plain(activation: Activation) -> bool:
    """Whether f is better printed as it is stated than piece by piece."""
    expression = activation.expression
    if expression.has(*_JUMPING):
        return any(_jumps_at_end(expression, piece) for piece in activation.pieces)
    return activation.stable.rate is None and not expression.has(sympy.Abs, sympy.Piecewise)


def _jumps_at_end(expression: Expr, piece: Piece) -> bool:
    """Whether the value at the end of a piece is not the piece's (sign(0) is 0, to the left it is -1)."""
    if piece.upper.is_infinite:
        return False
    try:
        here = [evaluate_precisely(u, piece.upper, _DIGITS) for u in (expression, piece.expression)]
        return not abs(here[0] - here[1]) <= _SAME_VALUE
    except (ArithmeticError, ValueError):
        return True


def _write_form(form: StableForm, values: list[Expr], name: str, doc: str) -> FunctionSource:
    """Print one function given branch by branch in x, T and M."""
    cases = _merge_cases([(b.upper, value) for b, value in zip(form.branches, values, strict=True)])
    printer = Printer({X: "z", T: "t", M: "m", _S: "s"})
    lines = _write_decay(form, cases, printer)
    cases = _clip_cases(cases, printer, lines)
    result = _join_with_extreme(cases, printer)
    if result is None:
        cases = _share_functions(cases, printer, lines)
        result = _join_cases(cases, printer, lines)
    result += "  # NaN stays NaN" if result.endswith(", z))") else ""
    return _assemble(name, "z", doc, [*printer.write_constants(), *lines, f"return {result}"], printer)


def _merge_cases(cases: list[_Case]) -> list[_Case]:
    """Join neighbours with the same formula."""
    merged: list[_Case] = []
    for upper, value in cases:
        if merged and merged[-1][1] == value:
            merged.pop()
        merged.append((upper, value))
    return merged


def _write_decay(form: StableForm, cases: list[_Case], printer: Printer) -> list[str]:
    """Return the lines that define t and m, as far as they are used."""
    used = [symbol for symbol in (T, M) if any(symbol in value.free_symbols for _, value in cases)]
    if not used or form.rate is None:
        return []
    only_left = all(upper.is_nonpositive for upper, value in cases if value.has(T, M))
    size, meaning = ("np.minimum(z, 0)", "z") if only_left else ("np.where(z > 0, -z, z)", "-|z|")
    lines = [f"s = {size}"] if len(used) > 1 else []
    exponent = printer.write((form.rate * _S).xreplace({_S: _S if lines else printer.name("size", size)}))
    lines += [f"{'t' if u == T else 'm'} = np.{'exp' if u == T else 'expm1'}({exponent})" for u in used]
    lines[0] += f"  # {'s' if len(used) > 1 else 'the exponent'} is {meaning} <= 0: nothing overflows"
    return lines


_HARMLESS = (sympy.tanh, sympy.erf, sympy.sin, sympy.cos, sympy.atan, sympy.Add, sympy.Mul)


def _is_harmless(node: Expr) -> bool:
    """Whether a formula may be evaluated outside its own stretch, where its value is thrown away."""
    if X not in node.free_symbols:
        return True
    is_power = node.is_Pow and node.exp.is_Integer and node.exp > 0
    return node == X or ((is_power or isinstance(node, _HARMLESS)) and all(map(_is_harmless, node.args)))


def _clip_cases(cases: list[_Case], printer: Printer, lines: list[str]) -> list[_Case]:
    """Keep z inside a branch's stretch where the formula could divide by zero or overflow outside."""
    clipped, low = [], -sympy.oo
    for place, (upper, value) in enumerate(cases):
        if len(cases) > 1 and not _is_harmless(value):
            edges = [printer.write(edge) for edge in (low, upper) if edge.is_finite]
            function = "clip" if len(edges) > 1 else "minimum" if place == 0 else "maximum"
            name = {"minimum": "below", "maximum": "above"}.get(function, f"inside{place}")
            lines.append(f"{name} = np.{function}(z, {', '.join(edges)})")
            clipped.append((upper, value.xreplace({X: printer.name(name, name)})))
        else:
            clipped.append((upper, value))
        low = upper
    return clipped


def _share_functions(cases: list[_Case], printer: Printer, lines: list[str]) -> list[_Case]:
    """Give a function value that occurs more than once a local name."""
    calls = {node for _, value in cases for node in value.atoms(sympy.Function)}
    shared = 0
    for call in sorted(calls, key=lambda u: (-u.count_ops(), str(u))):
        if sum(value.count(call) for _, value in cases) < 2 or not call.free_symbols:
            continue
        shared += 1
        lines.append(f"h{shared} = {printer.write(call)}")
        symbol = printer.name(f"h{shared}", f"h{shared}")
        cases = [(upper, value.xreplace({call: symbol})) for upper, value in cases]
    return cases


def _join_with_extreme(cases: list[_Case], printer: Printer) -> str | None:
    """Return the text where the two cases differ by z alone: max(z, 0) + what they share."""
    if len(cases) != 2 or cases[0][0] != 0:
        return None
    (_, low), (_, high) = cases
    if high - low == X:
        return printer.write(printer.name("largest", "np.maximum(z, 0)") + low)
    return printer.write(printer.name("least", "np.minimum(z, 0)") + high) if low - high == X else None


def _join_cases(cases: list[_Case], printer: Printer, lines: list[str]) -> str:
    """Return the text of a value given by cases, with what they share written once."""
    if len(cases) == 1:
        return _write_constant_or(cases[0][1], printer)
    if len(cases) == 2:
        (at, low), (_, high) = cases
        (low_top, bottom), (high_top, other) = sympy.fraction(low), sympy.fraction(high)
        if bottom == other and bottom != 1:
            text = _choose([(at, low_top), (sympy.oo, high_top)], printer, lines)
            return printer.write(printer.name("case", text) / bottom)
    return _choose(cases, printer, lines)


def _choose(cases: list[_Case], printer: Printer, lines: list[str]) -> str:
    """Return nested np.where, such that NaN ends up in a formula that contains z."""
    edges = [printer.write(upper) for upper, _ in cases[:-1]]
    names = ("left", "right") if len(cases) == 2 else tuple(f"case{k}" for k in range(1, len(cases) + 1))
    texts = [_name_if_long(printer.write(value), name, lines) for name, (_, value) in zip(names, cases, strict=True)]
    if len(cases) == 2 and cases[0][1].free_symbols:
        return f"np.where(z > {edges[0]}, {texts[1]}, {texts[0]})"
    result = texts[-1] if cases[-1][1].free_symbols else f"np.where(z > {edges[-1]}, {texts[-1]}, z)"
    for edge, text in zip(reversed(edges), reversed(texts[:-1]), strict=True):
        result = f"np.where(z <= {edge}, {text}, {result})"
    return result


def _name_if_long(text: str, name: str, lines: list[str]) -> str:
    if len(text) <= _LONG:
        return text
    lines.append(f"{name} = {text}")
    return name


def _write_constant_or(value: Expr, printer: Printer, argument: str = "z") -> str:
    """Return the text of a value; a constant is spread over the shape of the argument."""
    if value.free_symbols:
        return printer.write(value)
    if value in (0, 1):
        return f"np.{'ones' if value == 1 else 'zeros'}_like({argument})"
    return f"np.zeros_like({argument}) + {printer.write(value, _PRODUCT)}"


# ----------------------------------------------------------------------------------- plain expressions


def write_expression(expression: Expr, name: str = "F", variable: str = "x") -> FunctionSource:
    """Print an expression of one variable, as `theory.expressions.parse` gives it, as a NumPy function.

    Errors: `UsageError` naming what cannot be printed.

    >>> from theory.expressions import parse
    >>> print(write_expression(parse("exp(-x)*sin(8*pi*x)")).value)
    def F(x):
        \"\"\"F(x) = exp(-x)*sin(8*pi*x)\"\"\"
        return np.exp(-x) * np.sin(8 * np.pi * x)
    <BLANKLINE>
    """
    doc = f"{name}({variable}) = {_describe(expression, variable)}"
    return _write_plain(expression, name, doc, variable, variable)


def evaluate(expression: Expr, variable: str = "x") -> Callable[..., Any]:
    """Return an expression of one variable as a function on arrays.

    >>> from theory.expressions import parse
    >>> evaluate(parse("x**2"))(np.array([1.0, 3.0]))
    array([1., 9.])
    """
    source = write_expression(expression, "F", variable)
    function: Callable[..., Any] = load_functions(source.text, f"expression {expression}")["F"]
    return function


def _write_plain(expression: Expr, name: str, doc: str, argument: str, variable: str = "x") -> FunctionSource:
    printer = Printer({real_symbol(variable): argument})
    result = _write_constant_or(expression, printer, argument)
    return _assemble(name, argument, doc, [*printer.write_constants(), f"return {result}"], printer)


# ----------------------------------------------------------------------------------------------- source

_DOC_LENGTH = 75
_LONG_NUMBER = 10**6  # fractions of larger numbers are shown as decimals
_FLOAT_DIGITS = 17  # enough to tell any two floats apart


def _assemble(name: str, argument: str, doc: str, lines: list[str], printer: Printer | None = None) -> FunctionSource:
    special = dict.fromkeys(printer.special) if printer else {}
    body = "".join(f"{INDENT}{line}\n" for line in lines)
    text = f'def {name}({argument}):\n{INDENT}"""{doc}"""\n{body}'
    return FunctionSource(name, text, merge_support(write_special(one) for one in special))


class _FormulaPrinter(StrPrinter):
    """Mathematics for a docstring: SymPy's text, with the argument's own letter and short numbers."""

    def __init__(self, argument: str) -> None:
        super().__init__()
        self.argument = argument

    def _print_Symbol(self, expr: Symbol) -> str:
        return self.argument

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


def _describe(expression: Expr, argument: str = "z") -> str:
    """Return a formula for a docstring, not longer than a line."""
    long = [r for r in expression.atoms(Rational) if max(abs(r.p), r.q) > _LONG_NUMBER]
    short = expression.xreplace({r: sympy.Float(r, _FLOAT_DIGITS) for r in long}) if long else expression
    return _shorten(str(_FormulaPrinter(argument).doprint(short)))


def _shorten(text: str) -> str:
    return text if len(text) <= _DOC_LENGTH else text[: _DOC_LENGTH - 3] + "..."


def load_functions(text: str, label: str) -> dict[str, Any]:
    """Run printed source and return its names; tracebacks and `inspect` find the text under the label."""
    filename = f"<backprop: {label}>"
    linecache.cache[filename] = (len(text), None, text.splitlines(keepends=True), filename)
    namespace: dict[str, Any] = {"np": np, "__name__": label}
    exec(compile(text, filename, "exec"), namespace)
    return namespace
