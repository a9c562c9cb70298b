"""Expressions as they are written: SymPy nodes that nobody simplifies, so that x/x still asks for x not to be 0."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType

import sympy
from sympy import Add, Expr, Integer, Mul, Pow, Rational

from theory.functions.elementary import MAX_BITS, measure

__all__ = ["AS_WRITTEN", "fold", "rebuild"]


def _negate(u: Expr) -> Expr:
    return Mul(Integer(-1), u, evaluate=False)


def _subtract(u: Expr, v: Expr) -> Expr:
    return Add(u, _negate(v), evaluate=False)


def _raise(u: Expr, v: Expr) -> Expr:
    """A power; an exponent of numbers alone is worked out, for whole powers and others are defined elsewhere."""
    number = fold(v)
    return Pow(u, v if number is None else number, evaluate=False)


def fold(node: Expr) -> Rational | None:
    """The rational number that numbers, signs, + - * / and whole powers make; None for anything else."""
    if isinstance(node, Rational):
        return node
    parts = [part for part in map(fold, node.args) if part is not None]
    if not parts or len(parts) < len(node.args) or not (node.is_Add or node.is_Mul or node.is_Pow):
        return None
    if node.is_Pow and not (parts[1].is_Integer and abs(parts[1]) * measure(parts[0]) <= MAX_BITS):
        return None
    found = node.func(*parts)
    return found if isinstance(found, Rational) and measure(found) <= MAX_BITS else None


def _step(at_zero: int) -> Callable[[Expr, Expr], Expr]:
    return lambda u, v: sympy.Heaviside(_subtract(u, v), Integer(at_zero), evaluate=False)


AS_WRITTEN: Mapping[str, Callable[..., Expr]] = MappingProxyType(
    {
        "+": lambda u, v: Add(u, v, evaluate=False),
        "-": _subtract,
        "*": lambda u, v: Mul(u, v, evaluate=False),
        "/": lambda u, v: Mul(u, Pow(v, Integer(-1), evaluate=False), evaluate=False),
        "negative": _negate,
        "**": _raise,
        "|": lambda u: sympy.Abs(u, evaluate=False),
        ">": _step(0),
        ">=": _step(1),
        "<": lambda u, v: _step(0)(v, u),
        "<=": lambda u, v: _step(1)(v, u),
    }
)
"""What an operator makes of its operands."""


def rebuild(node: sympy.Basic, meaning: Mapping[Expr, Expr]) -> Expr:
    """The same expression with other things in the place of its symbols, nothing simplified.

    >>> x = sympy.Symbol("x", real=True)
    >>> rebuild(sympy.exp(x), {x: sympy.log(x)})
    exp(log(x))
    """
    if not node.args:
        return meaning.get(node, node)
    if isinstance(node, sympy.Piecewise):
        return _rebuild_cases(node.args, meaning)
    return node.func(*(rebuild(part, meaning) for part in node.args), evaluate=False)


def _rebuild_cases(cases: Sequence[sympy.Basic], meaning: Mapping[Expr, Expr]) -> Expr:
    """Cases as a sum of values times steps: SymPy would simplify conditions."""
    value, condition = cases[0].args
    inside = rebuild(value, meaning)
    if condition == sympy.true:
        return inside
    sides = [rebuild(side, meaning) for side in condition.args]
    steps = [AS_WRITTEN[relation.rel_op](*sides) for relation in (condition, condition.negated)]
    terms = [inside, _rebuild_cases(cases[1:], meaning)]
    return Add(*(Mul(step, term, evaluate=False) for step, term in zip(steps, terms, strict=True)), evaluate=False)
