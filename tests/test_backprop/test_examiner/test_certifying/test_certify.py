"""Gradients certified in balls: right ones are, wrong ones are not, and the balls are those of the definitions."""

from __future__ import annotations

import json

import hypothesis
import numpy as np
import pytest
import sympy
from flint import arb
from hypothesis import given
from hypothesis import strategies as st

from backprop import build
from backprop.door.cli import main
from backprop.errors import UsageError
from backprop.examiner.certifying.balls import ACTIVATIONS, BallDual, evaluate
from backprop.examiner.certifying.certify import certify
from backprop.verification import strategies
from backprop.verification.verify import certify_network
from theory.functions.activation_catalogue import NAMES
from theory.functions.elementwise import find
from theory.functions.values import evaluate_precisely

ENOUGH = 2.0**20  # ulps of the largest entry: a - y loses that much where an output has come close to its target
USUAL = 64.0  # ulps, where nothing cancels
DIGITS = 40


@given(st.data(), st.sampled_from(["float64", "float32"]), st.sampled_from(["fast", "full"]))
def test_gradients_of_random_networks_are_certified(data: st.DataObject, dtype: str, accuracy: str) -> None:
    network = data.draw(strategies.networks(max_depth=3, max_width=4))
    theta = data.draw(strategies.parameters(network)).astype(dtype)
    X, Y = (array.astype(dtype) for array in data.draw(strategies.batches(network, max_rows=3)))
    net = build(network, accuracy=accuracy)
    found = net.views(net.gradient(theta, X, Y))
    result = certify(network.sizes, network.functions, network.cost, net.views(theta), X, Y, found)
    hypothesis.assume(not is_close_to_target(net, theta, X, Y))
    assert max(result.ulps.values()) <= ENOUGH, str(result)


def is_close_to_target(net, theta, X, Y) -> bool:
    """Whether every output is within a thousandth of its target: a - y, and so every entry, has cancelled."""
    return bool(np.max(np.abs(net.forward(theta, X) - Y)) < 1e-3)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("name", NAMES)
def test_a_usual_network_is_within_a_few_ulps_of_its_largest_entries(name: str, dtype: str) -> None:
    result = certify_network(build("3-4-4-2", activation=name, output="softmax", cost="cross-entropy"), dtype=dtype)
    assert result.ok
    assert max(result.ulps.values()) <= USUAL


@pytest.mark.parametrize("cost", ["half-sse", "mse", "cross-entropy", "binary-cross-entropy"])
def test_a_gradient_that_is_off_by_a_millionth_is_not_certified(cost: str) -> None:
    net = build("2-3-2", activation="tanh", output="sigmoid", cost=cost)
    rng = np.random.default_rng(3)
    theta, (X, Y) = net.initial(rng), net.module.data(rng)
    wrong = net.gradient(theta, X, Y)
    views = (net.network.sizes, net.network.functions, cost, net.views(theta), X, Y)
    assert certify(*views, net.views(wrong)).ok
    wrong[4] += 1e-6 * np.max(np.abs(wrong))
    result = certify(*views, net.views(wrong))
    assert not result.ok
    assert str(result).startswith("NOT certified")
    wrong[4] = np.nan
    assert not certify(*views, net.views(wrong)).ok


@pytest.mark.parametrize("name", NAMES)
def test_definitions_in_balls_are_those_of_the_book(name: str) -> None:
    for x in (-2.75, -0.375, 0.625, 3.5):
        value, slope = evaluate(ACTIVATIONS[name], x)
        for ball, expression in ((value, find(name).expression), (slope, find(name).derivative)):
            book = evaluate_precisely(expression, sympy.Rational(x), DIGITS)
            assert abs(float(ball) - float(book)) <= 1e-15 * max(1.0, abs(float(book)))


def test_a_ball_that_does_not_say_which_side_of_a_kink_holds_both_slopes() -> None:
    result = ACTIVATIONS["relu"](BallDual(arb(0, 1e-9), arb(1)))
    assert result.slope.contains(0)
    assert result.slope.contains(1)


def test_an_activation_without_definition_and_a_large_network_are_refused() -> None:
    with pytest.raises(UsageError, match="certification knows the definitions of"):
        certify_network(build("2-2-1", activation="x*tanh(x)"))
    with pytest.raises(UsageError, match="too large to certify"):
        certify_network(build("784-1024-1024-10", activation="tanh"))


def test_the_command_line_adds_the_certificates_to_the_report(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["verify", "3-4-2", "--activation", "gelu", "--certify", "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["verdict"] == "verified"
    assert {"float64", "float32"} == set(report["evidence"]["certified"])
    assert report["evidence"]["certified"]["float32"]["ulps_of_largest_entry"]["W1"] < USUAL
    assert main(["verify", "no_such.py", "--certify"]) == 2
