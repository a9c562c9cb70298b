"""Mistakes that only some costs or loops can have: absolute penalties, raw inputs, a sample left out, odd slopes."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from backprop.verification.explanation import judge_and_explain

SPREAD = np.array([1.0, 2.0, 0.5, 3.0])
MIDDLE = np.array([0.5, -1.0, 2.0, 0.0])


def make_subject(fault, f=np.tanh, slope=lambda z, a: 1 - a * a, penalty=0.0):
    """4-5-5-3, squared error, λ Σ |w|; in one of them the forward pass standardises the inputs."""
    middle, spread = (MIDDLE, SPREAD) if fault == "inputs_scaled_differently" else (0.0, 1.0)

    def parameters(rng):
        return [(rng.normal(size=(m, n)) * 0.6, rng.normal(size=n) * 0.2) for m, n in ((4, 5), (5, 5), (5, 3))]

    def data(rng, n=8):
        return MIDDLE + SPREAD * rng.normal(size=(n, 4)), rng.normal(size=(n, 3))

    def run(params, X):
        (W1, b1), (W2, b2), (W3, b3) = params
        z1 = (X - middle) / spread @ W1 + b1
        z2 = f(z1) @ W2 + b2
        return z1, z2, f(z2) @ W3 + b3

    def cost(params, X, Y):
        return 0.5 * np.sum((run(params, X)[2] - Y) ** 2) + penalty * sum(np.sum(np.abs(W)) for W, _ in params)

    def gradients(params, X, Y):
        z1, z2, out = run(params, X)
        a1, a2 = f(z1), f(z2)
        d3 = out - Y
        if fault == "sample_left_out":
            d3[-1] = 0
        d2 = d3 @ params[2][0].T * slope(z2, a2)
        d1 = d2 @ params[1][0].T * slope(z1, a1)
        x = X if fault == "inputs_scaled_differently" else (X - middle) / spread
        found = [(x.T @ d1, d1.sum(axis=0)), (a1.T @ d2, d2.sum(axis=0)), (a2.T @ d3, d3.sum(axis=0))]
        kept = 0.0 if fault == "penalty_missing" else penalty
        return [
            (dW + kept * (W if fault == "penalty_of_other_kind" else np.sign(W)), db)
            for (dW, db), (W, _) in zip(found, params, strict=True)
        ]

    return SimpleNamespace(parameters=parameters, data=data, cost=cost, gradients=gradients)


CASES = [
    (make_subject("penalty_missing", penalty=0.1), "BP4", 3, "penalty_missing"),
    (make_subject("penalty_of_other_kind", penalty=0.1), "BP4", 3, "penalty_of_other_kind"),
    (make_subject("sample_left_out"), "cost", None, "sample_left_out"),
    (make_subject("inputs_scaled_differently"), "BP4", 1, "inputs_scaled_differently"),
]


@pytest.mark.parametrize(("subject", "equation", "layer", "cause"), CASES, ids=[case[3] for case in CASES])
def test_the_mistake_is_named(subject, equation, layer, cause):
    first = judge_and_explain(subject).findings[0]
    assert (first.equation, first.layer, first.cause) == (equation, layer, cause)


@pytest.mark.parametrize("penalty", [0.0, 0.1])
def test_the_right_one_is_verified(penalty):
    assert judge_and_explain(make_subject(None, penalty=penalty)).ok
