"""Removable singularities: what an expression tends to at points where it has no value, where that was asked for.

At such a point p a quotient u/v whose parts vanish there exactly, v to order m, is ũ/ṽ, each divided by (x − p)^m. On
a box that holds p the Taylor coefficients of ũ are those of u, m places further: ũ_k is a mean of u_{k+m} between p
and x. Beside that, v log v tends to 0 with v, and exp(u/v) where u is negative and v >= 0 tends to 0.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import sympy
from flint import arb, arb_series, ctx, fmpq
from sympy import Expr

from backprop.approximation.proving.precision import computing
from backprop.approximation.proving.undecided import Ball, Undecided

__all__ = ["divide_out", "enclose_entropy", "find_entropy", "split_quotient"]

Visit = Callable[[Expr, Any], Any]
"""The series of an expression at a series of x."""


def split_quotient(node: Expr) -> tuple[list[Expr], list[Expr]]:
    """The factors of a product above and below the line.

    >>> x = sympy.Symbol("x", real=True)
    >>> split_quotient(sympy.Mul(x, sympy.Mul(sympy.cos(x), 1 / sympy.sin(x)), evaluate=False))
    ([x, cos(x)], [sin(x)])
    """
    if node.is_Mul:
        parts = [split_quotient(factor) for factor in node.args]
        return [u for above, _ in parts for u in above], [v for _, below in parts for v in below]
    if node.is_Pow and node.args[1].is_Integer and node.args[1] < 0:
        below, above = split_quotient(node.args[0])
        times = -int(node.args[1])
        return above * times, below * times
    return [node], []


def divide_out(node: Expr, x: Any, points: tuple[Expr, ...], visit: Visit) -> Any:
    """The series of a quotient of two parts that vanish at one of the points.  Errors: Undecided where they do not."""
    above, below = (sympy.Mul(*part, evaluate=False) for part in split_quotient(node))
    for point in points:
        place = arb(_to_fraction(point))
        if not below.free_symbols or not x[0].contains(place) or not bool(x[1] == 1):
            continue
        order = _count_zeros(visit(below, arb_series([place, 1])))
        if not order or _count_zeros(visit(above, arb_series([place, 1]))) < order:
            continue
        terms = ctx.cap
        with computing(ctx.prec, terms + order):
            wide = arb_series([x[0], 1])
            parts = [visit(part, wide) for part in (above, below)]
            shifted = [[part[k] for k in range(order, order + terms)] for part in parts]
        if not bool(shifted[1][0] != 0):
            break
        return arb_series(shifted[0]) / arb_series(shifted[1])
    raise Undecided("a denominator may be 0 on the box")


def _to_fraction(number: Expr) -> Any:
    """A rational number as python-flint's."""
    return fmpq(int(number.p), int(number.q))


def _count_zeros(series: Any) -> int:
    """How many of the first coefficients are exactly 0; 0 if all of them are."""
    for k in range(ctx.cap):
        if not bool(series[k] == 0):
            return k
    return 0


def find_entropy(node: Expr) -> tuple[Expr, list[Expr]] | None:
    """v and the other factors, if a product holds v and log v; None if not."""
    above, below = split_quotient(node)
    for factor in above:
        if isinstance(factor, sympy.log) and factor.args[0] in above:
            rest = list(above)
            rest.remove(factor)
            rest.remove(factor.args[0])
            return factor.args[0], [*rest, *(sympy.Pow(v, -1, evaluate=False) for v in below)]
    return None


def enclose_entropy(low: Ball, high: Ball) -> tuple[Ball, Ball]:
    """v log v for v from low >= 0 to high: it falls up to 1/e and rises from there; 0 at 0."""
    ends = [arb(0) if bool(end == 0) else end * end.log() for end in (low, high)]
    least = -1 / arb(1).exp()
    falls = bool(high <= arb("0.3678"))
    return (ends[1] if falls else least), (ends[0] if falls else ends[0].max(ends[1]))
