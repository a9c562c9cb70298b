"""Jumps: half of one is the least error, proved; and the error in the mean, which does go to nothing."""

from __future__ import annotations

import math
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from flint import acb
from hypothesis import given, settings
from hypothesis import strategies as st

from backprop.approximation import approximate
from backprop.approximation.ground.target import read_target
from backprop.approximation.limits import prove_jump
from backprop.approximation.limits.continuity import is_surely_continuous
from backprop.approximation.limits.steep import list_steep_sigmoids
from backprop.approximation.survey.square_error import measure_l2
from backprop.errors import UsageError
from theory.functions.activation_catalogue import NAMES
from theory.functions.elementwise import find, parse

SOME = settings(max_examples=30)
ROUNDING = 1e-12

numbers = st.integers(-40, 40).map(lambda n: Fraction(n, 8))


def polynomial(coefficients):
    """The text of one, lowest power first."""
    return " + ".join(f"({c})*x**{k}" for k, c in enumerate(coefficients)) or "0"


# ---------------------------------------------------------------------------------------------- the jump


@SOME
@given(
    st.lists(numbers, min_size=1, max_size=4),
    st.lists(numbers, min_size=1, max_size=4),
    st.fractions(Fraction(1, 10), Fraction(9, 10), max_denominator=50),
    st.sampled_from([">", ">="]),
)
def test_the_bound_is_half_the_jump_and_never_more(left, right, place, sign):
    text = f"{polynomial(left)} + (x {sign} {place})*({polynomial([*right])} - ({polynomial(left)}))"
    target = read_target(text, (0, 1))
    before, after = (sum(c * place**k for k, c in enumerate(side)) for side in (left, right))
    jump = prove_jump(target)
    if before == after:
        assert jump is None
        return
    half = abs(after - before) / 2
    assert Fraction(jump.lower) <= half
    assert jump.lower == pytest.approx(float(half), rel=1e-9, abs=1e-11)
    assert Fraction(jump.box[0]) <= place <= Fraction(jump.box[1])
    assert Fraction(jump.left[0]) <= before <= Fraction(jump.left[1])
    assert Fraction(jump.right[0]) <= after <= Fraction(jump.right[1])


@pytest.mark.parametrize(
    ("target", "domain", "half"),
    [
        ("sign(x)*exp(x)", (-1, 1), 1.0),
        ("(x > sqrt(2)/2)*x**2", (0, 1), 0.25),
        ("(exp(x) > 2)*x", (0, 1), math.log(2) / 2),
        ("(x > 1/3) + 3*(x > 2/3)", (0, 1), 1.5),
        ("10**9*(x > 1/2)", (0, 1), 5e8),
        ("max(x, x*(x > 1/2) - 1) + heaviside(x - 1/4)", (0, 1), 0.5),
    ],
)
def test_the_highest_jump_is_found_wherever_it_is(target, domain, half):
    lower = prove_jump(read_target(target, domain)).lower
    assert half * (1 - ROUNDING) <= lower <= half * (1 + ROUNDING)


@pytest.mark.parametrize(
    "target",
    ["kink", "planck", "max(x, 1/2)", "(x > 1/2)*(x - 1/2)", "max(0, min(1, (x - 1/2)*10**13))", "abs(sin(9*x))", "x"],
)
def test_a_continuous_target_has_no_jump_however_steep(target):
    assert prove_jump(read_target(target, (0, 1))) is None


def test_every_activation_with_a_name_is_continuous_and_steps_are_not():
    assert all(is_surely_continuous(find(name).expression) for name in NAMES)
    broken = ["x > 0", "sign(x)", "tan(x)", "1/x", "atan(1/(x - 1/3))", "x*(x > 1)", "(x > 0) - (x > 10**(-13))"]
    assert not any(is_surely_continuous(parse(text)) for text in broken)


def test_the_statement_is_silent_where_the_activation_jumps_itself():
    found = approximate("step", width=1, activation="x > 0")
    assert found.error_lower_bound is None
    assert found.sup_error < 0.5


# ------------------------------------------------------------------------------------- the error in the mean


def test_the_mean_square_error_of_a_steep_sigmoid_goes_to_nothing_while_the_largest_stays():
    rows = list_steep_sigmoids([10, 100, 1000, 10000])
    assert {row.sup_error for row in rows} == {0.5}
    for row in rows:
        assert row.l2_low <= row.l2_high <= row.l2_low * (1 + ROUNDING)
        assert row.l2_high == pytest.approx(math.sqrt((2 * math.log(2) - 1) / row.steepness), rel=1.2e-2)


@given(st.floats(0.5, 500))
@SOME
def test_the_derived_integral_is_the_integral(steepness):
    square = acb.integral(lambda v, _: (1 / (1 + v.exp())) ** 2, 0, acb(steepness) / 2) * 2 / acb(steepness)
    (row,) = list_steep_sigmoids([steepness])
    assert row.l2_low**2 * (1 - ROUNDING) <= float(square.real.mid()) <= row.l2_high**2 * (1 + ROUNDING)


@pytest.mark.parametrize("steepness", [0, -1, math.nan, math.inf, 1e9])
def test_a_steepness_must_be_ordinary(steepness):
    with pytest.raises(UsageError, match="steepness"):
        list_steep_sigmoids([steepness])


def test_the_measured_mean_square_error_agrees_with_the_proved_one():
    found = approximate("step", width=1, activation="sigmoid")
    network = found.network._replace(w=np.array([100.0]), b=np.array([-50.0]), c=np.array([1.0]), constant=0.0)
    (row,) = list_steep_sigmoids([100])
    assert measure_l2(replace(found, network=network)) == pytest.approx(row.l2_low, rel=1e-9)


def test_a_network_for_a_step_is_better_in_the_mean_than_at_its_worst():
    found = approximate("step", width=2)
    assert measure_l2(found) < 0.05 < 0.5 <= found.sup_error + ROUNDING
