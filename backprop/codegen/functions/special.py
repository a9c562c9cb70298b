"""Special functions that NumPy lacks: coefficients are computed here, never copied, and printed as source.

    |z| <= 1     erf z = z P(z**2)
    |z| > 1      erf z = sign(z) (1 - exp(-z**2) Q(y) / (1 + 2|z|)),    y = 1 - 6 / (|z| + 3)

    z >= 8       log gamma z = (z − 1/2) log z − z + log(2π)/2 + R(1/z²)/z,    R from Bernoulli's numbers (Stirling)

P and Q interpolate at Chebyshev points, in arithmetic of 40 digits and more, and are rounded once.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from types import MappingProxyType

import mpmath
from sympy import Integer, Rational, bernoulli

from theory.functions.polynomial_pieces import interpolate

__all__ = ["SPECIAL_FUNCTIONS", "Support", "write_special"]

Support = tuple[tuple[str, str], ...]
"""Module-level helpers a function needs: (name, source) pairs, in the order in which they must stand."""

_DIGITS = 40
_INNER_DEGREE = 13
_OUTER_DEGREE = 23
_OUTER_BEGIN = -0.5  # y at |z| = 1
_STIRLING_TERMS = 9


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

_ERFC = '''\
def erfc(z):
    """Complementary error function, 1 - erf(z), without loss of digits for large z."""
    s = np.where(z > 0, z, -z)  # |z|
    inner = 1 - z * evaluate_polynomial(ERF_INNER, np.minimum(s, 1) ** 2)
    tail = np.exp(-s * s) * evaluate_polynomial(ERF_OUTER, 1 - 6 / (s + 3)) / (1 + 2 * s)
    return np.where(s < 1, inner, np.where(z > 0, tail, 2 - tail))
'''

_GAMMA = '''\
def gamma(z):
    """Gamma function: Stirling's series for z + 8, by reflection below 1/2; NaN at 0, -1, -2, ..."""
    s = np.where(z < 0.5, 1 - z, z)
    w = np.where(s < 8, s + 8, s)
    half = w ** (w / 2 - 0.25)
    value = np.sqrt(2 * np.pi) * (half * np.exp(-w)) * half * np.exp(evaluate_polynomial(STIRLING, 1 / w**2) / w)
    value = value / np.where(s < 8, rise_by_eight(s), 1)
    mirrored = np.pi / (np.sin(np.pi * z) * value)
    return np.where(z < 0.5, np.where((z <= 0) & (z == np.floor(z)), np.nan, mirrored), value)
'''

_LGAMMA = '''\
def lgamma(z):
    """Logarithm of the gamma function for z > 0; NaN elsewhere."""
    s = np.where(z > 0, z, 1)
    w = np.where(s < 8, s + 8, s)
    value = (w - 0.5) * np.log(w) - w + np.log(2 * np.pi) / 2 + evaluate_polynomial(STIRLING, 1 / w**2) / w
    value = value - np.where(s < 8, np.log(rise_by_eight(s)), 0)
    return np.where(z > 0, value, np.nan)
'''

_RISE = '''\
def rise_by_eight(z):
    """z (z + 1) ... (z + 7) = gamma(z + 8) / gamma(z)"""
    product = z
    for k in range(1, 8):
        product = product * (z + k)
    return product
'''


@functools.cache
def _write_gamma() -> Support:
    terms = [bernoulli(Integer(2 * k)) / (2 * k * (2 * k - 1)) for k in range(1, _STIRLING_TERMS + 1)]
    table = _write_table("STIRLING", terms)
    return (("evaluate_polynomial", _POLYNOMIAL), ("STIRLING", table), ("rise_by_eight", _RISE), ("gamma", _GAMMA))


@functools.cache
def _write_lgamma() -> Support:
    return (*_write_gamma()[:3], ("lgamma", _LGAMMA))


@functools.cache
def _write_erfc() -> Support:
    return (*_write_erf()[:3], ("erfc", _ERFC))


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


SPECIAL_FUNCTIONS: Mapping[str, Callable[[], Support]] = MappingProxyType(
    {"erf": _write_erf, "erfc": _write_erfc, "gamma": _write_gamma, "lgamma": _write_lgamma}
)


def write_special(name: str) -> Support:
    """Return the helpers that define a special function, as (name, source) pairs.

    >>> [name for name, text in write_special("erf")]
    ['ERF_INNER', 'ERF_OUTER', 'evaluate_polynomial', 'erf']
    """
    return SPECIAL_FUNCTIONS[name]()
