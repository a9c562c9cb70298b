"""The oracles state an error that holds, see the noise of a cost and know a kink from a mismatch."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backprop.examiner.measuring.cases import Case, draw_case
from backprop.examiner.measuring.comparison import shape_fits
from backprop.examiner.measuring.duals import DualNumber, dual_array
from backprop.examiner.measuring.kinks import confirm_mismatch, is_smooth
from backprop.examiner.measuring.noise import measure_gradient_noise, measure_noise
from backprop.examiner.measuring.oracles import SHARP_ENOUGH, Oracle
from backprop.examiner.subject.loading import load_subject
from backprop.examiner.tolerance import RELATIVE_SLACK, agree, describe_escape

UNIT = np.ones(())
SINGLE_EPS = float(np.finfo(np.float32).eps)
DOUBLE_EPS = float(np.finfo(np.float64).eps)
SHARP = 1e-12
"""What an analytic oracle reaches: rounding only."""
CENTRAL = 1e-7
"""Of one central difference at a good step."""


def at(x: float, fun: Callable[[Any], Any]) -> Case:
    """A flat subject of one parameter at x."""
    subject = load_subject({"theta0": lambda rng: np.array(x), "fun": fun, "grad": lambda t: t})
    return draw_case(subject, 0, jitter=False)


def oracle_at(x: float, fun: Callable[[Any], Any]) -> Oracle:
    case = at(x, fun)
    return Oracle(case, measure_noise(case, np.random.default_rng(0)))


SMOOTH: list[tuple[Callable[[Any], Any], Callable[[float], float]]] = [
    (np.sin, lambda x: float(np.cos(x))),
    (np.exp, lambda x: float(np.exp(x))),
    (lambda t: t**5 - t, lambda x: 5 * x**4 - 1),
    (lambda t: 1 / (1 + np.exp(-3 * t)), lambda x: float(3 * np.exp(-3 * x) / (1 + np.exp(-3 * x)) ** 2)),
    (lambda t: np.maximum(t - 0.3, 0) ** 2, lambda x: 2 * max(x - 0.3, 0.0)),
]


@pytest.mark.parametrize("which", range(len(SMOOTH)))
@given(x=st.floats(-2, 2))
def test_the_true_derivative_lies_within_the_stated_uncertainty(which: int, x: float) -> None:
    fun, derivative = SMOOTH[which]
    found = oracle_at(x, lambda t: float(fun(t))).differentiate(0, UNIT, 1.0)
    assert abs(found.value - derivative(x)) <= found.uncertainty


def test_a_smooth_cost_is_measured_sharply() -> None:
    found = oracle_at(0.7, lambda t: float(np.sin(t))).differentiate(0, UNIT, 1.0)
    assert found.uncertainty <= SHARP_ENOUGH * RELATIVE_SLACK * abs(found.value)


def test_the_noise_of_a_float32_cost_is_seen_whatever_type_it_returns() -> None:
    single = at(0.7, lambda t: float(np.sin(np.float32(t)) * np.float32(3.1)))
    # A float32 in between does not make the number a single one.
    double = at(0.7, lambda t: np.float32(0) + np.sin(t) * 3.1)
    rng = np.random.default_rng(0)
    assert SINGLE_EPS / 50 < measure_noise(single, rng) < 50 * SINGLE_EPS
    assert measure_noise(double, rng) < 50 * DOUBLE_EPS


def test_a_large_constant_in_the_cost_is_noise() -> None:
    case = at(0.7, lambda t: float(1e8 + np.sin(t)))
    assert measure_noise(case, np.random.default_rng(0)) > 1e8 * DOUBLE_EPS / 4


def test_the_noise_of_a_float32_gradient_is_seen() -> None:
    def subject(kind: type) -> Case:
        functions = {
            "theta0": lambda rng: rng.normal(size=5),
            "fun": lambda t: float(np.sum(np.sin(t))),
            "grad": lambda t: np.cos(t.astype(kind)).astype(float),
        }
        return draw_case(load_subject(functions), 0, jitter=False)

    rng = np.random.default_rng(0)
    assert measure_gradient_noise(subject(np.float32), rng)[0] > SINGLE_EPS / 50
    assert measure_gradient_noise(subject(np.float64), rng)[0] < 50 * DOUBLE_EPS


def choose(x: float, fun: Any) -> Oracle:
    """An oracle that was offered one direction to compare an analytic method with."""
    oracle = oracle_at(x, fun)
    oracle.choose_analytic(lambda: [(0, UNIT, oracle.extrapolate(0, UNIT, 1.0))])
    return oracle


@pytest.mark.parametrize(
    ("fun", "chosen", "said"),
    [
        (np.sin, "complex step", ""),
        (lambda t: np.sum(np.abs(np.sin(t)) + np.maximum(t, 0) ** 3), "dual numbers", "does not agree"),
        (lambda t: np.sin(t) * np.conj(np.sin(t)), "dual numbers", "does not agree"),
        (lambda t: float(np.real(np.sin(t))), "differences", "imaginary part"),
        (lambda t: float(np.sin(t.astype(float)).item()), "differences", "takes no dual numbers"),
    ],
)
def test_an_analytic_oracle_is_used_only_where_it_is_carried_and_agrees(fun: Any, chosen: str, said: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        oracle = choose(0.7, fun)
        found = oracle.differentiate(0, UNIT, 1.0)
        trusted = oracle.extrapolate(0, UNIT, 1.0)
    assert oracle.name == chosen
    assert said in "; ".join(oracle.declined.values())
    assert abs(found.value - trusted.value) <= found.uncertainty + trusted.uncertainty
    assert chosen == "differences" or found.uncertainty < SHARP


FUNCTIONS = ("exp", "log", "log1p", "expm1", "tanh", "sinh", "cosh", "sin", "cos", "arctan", "sqrt", "exp2", "log10")


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_dual_number_has_the_slope_of_every_function_of_numpy(name: str) -> None:
    function, step = getattr(np, name), 1e-5
    x = np.array([0.3, 0.9, 1.7])
    found = [number.slope for number in function(dual_array(x, np.ones(3)))]
    np.testing.assert_allclose(found, (function(x + step) - function(x - step)) / (2 * step), rtol=CENTRAL)


def test_dual_numbers_go_through_the_code_of_a_network() -> None:
    rng = np.random.default_rng(2)
    W, b, X, u = rng.normal(size=(3, 2)), rng.normal(size=2), rng.normal(size=(5, 3)), rng.normal(size=(3, 2))

    def cost(W: Any) -> Any:
        z = X @ W + b
        a = np.where(z > 0, z, 0.1 * z) / (1 + np.exp(-z)) - 2.0**z
        p = np.exp(a - a.max(axis=1, keepdims=True))
        return -np.mean(np.log(p / p.sum(axis=1, keepdims=True))[:, 0]) + np.sum(np.clip(W, -1, 1) ** 2)

    slope = cost(dual_array(W, u)).slope
    assert slope == pytest.approx((cost(W + 1e-6 * u) - cost(W - 1e-6 * u)) / 2e-6, rel=CENTRAL)


def test_a_dual_number_never_becomes_a_float_in_silence() -> None:
    for number in (float, np.float64, lambda x: np.zeros(1).__setitem__(0, x)):
        with pytest.raises(TypeError):
            number(DualNumber(1.0, 2.0))


def test_a_kink_at_the_point_is_not_a_mismatch() -> None:
    oracle = oracle_at(0.0, lambda t: float(np.abs(t)))
    found = oracle.extrapolate(0, UNIT, 1.0)
    assert not is_smooth(found, 1.0)
    assert not confirm_mismatch(oracle, 0, UNIT, 1.0, 1.0, found)


@pytest.mark.parametrize("distance", [1e-3, 1e-5, 1e-6])
def test_a_kink_beside_the_point_does_not_hide_the_derivative(distance: float) -> None:
    oracle = oracle_at(distance, lambda t: float(np.abs(t)))
    found = oracle.extrapolate(0, UNIT, 1.0, claimed=1.0)
    assert agree(1.0, found.value, found.uncertainty, 0.0)


def test_a_mismatch_at_a_smooth_point_is_confirmed() -> None:
    oracle = oracle_at(0.7, lambda t: float(np.sin(t)))
    found = oracle.extrapolate(0, UNIT, 1.0)
    assert confirm_mismatch(oracle, 0, UNIT, 1.0, found.value * 1.001, found)


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), -float("inf")])
def test_what_is_not_finite_never_agrees(bad: float) -> None:
    assert not agree(bad, bad, 1.0, 1.0)
    assert not agree(1.0, bad, 1.0, 1.0)
    assert not agree(1.0, 1.0, bad, 1.0)


def test_shapes_that_would_broadcast_over_other_entries_do_not_fit() -> None:
    assert shape_fits((3, 2), (3, 2))
    assert not shape_fits((2, 3), (3, 2))
    assert not shape_fits((1, 3), (3,))
    assert not shape_fits((7, 1), (1,))


def test_the_chance_of_an_escape_falls_with_every_direction() -> None:
    assert "<= 8.0e-05" in describe_escape(1e-6, 1)
    assert "<= 6.4e-09" in describe_escape(1e-6, 2)
    assert describe_escape(1e-6, 0) == "every entry was compared"
