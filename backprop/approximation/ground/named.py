"""Targets with a name: functions on [0, 1] that are smooth, bent, steep, wiggly or broken."""

from __future__ import annotations

from functools import cache

import sympy
from sympy import Expr

from theory.functions.elementwise import parse, transcribe
from theory.functions.values import real_symbol

__all__ = ["NAMED", "NAMED_SURFACES", "read_named", "read_written"]

NAMED: dict[str, str] = {
    "sine": "sin(2*pi*x)",
    "square": "x**2",
    "kink": "abs(x - 1/2)",
    "root": "sqrt(x)",
    "runge": "1/(1 + 25*(2*x - 1)**2)",
    "wave": "exp(-x)*sin(8*pi*x)",
    "oscillator": "exp(-3*x)*cos(6*pi*x)",
    "planck": "(12*x)**3*exp(-6*x)/(2*sinh(6*x))",
    "step": "x > 1/2",
    "weierstrass": "cos(pi*x) + cos(3*pi*x)/2 + cos(9*pi*x)/4 + cos(27*pi*x)/8 + cos(81*pi*x)/16 + cos(243*pi*x)/32",
}
"""Name: expression in x. Planck's law u³/(e^u − 1), u = 12 x, is written so that floats bear it, scaled to the largest
value 1, and 0 at x = 0."""
NAMED_SURFACES: dict[str, str] = {
    "franke": "3*exp(-((9*x - 2)^2 + (9*y - 2)^2)/4)/4 + 3*exp(-(9*x + 1)^2/49 - (9*y + 1)/10)/4"
    " + exp(-((9*x - 7)^2 + (9*y - 3)^2)/4)/2 - exp(-(9*x - 4)^2 - (9*y - 7)^2)/5",
}
"""Name: expression in x and y, on the unit square. Franke's two hills, slope and dip: R. Franke, A critical comparison
of some methods for interpolation of scattered data (1979)."""
PEAK = "2.8214393721220788934"
"""Where u³/(e^u − 1) is largest: the root of 3 (1 − e^−u) = u (Wien's displacement)."""


def read_written(text: str) -> Expr:
    """A name or an expression without simplification: what a proof is about.

    >>> read_written("square"), read_written("x/x")
    (x**2, x/x)
    """
    return read_named(text) if text == "planck" else transcribe(NAMED.get(text, text))


@cache
def read_named(name: str) -> Expr:
    """The expression of a named target.

    >>> read_named("kink")
    Abs(x - 1/2)
    """
    expression = parse(NAMED[name])
    if name != "planck":
        return expression
    x, u = real_symbol("x"), sympy.Rational(PEAK)
    largest = float(u**3 / (sympy.exp(u) - 1))
    return sympy.Piecewise((sympy.S.Zero, x <= 0), (expression * sympy.Rational(1 / largest), True))
