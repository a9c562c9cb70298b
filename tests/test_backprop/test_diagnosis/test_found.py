"""Mistakes found in programs of others: cached weights, a β called c, samples exchanged, a step divided by n."""

from __future__ import annotations

import numpy as np
import pytest

from backprop.verification.explanation import judge_and_explain


def make_network(back, hidden=np.tanh, slope=lambda z: 1 - np.tanh(z) ** 2):
    """3-6-2, half the squared error; `back(X, h, z, d, W, slope)` makes the gradients."""

    def parameters(rng):
        return [(rng.normal(size=(3, 6)), rng.normal(size=6)), (rng.normal(size=(6, 2)), rng.normal(size=2))]

    def data(rng, n=7):
        return rng.normal(size=(n, 3)), rng.normal(size=(n, 2))

    def run(params, X):
        (W, b), (V, c) = params
        z = X @ W + b
        return z, hidden(z), hidden(z) @ V + c

    def cost(params, X, Y):
        return 0.5 * np.sum((run(params, X)[-1] - Y) ** 2)

    def gradients(params, X, Y):
        z, h, out = run(params, X)
        return back(X, h, z, out - Y, params[1][0], slope)

    return {"parameters": parameters, "data": data, "cost": cost, "gradients": gradients}


def finish(X, h, d, e):
    return [(X.T @ e, e.sum(axis=0)), (h.T @ d, d.sum(axis=0))]


def make_cached():
    kept = []

    def back(X, h, z, d, W, slope):
        kept.append(W.T.copy())
        return finish(X, h, d, d @ kept[0] * slope(z))

    return make_network(back)


def make_clipped():
    return make_network(lambda X, h, z, d, W, slope: finish(X, h, d, np.clip(d @ W.T * slope(z), -0.5, 0.5)))


def make_short_loop():
    return make_network(lambda X, h, z, d, W, slope: finish(X, h, d, d[:, :-1] @ W[:, :-1].T * slope(z)))


def make_wave(number):
    def back(X, h, z, d, W, slope):
        return finish(X, h, d, d @ W.T * np.cos(number * z))

    return make_network(back, hidden=lambda z: np.sin(number * z))


def make_root():
    def back(X, h, z, d, W, slope):
        return finish(X, h, d, d @ W.T / np.sqrt(1 + z * z))

    return make_network(back, hidden=lambda z: z / np.sqrt(1 + z * z))


def make_shuffled():
    """The errors of the samples in another order: their sum, and with it the output bias, is right."""

    def back(X, h, z, d, W, slope):
        d = d[::-1]
        return finish(X, h, d, d @ W.T * slope(z))

    return make_network(back)


def make_normalised(by_mean, letters=("g", "c")):
    """Batch normalisation without a bias, γ and β under other names; right with `by_mean`."""
    g, c = letters

    def parameters(rng):
        first = {"W": rng.normal(size=(5, 4)), g: 1 + 0.2 * rng.normal(size=4), c: 0.3 * rng.normal(size=4)}
        return [first, {"W": rng.normal(size=(4, 2)), "b": rng.normal(size=2)}]

    def data(rng, n=9):
        return rng.normal(size=(n, 5)), rng.normal(size=(n, 2))

    def run(params, X):
        first, second = params
        u = X @ first["W"]
        shrink = 1 / np.sqrt(u.var(axis=0) + 1e-5)
        x = (u - u.mean(axis=0)) * shrink
        h = np.tanh(first[g] * x + first[c])
        return shrink, x, h, h @ second["W"] + second["b"]

    def gradients(params, X, Y):
        shrink, x, h, out = run(params, X)
        d = out - Y
        e = d @ params[1]["W"].T * (1 - h * h)
        dx = e * params[0][g]
        du = shrink * (dx - by_mean * dx.mean(axis=0) - x * (dx * x).mean(axis=0))
        first = {"W": X.T @ du, g: (e * x).sum(axis=0), c: e.sum(axis=0)}
        return [first, {"W": h.T @ d, "b": d.sum(axis=0)}]

    cost = {"cost": lambda params, X, Y: 0.5 * np.sum((run(params, X)[-1] - Y) ** 2)}
    return cost | {"parameters": parameters, "data": data, "gradients": gradients}


WRONG = [
    (make_cached(), "BP2", 1, "weights_of_earlier_call"),
    (make_clipped(), "BP2", 1, "error_clipped_on_the_way_back"),
    (make_short_loop(), "BP2", 1, "unit_left_out_on_the_way_back"),
    (make_wave(3.0), "BP2", 1, "derivative_factor_wrong"),
    (make_normalised(by_mean=0), "BP2", 1, "normalisation_mean_path_missing"),
    (make_normalised(by_mean=0, letters=("gamma", "b")), "BP2", 1, "normalisation_mean_path_missing"),
]


@pytest.mark.parametrize(("subject", "equation", "layer", "cause"), WRONG)
def test_the_mistake_is_named(subject, equation, layer, cause):
    first = judge_and_explain(subject).findings[0]
    assert (first.equation, first.layer, first.cause) == (equation, layer, cause), first


def test_samples_in_another_order_are_one_mistake_of_the_output_error():
    findings = judge_and_explain(make_shuffled()).findings
    assert [(f.equation, f.layer) for f in findings] == [("BP1", 2)]


def test_a_slope_that_lacks_a_power_is_placed():
    first = judge_and_explain(make_root()).findings[0]
    assert (first.equation, first.layer) == ("BP2", 1)


@pytest.mark.parametrize("letters", [("g", "c"), ("gamma", "b"), ("scale", "offset")])
def test_the_right_normalisation_is_verified(letters):
    assert judge_and_explain(make_normalised(by_mean=1, letters=letters)).verdict == "verified"


def test_a_step_that_divides_by_n_once_more():
    right = make_network(lambda X, h, z, d, W, slope: finish(X, h, d, d @ W.T * slope(z)))

    def step(params, X, Y, rate):
        found = right["gradients"](params, X, Y)
        return [
            tuple(p - rate * g / len(X) for p, g in zip(own, its, strict=True))
            for own, its in zip(params, found, strict=True)
        ]

    first = judge_and_explain(right | {"step": step}).findings[0]
    assert (first.equation, first.cause) == ("update", "step_scaled")
