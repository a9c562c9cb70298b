"""Costs that are not of the table: the error is measured, and mistakes in what is made of it are still named."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
from kit.combinations import combine

from backprop.verification.explanation import judge_and_explain

WEIGHTS = np.array([1.0, 3.0, 0.5])


def softmax(z):
    e = np.exp(z - z.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


def root_of_mean_square(z, Y):
    return np.sqrt(np.mean((z - Y) ** 2))


def smoothed(Y):
    return 0.9 * Y + 0.1 / 3


COSTS = {
    "root of the mean square": (
        root_of_mean_square,
        lambda z, Y: (z - Y) / (z.size * root_of_mean_square(z, Y)),
        lambda z, Y: (z - Y) / z.size,
    ),
    "smoothed targets": (
        lambda z, Y: -np.sum(smoothed(Y) * np.log(softmax(z))) / len(Y),
        lambda z, Y: (softmax(z) - smoothed(Y)) / len(Y),
        lambda z, Y: (softmax(z) - Y) / len(Y),
    ),
    "weighted classes": (
        lambda z, Y: -np.sum(Y * WEIGHTS * np.log(softmax(z))) / len(Y),
        lambda z, Y: (softmax(z) - Y) * (Y @ WEIGHTS)[:, None] / len(Y),
        lambda z, Y: (softmax(z) - Y) / len(Y),
    ),
}
"""Name: cost of (z, Y), the output error, and the error of the plain cost of its kind."""


def make_subject(name, fault, penalty=0.0):
    cost_of, error_of, plain = COSTS[name]

    def parameters(rng):
        return [(rng.normal(size=(m, n)) * 0.6, rng.normal(size=n) * 0.2) for m, n in ((4, 5), (5, 5), (5, 3))]

    def data(rng, n=8):
        return rng.normal(size=(n, 4)), np.eye(3)[rng.integers(0, 3, size=n)]

    def run(params, X):
        (W1, b1), (W2, b2), (W3, b3) = params
        a1 = np.tanh(X @ W1 + b1)
        a2 = np.tanh(a1 @ W2 + b2)
        return a1, a2, a2 @ W3 + b3

    def cost(params, X, Y):
        return cost_of(run(params, X)[2], Y) + penalty / 2 * sum(np.sum(W * W) for W, _ in params)

    def gradients(params, X, Y):
        a1, a2, z = run(params, X)
        d3 = plain(z, Y) if fault == "gradient_of_plain_cost" else error_of(z, Y)
        back = d3 @ params[2][0].T
        d2 = back if fault == "derivative_missing" else back * (1 - a2**2)
        d1 = (d2 @ (params[1][0] if fault == "weights_not_transposed" else params[1][0].T)) * (1 - a1**2)
        found = [(X.T @ d1, d1.sum(axis=0)), (a1.T @ d2, d2.sum(axis=0)), (a2.T @ d3, d3.sum(axis=0))]
        return [(dW + penalty * W, db) for (dW, db), (W, _) in zip(found, params, strict=True)]

    return SimpleNamespace(parameters=parameters, data=data, cost=cost, gradients=gradients)


FAULTS = {
    "derivative_missing": ("BP2", 2),
    "weights_not_transposed": ("BP2", 1),
    "gradient_of_plain_cost": ("BP1", 3),
}


@pytest.mark.parametrize(("name", "fault", "penalty"), combine(COSTS, FAULTS, [0.0, 0.1]))
def test_the_mistake_is_named_though_the_cost_is_not_of_the_table(name, fault, penalty):
    first = judge_and_explain(make_subject(name, fault, penalty)).findings[0]
    assert (first.equation, first.layer, first.cause) == (*FAULTS[fault], fault)


@pytest.mark.parametrize("name", COSTS)
def test_right_code_with_such_a_cost_is_verified(name):
    assert judge_and_explain(make_subject(name, None, 0.1)).ok
