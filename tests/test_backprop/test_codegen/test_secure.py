"""Output and cost from logits: right far out, and where a probability comes close to 0 or 1."""

from __future__ import annotations

import functools
from itertools import product

import mpmath
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backprop import Dense, Network, UsageError, activation, build, verify
from backprop.codegen.functions.promises import LARGEST, SLOPE_ULPS, VALUE_ULPS, Promise, find_promise
from backprop.examiner.certifying.certify import certify
from theory.chapters.networks.softmax import derive_output_error, derive_secure_error
from theory.functions.activation_catalogue import NAMES
from theory.rules.matrix_form import lift_derivation
from theory.witnesses.witness import check

FAR = 1e4
ULPS = 16.0  # of the cost, and of the gradient's largest entry, with "full" and softmax
ABSOLUTE = 8  # units of rounding of 1, or of the largest logit in the cost, for every other case
EPS = np.finfo(np.float64).eps
LOGITS = (-FAR, -700.0, -40.0, -1.0, 0.0, 1e-3, 40.0, 45.0, 700.0, FAR)
PAIRS = [("softmax", "cross-entropy"), ("sigmoid", "cross-entropy"), ("sigmoid", "binary-cross-entropy")]


def list_cases(outputs: int):
    """Logits in all combinations, each with every one-hot target."""
    for logits in product(LOGITS[::2] if outputs == 3 else LOGITS, repeat=outputs):
        for target in np.eye(outputs):
            yield np.array([logits]), target[None, :]


def run(net, logits, Y):
    """Cost and gradient of one linear layer whose logits are its biases; the true ones in balls."""
    theta = np.concatenate([np.zeros(logits.size), logits[0]])
    X = np.ones((1, 1))
    cost, gradient = net.value_and_gradient(theta, X, Y)
    network = net.network
    found = net.views(gradient)
    return cost, gradient, certify(network.sizes, network.functions, network.cost, net.views(theta), X, Y, found)


@pytest.mark.parametrize("outputs", [2, 3])
def test_softmax_and_cross_entropy_keep_every_digit_with_full_accuracy(outputs: int) -> None:
    net = build((1, outputs), output="softmax", cost="cross-entropy", accuracy="full")
    for logits, Y in list_cases(outputs):
        cost, _, certificate = run(net, logits, Y)
        expected = float(true_cost(logits, Y))
        assert abs(cost - expected) <= ULPS * np.spacing(max(abs(expected), 1e-300)), logits
        if expected > 1e-290:  # the gradient is no subnormal
            assert max(certificate.ulps.values()) <= ULPS, (logits, Y)


@pytest.mark.parametrize("accuracy", ["fast", "full"])
@pytest.mark.parametrize(("output", "cost"), PAIRS)
def test_costs_and_gradients_are_right_against_the_largest_logit_and_against_one(output, cost, accuracy) -> None:
    net = build((1, 2), output=output, cost=cost, accuracy=accuracy)
    for logits, Y in list_cases(2):
        value, gradient, _ = run(net, logits, Y)
        expected = float(true_cost(logits, Y) if output == "softmax" else true_sigmoid_cost(logits, Y, cost))
        assert np.isfinite(gradient).all()
        assert abs(value - expected) <= ABSOLUTE * EPS * max(1, np.max(np.abs(logits)))
        powers = np.exp(logits - np.max(logits))
        a = powers / np.sum(powers) if output == "softmax" else logistic(logits)
        residual = -(1 - a) * Y if (output, cost) == PAIRS[1] else a - Y
        assert np.all(np.abs(gradient[2:] - residual[0]) <= ABSOLUTE * EPS)


def logistic(z):
    return np.where(z > 0, 1 / (1 + np.exp(-np.abs(z))), np.exp(-np.abs(z)) / (1 + np.exp(-np.abs(z))))


def true_cost(logits, Y):
    """-log p of the target, in many digits."""
    with mpmath.workdps(60):
        z = [mpmath.mpf(float(v)) for v in logits[0]]
        mine = z[int(np.argmax(Y))]
        others = sum(mpmath.exp(v - mine) for k, v in enumerate(z) if k != int(np.argmax(Y)))
        return mpmath.log1p(others)


def true_sigmoid_cost(logits, Y, cost):
    """-Σ y log a (+ (1 - y) log(1 - a)), in many digits."""
    with mpmath.workdps(60):
        terms = [
            mpmath.log1p(mpmath.exp(mpmath.mpf(float(-z if y else z))))
            for z, y in zip(logits[0], Y[0], strict=True)
            if y or cost == "binary-cross-entropy"
        ]
        return sum(terms)


def test_a_network_of_full_accuracy_is_verified_like_any_other() -> None:
    report = verify(build("3-4-3", activation="mish", output="softmax", cost="cross-entropy", accuracy="full"))
    assert report.ok
    assert report.evidence["exact"]["ok"]


def true_error(z: float, y: float, cost: str) -> mpmath.mpf:
    """What z and y say of δ, to many digits."""
    rest = 1 / (1 + mpmath.exp(mpmath.mpf(z)))
    return -y * rest if cost == "cross-entropy" else (1 - y) * (1 - rest) - y * rest


@functools.cache
def build_sigmoid(hidden, weighted, cost, accuracy):
    layers = [Dense(1, hidden)] * bool(hidden) + [Dense(1, "sigmoid")]
    return build(Network(1, *layers, cost=cost, weighted=weighted), accuracy=accuracy)


@pytest.mark.parametrize("accuracy", ["fast", "full"])
@pytest.mark.parametrize("cost", ["binary-cross-entropy", "cross-entropy"])
@pytest.mark.parametrize(("hidden", "weighted"), [("", False), ("", True), ("relu", False), ("sigmoid", False)])
@given(z=st.floats(-700, 700), y=st.sampled_from([0.0, 1.0]))
def test_a_sigmoid_with_an_entropy_keeps_the_digits_of_what_is_missing_to_one(hidden, weighted, cost, accuracy, z, y):
    net = build_sigmoid(hidden, weighted, cost, accuracy)
    theta = np.zeros(net.size)
    theta[-1] = z
    arguments = theta, np.ones((1, 1)), np.array([[y]])
    value, gradient = net.value_and_gradient(*arguments)
    with mpmath.workdps(340):
        error, expected = true_error(z, y, cost), true_sigmoid_cost(np.array([[z]]), np.array([[y]]), cost)
        for found, true in ((gradient[-1], error), (value, expected), (net.cost(*arguments), expected)):
            unit = np.spacing(max(abs(float(true)), np.finfo(float).smallest_normal))
            assert abs(mpmath.mpf(float(found)) - true) <= ULPS * unit


def test_the_examples_at_forty():
    for accuracy in ("fast", "full"):
        net = build("1-1", output="sigmoid", cost="binary-cross-entropy", accuracy=accuracy)
        value, gradient = net.value_and_gradient(np.array([1.0, 0.0]), np.array([[40.0]]), np.array([[1.0]]))
        assert float(value) == pytest.approx(4.248354255291589e-18, rel=1e-14)
        assert gradient.tolist() == pytest.approx([-1.699341702116636e-16, -4.248354255291589e-18], rel=1e-14)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("cost", ["binary-cross-entropy", "cross-entropy"])
def test_the_secure_error_is_derived_from_the_collapsed_one(cost, weighted):
    derivation = derive_secure_error("sigmoid", cost, weighted)
    assert check(lift_derivation(derivation, derivation.subject.indices)) == []
    assert derivation.steps[: len(derive_output_error("sigmoid", cost, weighted).steps)] == (
        derive_output_error("sigmoid", cost, weighted).steps
    )
    assert derive_secure_error("softmax", cost) == derive_output_error("softmax", cost)


# ------------------------------------------------------------------------ what is promised of a user's own activation

FULL = ["x*sigmoid(1.702*x)", "x*tanh(x)", "log(1 + x**2)", "x**2", "relu(x) + 0.1*x"]
LOST = ["x**3 - x", "tanh(x) - x", "x*sin(x)", "sqrt(1 + x**2) - 1", "x/(1 + abs(x))"]


@pytest.mark.parametrize("name", FULL)
def test_an_expression_that_keeps_its_digits_may_be_called_full(name):
    promise = activation(name, "full").promise
    assert promise.is_full
    assert promise.measured > 100
    assert f"as measured at {promise.measured} floats" in str(promise)
    build("2-3-1", name, accuracy="full")


@pytest.mark.parametrize("name", LOST)
def test_an_expression_that_loses_digits_is_not_called_full(name):
    promise = activation(name).promise
    assert max(promise.value, promise.slope) > LARGEST
    for call in (lambda: activation(name, "full"), lambda: build("2-3-1", name, accuracy="full")):
        with pytest.raises(UsageError, match="there is no full accuracy for") as caught:
            call()
        assert "\n" not in str(caught.value)
    build("2-3-1", name)


def test_the_place_of_the_largest_error_shows_it():
    found = activation("x**3 - x")
    x, digits = found.promise.place, 60
    with mpmath.workdps(digits):
        value, slope = mpmath.mpf(x) ** 3 - x, 3 * mpmath.mpf(x) ** 2 - 1
    for kind in (np.float32, np.float64):
        if kind(x) == x:
            got = found.f(np.array([x], kind))[0], found.f_prime(np.array([x], kind))[0]
            units = [np.spacing(kind(abs(float(true)))) for true in (value, slope)]
            errors = [abs(float(g) - t) / u for g, t, u in zip(got, (value, slope), units, strict=True)]
            if max(errors) > LARGEST:
                return
    pytest.fail("nothing is lost there")


def test_the_catalogue_promises_for_every_float():
    for name in NAMES:
        assert find_promise(name) == Promise(VALUE_ULPS, SLOPE_ULPS, 0.0, 0)
