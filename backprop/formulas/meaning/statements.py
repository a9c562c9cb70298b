"""The activations of the book as trees: each is stated once, in `theory`, forward only."""

from __future__ import annotations

from functools import cache

import sympy

from backprop.formulas.text.lexicon import Lexicon
from backprop.formulas.text.parser import parse
from backprop.formulas.text.tree import Term
from theory.functions.activation_catalogue import ALIASES, STATEMENTS

__all__ = ["statement"]

OTHER_NAMES = {"logistic": "sigmoid", "swish": "silu", "logsigmoid": "log_sigmoid", "leakyrelu": "leaky_relu"}


@cache
def statement(name: str) -> Term | None:
    """The formula of an activation in x, or None if the book has none of that name.

    >>> type(statement("ReLU")).__name__
    'Apply'
    """
    low = name.lower()
    low = OTHER_NAMES.get(low, ALIASES.get(low, low))
    if low not in STATEMENTS or low == "tanh":
        return None
    return parse(_text(STATEMENTS[low].formula(sympy.Symbol("x"))), Lexicon())


def _text(expression: sympy.Expr) -> str:
    """An expression in the signs that the parser reads."""
    if isinstance(expression, sympy.Piecewise):
        cases = [
            _text(value) + ("" if condition == sympy.true else f" if {condition}")
            for value, condition in expression.args
        ]
        cases[-1] += " otherwise" if " if " not in cases[-1] else ""
        return "{ " + " ; ".join(cases) + " }"
    text = str(expression.evalf(40) if expression.has(sympy.Float) else expression)
    return text.replace("**", "^").replace("Max", "max").replace("pi", "\\pi")
