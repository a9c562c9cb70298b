"""The functions an expression may use, each built without letting SymPy run away with a large number."""

from __future__ import annotations

import functools
import itertools
import math
from collections.abc import Callable, Mapping
from types import MappingProxyType

import sympy
from sympy import Expr, Integer, Rational

from theory.functions.values import evaluate_at

__all__ = [
    "COMPARISONS",
    "CONSTANTS",
    "ELEMENTARY",
    "MAX_BITS",
    "MAX_EXPONENT",
    "FunctionTable",
    "check_exponent",
    "count_bits",
    "count_power_bits",
    "count_terms",
    "exponentiate",
    "find_largest",
    "is_longer",
    "measure",
    "take_absolute",
]

SHORT = 25  # nodes of a simple argument
LOW = 6  # the highest power in it
MAX_EXPONENT = 1000  # of a constant, and of a number's own exponent
LARGEST_FACTORIAL = 170  # gamma of more is no float
MAX_BITS = 4096  # of an exact integer, numerator or denominator

FunctionTable = Mapping[str, Callable[..., Expr]]


def count_terms(node: Expr) -> int:
    """Bound the number of terms after multiplying out, inside functions too; SymPy sometimes does that unasked."""
    if not node.args or not node.free_symbols:
        return 1
    counts = list(map(count_terms, node.args))
    if node.is_Add:
        return sum(counts)
    if node.is_Mul:
        return math.prod(counts)
    if node.is_Pow and isinstance(node.exp, Rational):
        size = math.ceil(abs(node.exp))
        return math.comb(counts[0] + size - 1, size)
    return max(counts)


def is_longer(node: Expr, size: int) -> bool:
    """Whether an expression, written out, has more nodes than that; stops counting there."""
    return next(itertools.islice(sympy.preorder_traversal(node), size, None), None) is not None


def _apply(function: type[Expr], u: Expr) -> Expr:
    """Apply a function; SymPy looks for simplifications of simple arguments only."""
    return function(u) if not u.free_symbols or _is_simple(u) else function(u, evaluate=False)


def _is_simple(u: Expr) -> bool:
    """Whether SymPy cannot lose itself in an expression: it is short, and has no high power to multiply out."""
    return not is_longer(u, SHORT) and all(abs(r) <= LOW for p in u.atoms(sympy.Pow) for r in p.exp.atoms(Rational))


def take_absolute(u: Expr) -> Expr:
    """Build |u|."""
    return sympy.Abs(u, evaluate=bool(u.is_extended_real))


def _take_sign(u: Expr) -> Expr:
    return sympy.sign(u, evaluate=bool(u.is_extended_real))


def exponentiate(u: Expr) -> Expr:
    """Build exp(u), but never exp(10**9 log 2), which SymPy would work out as an exact integer.

    Errors: `OverflowError`.

    >>> exponentiate(sympy.Symbol("x") + sympy.log(2))
    2*exp(x)
    """
    check_exponent(u)
    return _apply(sympy.exp, u)


def check_exponent(u: Expr) -> None:
    """Refuse the exponent of an exponential that SymPy would work out as an exact integer: `OverflowError`."""
    if not u.free_symbols and abs(evaluate_at(u)) > MAX_EXPONENT:
        raise OverflowError("too large an exponent")
    if any(bits * find_largest(u) > MAX_BITS for bits in _measure_logarithms(u)):
        raise OverflowError("too large an exponent")


def _measure_logarithms(u: Expr) -> list[int]:
    """List the bits of the numbers whose logarithms occur."""
    return [measure(node.args[0]) for node in u.atoms(sympy.log) if isinstance(node.args[0], Rational)]


def _limit_factorial(u: Expr) -> Expr:
    """Itself, but for a constant of which SymPy would work out a huge factorial: `OverflowError`."""
    if not u.free_symbols and abs(evaluate_at(u)) > LARGEST_FACTORIAL:
        raise OverflowError("too large an argument")
    return u


def _step(u: Expr, at_zero: int) -> Expr:
    if not u.free_symbols:
        value = evaluate_at(u)
        return Integer(at_zero if value == 0 else value > 0)
    return sympy.Heaviside(u, Integer(at_zero), evaluate=bool(u.is_extended_real))


def _choose(extreme: type[Expr], *arguments: Expr) -> Expr:
    """Build Max or Min without SymPy's pairwise comparisons, which are slow on arguments it cannot order."""
    if all(not u.free_symbols for u in arguments):
        return (max if extreme is sympy.Max else min)(arguments, key=evaluate_at)
    return extreme(*arguments, evaluate=False)


ELEMENTARY: FunctionTable = MappingProxyType(
    {
        "exp": exponentiate,
        "log": functools.partial(_apply, sympy.log),
        "ln": functools.partial(_apply, sympy.log),
        "sqrt": sympy.sqrt,
        "sin": functools.partial(_apply, sympy.sin),
        "cos": functools.partial(_apply, sympy.cos),
        "tan": functools.partial(_apply, sympy.tan),
        "sinh": functools.partial(_apply, sympy.sinh),
        "cosh": functools.partial(_apply, sympy.cosh),
        "tanh": functools.partial(_apply, sympy.tanh),
        "asin": functools.partial(_apply, sympy.asin),
        "acos": functools.partial(_apply, sympy.acos),
        "atan": functools.partial(_apply, sympy.atan),
        "arctan": functools.partial(_apply, sympy.atan),
        "asinh": functools.partial(_apply, sympy.asinh),
        "acosh": functools.partial(_apply, sympy.acosh),
        "atanh": functools.partial(_apply, sympy.atanh),
        "erf": functools.partial(_apply, sympy.erf),
        "erfc": functools.partial(_apply, sympy.erfc),
        "gamma": lambda u: _apply(sympy.gamma, _limit_factorial(u)),
        "lgamma": lambda u: _apply(sympy.loggamma, _limit_factorial(u)),
        "sinc": lambda u: sympy.sinc(sympy.pi * u, evaluate=not u.free_symbols),
        "floor": functools.partial(_apply, sympy.floor),
        "ceil": functools.partial(_apply, sympy.ceiling),
        "atan2": lambda v, u: sympy.atan2(v, u, evaluate=not (v.free_symbols or u.free_symbols)),
        "abs": take_absolute,
        "sign": _take_sign,
        "heaviside": lambda u: _step(u, 0),
        "min": lambda *u: _choose(sympy.Min, *u),
        "max": lambda *u: _choose(sympy.Max, *u),
    }
)
"""The functions every expression may use; `theory.functions.elementwise.parse` adds the catalogue of
activations."""

CONSTANTS: Mapping[str, Expr] = MappingProxyType({"pi": sympy.pi, "e": sympy.E})
COMPARISONS: Mapping[str, Callable[[Expr, Expr], Expr]] = MappingProxyType(
    {
        ">": lambda a, b: _step(a - b, 0),
        ">=": lambda a, b: _step(a - b, 1),
        "<": lambda a, b: _step(b - a, 0),
        "<=": lambda a, b: _step(b - a, 1),
    }
)


def count_bits(expression: Expr) -> int:
    """Bound the size of the exact numbers in an expression, those that a power may still become included."""
    sizes = [measure(number) for number in expression.atoms(Rational)]
    sizes += [bits * find_largest(exponent) for bits, exponent in _list_exponentials(expression)]
    return max(sizes, default=0)


def _list_exponentials(expression: Expr) -> list[tuple[int, Expr]]:
    """List the (bits of the base, exponent) of what may become an exact power: 2**u, and exp(u) with log(2) in u."""
    powers = [power for power in expression.atoms(sympy.Pow) if isinstance(power.base, Rational)]
    found = [(measure(power.base), power.exp) for power in powers]
    for exponential in expression.atoms(sympy.exp):
        found += [(bits, exponential.args[0]) for bits in _measure_logarithms(exponential)]
    return found


def count_power_bits(base: Expr, size: int) -> int:
    """Bound the bits of the exact numbers in base**exponent, where size >= |exponent|."""
    inner = [bits * find_largest(u) for bits, u in _list_exponentials(base)]
    return size * max([*inner, measure(base) if isinstance(base, Rational) else 0])


def find_largest(exponent: Expr) -> int:
    """Bound the size of the exact numbers in an exponent, rounded up."""
    return max((math.ceil(abs(r)) for r in exponent.atoms(Rational)), default=1)


def measure(number: Rational) -> int:
    """The bits of a fraction's larger part."""
    return max(abs(int(number.p)), int(number.q)).bit_length()
