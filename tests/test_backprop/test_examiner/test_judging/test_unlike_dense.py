"""Code that is not a stack of dense layers, or has another cost: the fault is still put in its place."""

from __future__ import annotations

import numpy as np
import pytest

from backprop.examiner.judging.judge import judge

H = 4


def make_recurrent(fault: str):
    """Predict each of 6 rows from those before: h_t = tanh(Wxh x_t + Whh h_(t-1) + bh), y_t = Why h_t + by."""

    def parameters(rng):
        shapes = {"Wxh": (H, 3), "Whh": (H, H), "Why": (2, H), "bh": (H, 1), "by": (2, 1)}
        return {key: rng.normal(size=shape) * 0.5 for key, shape in shapes.items()}

    def data(rng):
        return rng.normal(size=(6, 3)), rng.normal(size=(6, 2))

    def run(p, X):
        hs, ys = [np.zeros((H, 1))], []
        for x in X:
            hs.append(np.tanh(p["Wxh"] @ x[:, None] + p["Whh"] @ hs[-1] + p["bh"]))
            ys.append(p["Why"] @ hs[-1] + p["by"])
        return hs, ys

    def cost(p, X, Y):
        return float(sum(0.5 * np.sum((y - t[:, None]) ** 2) for y, t in zip(run(p, X)[1], Y, strict=True)))

    def gradients(p, X, Y):
        hs, ys = run(p, X)
        g = {key: np.zeros_like(value) for key, value in p.items()}
        later = np.zeros((H, 1))
        for t in reversed(range(len(X))):
            dy = ys[t] - Y[t][:, None]
            g["Why"] += dy @ hs[t + 1].T
            g["by"] += dy
            raw = (1 - hs[t + 1] ** 2) * (p["Why"].T @ dy + later)
            g["bh"] += raw
            g["Wxh"] += raw @ X[t][None, :]
            g["Whh"] += raw @ hs[t + (fault == "state")].T
            back = p["Whh"] if fault == "transpose" else p["Whh"].T
            later = back @ raw
        return g

    return {"parameters": parameters, "data": data, "cost": cost, "gradients": gradients}


@pytest.mark.parametrize(("fault", "place"), [("transpose", ("BP2", 1)), ("state", ("BP4", 1))])
def test_a_recurrent_network_counts_as_its_blocks(fault, place):
    report = judge(make_recurrent(fault))
    assert report.verdict == "wrong"
    assert (report.findings[0].equation, report.findings[0].layer) == place


def test_a_right_recurrent_network_is_verified():
    assert judge(make_recurrent("none")).ok


def make_hinge(counted: bool):
    """Multiclass hinge with a penalty: the true class gets minus the number of classes beyond the margin."""

    def parameters(rng):
        return [(rng.normal(size=(5, 8)), rng.normal(size=8)), (rng.normal(size=(8, 3)), rng.normal(size=3))]

    def data(rng, n=10):
        return rng.normal(size=(n, 5)), rng.integers(0, 3, size=n)

    def margins(p, X, y):
        (W1, b1), (W2, b2) = p
        h = np.maximum(0, X @ W1 + b1)
        s = h @ W2 + b2
        m = np.maximum(0, s - s[np.arange(len(y)), y][:, None] + 1)
        m[np.arange(len(y)), y] = 0
        return h, m

    def cost(p, X, y):
        return margins(p, X, y)[1].sum() / len(y) + 0.05 * sum(np.sum(W * W) for W, _ in p)

    def gradients(p, X, y):
        (W1, _), (W2, _) = p
        h, m = margins(p, X, y)
        ds = (m > 0).astype(float)
        ds[np.arange(len(y)), y] -= ds.sum(axis=1) if counted else 1
        ds /= len(y)
        dh = np.where(h > 0, ds @ W2.T, 0)
        return [(X.T @ dh + 0.1 * W1, dh.sum(axis=0)), (h.T @ ds + 0.1 * W2, ds.sum(axis=0))]

    return {"parameters": parameters, "data": data, "cost": cost, "gradients": gradients}


def test_a_penalty_does_not_make_a_wrong_output_error_look_like_another_forward_pass():
    assert judge(make_hinge(counted=True)).ok
    finding = judge(make_hinge(counted=False)).findings[0]
    assert (finding.equation, finding.layer) == ("BP1", 2)


def make_embedding(accumulated: bool):
    """Two words a sample, looked up in a table without a bias."""

    def parameters(rng):
        return {"E": rng.normal(size=(6, 4)), "W": rng.normal(size=(4, 5)), "b": rng.normal(size=5)}

    def data(rng, n=8):
        return rng.integers(0, 6, size=(n, 2)), rng.normal(size=(n, 5))

    def cost(p, X, Y):
        return 0.5 * np.sum((np.tanh(p["E"][X].sum(axis=1)) @ p["W"] + p["b"] - Y) ** 2)

    def gradients(p, X, Y):
        h = np.tanh(p["E"][X].sum(axis=1))
        d = h @ p["W"] + p["b"] - Y
        dz = (d @ p["W"].T) * (1 - h * h)
        dE = np.zeros_like(p["E"])
        for column in X.T:
            if accumulated:
                np.add.at(dE, column, dz)
            else:
                dE[column] += dz
        return {"E": dE, "W": h.T @ d, "b": d.sum(axis=0)}

    return {"parameters": parameters, "data": data, "cost": cost, "gradients": gradients}


def test_rows_of_a_table_that_are_overwritten_are_a_fault_of_the_weight_gradient():
    assert judge(make_embedding(accumulated=True)).ok
    finding = judge(make_embedding(accumulated=False)).findings[0]
    assert (finding.equation, finding.layer) == ("BP4", 1)
