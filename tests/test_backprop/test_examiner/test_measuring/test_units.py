"""Faults that hide behind scales and kinks: inputs in other units, zeros that stay, many samples, small entries."""

from __future__ import annotations

import numpy as np
import pytest

from backprop.examiner.judging.judge import judge
from backprop.examiner.subject.protocol.naming import name_leaves
from backprop.examiner.subject.protocol.sizes import size_entries, size_tensors


def relu(z):
    return np.maximum(z, 0.0)


def step(z):
    return (z > 0).astype(float)


def make(start, data, change, hidden=np.tanh, slope=lambda z: 1 - np.tanh(z) ** 2):
    """Two layers, half the mean squared error; `change` is what goes wrong in (dW1, db1, dW2, db2)."""

    def run(params, X):
        (W, b), (V, c) = params
        z = X @ W + b
        return z, hidden(z), hidden(z) @ V + c

    def cost(params, X, Y):
        return float(0.5 * np.mean((run(params, X)[-1] - Y) ** 2))

    def gradients(params, X, Y):
        z, h, out = run(params, X)
        d = (out - Y) / out.size
        e = d @ params[1][0].T * slope(z)
        dW, db, dV, dc = change(params, X, e, [X.T @ e, e.sum(axis=0), h.T @ d, d.sum(axis=0)])
        return [(dW, db), (dV, dc)]

    return {"parameters": start, "data": data, "cost": cost, "gradients": gradients}


def right(params, X, e, found):
    return found


SCALES = 10.0 ** np.linspace(-2, 3, 6)


def start_in_units(rng):
    W = rng.normal(size=(6, 8)) / SCALES[:, None] / np.sqrt(6)
    return [(W, 0.1 * rng.normal(size=8)), (rng.normal(size=(8, 1)), np.zeros(1))]


def draw_in_units(rng, n=12):
    return rng.normal(size=(n, 6)) * SCALES, rng.normal(size=(n, 1))


def enlarge(params, X, e, found):
    return [1.5 * found[0], 1.5 * found[1], *found[2:]]


def test_inputs_in_other_units():
    assert judge(make(start_in_units, draw_in_units, right)).verdict == "verified"
    findings = judge(make(start_in_units, draw_in_units, enlarge)).findings
    assert [(f.equation, f.layer) for f in findings] == [("BP2", 1)]


def start_pruned(rng):
    W = rng.normal(size=(6, 8))
    return [(W * (np.abs(W) > 0.5), np.zeros(8)), (rng.normal(size=(8, 2)), np.zeros(2))]


def draw_with_blank(rng, n=10):
    X = rng.normal(size=(n, 6))
    X[0] = 0.0
    return X, rng.normal(size=(n, 2))


def mask(params, X, e, found):
    return [found[0] * (params[0][0] != 0), *found[1:]]


def test_a_mask_on_zeros_is_no_convention_of_kinks():
    assert judge(make(start_pruned, draw_with_blank, right, relu, step)).verdict == "verified"
    assert judge(make(start_pruned, draw_with_blank, mask, relu, step)).verdict == "wrong"


def start_wide(rng):
    return [(rng.normal(size=(20, 30)) / 5, np.zeros(30)), (rng.normal(size=(30, 2)) / 5, np.zeros(2))]


def draw_many(rng, n=2000):
    return rng.normal(size=(n, 20)), rng.normal(size=(n, 2))


def leave_out_rest(params, X, e, found):
    rows = len(X) - len(X) % 64 if len(X) > 64 else len(X)
    return [X[:rows].T @ e[:rows], *found[1:]]


def test_a_remainder_left_out_of_many_samples():
    assert judge(make(start_wide, draw_many, right, relu, step)).verdict == "verified"
    findings = judge(make(start_wide, draw_many, leave_out_rest, relu, step)).findings
    assert [(f.equation, f.layer) for f in findings] == [("BP4", 1)]


def make_houses(without_intercept):
    """Logistic regression on an area of about 1e7: its entry of the gradient dwarfs the others."""

    def draw(rng):
        features = np.column_stack([np.ones(20), 1e7 * rng.uniform(1, 3, 20), rng.normal(size=20)])
        return features, rng.integers(0, 2, size=20)

    X, y = draw(np.random.default_rng(0))

    def fun(theta):
        z = X @ theta
        return float(np.mean(np.logaddexp(0, z) - y * z))

    def grad(theta):
        g = X.T @ (1 / (1 + np.exp(-(X @ theta))) - y) / len(y)
        return g * np.array([0.0, 1, 1]) if without_intercept else g

    return {"fun": fun, "grad": grad, "theta0": lambda rng: rng.normal(size=3) * np.array([1, 1e-7, 1])}


def test_a_small_entry_beside_a_large_one_is_compared_by_its_own_unit():
    assert judge(make_houses(without_intercept=False)).verdict == "verified"
    assert judge(make_houses(without_intercept=True)).verdict == "wrong"


@pytest.mark.parametrize("size", [1e-8, 1.0, 1e8])
def test_sizes_follow_rows_and_columns(size):
    rng = np.random.default_rng(1)
    W = rng.normal(size=(4, 50)) * np.array([[size], [1.0], [1.0], [1.0]])
    params = [(W, np.zeros(50))]
    leaves = name_leaves(params)
    rows = size_entries([W, np.zeros(50)], leaves)[0].mean(axis=1)
    assert rows[0] == pytest.approx(min(size, rows.max()), rel=0.5)
    assert size_tensors([W, np.zeros(50)], leaves)[1] == pytest.approx(float(np.sqrt(np.mean(W**2))))
