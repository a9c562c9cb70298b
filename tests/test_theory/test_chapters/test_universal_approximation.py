"""The constructive proof: every claim is shown, wrong ones are refused, and what is shown is true of numbers."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
import sympy
from hypothesis import given
from hypothesis import strategies as st
from sympy import IndexedBase, Integer, Rational, Sum, Symbol, oo

from theory.chapters.approximation.claims import (
    SIGMA,
    SLOPE,
    Claim,
    Everywhere,
    Induction,
    Limit,
    any_exponent,
    at_least,
    between,
    exponent,
    means,
)
from theory.chapters.approximation.least_width import LEAST_WIDTH
from theory.chapters.approximation.staircase import BOUND, LENGTH, PROOF, STEEPNESS, VARIATION
from theory.chapters.approximation.universal_approximation import PARALLELS, check
from theory.chapters.approximation.universality import THEOREMS, degree_of_power_network, describe_coverage, find_traits
from theory.chapters.book import main, render
from theory.chapters.chapter import FORMATS
from theory.functions.activation_catalogue import NAMES

CLAIMS = [claim for part in (*PROOF, *LEAST_WIDTH) for claim in part.claims]
NAMED = {claim.name: claim for claim in CLAIMS}
T, N = Symbol("t", real=True), Symbol("n", integer=True, positive=True)
Y, P, I = IndexedBase("y"), IndexedBase("p"), Symbol("i", integer=True, positive=True)
ROUNDING = 1e-12


def test_every_claim_of_the_proof_is_shown():
    assert len(CLAIMS) > 20
    assert check() == []


@pytest.mark.parametrize("claim", CLAIMS, ids=lambda claim: claim.name)
def test_a_claim_that_is_turned_round_or_shifted_is_refused(claim):
    turned = replace(claim, left=claim.right, right=claim.left) if claim.relation != "=" else None
    shifted = replace(claim, right=claim.right + 1) if claim.relation == "=" else replace(claim, right=claim.left - 1)
    assert not shifted.holds()
    assert turned is None or not turned.holds()


@pytest.mark.parametrize("part", range(len(PROOF)))
def test_the_check_of_the_whole_proof_names_the_wrong_step(part):
    first, *rest = PROOF[part].claims
    wrong = replace(first, right=first.right + (1 if first.relation == "=" else -(10**6)))
    parts = [*PROOF[:part], replace(PROOF[part], claims=(wrong, *rest)), *PROOF[part + 1 :]]
    assert check(parts) == [wrong]


def test_sums_by_parts_with_a_wrong_end_or_index_are_refused():
    right = NAMED["summation by parts"]
    for wrong in (
        right.right.xreplace({P[N - 1]: P[N]}),
        right.right.xreplace({P[I - 1]: P[I + 1]}),
        right.right - Y[N] * P[N - 1],
        right.right.replace(Sum, lambda body, limits: Sum(body, (limits[0], 1, limits[2]))),
    ):
        assert wrong != right.right
        assert not replace(right, right=wrong).holds()


def test_an_induction_needs_its_start_and_its_step():
    telescope = NAMED["telescope"]
    k = telescope.judge.over[0][0]
    assert not replace(telescope, right=Y[k] + Y[1]).holds(), "grows rightly, begins wrongly"
    assert not replace(telescope, right=Y[1] * k).holds(), "begins rightly, grows wrongly"
    grows_inside = Claim("", Sum(Y[I] * N, (I, 1, N)), "=", Sum(Y[I] * N, (I, 1, N)) + 0, Induction((N, Integer(2))))
    assert grows_inside.holds(), "nothing is left to show"
    assert not replace(grows_inside, right=N * Sum(Y[I], (I, 1, N))).holds(), "true, but beyond the judge"


@pytest.mark.parametrize(
    ("left", "relation", "right", "letters"),
    [
        (SIGMA(-T), "<=", sympy.exp(-2 * T), [any_exponent(T)]),
        (SIGMA(-T), "<=", Rational(49, 100), [exponent(T)]),
        (SIGMA(-T), "<=", Rational(1, 2), [any_exponent(T)]),
        (Integer(0), "<", SLOPE(T) - SLOPE(T), [any_exponent(T)]),
        (SIGMA(T), "=", 1 + SIGMA(-T), [any_exponent(T)]),
        (Integer(0), "<", T, [at_least(T, Integer(0))]),
        (T, "<=", Rational(9, 10), [between(T, Integer(0), Integer(1))]),
        (Integer(0), "<=", T, []),
        (Integer(0), "<=", 1 / (T - 1), [at_least(T, Integer(0))]),
        (Integer(0), "<=", 1 / T, [at_least(T, Integer(0))]),
    ],
)
def test_what_is_false_or_unknown_is_refused(left, relation, right, letters):
    assert not Claim("", left, relation, right, Everywhere(*letters)).holds()


@given(st.lists(st.integers(-3, 5), min_size=1, max_size=4), st.integers(1, 3), st.floats(0, 50))
def test_an_inequality_that_is_shown_is_true_of_numbers(coefficients, degree, value):
    top = sum(c * T**k for k, c in enumerate(coefficients))
    claim = Claim("", Integer(0), "<=", top / (1 + T) ** degree, Everywhere(at_least(T, Integer(0))))
    if claim.holds():
        assert float(claim.right.subs(T, value)) >= 0
    if all(c >= 0 for c in coefficients):
        assert claim.holds()


def test_limits_are_those_of_the_sigmoid():
    assert not Claim("", SIGMA(T), "=", Integer(1), Limit(T, -oo)).holds()
    assert not replace(NAMED["weights run away"], right=2 * SLOPE(T)).holds()


def test_letters_are_written_with_what_they_stand_for():
    x = Symbol("x")
    claim = Claim("", x, "<=", Integer(3), Everywhere(means(x, 2 * T), between(T, Integer(0), Integer(1))))
    assert claim.holds()
    assert claim.describe_letters() == "x = 2*t, 0 <= t <= 1"
    assert claim.write() == "x <= 3"


def test_the_bound_is_half_of_both_moduli_and_the_tails():
    values = {VARIATION: 5, LENGTH: Rational(1, 4), STEEPNESS: 80}
    bound = BOUND.subs(values).replace(sympy.Function("omega"), lambda d: 3 * d)
    found = float(bound.replace(SIGMA, lambda t: 1 / (1 + sympy.exp(-t))))
    assert found == pytest.approx(3 / 16 + 3 / 8 + 5 / (1 + math.exp(10)), abs=ROUNDING)


# ---------------------------------------------------------------------------------------- the theorems


def test_whom_the_theorems_cover():
    covered = {theorem.name: {name for name in NAMES if theorem.covers(find_traits(name))} for theorem in THEOREMS}
    assert covered["Cybenko"] == {"sigmoid"}
    assert covered["Hornik, mean error"] == covered["Hornik, largest error"] == {"sigmoid", "tanh"}
    assert covered["Leshno, Lin, Pinkus, Schocken"] == set(NAMES) - {"identity"}
    assert "Cybenko after a shift and a scale" in describe_coverage("tanh")
    assert "a polynomial: none applies" in describe_coverage("identity")


def test_the_whole_catalogue_is_continuous_and_a_step_is_not():
    assert all(find_traits(name).continuous for name in NAMES)
    assert not find_traits("x + sign(x)").continuous
    assert not find_traits("1/(x - 1/2)").continuous
    assert not find_traits("tan(x)").continuous


@pytest.mark.parametrize(
    ("activation", "polynomial", "bounded"),
    [("x**2 - x", True, False), ("(x + 1)**3", True, False), ("exp(-x**2)", False, True), ("abs(x)", False, False)],
)
def test_traits_of_other_activations(activation, polynomial, bounded):
    traits = find_traits(activation)
    assert (traits.polynomial, traits.bounded) == (polynomial, bounded)


@pytest.mark.parametrize("width", [1, 2, 5])
def test_power_networks_keep_their_degree_at_any_width(width):
    assert [degree_of_power_network(power, width) for power in (1, 2, 3)] == [1, 2, 3]


@pytest.mark.parametrize("form", FORMATS)
def test_the_chapter_prints_in_every_format(form):
    text = render(["universal_approximation"], form)
    for word in ("Cybenko", "Hornik", "Leshno", "summation by parts", "half the jump", "No width", "No algorithm"):
        assert word in text
    assert text.count(": holds") == len(CLAIMS) + sum(len(part.claims) for part in PARALLELS)
    assert "DOES NOT HOLD" not in text


def test_the_chapter_says_so_when_a_claim_fails(monkeypatch):
    wrong = replace(NAMED["half"], right=Rational(1, 3))
    monkeypatch.setattr(
        "theory.chapters.approximation.universal_approximation.PROOF", (replace(PROOF[0], claims=(wrong,)),)
    )
    assert "DOES NOT HOLD" in render(["universal_approximation"])


def test_the_chapter_is_a_program(capsys):
    assert main(["universal_approximation"]) == 0
    assert "the bound: sup |F - f| <= V*σ(-h*s/2) + ω(h/2)/2 + ω(h)/2" in capsys.readouterr().out


@pytest.mark.parametrize("part", range(len(LEAST_WIDTH)))
def test_the_section_on_the_least_width_is_judged(part):
    """Each claim holds, and is refused with something added to its right side (or taken from it)."""
    for claim in LEAST_WIDTH[part].claims:
        assert claim.holds()
        wrong = claim.right - 1 if claim.relation == "<=" else claim.right + 1
        assert not replace(claim, right=wrong).holds()
