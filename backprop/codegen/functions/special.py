"""Special functions that NumPy lacks: coefficients are computed here, never copied, and printed as source.

    |z| <= 1     erf z = z P(z**2)
    |z| > 1      erf z = sign(z) (1 - exp(-z**2) Q(y) / (1 + 2|z|)),    y = 1 - 6 / (|z| + 3)

P and Q interpolate at Chebyshev points, in arithmetic of 40 digits and more, and are rounded once.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from types import MappingProxyType

import mpmath
from sympy import Rational

from theory.functions.polynomial_pieces import interpolate

__all__ = ["SPECIAL_FUNCTIONS", "Support", "write_special"]

Support = tuple[tuple[str, str], ...]
"""Module-level helpers a function needs: (name, source) pairs, in the order in which they must stand."""

_DIGITS = 40
_INNER_DEGREE = 13
_OUTER_DEGREE = 23
_OUTER_BEGIN = -0.5  # y at |z| = 1


def _inner(w: mpmath.mpf) -> mpmath.mpf:
    """erf(s)/s with w = s**2."""
    root = mpmath.sqrt(w)
    return mpmath.erf(root) / root


def _outer(y: mpmath.mpf) -> mpmath.mpf:
    """(1 + 2s) exp(s**2) erfc(s) with y = 1 - 6/(s + 3)."""
    s = 6 / (1 - y) - 3
    return (1 + 2 * s) * mpmath.exp(s * s) * mpmath.erfc(s)


def _write_table(name: str, coefficients: list[Rational]) -> str:
    rows = "".join(f"    {float(c)!r},\n" for c in coefficients)
    return f"{name} = (\n{rows})\n"


_POLYNOMIAL = '''\
def evaluate_polynomial(coefficients, y):
    """Sum of coefficients[k] * y**k, by Horner's scheme."""
    total = coefficients[-1]
    for c in coefficients[-2::-1]:
        total = total * y + c
    return total
'''

_ERF = '''\
def erf(z):
    """Error function, 2/sqrt(pi) times the integral of exp(-s**2) from 0 to z."""
    s = np.where(z > 0, z, -z)  # |z|
    inner = z * evaluate_polynomial(ERF_INNER, np.minimum(s, 1) ** 2)
    tail = np.exp(-s * s) * evaluate_polynomial(ERF_OUTER, 1 - 6 / (s + 3)) / (1 + 2 * s)
    return np.where(s < 1, inner, np.where(z > 0, 1 - tail, tail - 1))
'''


@functools.cache
def _write_erf() -> Support:
    with mpmath.workdps(_DIGITS):
        inner = interpolate(_inner, 0, 1, _INNER_DEGREE)
        outer = interpolate(_outer, _OUTER_BEGIN, 1, _OUTER_DEGREE)
    return (
        ("ERF_INNER", _write_table("ERF_INNER", inner)),
        ("ERF_OUTER", _write_table("ERF_OUTER", outer)),
        ("evaluate_polynomial", _POLYNOMIAL),
        ("erf", _ERF),
    )


SPECIAL_FUNCTIONS: Mapping[str, Callable[[], Support]] = MappingProxyType({"erf": _write_erf})


def write_special(name: str) -> Support:
    """Return the helpers that define a special function, as (name, source) pairs.

    >>> [name for name, text in write_special("erf")]
    ['ERF_INNER', 'ERF_OUTER', 'evaluate_polynomial', 'erf']
    """
    return SPECIAL_FUNCTIONS[name]()
