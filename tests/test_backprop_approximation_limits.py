"""The limits of the theorem: floors and jumps are proved, never above what any network does, and said at once."""

from __future__ import annotations

import json
import math
import time
from dataclasses import replace
from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest
from flint import acb
from hypothesis import given, settings
from hypothesis import strategies as st

from backprop.approximation import approximate
from backprop.approximation.limits import find_degree, find_limit, prove_floor, prove_jump
from backprop.approximation.limits.balls import describe_below
from backprop.approximation.limits.continuity import is_surely_continuous
from backprop.approximation.limits.on_the_floor import list_networks_on_floor
from backprop.approximation.limits.square_error import measure_l2
from backprop.approximation.limits.steep import list_steep_sigmoids
from backprop.approximation.limits.weights import check_weights, find_weights
from backprop.approximation.target import read_target
from backprop.cli import main
from backprop.errors import UsageError
from theory.activations import NAMES, find, parse

SOME = settings(max_examples=30)
AT_ONCE = 5.0
"""Seconds; growing in vain takes much longer than it takes to say that no width will do."""
ROUNDING = 1e-12
SHARP = 1 + 1e-6

numbers = st.integers(-40, 40).map(lambda n: Fraction(n, 8))
smooth_parts = st.sampled_from(["sin(3*x)", "exp(-x)", "cos(5*x)", "1/(1 + x**2)", "abs(x - 1/3)", "sqrt(x)", "x**4"])


def polynomial(coefficients):
    """The text of one, lowest power first."""
    return " + ".join(f"({c})*x**{k}" for k, c in enumerate(coefficients)) or "0"


@st.composite
def targets(draw):
    return f"({draw(numbers)})*{draw(smooth_parts)} + {draw(smooth_parts)}*{draw(smooth_parts)} + {draw(numbers)}*x"


# --------------------------------------------------------------------------------------------- the floor


@pytest.mark.parametrize(
    ("target", "degree", "known"),
    [
        ("sine", 2, 0.68246),  # figures that other programmes found, to the digits given
        ("sine", 3, 0.10473),
        ("kink", 1, 0.25),
        ("kink", 2, 1 / 16),
        ("kink", 3, 1 / 16),
        ("x**2", 1, 1 / 8),
        ("x**5", 4, 2.0**-9),  # 2 / 4^n on [0, 1], Chebyshev
        ("root", 1, 1 / 8),
        ("step", 0, 1 / 2),
        ("step", 3, 1 / 2),
    ],
)
def test_the_floor_is_the_error_of_the_best_polynomial(target, degree, known):
    floor = prove_floor(read_target(target, (0, 1)), degree)
    assert floor.lower == pytest.approx(known, abs=6e-6)
    assert floor.lower <= floor.upper * (1 + ROUNDING)
    assert floor.upper <= floor.lower * SHARP
    assert describe_below(floor.lower) in floor.describe()


@pytest.mark.parametrize("degree", [1, 2, 3, 7, 12])
@pytest.mark.parametrize("target", ["sine", "kink", "root", "runge", "wave", "planck", "weierstrass"])
def test_symmetric_wiggly_and_bent_targets_have_sharp_floors(target, degree):
    floor = prove_floor(read_target(target, (0, 1)), degree)
    assert 0 < floor.lower <= floor.upper * (1 + ROUNDING) <= floor.lower * SHARP


@SOME
@given(targets(), st.integers(0, 5), st.lists(st.tuples(*[st.floats(-4, 4)] * 3), min_size=1, max_size=6))
def test_no_network_is_below_the_floor(text, degree, units):
    target = read_target(text, (0, 1))
    floor = prove_floor(target, degree)
    features = np.column_stack([np.ones_like(target.grid), *((w * target.grid + b) ** degree for w, b, _ in units)])
    fitted = np.linalg.lstsq(features, target.values, rcond=None)[0]
    for c in (np.array([0.5, *(c for *_, c in units)]), fitted):
        assert np.max(np.abs(features @ c - target.values)) >= floor.lower - ROUNDING
    assert floor.lower <= floor.upper + ROUNDING


@SOME
@given(st.lists(numbers, max_size=5), st.integers(0, 6))
def test_a_polynomial_has_no_floor_once_its_degree_is_reached(coefficients, degree):
    floor = prove_floor(read_target(polynomial(coefficients), (0, 1)), degree)
    top = max((k for k, c in enumerate(coefficients) if c), default=0)
    assert (floor.lower == 0) == (degree >= top)
    assert floor.lower <= floor.upper + ROUNDING


@SOME
@given(st.lists(st.floats(-1e3, 1e3), min_size=2, max_size=8, unique=True), st.data())
def test_the_weights_send_polynomials_to_nothing_exactly(places, data):
    points = sorted(map(Fraction, places))
    weights = find_weights(points)
    degree = len(points) - 2
    check_weights(points, weights, degree)
    coefficients = data.draw(st.lists(numbers, min_size=degree + 1, max_size=degree + 1))
    values = [sum(c * x**k for k, c in enumerate(coefficients)) for x in points]
    assert sum(w * v for w, v in zip(weights, values, strict=True)) == 0
    assert sum(map(abs, weights)) == 1
    assert all(a * b < 0 for a, b in pairwise(weights))


@SOME
@given(st.integers(0, 3), st.integers(1, 60))
def test_a_tampered_weight_raises(place, power):
    floor = prove_floor(read_target("sine", (0, 1)), 2)
    weights = list(floor.weights)
    weights[place] += Fraction(1, 2**power)
    with pytest.raises(ArithmeticError, match="weights"):
        replace(floor, weights=tuple(weights))
    total = sum(map(abs, weights))
    with pytest.raises(ArithmeticError, match="to 0"):
        replace(floor, weights=tuple(weight / total for weight in weights))


def test_the_floor_can_be_checked_from_its_json_alone():
    data = json.loads(json.dumps(prove_floor(read_target("sine", (0, 1)), 3).to_dict()))
    points, weights = ([Fraction(text) for text in data[name]] for name in ("points", "weights"))
    assert len(points) == data["degree"] + 2
    assert all(data["domain"][0] <= x <= data["domain"][1] for x in points)
    assert [sum(w * x**j for w, x in zip(weights, points, strict=True)) for j in range(4)] == [0] * 4
    value = sum(float(w) * math.sin(2 * math.pi * float(x)) for w, x in zip(weights, points, strict=True))
    assert abs(value) == pytest.approx(data["lower"], rel=1e-13)


@pytest.mark.parametrize(
    ("activation", "degree"), [("x", 1), ("(x + 1)**2 - x**2", 1), ("x**3", 3), ("tanh(x)", None), ("max(x, 0)", None)]
)
def test_polynomials_are_recognised(activation, degree):
    assert find_degree(parse(activation)) == degree


@pytest.mark.parametrize(("activation", "widths"), [("x**2", (1, 3, 8)), ("x**3", (2, 4, 8)), ("identity", (1, 4))])
@pytest.mark.parametrize("target", ["sine", "kink"])
def test_trained_networks_sit_on_the_floor(target, activation, widths):
    degree = find_degree(find(activation).expression)
    for row in list_networks_on_floor(target, activation, widths):
        assert row.ratio >= 1 - ROUNDING
        assert row.width < degree or row.ratio <= 1.0001


def test_where_there_is_no_floor_there_is_no_table():
    with pytest.raises(UsageError, match="no floor"):
        list_networks_on_floor("x**2", "x**3", (2,))


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


# -------------------------------------------------------------------------------------- what is said of them


@pytest.mark.parametrize(
    ("target", "options", "lower"),
    [
        ("sine", {"activation": "x**2", "epsilon": 0.5}, 0.6824595),
        ("sine", {"activation": "x**2", "epsilon": 0.5, "certify": True}, 0.6824595),
        ("step", {"epsilon": 0.4}, 0.5),
        ("step", {"epsilon": 0.5, "certify": True}, 0.5),
        ("step", {"epsilon": 0.4, "activation": "relu", "certify": True}, 0.5),
    ],
)
def test_that_no_width_will_do_is_said_at_once(target, options, lower):
    start = time.monotonic()
    found = approximate(target, **options)
    assert time.monotonic() - start < AT_ONCE
    assert not found.reached
    assert found.width <= 2
    assert found.error_lower_bound == pytest.approx(lower, abs=1e-6)
    assert found.sup_error >= found.error_lower_bound - ROUNDING
    digits = {0.5: "0.5", 0.6824595: "0.682459"}[lower]
    assert f"any {found.activation} network, of any width, errs by at least {digits} somewhere (proved)" in str(found)
    data = json.loads(json.dumps(found.to_dict(), allow_nan=False))
    assert data["error_lower_bound"] == data["error_lower_bound_proof"]["lower"] == found.error_lower_bound


@pytest.mark.parametrize(
    ("target", "options"),
    [
        ("step", {"epsilon": 0.6}),
        ("sine", {"epsilon": 0.683, "activation": "x**2"}),
        ("sine", {"epsilon": 0.10474, "activation": "x**3"}),
    ],
)
def test_above_the_limit_the_error_is_reached_and_proved(target, options):
    found = approximate(target, certify=True, **options)
    assert found.reached
    assert found.certified
    assert found.error_lower_bound <= found.certificate.bound < options["epsilon"]


def test_without_a_limit_nothing_is_said():
    found = approximate("sine", width=2)
    assert found.limit is None
    assert found.to_dict()["error_lower_bound"] is None
    assert "of any width" not in str(found)
    assert approximate("x**2", width=2, activation="x**2").error_lower_bound is None


def test_the_command_says_it_and_fails(capsys):
    assert main(["approximate", "sine", "--activation", "x**3", "--epsilon", "0.1"]) == 1
    assert "any x**3 network, of any width, errs by at least 0.10473" in capsys.readouterr().out
    assert main(["approximate", "step", "--width", "2", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["error_lower_bound"] == 0.5


@given(st.floats(1e-300, 1e300), st.integers(2, 9))
def test_what_is_proved_is_not_rounded_up_in_print(number, digits):
    text = describe_below(number, digits)
    assert float(text) <= number
    assert float(text) == pytest.approx(number, rel=10.0 ** (2 - digits))


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


def test_find_limit_takes_the_higher_of_two():
    target = read_target("x**3 + (x > 1/2)/100", (0, 1))
    assert find_limit(target, parse("x")).lower > find_limit(target, parse("tanh(x)")).lower == pytest.approx(1 / 200)
