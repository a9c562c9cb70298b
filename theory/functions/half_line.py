"""Half a line, x = side * p with p > 0: expressions as ratios of polynomials in p, t = exp(-rate p) and atoms.

An atom is a quantity the algebra does not look into: log(1 + t), tanh(p), exp(-p**2/2), sqrt(2), ...
Equal ratios are equal quantities whatever the atoms, so a difference that cancels is a proof.
"""

from __future__ import annotations

import functools
import math
import operator
from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType

import sympy
from sympy import QQ, Expr, Integer, Rational, Symbol
from sympy.polys.rings import PolyElement

from theory.functions.elementary import exponentiate
from theory.functions.ratios import NotRational, Ratio, factorise, make_ring, to_rational
from theory.functions.values import real_symbol

__all__ = ["HalfLine", "M", "T", "X", "find_rate", "grows"]

X = real_symbol("x")
T = Symbol("t", positive=True)  # exp(-rate |x|), in (0, 1]
M = Symbol("m", real=True)  # t - 1 without cancellation: expm1(-rate |x|)
P = Symbol("p", real=True)  # |x|; not declared positive, or SymPy would rewrite what stands for an atom

MAX_POWER = 32  # of t and p
MAX_EXPANSION = 12  # power of a sum, which is multiplied out
LARGE_COEFFICIENT = 100

_EXPONENTIAL_FORMS: Mapping[type, Callable[[Expr], Expr]] = MappingProxyType(
    {
        sympy.tanh: lambda u: (exponentiate(2 * u) - 1) / (exponentiate(2 * u) + 1),
        sympy.sinh: lambda u: (exponentiate(u) - exponentiate(-u)) / 2,
        sympy.cosh: lambda u: (exponentiate(u) + exponentiate(-u)) / 2,
    }
)


class HalfLine:
    """The expressions met on one side of 0, and the atoms they are written with."""

    def __init__(self, side: int, rate: Expr) -> None:
        self.side, self.rate = side, rate
        p, t, *self.unused = make_ring().gens
        self.p, self.t = Ratio(p), Ratio(t)
        self.atoms: dict[Expr, PolyElement] = {}
        self.known: dict[Expr, Ratio] = {X: Ratio(side * p), T: self.t, M: Ratio(t - 1)}

    def copy(self) -> HalfLine:
        """Return another with the same knowledge, to try something out on."""
        other = HalfLine(self.side, self.rate)
        other.unused, other.atoms, other.known = list(self.unused), dict(self.atoms), dict(self.known)
        return other

    # -- reading

    def convert(self, node: Expr) -> Ratio:
        """Write an expression in x, T and M as a ratio.  Errors: `NotRational`."""
        if node not in self.known:
            try:
                self.known[node] = self.work_out(node)
            except OverflowError:
                raise NotRational("too large") from None
        return self.known[node]

    def work_out(self, node: Expr) -> Ratio:
        if isinstance(node, Rational):
            return Ratio(make_ring()(QQ(node.p, node.q)))
        if node.is_Add:
            return functools.reduce(operator.add, map(self.convert, node.args)).cancel()
        if node.is_Mul:
            return functools.reduce(operator.mul, map(self.convert, node.args)).cancel()
        if isinstance(node, sympy.exp):
            return self.convert_exponential(node.args[0])
        if node.is_Pow:
            return self.convert_power(node)
        if isinstance(node, sympy.log):
            return self.convert_logarithm(node)
        hides = isinstance(node, sympy.tanh) and grows(node.args[0])
        if hides or isinstance(node, (sympy.sinh, sympy.cosh)):
            return self.convert(_EXPONENTIAL_FORMS[node.func](node.args[0]))
        return self.take_whole(node)

    def take_whole(self, node: Expr) -> Ratio:
        """Take a quantity as it is, unless an exponential hides in it."""
        if grows(node):
            raise NotRational("it may overflow inside a function")
        return self.name_atom(node)

    def name_atom(self, node: Expr) -> Ratio:
        """Give a quantity a generator of its own."""
        key = node.xreplace({X: self.side * P})
        negative = key.could_extract_minus_sign()
        key = -key if negative else key
        if key not in self.atoms:
            if not self.unused:
                raise NotRational("too many different functions")
            self.atoms[key] = self.unused.pop(0)
        return Ratio(-self.atoms[key] if negative else self.atoms[key])

    def convert_power(self, node: Expr) -> Ratio:
        base, exponent = node.args
        if not isinstance(exponent, Rational):
            return self.take_whole(node)
        root = self.convert(base) if exponent.q == 1 else self.take_whole(base ** Rational(1, exponent.q))
        is_sum = len(root.top) + sum(map(len, root.bottom)) > 2
        if abs(exponent.p) > (MAX_EXPANSION if is_sum else MAX_POWER):
            raise NotRational("too high a power")
        return root ** int(exponent.p)

    def convert_exponential(self, exponent: Expr) -> Ratio:
        linear, rest = _split_exponent(exponent)
        steps = -self.side * linear / self.rate
        if not isinstance(steps, Integer) or abs(steps) > MAX_POWER:
            raise NotRational("rates of growth without a common measure of their size")
        atoms = (self.name_atom(exponentiate(term)) for term in sympy.Add.make_args(rest) if term != 0)
        return functools.reduce(operator.mul, atoms, self.t ** int(steps)).cancel()

    def convert_logarithm(self, node: Expr) -> Ratio:
        if not grows(node.args[0]):
            return self.name_atom(node)
        inside = self.convert(node.args[0])
        parts = [(self.convert_log_polynomial(inside.top), 1)]
        parts += [(self.convert_log_polynomial(factor), -power) for factor, power in inside.bottom.items()]
        return functools.reduce(operator.add, (part * self.convert(Integer(k)) for part, k in parts))

    def convert_log_polynomial(self, polynomial: PolyElement) -> Ratio:
        """log(c t**k (1 + ...)) = log c - k rate p + log(1 + ...), all coefficients positive, in t alone."""
        terms = {monomial[1]: c for monomial, c in polynomial.terms() if not any(monomial[:1] + monomial[2:])}
        if len(terms) != len(polynomial) or any(c <= 0 for c in terms.values()):
            raise NotRational("logarithm of more than a polynomial in t")
        lowest = min(terms)
        scale = to_rational(terms[lowest])
        rest = sum(to_rational(c) / scale * T ** (k - lowest) for k, c in terms.items())
        result = self.convert(-lowest * self.rate) * self.p
        logarithms = [self.name_atom(sympy.log(u)) for u in (scale, rest) if u != 1]
        return functools.reduce(operator.add, logarithms, result)

    # -- writing

    def write(self, ratio: Ratio) -> Expr:
        """Write a ratio as an expression in x, T and M, factored; M stands for T - 1."""
        content, factors = factorise(ratio.top) if ratio.top else (Integer(0), ())
        scale, top = self.write_factors(factors)
        divisor, bottom = self.write_factors(ratio.bottom.items())
        return content * scale / divisor * sympy.Mul(*top) / sympy.Mul(*bottom)

    def write_factors(self, factors: Iterable[tuple[PolyElement, int]]) -> tuple[Expr, list[Expr]]:
        ring = make_ring()
        names = {atom: key.xreplace({P: self.side * X}) for key, atom in self.atoms.items()}
        symbols = [self.side * X, T, *(names.get(generator, Integer(0)) for generator in ring.gens[2:])]
        scale, written = Integer(1), []
        for factor, power in factors:
            expression = M if factor == self.t.top - 1 else factor.as_expr(*symbols)
            unit = _choose_unit(expression)
            scale *= unit**power
            if unit != 1:
                expression = expression / unit if unit == -1 else (expression / unit).expand()
            written.append(expression**power)
        return scale, written


def _choose_unit(polynomial: Expr) -> Expr:
    """Return the factor to take out of a polynomial so that it reads well: a common sign, a common size."""
    coefficients = [term.as_coeff_Mul()[0] for term in sympy.Add.make_args(polynomial)]
    sign = -1 if all(c < 0 for c in coefficients) else 1
    smallest = min(map(abs, coefficients))
    return sign * (smallest if smallest > LARGE_COEFFICIENT else Integer(1))


# ------------------------------------------------------------------------------------------------ rates


@functools.lru_cache(maxsize=1024)
def _split_exponent(exponent: Expr) -> tuple[Expr, Expr]:
    """Split an exponent into the coefficient of x and the rest (constant and non-linear)."""
    linear, rest = Integer(0), Integer(0)
    for term in sympy.Add.make_args(sympy.expand_mul(exponent, deep=False)):
        slope = term / X
        if X in slope.free_symbols or term == 0:
            rest += term
        else:
            linear += slope
    return linear, rest


@functools.lru_cache(maxsize=1024)
def _list_rates(expression: Expr) -> list[Expr]:
    """List the coefficients of x in the exponents of an expression (hyperbolic functions of x aside)."""
    exponents = {node.args[0] for node in expression.atoms(sympy.exp, sympy.sinh, sympy.cosh)}
    return [slope for slope in (_split_exponent(u)[0] for u in exponents) if slope != 0]


@functools.lru_cache(maxsize=1024)
def grows(expression: Expr) -> bool:
    """Whether exp(c x) occurs, openly or as T: it needs the algebra, or it may overflow."""
    return expression.has(T, M) or bool(_list_rates(expression))


def find_rate(expressions: Iterable[Expr]) -> Expr | None:
    """Return the largest rate c of which every exponent is a whole multiple; None without any."""
    rates = [rate for expression in expressions for rate in _list_rates(expression)]
    if not rates:
        return None
    multiples = [rate / rates[0] for rate in rates]
    if not all(isinstance(multiple, Rational) for multiple in multiples):
        return None
    measure = Rational(math.gcd(*(int(m.p) for m in multiples)), math.lcm(*(int(m.q) for m in multiples)))
    return abs(rates[0]) * measure
