"""Which activations there are: the catalogue with what can be told of each, and others that are written often."""

from __future__ import annotations

from functools import cache

from sympy import Expr, Mul, diff

from theory.functions.activation_catalogue import NAMES
from theory.functions.elementwise import find
from theory.functions.pieces import split
from theory.functions.values import real_symbol

__all__ = ["CATALOGUE", "FURTHER", "OUTPUTS", "USUAL", "USUAL_OUTPUTS", "below_zero", "is_product", "is_straight"]

CATALOGUE = NAMES
USUAL = CATALOGUE[:5]
"""The catalogue begins with those that are used most."""
USUAL_OUTPUTS = (*CATALOGUE[:4], "softmax")
OUTPUTS = (CATALOGUE[0], "softmax", *CATALOGUE[1:])
FURTHER = {
    "sin": "sin(x)",
    "cos": "cos(x)",
    "arctan": "atan(x)",
    "softsign": "x/(1+abs(x))",
    "isru": "x/sqrt(1+x**2)",
    "gaussian": "exp(-x**2)",
    "exp": "exp(x)",
    "square": "x**2",
    "cube": "x**3",
    "scaled_tanh": "17159*tanh(2*x/3)/10000",
    "relu6": "min(max(x,0),6)",
    "hard_tanh": "max(-1,min(1,x))",
    "hard_sigmoid": "min(max(x/5+1/2,0),1)",
    "hard_swish": "x*min(max(x+3,0),6)/6",
    "squared_relu": "max(x,0)**2",
}
"""Not in the catalogue, but written often enough."""

X = real_symbol()


def is_straight(expression: Expr) -> bool:
    """Whether an expression is a line."""
    return bool(diff(expression, X).is_number)


@cache
def below_zero(name: str) -> Expr | None:
    """What an activation of the catalogue is for x ≤ 0, where it bends at 0 and is straight above; None for others.

    >>> below_zero("leaky_relu"), below_zero("tanh")
    (x/100, None)
    """
    pieces = split(find(name).expression) if name in CATALOGUE else ()
    if len(pieces) != 2 or pieces[0].upper != 0 or not is_straight(pieces[1].expression):
        return None
    return pieces[0].expression


@cache
def is_product(name: str) -> bool:
    """Whether an activation of the catalogue is x·g(x), as GELU is.

    >>> [name for name in CATALOGUE if is_product(name)]
    ['gelu', 'gelu_tanh', 'silu', 'mish']
    """
    expression = find(name).expression if name in CATALOGUE else X
    return X in Mul.make_args(expression) and not is_straight(expression)
