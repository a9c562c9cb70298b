"""Networks for functions: how near, how honestly measured, and what is refused."""

from __future__ import annotations

import functools
import json
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backprop.approximation import MAX_WIDTH, approximate
from backprop.approximation.ground.hidden import Hidden, read_sigma
from backprop.approximation.ground.solving import project, solve, solve_minimax
from backprop.approximation.ground.target import GRID_POINTS, read_target
from backprop.approximation.searching.placement import list_placements
from backprop.approximation.searching.refinement import refine
from backprop.errors import UsageError

ROUNDING = 1e-12
FEW = settings(max_examples=12)

SINE = "sin(2*pi*x)"
GOALS = [
    (SINE, "tanh", 4, 1e-3),
    (SINE, "tanh", 8, 1e-6),
    (SINE, "tanh", 16, 1e-8),
    (SINE, "tanh", 32, 1e-12),
    (SINE, "sigmoid", 8, 1e-6),
    (SINE, "gelu", 8, 1e-5),
    (SINE, "x*tanh(x)", 8, 1e-5),
    (SINE, "relu", 16, 2e-2),
    (SINE, "relu", 64, 1e-3),
    ("sqrt(x)", "relu", 16, 5e-3),
    ("sqrt(x)", "tanh", 16, 5e-3),
    ("abs(x - 1/2)", "tanh", 16, 2e-3),
    ("abs(x - 1/3)", "relu", 4, 1e-12),
    ("exp(-x)*sin(8*pi*x)", "tanh", 16, 1e-5),
    ("1/(1 + 25*(2*x - 1)**2)", "tanh", 16, 1e-5),
]
"""Target, activation, width, the largest error on the grid that is good enough."""


@functools.cache
def make(target, width, activation="tanh", domain=(0.0, 1.0)):
    return approximate(target, width=width, activation=activation, domain=domain)


@pytest.mark.parametrize(("target", "activation", "width", "goal"), GOALS)
def test_the_network_comes_near_enough(target, activation, width, goal):
    approximation = make(target, width, activation)
    assert approximation.width == width
    assert approximation.sup_error <= goal


@pytest.mark.parametrize(("target", "activation", "width", "goal"), GOALS[:3] + GOALS[7:8])
def test_the_reported_error_is_the_error_of_the_reported_numbers(target, activation, width, goal):
    approximation = make(target, width, activation)
    numbers = json.loads(json.dumps(approximation.to_dict()))
    w, b, c = (np.array(numbers["hidden"][name]) for name in "wbc")
    sigma = {"tanh": np.tanh, "relu": lambda z: np.maximum(z, 0)}[activation]
    x = np.linspace(0, 1, GRID_POINTS)
    values = sigma(np.outer(x, w) + b) @ c + numbers["constant"]
    error = np.max(np.abs(values - np.sin(2 * np.pi * x)))
    assert error <= approximation.sup_error + ROUNDING
    assert error >= 0.5 * approximation.sup_error, "the grid is not where the error hides"
    assert values == pytest.approx(approximation.f(x), abs=ROUNDING)


def test_the_json_has_the_published_names():
    numbers = make(SINE, 4).to_dict()
    assert set(numbers) >= {
        "target",
        "activation",
        "hidden",
        "constant",
        "width",
        "epsilon",
        "sup_error_bound",
        "certified",
        "width_lower_bound",
        "domain",
    }
    assert numbers["certified"] is False
    assert numbers["sup_error_bound"] is None
    assert numbers["grid_points"] >= GRID_POINTS
    assert json.loads(json.dumps(numbers, allow_nan=False)) == numbers


def test_the_text_says_that_it_is_a_grid():
    text = str(make(SINE, 4))
    assert "4 tanh units" in text
    assert "on a grid of 10,0" in text
    assert "not a bound" in text


def test_the_network_keeps_the_shape_of_its_argument():
    f = make(SINE, 4).f
    assert f(0.25).shape == ()
    assert f(np.zeros((2, 3))).shape == (2, 3)
    assert f([]).shape == (0,)


def test_the_size_of_the_weights_is_reported():
    approximation = make(SINE, 4)
    assert approximation.sum_abs_c == np.sum(np.abs(approximation.c))
    assert approximation.max_abs_w == np.max(np.abs(approximation.w))


@pytest.mark.parametrize("target", [SINE, "sqrt(x)", "x > 1/3"])
def test_more_units_are_never_worse(target):
    errors = [make(target, width).sup_error for width in (1, 3, 4, 8)]
    assert errors == sorted(errors, reverse=True)


def test_the_same_call_gives_the_same_network():
    first, again = (approximate("cos(3*x)", width=5, seed=3) for _ in range(2))
    assert first.to_dict() == again.to_dict()


@pytest.mark.parametrize("domain", [(-3.0, 2.0), (0.0, 1e-6), (1e6, 1e6 + 6), (-1e8, 1e8)])
def test_any_interval_will_do(domain):
    low, high = domain
    target = f"tanh(4*(x - {low:.0f})/({high:.6f} - {low:.0f}) - 1)"
    approximation = make(target, 4, "tanh", domain)
    x = np.linspace(low, high, 101)
    assert approximation.sup_error < 1e-3
    assert np.max(np.abs(approximation.f(x) - approximation.function(x))) <= approximation.sup_error + ROUNDING


@pytest.mark.parametrize(("factor", "shift"), [("10**30", "0"), ("10**(-30)", "0"), ("1", "10**6")])
def test_the_error_scales_with_the_target(factor, shift):
    approximation = make(f"{factor}*sin(2*pi*x) + {shift}", 6)
    size = float(approximation.function.scale)
    assert approximation.sup_error <= 1e-3 * size


def test_a_constant_is_met_exactly():
    approximation = make("3", 2)
    assert approximation.sup_error == 0
    assert approximation.constant == 3


def test_a_jump_costs_half_its_height_whatever_the_width():
    for width in (1, 8):
        approximation = make("x > 1/3", width)
        assert 0.5 - ROUNDING <= approximation.sup_error < 0.52
        away = np.array([0.1, 0.3, 0.36, 0.9])
        assert approximation.f(away) == pytest.approx([0, 0, 1, 1], abs=0.05), "but away from it the network is right"


@FEW
@given(
    st.lists(st.tuples(st.floats(-1, 1), st.integers(1, 3)), min_size=1, max_size=3),
    st.sampled_from(["tanh", "relu", "sigmoid", "elu"]),
    st.integers(1, 6),
)
def test_the_error_is_never_worse_than_that_of_a_constant_by_much(terms, activation, width):
    text = "+".join(f"({factor:.3f})*cos({k}*pi*x)" for factor, k in terms)
    approximation = approximate(text, width=width, activation=activation)
    x = np.linspace(0, 1, 2001)
    error = np.max(np.abs(approximation.f(x) - approximation.function(x)))
    assert error <= approximation.sup_error + ROUNDING
    assert approximation.sup_error <= 1.3 * approximation.function.scale + ROUNDING
    assert np.all(np.isfinite([*approximation.w, *approximation.b, *approximation.c, approximation.constant]))


# ------------------------------------------------------------------------------------------- epsilon


@pytest.mark.parametrize(
    ("target", "activation", "epsilon"), [(SINE, "tanh", 1e-3), ("abs(x-1/2)", "relu", 1e-6), (SINE, "relu", 0.05)]
)
def test_the_width_grows_until_the_error_is_small_enough(target, activation, epsilon):
    approximation = approximate(target, epsilon=epsilon, activation=activation)
    assert approximation.reached
    assert approximation.sup_error < epsilon
    assert approximation.width <= 32
    assert "below the" in str(approximation)


def test_an_error_that_cannot_be_reached_gives_the_best_and_says_so():
    approximation = approximate("x > 1/2", epsilon=0.4)
    assert not approximation.reached
    assert "NOT below" in str(approximation)
    assert approximation.to_dict()["epsilon"] == 0.4


def test_with_a_width_the_error_is_only_compared():
    assert approximate(SINE, width=2, epsilon=1e-9).reached is False
    assert approximate(SINE, width=2, epsilon=10).width == 2


# ---------------------------------------------------------------------------------------------- parts


@given(st.integers(1, 12), st.floats(-1, 1))
def test_least_squares_finds_what_is_in_the_span(width, constant):
    features = np.column_stack([np.random.default_rng(width).normal(size=(50, width)), np.ones(50)])
    c = np.append(np.arange(width), constant)
    assert solve(features, features @ c, 1e-14) == pytest.approx(c, abs=1e-9)
    assert project(features, 1e-14).weigh(features @ c) == pytest.approx(c, abs=1e-9)


def test_features_that_are_not_finite_are_given_up():
    features = np.array([[1.0, np.inf], [0.0, 1.0]])
    assert solve(features, np.ones(2), 1e-14) is None
    assert project(features, 1e-14) is None


def test_minimax_finds_the_equal_ripple_of_chebyshev():
    x = np.cos(np.linspace(0, math.pi, 201))
    projection = project(np.column_stack([x, np.ones(201)]), 1e-14)
    c = solve_minimax(projection, x**2, rounds=60)
    worst = np.max(np.abs(c[0] * x + c[1] - x**2))
    assert worst == pytest.approx(0.5, rel=1e-2), "x^2 - 1/2 is Chebyshev's"


@pytest.mark.parametrize("activation", ["tanh", "gelu", "x*sin(x)"])
def test_refinement_follows_the_derived_slope(activation):
    sigma = read_sigma(activation)
    x = np.linspace(-1, 1, 200)
    truth = Hidden(np.array([2.0, -3.0]), np.array([0.5, 1.0]))
    y = sigma.compute_features(truth, x) @ np.array([1.0, -0.5, 0.2])
    start = Hidden(truth.w + 0.3, truth.b - 0.2)
    found = refine(sigma, start, x, y, 100)

    def measure(hidden):
        return np.max(np.abs(project(sigma.compute_features(hidden, x), 1e-12).remove(y)))

    assert measure(found) < 1e-6 < measure(start)


@given(st.integers(1, 20), st.integers(0, 3))
def test_every_placement_has_the_width(width, seed):
    rng = np.random.default_rng(seed)
    for w, b in list_placements(np.abs, np.array([0.0]), width, rng):
        assert w.shape == b.shape == (width,)
        assert np.all(np.isfinite([w, b]))


def test_the_size_of_a_relu_unit_is_taken_out():
    hidden = read_sigma("relu").normalise(Hidden(np.array([-4.0, 0.0]), np.array([2.0, 3.0])))
    assert hidden.w.tolist() == [-1.0, 0.0]
    assert hidden.b.tolist() == [0.5, 3.0]
    assert not read_sigma("gelu").is_homogeneous


def test_the_grid_closes_in_on_ends_and_breaks():
    target = read_target("abs(x - 1/4) + abs(x - 3/4)", (0, 1))
    assert target.breaks == (0.25, 0.75)
    for place in (0.0, 0.25, 0.75, 1.0):
        gaps = np.abs(target.grid - place)
        assert 0 in gaps
        assert np.sort(gaps)[1] < 1e-11
    assert np.all(np.diff(target.grid) > 0)
    assert (target.grid[0], target.grid[-1]) == (0, 1)


def test_a_target_with_endless_kinks_is_read_without_them():
    assert read_target("abs(sin(9*x))", (0, 1)).breaks == ()


# --------------------------------------------------------------------------------------------- errors


@pytest.mark.parametrize("activation", ["max(x, x - 1)", "x**20*(x**20 + 1)"])
def test_polynomials_with_cases_or_of_a_huge_degree_are_refused_with_the_theorem(activation):
    with pytest.raises(UsageError, match=r"polynomial.*Leshno"):
        approximate(SINE, width=4, activation=activation)


@pytest.mark.parametrize(
    ("target", "options", "message"),
    [
        ("1/x", {}, "no finite value at x = 0"),
        ("log(x - 1/2)", {}, "no finite value at x = 0 "),
        ("sqrt(1/2 - x)", {}, "no finite value at x = 0.5"),
        ("exp(1000*x)", {}, "no finite value"),
        ("10**200*x", {}, "reaches 1.0e.200"),
        ("y", {}, "unknown name 'y'"),
        ("", {}, "target"),
        ("__import__('os').system('true')", {}, "target expression"),
        ("x", {"width": 0}, f"from 1 to {MAX_WIDTH}"),
        ("x", {"width": -3}, "from 1 to"),
        ("x", {"width": 10**9}, "from 1 to"),
        ("x", {"width": 2.5}, "whole number"),
        ("x", {"width": None}, "needs a width"),
        ("x", {"domain": (1, 0)}, "from low to high"),
        ("x", {"domain": (1, 1)}, "from low to high"),
        ("x", {"domain": (0, math.inf)}, "finite interval"),
        ("x", {"domain": (math.nan, 1)}, "finite interval"),
        ("x", {"domain": (0, 1, 2)}, "two numbers"),
        ("x", {"domain": 3}, "two numbers"),
        ("x", {"domain": (1, 1 + 1e-12)}, "too short"),
        ("x", {"domain": (-1e300, 1e300)}, "too long"),
        ("x", {"epsilon": 0}, "epsilon"),
        ("x", {"epsilon": math.nan}, "epsilon"),
        ("x", {"epsilon": "small"}, "epsilon"),
        ("x", {"seed": -1}, "seed"),
        ("x", {"seed": "a"}, "seed"),
        ("x", {"activation": "tanhh"}, "did you mean 'tanh'"),
        ("x", {"activation": "softmax"}, "unknown activation"),
        ("x", {"activation": "log(x)"}, "finite real value"),
    ],
)
def test_what_cannot_be_used_is_one_clear_line(target, options, message):
    with pytest.raises(UsageError, match=message) as caught:
        approximate(target, **{"width": 3, **options})
    assert "\n" not in str(caught.value)


def test_a_target_must_be_text():
    with pytest.raises(UsageError, match="must be text"):
        approximate(math.sin, width=3)


def test_the_widest_network_is_within_reach():
    assert approximate("x", width=MAX_WIDTH).sup_error < 1e-6
