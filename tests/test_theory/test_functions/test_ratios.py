"""Ratios of polynomials: arithmetic without common divisors, and equality that is exact."""

from __future__ import annotations

from fractions import Fraction

import pytest
import sympy
from hypothesis import assume, given
from hypothesis import strategies as st

from theory.functions.ratios import NotRational, Ratio, factorise, make_ring

P, T, *_ = make_ring().gens
AT = (Fraction(3, 7), Fraction(-5, 11))  # values of p and t; the atoms do not occur


def polynomials() -> st.SearchStrategy[object]:
    """c0 + c1 p + c2 t + c3 p t**2"""
    small = st.integers(-3, 3)
    return st.tuples(small, small, small, small).map(lambda c: c[0] + c[1] * P + c[2] * T + c[3] * P * T**2)


def evaluate(polynomial: object) -> Fraction:
    expression = polynomial.as_expr()
    values = {sympy.Symbol(name): sympy.Rational(x.numerator, x.denominator) for name, x in zip("pt", AT, strict=True)}
    result = sympy.Rational(expression.xreplace(values))
    return Fraction(int(result.p), int(result.q))


def value(ratio: Ratio) -> Fraction:
    result = evaluate(ratio.top)
    for factor, power in ratio.bottom.items():
        result /= evaluate(factor) ** power
    return result


@given(polynomials(), polynomials(), polynomials(), polynomials())
def test_arithmetic_agrees_with_fractions_at_a_point(a, b, c, d) -> None:
    assume(b and d and evaluate(b) and evaluate(d))
    left, right = Ratio(a) * Ratio(b).invert(), Ratio(c) * Ratio(d).invert()
    x, y = evaluate(a) / evaluate(b), evaluate(c) / evaluate(d)
    assert value(left + right) == x + y
    assert value(left - right) == x - y
    assert value(left * right) == x * y
    assert value((left * right).cancel()) == x * y
    assert value(left**2) == x**2


@given(polynomials(), polynomials())
def test_a_difference_of_equals_is_zero(a, b) -> None:
    assume(b)
    ratio = Ratio(a) * Ratio(b).invert()
    assert (ratio - (Ratio(a * b) * Ratio(b * b).invert())).is_zero


@given(polynomials())
def test_factors_multiply_to_the_polynomial(a) -> None:
    assume(a)
    content, factors = factorise(a)
    product = make_ring().one
    for factor, power in factors:
        product *= factor**power
    assert (
        product.as_expr() * content - a.as_expr() == 0 or sympy.expand(product.as_expr() * content - a.as_expr()) == 0
    )


def test_a_polynomial_linear_in_one_variable_is_factored() -> None:
    content, factors = factorise((1 + T) * (T + 3 * P) * T**2 * 5)
    assert content == 5
    assert dict(factors) == {T: 2, T + 1: 1, 3 * P + T: 1}


def test_zero_has_no_inverse_and_growth_is_bounded() -> None:
    with pytest.raises(NotRational, match="division by zero"):
        Ratio(make_ring().zero).invert()
    with pytest.raises(NotRational, match="too many terms"):
        Ratio(sum(make_ring().gens, make_ring().one)) ** 30
