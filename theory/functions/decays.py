"""Decays: the one exponential t = exp(-phi(|x|)) that an activation is written with, and what it says of its functions.

phi                  from                  known then, on the side s of 0, with p = |x|
c p                  exp(c x), tanh(c x)    tanh(k c x / 2) = s (1 - t**k) / (1 + t**k)
a**2 p**2            erf(a x)              erf(a x) = s (1 - 2 t g),  g = exp(phi) (1 - erf(a p)) / 2
2 u(p), u odd        tanh(u(x))            tanh(u(x)) = s (1 - t) / (1 + t)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import sympy
from sympy import Expr, Integer, Rational, Symbol

from theory.functions.elementary import exponentiate
from theory.functions.half_line import HalfLine, M, P, T, X, find_rate
from theory.functions.ratios import NotRational, Ratio, make_ring

__all__ = ["Decay", "G", "find_decay", "make_half"]

G = Symbol("g", positive=True)  # exp(phi) (1 - erf(sqrt(phi))) / 2: the tail of the error function, scaled
MAX_DEGREE = 3  # of phi


@dataclass(frozen=True, slots=True)
class Decay:
    """t = exp(-exponent(|x|)); `exponent` is a polynomial in P with positive coefficients, without constant term."""

    exponent: Expr

    @property
    def rate(self) -> Expr | None:
        """c where the exponent is c p."""
        slope = self.exponent / P
        return None if slope.has(P) else slope

    def meanings(self) -> dict[Symbol, Expr]:
        """What T, M and G stand for, in P."""
        t = sympy.exp(-self.exponent)
        root = sympy.sqrt(self.exponent.coeff(P, 2)) * P
        return {T: t, M: t - 1, G: sympy.exp(self.exponent) * (1 - sympy.erf(root)) / 2}


def find_decay(expressions: Sequence[Expr]) -> Decay | None:
    """Return the decay that all exponentials, tanh and erf of the expressions are powers of; None without one.

    >>> find_decay([1 / (1 + sympy.exp(-X))]), find_decay([sympy.erf(X / 2)])
    (Decay(exponent=p), Decay(exponent=p**2/4))
    """
    found = {exponent for expression in expressions for exponent in _list_nonlinear(expression)}
    arguments = [node.args[0] for one in expressions for node in one.atoms(sympy.tanh)]
    tanhs = [exponentiate(2 * u) for u in arguments if u.is_polynomial(X) and not (u / X).has(X)]
    rate = find_rate([*expressions, *tanhs])
    if not found:
        return None if rate is None else Decay(rate * P)
    if len(found) > 1 or rate is not None:
        return None
    (exponent,) = found
    return Decay(exponent) if _is_increasing(exponent) else None


def _list_nonlinear(expression: Expr) -> list[Expr]:
    """List the exponents, in P, that erf and tanh of more than c x ask for."""
    exponents = []
    for node in expression.atoms(sympy.erf, sympy.tanh):
        argument = node.args[0]
        if isinstance(node, sympy.erf):
            exponents.append(sympy.expand(argument.subs(X, P) ** 2))
        elif argument.is_polynomial(X) and (argument / X).has(X):
            exponents.append(sympy.expand(2 * argument.subs(X, P)))
    return exponents


def _is_increasing(exponent: Expr) -> bool:
    """Whether phi is a polynomial of small degree with positive coefficients and phi(0) = 0."""
    polynomial = exponent.as_poly(P)
    if polynomial is None or polynomial.degree() > MAX_DEGREE or exponent.subs(P, 0) != 0:
        return False
    return all(coefficient.is_positive for coefficient in polynomial.coeffs())


def make_half(decay: Decay, side: int, expressions: Sequence[Expr]) -> HalfLine:
    """Return the half-line on which erf, tanh and the exponentials of the expressions are known in t and g.

    Errors: `NotRational` where one of them is no power of the decay.
    """
    half = HalfLine(side, decay.rate or Integer(1))
    half.known[G] = half.name_atom(G)
    for expression in expressions:
        for node in expression.atoms(sympy.erf, sympy.tanh, sympy.exp):
            known = _recognise(half, decay, node)
            if known is not None:
                half.known[node] = known
    return half


def _recognise(half: HalfLine, decay: Decay, node: Expr) -> Ratio | None:
    """Write erf(u), tanh(u) or exp(u) with t and g; None where the half-line knows best."""
    if not node.args[0].is_polynomial(X):
        return None
    argument = sympy.expand(node.args[0].subs(X, half.side * P))
    one = Ratio(make_ring().one)
    if isinstance(node, sympy.exp):
        return None if decay.rate is not None else half.t ** _count(-argument / decay.exponent)
    if isinstance(node, sympy.tanh):
        steps = _count(2 * argument / decay.exponent)
        power = half.t ** abs(steps)
        ratio = (one - power) * (one + power).invert()
        return ratio if steps > 0 else -ratio
    if sympy.expand(argument**2 - decay.exponent) != 0:
        raise NotRational("error functions of different arguments")
    value = one - half.convert(Integer(2)) * half.t * half.known[G]
    return value if (argument / P).is_positive else -value


def _count(ratio: Expr) -> int:
    steps = sympy.cancel(ratio)
    if not isinstance(steps, Rational) or steps.q != 1:
        raise NotRational("exponents without a common measure")
    return int(steps)
