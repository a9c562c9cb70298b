"""Polynomials and waves beside the networks: every claim is shown, wrong ones are refused, numbers agree."""

from __future__ import annotations

import math
from dataclasses import replace
from fractions import Fraction

import mpmath
import pytest
import sympy
from hypothesis import given, settings
from hypothesis import strategies as st
from sympy import Integer, Integral, Sum, Symbol, cos, pi, sin

from theory.chapters.approximation.claims import Claim, Everywhere, Induction
from theory.chapters.approximation.parallels.bernstein import FACTOR
from theory.chapters.approximation.parallels.judges import Area, BinomialMean, OnTheCircle, k, mean_over, n, weigh, x
from theory.chapters.approximation.universal_approximation import PARALLELS
from theory.chapters.book import render
from theory.chapters.chapter import FORMATS

CLAIMS = [claim for part in PARALLELS for claim in part.claims]
NAMED = {claim.name: claim for claim in CLAIMS}
U, V, T = Symbol("u", real=True), Symbol("v", real=True), Symbol("t", real=True)
ROUNDING = 1e-12


def hit_chances(throws, chance):
    """Exact binomial weights."""
    return [math.comb(throws, hits) * chance**hits * (1 - chance) ** (throws - hits) for hits in range(throws + 1)]


def measure_bernstein(F, degree, points):
    """The largest error of Bernstein's polynomial at some points, exactly for fractions."""
    values = [F(Fraction(hits, degree)) for hits in range(degree + 1)]
    return max(
        abs(F(point) - sum(b * y for b, y in zip(hit_chances(degree, point), values, strict=True))) for point in points
    )


@pytest.mark.parametrize("claim", CLAIMS, ids=lambda claim: claim.name)
def test_a_claim_of_the_parallels_is_shown_and_a_shifted_one_refused(claim):
    assert claim.holds()
    shifted = replace(claim, right=claim.right + 1) if claim.relation == "=" else replace(claim, right=claim.left - 1)
    assert not shifted.holds()
    doubled = replace(claim, right=2 * claim.right)
    assert claim.relation != "=" or claim.right == 0 or not doubled.holds()


@given(
    st.lists(st.integers(-4, 4), min_size=1, max_size=4),
    st.integers(1, 7),
    st.fractions(0, 1, max_denominator=9),
    st.integers(-2, 2),
)
@settings(max_examples=25)
def test_a_mean_over_throws_is_the_sum(coefficients, throws, chance, slope):
    polynomial = sum(c * k**power for power, c in enumerate(coefficients)) + slope * n * x * k
    letter = Symbol("q")
    (found,) = sympy.solve(sympy.Eq(letter, mean_value(polynomial)), letter)
    exact = sum(
        weight * (sum(c * hits**power for power, c in enumerate(coefficients)) + slope * throws * chance * hits)
        for hits, weight in enumerate(hit_chances(throws, chance))
    )
    at_place = found.subs({n: throws, x: sympy.Rational(chance.numerator, chance.denominator)})
    assert at_place == sympy.Rational(exact.numerator, exact.denominator)


def mean_value(polynomial):
    """What the judge accepts for a mean: tried with what SymPy makes of falling factorials."""
    hits = [sympy.Poly(polynomial, k).coeff_monomial(k**power) for power in range(5)]
    moments = [
        sum(sympy.functions.combinatorial.numbers.stirling(power, j) * sympy.ff(n, j) * x**j for j in range(power + 1))
        for power in range(5)
    ]
    value = sympy.expand(sympy.expand_func(sum(c * moment for c, moment in zip(hits, moments, strict=True))))
    assert Claim("", mean_over(polynomial), "=", value, BinomialMean()).holds()
    assert not Claim("", mean_over(polynomial), "=", value + x / n, BinomialMean()).holds()
    return value


@pytest.mark.parametrize(
    "left",
    [
        Sum(weigh(), (k, 1, n)),
        Sum(weigh(), (k, 0, n - 1)),
        Sum(sympy.binomial(n, k) * x**k * (1 - x) ** (n - k + 1), (k, 0, n)),
        Sum(weigh() * sympy.cos(k), (k, 0, n)),
        mean_over(Integer(1)) + mean_over(k),
    ],
)
def test_sums_that_are_no_such_means_are_refused(left):
    assert not Claim("", left, "=", Integer(1), BinomialMean()).holds()


def test_a_mean_is_judged_for_equality_only():
    assert not Claim("", mean_over(Integer(1)), "<=", Integer(1), BinomialMean()).holds()


@pytest.mark.parametrize(
    ("left", "right"),
    [
        (sin(U) * sin(V), (cos(U - V) + cos(U + V)) / 2),
        (cos(U) ** 2 + sin(V) ** 2, Integer(1)),
        (cos(U**2), cos(U**2) + 0 * U),
        (cos(2 * U), 2 * cos(U) ** 2),
        (cos(U + 1), cos(U) * cos(1)),
    ],
)
def test_waves_that_differ_or_are_not_known_are_refused(left, right):
    assert not Claim("", left, "=", right, OnTheCircle(Everywhere(), U, V)).holds()


def test_waves_that_agree_are_accepted():
    assert Claim("", cos(2 * U), "=", 2 * cos(U) ** 2 - 1, OnTheCircle(Everywhere(), U)).holds()
    index = Symbol("i", integer=True, positive=True)
    shorter = Sum(cos(index * T), (index, 1, Symbol("j", integer=True, nonnegative=True) - 1))
    assert not replace(NAMED["Dirichlet's kernel"], left=2 * sin(T / 2) * (Integer(1) / 2 + shorter)).holds()
    assert isinstance(NAMED["Fejér's kernel"].judge.judge, Induction)


@pytest.mark.parametrize(
    ("area", "right", "antiderivative"),
    [
        (Integral(cos(T), (T, 0, pi)), Integer(0), cos(T)),
        (Integral(cos(T), (T, 0, pi / 2)), Integer(0), sin(T)),
        (Integral(T, (T, 0, 1)) + Integral(T**2, (T, 0, 1)), Integer(5) / 6, T**2 / 2),
        (T, Integer(0), T),
    ],
)
def test_areas_with_a_wrong_antiderivative_or_end_are_refused(area, right, antiderivative):
    assert not Claim("", area, "=", right, Area(antiderivative)).holds()


@pytest.mark.parametrize("half", [1, 2, 5, 12])
def test_bernsteins_error_at_the_kink_is_between_the_two_bounds(half):
    degree = 2 * half
    error = measure_bernstein(lambda u: abs(u - Fraction(1, 2)), degree, [Fraction(j, 24) for j in range(25)])
    at_kink = Fraction(math.comb(degree, half), 2 ** (degree + 1))
    assert error == at_kink
    assert 0.35 / math.sqrt(degree) <= error <= 0.5 / math.sqrt(degree)


@given(st.lists(st.fractions(-3, 3, max_denominator=5), min_size=4, max_size=4), st.sampled_from([1, 4, 9, 16]))
@settings(max_examples=25)
def test_bernsteins_error_is_at_most_three_halves_of_the_modulus(heights, degree):
    """F is made of three lines; its change over a distance is largest where that begins or ends at a corner."""

    def F(u):
        cell = min(int(3 * u), 2)
        return heights[cell] + (3 * u - cell) * (heights[cell + 1] - heights[cell])

    steps = 9 * math.isqrt(degree)
    reach = steps // math.isqrt(degree)
    grid = [F(Fraction(j, steps)) for j in range(steps + 1)]
    modulus = max(abs(a - b) for i, a in enumerate(grid) for b in grid[i : i + reach + 1])
    error = measure_bernstein(F, degree, [Fraction(j, 12) for j in range(13)])
    assert error <= Fraction(FACTOR.p, FACTOR.q) * modulus


@pytest.mark.parametrize("name", ["coefficients of the kink", "coefficients of the step"])
def test_coefficients_are_the_integrals(name):
    claim = NAMED[name]
    (area,) = claim.left.atoms(Integral)
    letter = Symbol("k", integer=True, positive=True)
    for wave in (1, 2, 3):
        integrand = sympy.lambdify(T, area.function.subs(letter, wave), "mpmath")
        measured = 2 / mpmath.pi * mpmath.quad(integrand, [0, mpmath.pi / 2, mpmath.pi])
        assert float(measured) == pytest.approx(float(claim.right.subs(letter, wave)), abs=ROUNDING)


@pytest.mark.parametrize("count", [1, 2, 7])
def test_fejers_kernel_is_the_mean_of_the_sums(count):
    t = 0.7
    sums = [1 + 2 * sum(math.cos(wave * t) for wave in range(1, last + 1)) for last in range(count)]
    kernel = (math.sin(count * t / 2) / math.sin(t / 2)) ** 2 / count
    assert sum(sums) / count == pytest.approx(kernel, abs=ROUNDING)


@pytest.mark.parametrize("form", FORMATS)
def test_the_section_prints_in_every_format(form):
    text = render(["universal_approximation"], form)
    for word in ("Parallels from real analysis", "Weierstrass", "Fej", "double pole", "Where the likeness ends"):
        assert word in text
