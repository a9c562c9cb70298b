"""Output and cost from logits: right far out, and where a probability comes close to 0 or 1."""

from __future__ import annotations

from itertools import product

import mpmath
import numpy as np
import pytest

from backprop import build, verify
from backprop.examiner.certify import certify

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
