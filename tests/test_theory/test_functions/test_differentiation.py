"""The derivative by the rules, against SymPy's own and against a difference quotient."""

from __future__ import annotations

import mpmath
import pytest
import sympy

from theory.functions.differentiation import differentiate
from theory.functions.expressions import parse
from theory.functions.values import evaluate_precisely, real_symbol

X = real_symbol()
DIGITS = 60
STEP = sympy.Rational(1, 10**25)
SLOPES_AGREE = mpmath.mpf(10) ** -28
AT = sympy.Rational(5, 13)
TEXTS = [
    "3",
    "x",
    "7*x**5 - x**2/3 + 2",
    "x*sin(x)*exp(-x)",
    "(1 + x**2)**(3/2)/(2 + x)",
    "2**x + x**x",
    "tanh(log(1 + exp(x)))**3",
    "erf(x/sqrt(2))*atan(x) - cosh(x)/sinh(1 + x)",
    "tan(x) + acos(x/2) + asin(x/3) + sqrt(x)",
]


@pytest.mark.parametrize("text", TEXTS)
def test_the_rules_give_what_sympy_gives(text: str) -> None:
    expression = parse(text)
    found, other = differentiate(expression, X), expression.diff(X)
    assert abs(evaluate_precisely(found - other, AT, DIGITS)) < SLOPES_AGREE


@pytest.mark.parametrize("text", TEXTS)
def test_the_rules_give_the_limit_of_difference_quotients(text: str) -> None:
    expression = parse(text)
    with mpmath.workdps(DIGITS):
        high, low = (evaluate_precisely(expression, AT + sign * STEP, DIGITS) for sign in (1, -1))
        slope = (high - low) * int(1 / STEP) / 2
        assert abs(evaluate_precisely(differentiate(expression, X), AT, DIGITS) - slope) < SLOPES_AGREE
