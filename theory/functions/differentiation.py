"""The derivative of an expression of one variable: sums, products, powers and the chain rule, nothing else.

The derivatives of the elementary functions themselves come from SymPy; there is no table of them here.
"""

from __future__ import annotations

import sympy
from sympy import Expr, Integer, Symbol

__all__ = ["differentiate"]


def differentiate(expression: Expr, x: Symbol) -> Expr:
    """Return the derivative by x.

    Equation: (u + v)' = u' + v', (u v)' = u' v + u v', (u**c)' = c u**(c - 1) u', g(u)' = g'(u) u'.

    >>> x = Symbol("x", real=True)
    >>> differentiate(x * sympy.tanh(x) + 1, x)
    x*(1 - tanh(x)**2) + tanh(x)
    """
    if expression == x:
        return Integer(1)
    if x not in expression.free_symbols:
        return Integer(0)
    if expression.is_Add:
        return sympy.Add(*(differentiate(term, x) for term in expression.args))
    if expression.is_Mul:
        return sympy.Add(*_differentiate_factors(expression, x))
    if expression.is_Pow and x not in expression.exp.free_symbols:
        base, exponent = expression.args
        return exponent * base ** (exponent - 1) * differentiate(base, x)
    if isinstance(expression, sympy.Function) and len(expression.args) == 1:
        return expression.fdiff() * differentiate(expression.args[0], x)
    return expression.diff(x)


def _differentiate_factors(product: Expr, x: Symbol) -> list[Expr]:
    """List the terms of the product rule."""
    terms = []
    for place, factor in enumerate(product.args):
        slope = differentiate(factor, x)
        if slope != 0:
            terms.append(sympy.Mul(*product.args[:place], slope, *product.args[place + 1 :]))
    return terms
