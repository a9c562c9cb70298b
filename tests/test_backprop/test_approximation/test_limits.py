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
from hypothesis import given, settings
from hypothesis import strategies as st

from backprop.approximation import approximate
from backprop.approximation.ground.hidden import find_degree
from backprop.approximation.ground.target import read_target
from backprop.approximation.ground.wording import describe_below
from backprop.approximation.limits import find_limit, prove_floor
from backprop.approximation.limits.weights import check_weights, find_weights
from backprop.approximation.survey.on_the_floor import list_networks_on_floor
from backprop.door.cli import main
from backprop.errors import UsageError
from theory.functions.elementwise import find, parse

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


def test_find_limit_takes_the_higher_of_two():
    target = read_target("x**3 + (x > 1/2)/100", (0, 1))
    assert find_limit(target, parse("x")).lower > find_limit(target, parse("tanh(x)")).lower == pytest.approx(1 / 200)
