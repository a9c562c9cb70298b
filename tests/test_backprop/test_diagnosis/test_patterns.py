"""Mistakes that are named from numbers alone, in networks that are not of the catalogue."""

from __future__ import annotations

import numpy as np
import pytest
from test_backprop.test_examiner.test_judging.test_unlike_dense import make_embedding, make_hinge, make_recurrent

from backprop.diagnosis.mistakes.catalogue import CAUSES
from backprop.verification.explanation import judge_and_explain


def softmax(z):
    e = np.exp(z - z.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


def make_classifier(fault):
    """4-6-3, tanh, softmax; a cost that leaves rows with label -1 out."""

    def parameters(rng):
        return [(rng.normal(size=(m, n)), rng.normal(size=n)) for m, n in ((4, 6), (6, 3))]

    def data(rng):
        y = rng.integers(3, size=10)
        y[[2, 3, 9]] = -1
        return rng.normal(size=(10, 4)), y

    def run(params, X):
        (W1, b1), (W2, b2) = params
        h = np.tanh(X @ W1 + b1)
        return h, softmax(h @ W2 + b2)

    def cost(params, X, y):
        p = run(params, X)[1][y >= 0]
        return -np.sum(np.log(p[np.arange(len(p)), y[y >= 0]]))

    def gradients(params, X, y):
        h, d = run(params, X)
        d[np.arange(len(y)), y] -= 1
        if fault != "padding":
            d[y < 0] = 0
        if fault == "outputs":
            d *= np.array([1.0, 2.0, 0.5])
        dh = d @ params[1][0].T * (1 - h * h)
        db = np.trunc(d.sum(axis=0)) if fault == "integers" else d.sum(axis=0)
        return [(X.T @ dh, dh.sum(axis=0)), (h.T @ d, db)]

    return {"parameters": parameters, "data": data, "cost": cost, "gradients": gradients}


def make_learned_slope(right):
    """A slope for the negative side of each unit."""

    def parameters(rng):
        return [(rng.normal(size=(4, 5)), rng.normal(size=5)), (rng.uniform(0.1, 0.4, size=5),),
                (rng.normal(size=(5, 2)), rng.normal(size=2))]  # fmt: skip

    def data(rng, n=8):
        return rng.normal(size=(n, 4)), rng.normal(size=(n, 2))

    def run(params, X):
        (W1, b1), (s,), (W2, b2) = params
        z = X @ W1 + b1
        a = np.where(z > 0, z, s * z)
        return z, a, a @ W2 + b2

    def cost(params, X, Y):
        return 0.5 * np.sum((run(params, X)[2] - Y) ** 2)

    def gradients(params, X, Y):
        z, a, out = run(params, X)
        d = out - Y
        back = d @ params[2][0].T
        dz = back * np.where(z > 0, 1, params[1][0])
        ds = np.sum(back * (np.minimum(z, 0) if right else z), axis=0)
        return [(X.T @ dz, dz.sum(axis=0)), (ds,), (a.T @ d, d.sum(axis=0))]

    return {"parameters": parameters, "data": data, "cost": cost, "gradients": gradients}


def make_autoencoder(both):
    """The decoder has the encoder's weights, transposed."""

    def parameters(rng):
        return {"W": rng.normal(size=(6, 4)) * 0.5, "b": rng.normal(size=4), "c": rng.normal(size=6)}

    def data(rng, n=9):
        X = rng.normal(size=(n, 6))
        return X, X

    def cost(p, X, Y):
        return 0.5 * np.sum((np.tanh(X @ p["W"] + p["b"]) @ p["W"].T + p["c"] - Y) ** 2)

    def gradients(p, X, Y):
        h = np.tanh(X @ p["W"] + p["b"])
        d = h @ p["W"].T + p["c"] - Y
        dh = (d @ p["W"]) * (1 - h * h)
        return {"W": X.T @ dh + (d.T @ h if both else 0), "b": dh.sum(axis=0), "c": d.sum(axis=0)}

    return {"parameters": parameters, "data": data, "cost": cost, "gradients": gradients}


def make_normalised(running):
    """Batch normalisation whose gradient, if `running`, is that of a pass with kept statistics."""

    def parameters(rng):
        return [(rng.normal(size=(3, 5)), rng.normal(size=5)),
                (1 + 0.3 * rng.normal(size=5), rng.normal(size=5)),
                (rng.normal(size=(5, 2)), rng.normal(size=2))]  # fmt: skip

    def data(rng):
        return rng.normal(size=(7, 3)), rng.normal(size=(7, 2))

    def run(params, X, kept):
        (W1, b1), (gamma, beta), (W2, b2) = params
        u = X @ W1 + b1
        mean, variance = (0.2, 1.5) if kept else (u.mean(axis=0), u.var(axis=0))
        inverse = 1 / np.sqrt(variance + 1e-5)
        x = (u - mean) * inverse
        h = np.tanh(gamma * x + beta)
        return inverse, x, h, h @ W2 + b2

    def cost(params, X, Y):
        return 0.5 * np.sum((run(params, X, False)[-1] - Y) ** 2)

    def gradients(params, X, Y):
        inverse, x, h, out = run(params, X, running)
        d = out - Y
        dv = d @ params[2][0].T * (1 - h * h)
        dx = dv * params[1][0]
        du = inverse * (dx if running else dx - dx.mean(axis=0) - x * (dx * x).mean(axis=0))
        first = (X.T @ du, du.sum(axis=0))
        return [first, ((dv * x).sum(axis=0), dv.sum(axis=0)), (h.T @ d, d.sum(axis=0))]

    return {"parameters": parameters, "data": data, "cost": cost, "gradients": gradients}


WRONG = [
    (make_embedding(accumulated=False), "BP4", 1, "table_rows_overwritten"),
    (make_hinge(counted=False), "BP1", 2, "error_at_target_wrong"),
    (make_recurrent("state"), "BP4", 1, "other_values_in_weight_gradient"),
    (make_classifier("padding"), "BP1", 2, "samples_weighted_differently"),
    (make_classifier("outputs"), "BP1", 2, "outputs_weighted_differently"),
    (make_classifier("integers"), "BP3", 2, "gradient_truncated_to_integers"),
    (make_learned_slope(right=False), "BP4", 1, "slope_gradient_wrong"),
    (make_autoencoder(both=False), "BP4", 1, "shared_weights_counted_once"),
    (make_normalised(running=True), "forward", None, "other_statistics_in_forward"),
]
RIGHT = [make_classifier("none"), make_learned_slope(right=True), make_autoencoder(both=True), make_normalised(False)]


@pytest.mark.parametrize(("subject", "equation", "layer", "cause"), WRONG, ids=[case[3] for case in WRONG])
def test_the_mistake_is_named(subject, equation, layer, cause):
    first = judge_and_explain(subject).findings[0]
    assert (first.equation, first.layer, first.cause) == (equation, layer, cause), first


@pytest.mark.parametrize("subject", RIGHT)
def test_the_right_ones_are_verified(subject):
    assert judge_and_explain(subject).ok


@pytest.mark.parametrize("cause", CAUSES, ids=lambda cause: cause.identifier)
def test_every_mistake_says_what_to_read_again(cause):
    equation = None if cause.equation == "any" else cause.equation
    assert cause.chapter or equation
    assert "`backprop derive" in cause.reread(1, 2)


def make_shaped(change):
    """Two layers whose right gradients are kept in another shape or order."""

    def parameters(rng):
        return [(rng.normal(size=(3, 4)), rng.normal(size=4)), (rng.normal(size=(4, 2)), rng.normal(size=2))]

    def data(rng, n=6):
        return rng.normal(size=(n, 3)), rng.normal(size=(n, 2))

    def cost(params, X, Y):
        (W1, b1), (W2, b2) = params
        return 0.5 * np.sum((np.tanh(X @ W1 + b1) @ W2 + b2 - Y) ** 2)

    def gradients(params, X, Y):
        (W1, b1), (W2, b2) = params
        a = np.tanh(X @ W1 + b1)
        d2 = a @ W2 + b2 - Y
        d1 = (d2 @ W2.T) * (1 - a**2)
        return change([(X.T @ d1, d1.sum(axis=0)), (a.T @ d2, d2.sum(axis=0))])

    return {"parameters": parameters, "data": data, "cost": cost, "gradients": gradients}


SHAPED = [
    (lambda g: [(g[0][0], g[0][1][None]), g[1]], "BP3", "gradient_has_wrong_shape"),
    (lambda g: [(g[0][0].T, g[0][1]), g[1]], "BP4", "gradient_has_wrong_shape"),
    (lambda g: g[::-1], "BP4", "gradients_of_layers_exchanged"),
]


@pytest.mark.parametrize(("change", "equation", "cause"), SHAPED, ids=["a row", "turned", "from the output down"])
def test_a_wrong_shape_is_called_a_wrong_shape(change, equation, cause):
    first = judge_and_explain(make_shaped(change)).findings[0]
    assert (first.equation, first.cause) == (equation, cause)
