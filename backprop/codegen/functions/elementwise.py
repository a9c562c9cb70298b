"""Prints activations and expressions as NumPy functions that a student can read.

Everything works entry by entry on arrays: float32 stays float32 and NaN stays NaN.  Where the formula is
analytic complex arrays work too (comparisons look at the real part first), so a complex step goes through.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import sympy
from sympy import Expr

from backprop.codegen.functions.accurate import write_accurate
from backprop.codegen.functions.branches import write_branches, write_constant_or
from backprop.codegen.functions.numpy_printer import NumpyPrinter
from backprop.codegen.functions.special import Support, write_special
from backprop.codegen.lowering.load import load_functions
from backprop.errors import unknown_name
from theory.functions.elementwise import ActivationFunction
from theory.functions.pieces import Piece
from theory.functions.stable_forms import StableForm
from theory.functions.value_identities import A
from theory.functions.values import evaluate_precisely, real_symbol
from theory.language.formulas import describe, shorten

__all__ = [
    "Accuracy",
    "ElementwiseSource",
    "FunctionSource",
    "check_accuracy",
    "evaluate",
    "merge_support",
    "write_expression",
    "write_functions",
]

INDENT = "    "
Accuracy = Literal["fast", "full"]
ACCURACIES: tuple[Accuracy, ...] = ("fast", "full")


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


_NUMPY_KNOWS = (sympy.tanh,)  # NumPy's own function is within two ulps everywhere
_JUMPING = (sympy.sign, sympy.Heaviside)
_SAME_VALUE = 1e-20  # two values nearer than this, at _DIGITS digits, are one
_DIGITS = 30


def write_functions(activation: ActivationFunction, name: str = "f", accuracy: Accuracy = "fast") -> ElementwiseSource:
    """Print an activation and its derivative as NumPy functions `name` and `name_prime`.

    "full": every digit of f and f' over the whole range, in the forms of `theory.functions.accurate_forms` where they
    apply.
    "fast": f' from a = f(z) where an identity allows, right against the largest |f'| only.

    z is an array of any shape; the result has its shape and, if it is a float array, its type.  Nothing
    overflows or warns for |z| up to 1e4 where the activation's stable form is proved.

    Equation: the activation's own, in the forms of `theory.functions.elementwise.branches`; f' by its identity
    in a = f(z) where that is a polynomial.  Errors: `UsageError` naming what cannot be printed.

    >>> from theory.functions.elementwise import find
    >>> print(write_functions(find("sigmoid")).derivative)
    def f_prime(z):
        \"\"\"Derivative of sigmoid: a * (1 - a) with a = f(z)\"\"\"
        a = f(z)
        return a * (1 - a)
    <BLANKLINE>
    """
    if accuracy == "full":
        value, slope = _write_full_value(activation, name), _write_full_slope(activation, name)
    else:
        value = _write_value(activation, name)
        slope = _write_identity(activation, name) or _write_slope(activation, name)
    support = merge_support([value.support, slope.support])
    return ElementwiseSource(name, value.value, slope.value, support)


def check_accuracy(accuracy: str) -> Accuracy:
    """Return a choice of accuracy.  Errors: `UsageError` for a word that is none."""
    for known in ACCURACIES:
        if isinstance(accuracy, str) and known == accuracy:
            return known
    raise unknown_name("accuracy", accuracy, ACCURACIES)


def merge_support(parts: Iterable[Support]) -> Support:
    """Join helpers from several sources, each name once, in the order of first need."""
    return tuple({name: text for part in parts for name, text in part}.items())


def _describe_value(activation: ActivationFunction) -> str:
    return f"{shorten(activation.name)}: {shorten(describe(activation.expression, 'z'))}"


def _describe_slope(activation: ActivationFunction) -> str:
    return f"Derivative of {shorten(activation.name)}: {shorten(describe(activation.derivative, 'z'))}"


def _write_full_value(activation: ActivationFunction, name: str) -> FunctionSource:
    if activation.expression.func in _NUMPY_KNOWS or activation.accurate is None:
        return _write_value(activation, name)
    lines, support = write_accurate(activation.accurate, activation.accurate.value)
    return replace(_assemble(name, "z", _describe_value(activation), lines), support=support)


def _write_full_slope(activation: ActivationFunction, name: str) -> FunctionSource:
    if activation.accurate is None:
        return _write_slope(activation, name)
    lines, support = write_accurate(activation.accurate, activation.accurate.derivative)
    return replace(_assemble(f"{name}_prime", "z", _describe_slope(activation), lines), support=support)


def _write_value(activation: ActivationFunction, name: str) -> FunctionSource:
    form = activation.stable
    doc = _describe_value(activation)
    if _is_best_plain(activation):
        return _write_plain(activation.expression, name, doc, "z")
    return _write_form(form, [b.value for b in form.branches], name, doc)


def _write_slope(activation: ActivationFunction, name: str) -> FunctionSource:
    form = activation.stable
    doc = _describe_slope(activation)
    return _write_form(form, [b.derivative for b in form.branches], f"{name}_prime", doc)


def _write_identity(activation: ActivationFunction, name: str) -> FunctionSource | None:
    """Print f' = g(a) where there is one formula for all x, a polynomial that is not a constant."""
    identity = activation.polynomial_in_value if activation.derivative.free_symbols else None
    if identity is None:
        return None
    text = NumpyPrinter({A: "a"}).write(identity)
    doc = f"Derivative of {shorten(activation.name)}: {text} with a = {name}(z)"
    return _assemble(f"{name}_prime", "z", doc, [f"a = {name}(z)", f"return {text}"])


def _is_best_plain(activation: ActivationFunction) -> bool:
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
    """Print one function given branch by branch."""
    printer, lines = write_branches(form, values)
    return _assemble(name, "z", doc, lines, printer)


def write_expression(expression: Expr, name: str = "F", variable: str | Sequence[str] = "x") -> FunctionSource:
    """Print an expression of one variable or more, as `theory.functions.expressions.parse` gives it, as a NumPy
    function.

    Errors: `UsageError` naming what cannot be printed.

    >>> from theory.functions.expressions import parse
    >>> print(write_expression(parse("exp(-x)*sin(8*pi*x)")).value)
    def F(x):
        \"\"\"F(x) = exp(-x)*sin(8*pi*x)\"\"\"
        return np.exp(-x) * np.sin(8 * np.pi * x)
    <BLANKLINE>
    """
    variables = (variable,) if isinstance(variable, str) else tuple(variable)
    doc = f"{name}({', '.join(variables)}) = {shorten(describe(expression))}"
    printer = NumpyPrinter({real_symbol(one): one for one in variables})
    result = write_constant_or(expression, printer, variables[0])
    return _assemble(name, ", ".join(variables), doc, [*printer.write_constants(), f"return {result}"], printer)


def evaluate(expression: Expr, variable: str | Sequence[str] = "x") -> Callable[..., Any]:
    """Return an expression of one variable as a function on arrays; of several, on arrays of one shape.

    >>> from theory.functions.expressions import parse
    >>> import numpy as np
    >>> evaluate(parse("x**2"))(np.array([1.0, 3.0]))
    array([1., 9.])
    >>> evaluate(parse("x*y", ("x", "y")), ("x", "y"))(np.array([1.0, 3.0]), np.array([2.0, 2.0]))
    array([2., 6.])
    """
    source = write_expression(expression, "F", variable)
    function: Callable[..., Any] = load_functions(source.text, f"expression {expression}")["F"]
    return function


def _write_plain(expression: Expr, name: str, doc: str, argument: str) -> FunctionSource:
    printer = NumpyPrinter({real_symbol(): argument})
    result = write_constant_or(expression, printer, argument)
    return _assemble(name, argument, doc, [*printer.write_constants(), f"return {result}"], printer)


def _assemble(
    name: str, argument: str, doc: str, lines: list[str], printer: NumpyPrinter | None = None
) -> FunctionSource:
    special = dict.fromkeys(printer.special) if printer else {}
    body = "".join(f"{INDENT}{line}\n" for line in lines)
    text = f'def {name}({argument}):\n{INDENT}"""{doc}"""\n{body}'
    return FunctionSource(name, text, merge_support(write_special(one) for one in special))
