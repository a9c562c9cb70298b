"""Whether a function of the whole line is continuous, shown from the way it is put together."""

from __future__ import annotations

import itertools

import sympy
from sympy import Expr, Rational
from sympy.core.relational import Relational

from theory.functions.values import real_symbol

__all__ = ["is_surely_continuous"]

CONTINUOUS = (sympy.exp, sympy.sin, sympy.cos, sympy.sinh, sympy.cosh, sympy.tanh, sympy.atan, sympy.erf, sympy.erfc,
              sympy.Abs, sympy.Max, sympy.Min, sympy.Add, sympy.Mul)  # fmt: skip
"""Continuous wherever their arguments are."""


def is_surely_continuous(node: Expr) -> bool:
    """Whether an expression in the real x is shown to be continuous at every x; False is "not shown", no more.

    Compositions of continuous functions are continuous; a denominator must be shown never to be 0, a logarithm's
    argument to be positive, and cases, cut at rational points, must agree there. sign and steps are not continuous.

    >>> from theory.functions.elementwise import parse
    >>> [is_surely_continuous(parse(text)) for text in ("x*tanh(x)", "max(x, 0)", "x > 0", "atan(1/x)", "1/(1 + x**2)")]
    [True, True, False, False, True]
    """
    if not node.args:
        return bool(node.is_Symbol or node.is_finite)
    if isinstance(node, sympy.Piecewise):
        return _do_cases_meet(node)
    if not all(map(is_surely_continuous, node.args)):
        return False
    if isinstance(node, sympy.log):
        return bool(node.args[0].is_positive)
    if node.is_Pow:
        return _is_power_defined(*node.args)
    return isinstance(node, CONTINUOUS)


def _is_power_defined(base: Expr, exponent: Expr) -> bool:
    """Everywhere: a whole power, or another one of what is not negative; the base not 0 where the power is negative."""
    if base.is_number:
        return bool(base.is_positive)
    if not exponent.is_number:
        return False
    if exponent.is_integer:
        return bool(exponent.is_nonnegative or base.is_nonzero)
    return bool(base.is_positive or (base.is_nonnegative and exponent.is_positive))


def _do_cases_meet(node: Expr) -> bool:
    """Whether neighbouring cases of a Piecewise have the same value where one takes over from the other."""
    x = real_symbol()
    cuts = [_find_cut(condition, x) for _, condition in node.args if condition not in (sympy.true, sympy.false)]
    edges = sorted({cut for cut in cuts if cut is not None})
    if None in cuts or not edges:
        return False
    samples = [edges[0] - 1, *((a + b) / 2 for a, b in itertools.pairwise(edges)), edges[-1] + 1]
    cases = [_find_case(node, x, sample) for sample in samples]
    meet = all((a - b).subs(x, edge) == 0 for (a, b), edge in zip(itertools.pairwise(cases), edges, strict=True))
    return meet and all(map(is_surely_continuous, cases))


def _find_cut(condition: sympy.Basic, x: sympy.Symbol) -> Rational | None:
    """The rational point at which a comparison between x and a number changes, or None for any other condition."""
    if not isinstance(condition, Relational):
        return None
    gap = condition.lhs - condition.rhs
    cut = x - gap
    return cut if cut.is_Rational else -(cut - 2 * x) if (cut - 2 * x).is_Rational else None


def _find_case(node: Expr, x: sympy.Symbol, sample: Rational) -> Expr:
    """The case that holds at a rational point."""
    return next(value for value, condition in node.args if condition.subs(x, sample) == sympy.true)
