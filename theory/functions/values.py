"""The value of an expression of one variable at a point: in Python floats, or with any number of digits."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Mapping
from types import MappingProxyType, SimpleNamespace
from typing import Any

import mpmath
import sympy
from sympy import Expr, Rational, Symbol

__all__ = [
    "SYMPY_ERRORS",
    "ContinuedFunction",
    "WrittenChoice",
    "evaluate_at",
    "evaluate_precisely",
    "holds",
    "real_symbol",
    "to_rational",
]


def real_symbol(name: str = "x") -> Symbol:
    """Return the real variable every expression is written in; the same name is the same symbol."""
    return Symbol(name, real=True)


class WrittenChoice(sympy.Function):
    """The second argument where the first, a step, is 1, and the third where it is 0: cases as they are written."""

    nargs = 3


class ContinuedFunction(sympy.Function):
    """The first argument, extended by its limit to the points (rational numbers) that are the others."""


SYMPY_ERRORS = (ArithmeticError, AttributeError, TypeError, ValueError)
"""What SymPy raises, some of it by mistake, where an expression is beyond it."""

NO_OTHERS: Mapping[Symbol, Expr] = MappingProxyType({})

# mpmath spends memory in proportion to the logarithm of a sine's argument, to an exponential's argument itself.
_LARGEST_BASE = 1e300  # of a power; argument of the periodic functions
_LARGEST_ARGUMENT = 10**6  # of exponentials; exponent of a power


def _raise_power(base: Any, exponent: Any) -> Any:
    if abs(exponent) > _LARGEST_ARGUMENT or abs(base) > _LARGEST_BASE:
        raise OverflowError("too large a power")
    value = base**exponent
    if isinstance(value, complex):
        raise ValueError("not a real number")
    return value


_NAMES_IN_LIBRARY: Mapping[type, str] = MappingProxyType(
    {
        getattr(sympy, name): name
        for name in (
            "exp",
            "log",
            "sin",
            "cos",
            "tan",
            "sinh",
            "cosh",
            "tanh",
            "asin",
            "acos",
            "atan",
            "asinh",
            "acosh",
            "atanh",
            "erf",
            "erfc",
            "gamma",
            "atan2",
            "floor",
        )
    }
    | {sympy.loggamma: "lgamma", sympy.ceiling: "ceil"}
)
_OWN_FUNCTIONS: Mapping[type, Callable[..., Any]] = MappingProxyType(
    {
        sympy.Abs: abs,
        sympy.sign: lambda u: (u > 0) - (u < 0),
        sympy.Heaviside: lambda u, at_zero: at_zero if u == 0 else int(u > 0),
        sympy.Max: max,
        sympy.Min: min,
        sympy.Add: lambda *u: sum(u),
        sympy.Mul: lambda *u: math.prod(u),
        sympy.Pow: _raise_power,
    }
)
_KNOWN = {*_NAMES_IN_LIBRARY, *_OWN_FUNCTIONS, sympy.cot, sympy.sinc, WrittenChoice}


def evaluate_at(expression: Expr, point: float = 0.0) -> float:
    """Evaluate an expression of one variable in Python floats: slow, obvious, and finite or an error.

    Errors: `ArithmeticError` or `ValueError` where the value is not a finite real number.

    >>> evaluate_at(real_symbol()**2 + Rational(1, 4), 0.5)
    0.5
    """
    value = float(_evaluate(expression, point, math, {}))
    if not math.isfinite(value):
        raise OverflowError("not a finite number")
    return value


def evaluate_precisely(expression: Expr, point: Expr, digits: int, others: Mapping[Symbol, Expr] = NO_OTHERS) -> Any:
    """Evaluate with that many decimal digits; an mpmath number, complex or infinite if it must be.

    `point` is the value of every symbol that is not a key of `others`; those stand for expressions.

    Errors: `ArithmeticError` or `ValueError` where there is no value.

    >>> mpmath.nstr(evaluate_precisely(sympy.sqrt(real_symbol()), Rational(2), 20), 19)
    '1.414213562373095049'
    """
    with mpmath.workdps(digits):
        value = _convert_number(point, _PRECISE)
        known = {symbol: _evaluate(meaning, value, _PRECISE, {}) for symbol, meaning in others.items()}
        return _evaluate(expression, value, _PRECISE, known)


def _bound_argument(function: Callable[[Any], Any], largest: float) -> Callable[[Any], Any]:
    def evaluate_bounded(u: Any) -> Any:
        if abs(u) > largest:
            raise OverflowError("too large an argument")
        return function(u)

    return evaluate_bounded


_PRECISE = SimpleNamespace(
    **{name: getattr(mpmath, name)
       for name in ("log", "tanh", "asin", "acos", "atan", "asinh", "acosh", "atanh", "atan2", "erf", "erfc", "floor",
                    "ceil", "pi", "e")},
    **{name: _bound_argument(getattr(mpmath, name), _LARGEST_ARGUMENT) for name in ("exp", "sinh", "cosh")},
    **{name: _bound_argument(getattr(mpmath, name), _LARGEST_BASE) for name in ("sin", "cos", "tan")},
    gamma=_bound_argument(mpmath.gamma, _LARGEST_ARGUMENT),
    lgamma=mpmath.loggamma,
)  # fmt: skip


def to_rational(number: mpmath.mpf) -> Rational:
    """Return an mpmath number as it is, exactly.

    >>> to_rational(mpmath.mpf(0.75))
    3/4
    """
    return Rational(*map(int, mpmath.libmp.to_rational(number._mpf_)))


def _evaluate(node: Expr, point: Any, library: Any, known: Mapping[Symbol, Any]) -> Any:
    """Evaluate with the functions of a library: `math`, or mpmath's with bounds; constants such as a root by SymPy."""
    if isinstance(node, Symbol):
        return known.get(node, point)
    if isinstance(node, sympy.Piecewise):
        return next(_evaluate(u, point, library, known) for u, when in node.args if holds(when, point, library))
    if not node.args or (node.func not in _KNOWN and node.is_number):
        return _convert_number(node, library)
    if isinstance(node, WrittenChoice):
        step, *cases = node.args
        return _evaluate(cases[0 if _evaluate(step, point, library, known) else 1], point, library, known)
    arguments = [_evaluate(u, point, library, known) for u in node.args]
    if isinstance(node, sympy.cot):
        return 1 / library.tan(*arguments)
    if isinstance(node, sympy.sinc):
        return library.sin(*arguments) / arguments[0] if arguments[0] else arguments[0] + 1
    if node.func in _NAMES_IN_LIBRARY:
        return getattr(library, _NAMES_IN_LIBRARY[node.func])(*arguments)
    if node.func in _OWN_FUNCTIONS:
        return _OWN_FUNCTIONS[node.func](*arguments)
    raise ValueError(f"no rule for {node.func.__name__}")


def _convert_number(number: Expr, library: Any) -> Any:
    if isinstance(number, Rational):
        if library is math:
            return int(number.p) / int(number.q)
        return mpmath.mpf(int(number.p)) / int(number.q)
    if number in (sympy.pi, sympy.E):
        return +(library.pi if number is sympy.pi else library.e)
    if not (number.is_finite and number.is_real):
        raise ValueError(f"{number} is not a finite real number")
    return float(number) if library is math else mpmath.mpf(str(number.evalf(mpmath.mp.dps)))


def holds(condition: sympy.Basic, point: Any, library: Any = math) -> bool:
    """Whether a condition such as x <= 0 holds at a point."""
    if condition in (sympy.true, sympy.false):
        return bool(condition)
    left, right = (_evaluate(u, point, library, {}) for u in condition.args)
    return bool(_RELATIONS[condition.func](left, right))


_RELATIONS: Mapping[type, Callable[[Any, Any], bool]] = MappingProxyType(
    {sympy.Le: operator.le, sympy.Lt: operator.lt, sympy.Ge: operator.ge, sympy.Gt: operator.gt}
)
