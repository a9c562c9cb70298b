"""However a program stores its parameters and steps, what is judged is the gradient: all of it, and nothing else."""

from __future__ import annotations

import textwrap

import pytest
from kit.samples.judged_programs import judge_text

from backprop.attaching.looking.refusals import Refused

NETWORK = """
import numpy as np
rng = np.random.default_rng(7)
X, Y = rng.normal(size=(12, 3)), rng.normal(size=(12, 2))

def forward(W1, b1, W2, b2):
    h = np.tanh(X @ W1 + b1)
    return h, h @ W2 + b2

def backward(W1, b1, W2, b2):
    h, out = forward(W1, b1, W2, b2)
    d2 = (out - Y) / len(X)
    d1 = d2 @ W2.T * (1 - h ** 2)
    return [X.T @ d1, d1.sum(axis=0), h.T @ d2, d2.sum(axis=0)]

def loss(W1, b1, W2, b2):
    return np.sum((forward(W1, b1, W2, b2)[1] - Y) ** 2) / (2 * len(X))

W1, b1, W2, b2 = rng.normal(size=(3, 4)), rng.normal(size=4), rng.normal(size=(4, 2)), rng.normal(size=2)
names = ["W1", "b1", "W2", "b2"]
lr, decay = 0.05, 0.01
"""
FAULT = ("(1 - h ** 2)", "(1 - h)")
FORMS = {
    "names in place": """
        for t in range(60):
            g = backward(W1, b1, W2, b2)
            W1 -= lr * g[0]; b1 -= lr * g[1]; W2 -= lr * g[2]; b2 -= lr * g[3]
        """,
    "several at once": """
        for t in range(60):
            dW1, db1, dW2, db2 = backward(W1, b1, W2, b2)
            W1, b1, W2, b2 = W1 - lr * dW1, b1 - lr * db1, W2 - lr * dW2, b2 - lr * db2
        """,
    "a function that returns new ones and the loss": """
        def train_step(params):
            cost = loss(*params)
            return [p - lr * g for p, g in zip(params, backward(*params))], cost
        params = [W1, b1, W2, b2]
        for t in range(60):
            params, cost = train_step(params)
        """,
    "a dictionary of new ones": """
        params = dict(zip(names, [W1, b1, W2, b2]))
        for t in range(60):
            grads = dict(zip(names, backward(**params)))
            params = {k: params[k] - lr * grads[k] for k in params}
        """,
    "a call with an output": """
        params = [W1, b1, W2, b2]
        for t in range(60):
            for p, g in zip(params, backward(*params)):
                np.subtract(p, lr * g, out=p)
        """,
    "a decay, then a step": """
        params = [W1, b1, W2, b2]
        for t in range(60):
            for p, g in zip(params, backward(*params)):
                p *= 1 - lr * decay
                p -= lr * g
        """,
    "a decay of some in the step": """
        params = [W1, b1, W2, b2]
        for t in range(60):
            gs = backward(*params)
            params = [(1 - lr * decay) * p - lr * g if p.ndim == 2 else p - lr * g for p, g in zip(params, gs)]
        """,
    "momentum kept in a list": """
        params, memory = [W1, b1, W2, b2], [0.0 * p for p in (W1, b1, W2, b2)]
        for t in range(60):
            for k, g in enumerate(backward(*params)):
                memory[k] = 0.9 * memory[k] - lr * g
                params[k] = params[k] + memory[k]
        """,
    "an adaptive step that returns its memory": """
        def rms(w, dw, cache):
            cache = 0.9 * cache + 0.1 * dw ** 2
            return w - lr * dw / (np.sqrt(cache) + 1e-8), cache
        params = dict(zip(names, [W1, b1, W2, b2]))
        caches = {k: np.zeros_like(v) for k, v in params.items()}
        for t in range(60):
            grads = dict(zip(names, backward(**params)))
            for k in params:
                params[k], caches[k] = rms(params[k], grads[k], caches[k])
        """,
    "the same beside a bias that feels nothing": """
        def rms(w, dw, cache):
            cache = 0.9 * cache + 0.1 * dw ** 2
            return w - lr * dw / (np.sqrt(cache) + 1e-8), cache
        params = dict(zip(names, [W1, b1, W2, b2])) | {"idle": np.zeros(4)}
        caches = {k: np.zeros_like(v) for k, v in params.items()}
        for t in range(60):
            grads = dict(zip(names, backward(*[params[k] for k in names]))) | {"idle": 1e-18 * params["b1"]}
            for k in params:
                params[k], caches[k] = rms(params[k], grads[k], caches[k])
        """,
    "clipped by the whole length": """
        def clip(grads, most):
            length = np.sqrt(sum(float(np.sum(g ** 2)) for g in grads))
            return [g * min(1.0, most / (length + 1e-12)) for g in grads]
        for t in range(60):
            dW1, db1, dW2, db2 = clip(backward(W1, b1, W2, b2), 0.7)
            W1 -= lr * dW1; b1 -= lr * db1; W2 -= lr * dW2; b2 -= lr * db2
        """,
    "clipped where it is longer than it is here": """
        def clip(grads, most):
            length = np.sqrt(sum(float(np.sum(g ** 2)) for g in grads))
            return [g * min(1.0, most / (length + 1e-12)) for g in grads]
        for t in range(60):
            dW1, db1, dW2, db2 = clip(backward(W1, b1, W2, b2), 40.0)
            W1 -= lr * dW1; b1 -= lr * db1; W2 -= lr * dW2; b2 -= lr * db2
        """,
    "clipped in the loop, always to one length": """
        params = [W1, b1, W2, b2]
        for t in range(60):
            grads = backward(*params)
            norm = np.sqrt(sum(np.sum(g * g) for g in grads))
            scaled = [g / norm for g in grads]
            for p, g in zip(params, scaled):
                p -= lr * g
        """,
    "moments written out": """
        params = [W1, b1, W2, b2]
        m, v = [0 * p for p in params], [0 * p for p in params]
        for t in range(1, 60):
            for k, g in enumerate(backward(*params)):
                m[k] = 0.9 * m[k] + 0.1 * g
                v[k] = 0.999 * v[k] + 0.001 * g ** 2
                params[k] -= lr * (m[k] / (1 - 0.9 ** t)) / (np.sqrt(v[k] / (1 - 0.999 ** t)) + 1e-8)
        """,
}


@pytest.mark.parametrize("form", FORMS)
def test_the_verdict_is_that_of_the_gradient_whatever_the_step_looks_like(form, tmp_path):
    right = judge_text(tmp_path, NETWORK + textwrap.dedent(FORMS[form]))
    assert (right.verdict, set(right.evidence["tensors"])) == ("verified", {"W1", "b1", "W2", "b2"} if (
        "dict(" in FORMS[form] or "params" not in FORMS[form]) else set(right.evidence["tensors"]))  # fmt: skip
    assert len(right.evidence["tensors"]) == 4
    wrong = judge_text(tmp_path, (NETWORK + textwrap.dedent(FORMS[form])).replace(*FAULT))
    assert wrong.verdict == "wrong"
    assert {name for name, one in wrong.evidence["tensors"].items() if one["verdict"] == "wrong"} == set(
        list(wrong.evidence["tensors"])[:2])  # fmt: skip


TABLES = """
import numpy as np
rng = np.random.default_rng(3)
V, U, out = rng.normal(size=(6, 4)), rng.normal(size=(6, 4)), rng.normal(size=4)
pairs = [(i % 6, (i * i + 1) % 6) for i in range(24)]

def pair_loss(v, u, w):
    return 0.5 * np.sum((u @ (v * w) - 1.0) ** 2)

for epoch in range(5):
    for c, o in pairs:
        rows = [o, (o + 2) % 6]
        total = pair_loss(V[c], U[rows], out)
        v = V[c].copy()
        e = U[rows] @ (v * out) - 1.0
        back = e @ U[rows]
        UPDATES
"""
STEPS = {
    "in place": "V[c] -= 0.1 * back * out\n        U[rows] -= 0.1 * np.outer(e, v * out)\n"
                "        out -= 0.1 * back * v",
    "stored": "V[c] = V[c] - 0.1 * back * out\n        U[rows] = U[rows] - 0.1 * np.outer(e, v * out)\n"
              "        out = out - 0.1 * back * v",
    "by a call": "np.subtract.at(V, c, 0.1 * back * out)\n"
                 "        np.subtract.at(U, rows, 0.1 * np.outer(e, v * out))\n        out -= 0.1 * back * v",
}  # fmt: skip
SIGNS = {"none": ("", ""), "V": ("0.1 * back * out", "-0.1 * back * out"), "U": ("0.1 * np.outer", "-0.1 * np.outer")}


@pytest.mark.parametrize("fault", SIGNS)
@pytest.mark.parametrize("step", STEPS)
def test_no_table_of_which_some_rows_are_changed_goes_unexamined(step, fault, tmp_path):
    report = judge_text(tmp_path, TABLES.replace("UPDATES", STEPS[step]).replace(*SIGNS[fault]))
    assert set(report.evidence["tensors"]) == {"V", "U", "out"}
    wrong = {name for name, one in report.evidence["tensors"].items() if one["verdict"] == "wrong"}
    assert wrong == ({fault} if fault != "none" else set())
    assert report.verdict == ("wrong" if wrong else "verified")


def test_what_is_trained_and_not_read_is_never_passed_over(tmp_path):
    hidden = "moved = np.outer(e, v * out)\n        for i, r in enumerate(rows):\n" \
             "            U.flat[4 * r : 4 * r + 4] = (U[r] + 0.1 * moved[i]) * np.ones(4)"  # fmt: skip
    text = TABLES.replace("UPDATES", STEPS["in place"]).replace("U[rows] -= 0.1 * np.outer(e, v * out)", hidden)
    with pytest.raises(Refused, match="the cost depends on U"):
        judge_text(tmp_path, text)


AVERAGES = """
import numpy as np
rng = np.random.default_rng(5)
X = rng.normal(size=(10, 3))
A = rng.integers(0, 2, size=10)
w, b, mean = rng.normal(size=(3, 2)), np.zeros(2), 0.3

def policy(w, b):
    e = np.exp(X @ w + b)
    return e / e.sum(axis=1, keepdims=True)

def pg_loss(w, b, advantage):
    return -np.sum(advantage * np.log(policy(w, b)[np.arange(10), A]))

def pg_gradient(w, b, advantage):
    d = policy(w, b)
    d[np.arange(10), A] -= 1.0
    d *= advantage[:, None]
    return X.T @ d, d.sum(axis=0)

reward = rng.normal(size=10)
for episode in range(200):
    gw, gb = pg_gradient(w, b, reward - mean)
    mean = 0.95 * mean + 0.05 * reward.mean()
    w -= 0.1 * gw
    b -= 0.1 * gb
"""


def test_a_running_mean_is_no_parameter_and_a_loss_beside_the_gradient_is_the_cost(tmp_path):
    report = judge_text(tmp_path, AVERAGES)
    assert (report.verdict, set(report.evidence["tensors"])) == ("verified", {"w", "b"})
    assert any("cost: pg_loss(w, b, reward - mean)" in note for note in report.notes)
    assert any("not examined: mean" in note for note in report.notes)
    assert (
        judge_text(tmp_path, AVERAGES.replace("d *= advantage[:, None]", "d *= advantage[:, None] ** 2")).verdict
        == "wrong"
    )


NUMBERS = """
from math import tanh
from random import random, seed
seed(4)
rows = [([1.0, random(), random()], [i % 2 * 0.5]) for i in range(4)]
inner = [[random() - 0.5 for _ in range(2)] for _ in range(3)]
outer = [[random() - 0.5] for _ in range(2)]
kept_inner = [[0.0] * 2 for _ in range(3)]
kept_outer = [[0.0] for _ in range(2)]
for epoch in range(50):
    error = 0.0
    for x, t in rows:
        h = [tanh(sum(x[i] * inner[i][j] for i in range(3))) for j in range(2)]
        o = [tanh(sum(h[j] * outer[j][k] for j in range(2))) for k in range(1)]
        d = [(t[k] - o[k]) * (1 - o[k] ** 2) for k in range(1)]
        back = [sum(d[k] * outer[j][k] for k in range(1)) * SLOPE for j in range(2)]
        for j in range(2):
            for k in range(1):
                change = d[k] * h[j]
                outer[j][k] += 0.4 * change + 0.1 * kept_outer[j][k]
                kept_outer[j][k] = change
        for i in range(3):
            for j in range(2):
                change = back[j] * x[i]
                inner[i][j] = inner[i][j] + 0.4 * change + 0.1 * kept_inner[i][j]
                kept_inner[i][j] = change
        error = error + 0.5 * (t[0] - o[0]) ** 2
"""


def test_memories_of_plain_numbers_are_no_parameters(tmp_path):
    report = judge_text(tmp_path, NUMBERS.replace("SLOPE", "(1 - h[j] ** 2)"))
    assert (report.verdict, set(report.evidence["tensors"])) == ("verified", {"inner", "outer"})
    wrong = judge_text(tmp_path, NUMBERS.replace("SLOPE", "(1 - h[j])"))
    assert (wrong.verdict, wrong.evidence["tensors"]["outer"]["verdict"]) == ("wrong", "right")
