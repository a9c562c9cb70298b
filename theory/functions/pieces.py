"""Pieces: the stretches of the line on which an expression needs no abs, max, min, sign or case."""

from __future__ import annotations

import functools
import itertools
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import sympy
from sympy import QQ, ZZ, Expr, Integer, Rational, Symbol

from theory.functions.values import evaluate_at, evaluate_precisely, holds

__all__ = ["Piece", "split"]

_SWITCHES = (sympy.Abs, sympy.sign, sympy.Heaviside, sympy.Max, sympy.Min, sympy.Piecewise)
_SAME_POINT = 1e-12  # two zeros closer than this are one
_DIGITS = 30  # of a point before it is rounded
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

    >>> x = sympy.Symbol("x", real=True)
    >>> [str(piece.expression) for piece in split(sympy.Abs(x - 1))]
    ['1 - x', 'x - 1']
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
    degree = _bound_degree(quantity)
    if degree == 1:
        constant = quantity.xreplace({x: Integer(0)})
        slope = quantity.xreplace({x: Integer(1)}) - constant
        return [] if slope == 0 else [-constant / slope]
    polynomial = quantity.as_poly(x) if degree <= _LARGEST_DEGREE and _is_rational(quantity) else None
    if polynomial is not None and polynomial.domain in (ZZ, QQ):
        return list(dict.fromkeys(polynomial.real_roots()))
    return _invert(quantity, whole)


def _bound_degree(node: Expr) -> float:
    """Bound the degree of a polynomial before it is multiplied out; infinite for anything else."""
    if not node.free_symbols or isinstance(node, Symbol):
        return len(node.free_symbols)
    degrees = list(map(_bound_degree, node.args))
    if node.is_Add:
        return max(degrees)
    if node.is_Mul:
        return sum(degrees)
    return degrees[0] * int(node.exp) if node.is_Pow and node.exp.is_Integer and node.exp > 0 else math.inf


def _is_rational(polynomial: Expr) -> bool:
    return all(isinstance(leaf, (Rational, Symbol)) for leaf in sympy.preorder_traversal(polynomial) if not leaf.args)


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


@functools.lru_cache(maxsize=256)
def _locate(point: Expr) -> float:
    if point.is_infinite:
        return math.inf if point == sympy.oo else -math.inf
    return float(evaluate_precisely(point, Integer(0), _DIGITS))


def _is_inside(point: Expr, piece: Piece) -> bool:
    return _locate(piece.lower) < _locate(point) <= _locate(piece.upper)


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
        return next(_resolve(value, sample) for value, when in node.args if holds(when, sample))
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
