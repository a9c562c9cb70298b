"""Functions with numbers in them: penalties, and 1/√(variance + ε); their derivatives are worked out from them."""

from __future__ import annotations

from sympy import Expr

from backprop.codegen.functions.elementwise import write_expression as write_formula
from backprop.codegen.functions.elementwise import write_functions
from backprop.codegen.functions.numpy_printer import NumpyPrinter
from backprop.specification.network import find_activation
from theory.chapters.networks.batch_norm import slope_by_root
from theory.functions.differentiation import differentiate
from theory.functions.half_line import X

__all__ = ["write_penalty", "write_root"]


def write_penalty(name: str, stated: str) -> dict[str, str]:
    """A penalty and its derivative; that of |w| is the sign, which is 0 at 0, so that a weight at 0 may stay."""
    statement = find_activation(stated, "penalty")
    value = write_functions(statement, name)
    slope = write_formula(differentiate(statement.expression, X), f"{name}_prime", "x")
    return {**dict(value.support), name: value.value, f"{name}_prime": slope.value}


def write_root(name: str, number: float) -> dict[str, str]:
    """1/√(v + ε) and its derivative, an expression in the value itself as `theory` finds it."""
    value = f"""def {name}(v):
    \"\"\"1 / sqrt(v + epsilon) with epsilon = {number!r}\"\"\"
    return 1 / np.sqrt(v + {number!r})
"""
    slope = f"""def {name}_prime(v):
    \"\"\"Derivative of {name} in terms of r = {name}(v)\"\"\"
    r = {name}(v)
    return {write_constant_free(slope_by_root())}
"""
    return {name: value, f"{name}_prime": slope}


def write_constant_free(expression: Expr) -> str:
    """An expression in r without a name for any constant."""
    (letter,) = expression.free_symbols
    return NumpyPrinter({letter: str(letter)}).write(expression)
