"""What excuses a mismatch, a kink or a guarded logarithm, must be there: without it wrong code stays wrong."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from backprop.examiner.apart.asking import examine_file
from backprop.examiner.judging.judge import judge

SIZES = (4, 5, 3)


def make_network(start, change, hidden=np.tanh, slope=lambda z: 1 - np.tanh(z) ** 2):
    """4-5-3, squared error; `start` makes the parameters out of drawn ones, `change` the gradients."""

    def parameters(rng):
        drawn = [(rng.normal(size=(m, n)), rng.normal(size=n)) for m, n in pairwise(SIZES)]
        return [start(W, b) for W, b in drawn]

    def data(rng, n=6):
        return rng.normal(size=(n, SIZES[0])), rng.normal(size=(n, SIZES[-1]))

    def cost(params, X, Y):
        (W1, b1), (W2, b2) = params
        return 0.5 * np.sum((hidden(X @ W1 + b1) @ W2 + b2 - Y) ** 2)

    def gradients(params, X, Y):
        (W1, b1), (W2, b2) = params
        z = X @ W1 + b1
        d2 = hidden(z) @ W2 + b2 - Y
        d1 = (d2 @ W2.T) * slope(z)
        found = [(X.T @ d1, d1.sum(axis=0)), (hidden(z).T @ d2, d2.sum(axis=0))]
        return [change(*pair, *own) for pair, own in zip(found, params, strict=True)]

    return {"parameters": parameters, "data": data, "cost": cost, "gradients": gradients}


def keep(W, b):
    return W, b


def prune(W, b):
    return np.where(np.abs(W) > 0.5, W, 0.0), b


def without_bias(W, b):
    return W, np.zeros_like(b)


WRONG = {
    "gradient masked where weights are 0": make_network(prune, lambda dW, db, W, b: (dW * (W != 0), db)),
    "bias that begins at 0 stays there": make_network(without_bias, lambda dW, db, W, b: (dW, db * b.any())),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_mismatch_at_the_own_parameters_of_a_smooth_cost_is_no_kink(name):
    report = judge(WRONG[name])
    assert report.verdict == "wrong", str(report)


def test_at_a_kink_a_convention_is_still_a_note():
    def start(W, b):
        return W, np.zeros_like(b)

    def relu(z):
        return np.maximum(z, 0)

    zeroed = make_network(start, lambda dW, db, W, b: (dW, db), relu, lambda z: np.where(z >= 0, 1.0, 0.0))
    inner = zeroed["data"]
    zeroed["data"] = lambda rng, n=6: (inner(rng, n)[0] * np.array([0.0, 0, 0, 0]), inner(rng, n)[1])
    report = judge(zeroed)
    assert report.verdict == "verified", str(report)


def make_classifier(clip):
    """Softmax of inputs so large that it saturates; the gradient is cut off at a norm."""

    def parameters(rng):
        return [(rng.normal(size=(4, 3)), rng.normal(size=3))]

    def data(rng, n=12):
        return rng.uniform(0, 16, size=(n, 4)), np.eye(3)[rng.integers(0, 3, size=n)]

    def shifted(params, X):
        W, b = params[0]
        z = X @ W + b
        return z - z.max(axis=1, keepdims=True)

    def forward(params, X):
        e = np.exp(shifted(params, X))
        return e / e.sum(axis=1, keepdims=True)

    def cost(params, X, Y):
        z = shifted(params, X)
        return -np.sum(Y * (z - np.log(np.exp(z).sum(axis=1, keepdims=True)))) / len(X)

    def gradients(params, X, Y):
        d = (forward(params, X) - Y) / len(X)
        dW, db = X.T @ d, d.sum(axis=0)
        share = min(1.0, clip / np.sqrt(np.sum(dW**2) + np.sum(db**2)))
        return [(share * dW, share * db)]

    return {"parameters": parameters, "data": data, "cost": cost, "gradients": gradients, "forward": forward}


@pytest.mark.parametrize("seed", range(4))
def test_a_clipped_gradient_of_a_saturated_softmax_is_not_explained_by_a_guard(seed):
    assert judge(make_classifier(1.0), seed=seed).verdict == "wrong"
    assert judge(make_classifier(np.inf), seed=seed).verdict == "verified"


def make_guarded(size, factor):
    """A saturated classifier whose cost guards its logarithm; the gradient has `factor` of what the guard takes."""
    plain = make_classifier(np.inf)

    def cost(params, X, Y):
        return -np.sum(Y * np.log(plain["forward"](params, X) + size)) / len(X)

    def gradients(params, X, Y):
        a = plain["forward"](params, X)
        share = size / np.sum(Y * a + size * Y, axis=1, keepdims=True)
        d = (1 - factor * share) * (a - Y) / len(X)
        return [(X.T @ d, d.sum(axis=0))]

    return plain | {"cost": cost, "gradients": gradients}


def test_a_guard_takes_from_the_gradient_as_much_as_the_cost_says():
    assert judge(make_guarded(1e-6, 1.0)).verdict == "verified"
    assert judge(make_guarded(1e-6, 0.0)).verdict == "verified"
    assert judge(make_guarded(1e-6, 0.5)).verdict == "wrong"


def make_pixels(guard, power=2):
    """Raw pixels, so that softmax saturates at once; a guarded logarithm, the gradient without it, and no forward."""

    def parameters(rng):
        return [(0.35 * rng.normal(size=(16, 12)), np.zeros(12)), (0.4 * rng.normal(size=(12, 4)), np.zeros(4))]

    def data(rng, n=20):
        return rng.integers(0, 17, size=(n, 16)) / 4.0, rng.integers(4, size=n)

    def run(params, X):
        (W, b), (V, c) = params
        h = np.tanh(X @ W + b)
        z = h @ V + c
        e = np.exp(9 * (z - z.max(axis=1, keepdims=True)))
        return h, e / e.sum(axis=1, keepdims=True)

    def cost(params, X, Y):
        return float(-np.log(guard(run(params, X)[1][np.arange(len(X)), Y])).mean())

    def gradients(params, X, Y):
        h, P = run(params, X)
        d = 9 * (P - np.eye(4)[Y]) / len(X)
        e = d @ params[1][0].T * (1 - h**power)
        return [(X.T @ e, e.sum(axis=0)), (h.T @ d, d.sum(axis=0))]

    return {"parameters": parameters, "data": data, "cost": cost, "gradients": gradients}


GUARDS = {"added": lambda p: p + 1e-8, "clipped": lambda p: np.clip(p, 1e-7, 1 - 1e-7)}


@pytest.mark.parametrize("way", GUARDS)
def test_without_outputs_a_guard_is_seen_sample_by_sample(way):
    assert judge(make_pixels(GUARDS[way])).verdict == "verified"
    assert judge(make_pixels(GUARDS[way], power=1)).verdict == "wrong"


def test_without_outputs_a_clipped_gradient_is_still_wrong():
    hidden = {key: value for key, value in make_classifier(1.0).items() if key != "forward"}
    assert judge(hidden).verdict == "wrong"


DEEP = """
import numpy as np
def parameters(rng): return [(np.eye(2) + 0.1 * rng.normal(size=(2, 2)), 0.1 * rng.normal(size=2)) for _ in range(60)]
def data(rng, n=4): return rng.normal(size=(n, 2)), rng.normal(size=(n, 2))
def run(params, X):
    a = [X]
    for W, b in params: a.append(a[-1] @ W + b)
    return a
def cost(params, X, Y): return float(0.5 * np.sum((run(params, X)[-1] - Y) ** 2))
def gradients(params, X, Y):
    a, found = run(params, X), []
    d = a[-1] - Y
    for (W, b), below in zip(params[::-1], a[-2::-1]):
        found.insert(0, (below.T @ d, d.sum(0)))
        d = d @ W.T
    return found
"""


def test_more_arrays_than_are_kept_in_the_other_process_are_no_end_of_it(tmp_path: Path):
    file = tmp_path / "deep.py"
    file.write_text(DEEP)
    report = examine_file(file, timeout=120)
    assert report.verdict == "verified", str(report)


@pytest.mark.parametrize(("at_zero", "said"), [(0.0, "f'(0) = 0"), (1.0, "f'(0) = 1"), (0.5, "")])
def test_the_convention_at_a_kink_is_named(at_zero, said):
    """Blank rows and zero biases put every unit on the kink of ReLU; the central difference is the slope 1/2."""

    def start(W, b):
        return W, np.zeros_like(b)

    def slope(z):
        return np.where(z > 0, 1.0, np.where(z < 0, 0.0, at_zero))

    subject = make_network(start, lambda dW, db, W, b: (dW, db), lambda z: np.maximum(z, 0), slope)
    inner = subject["data"]

    def data(rng, n=6):
        X, Y = inner(rng, n)
        X[0] = 0.0
        return X, Y

    report = judge(subject | {"data": data})
    assert report.verdict == "verified"
    noted = [note for note in report.notes if "at a kink" in note]
    assert bool(noted) == bool(said)
    assert all(said in note for note in noted)
