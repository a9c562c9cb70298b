"""Parameters, batches and costs as people keep them: any order, any keys, several inputs, rounded or exact numbers."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest

from backprop.examiner.apart.asking import LAST_WORD, TIMEOUT, examine_file
from backprop.examiner.judging.judge import judge
from backprop.examiner.measuring.noise import find_step
from backprop.verification.explanation import judge_and_explain

SIZES = (3, 5, 4, 2)


def make_network(pack=list, unpack=list, finish=float, factor=1.0, slope=lambda a: 1 - a**2):
    """3-5-4-2, tanh, half the mean squared error; kept as `pack` does it, the error of layer 1 times `factor`."""

    def parameters(rng):
        return pack([(rng.normal(size=(m, n)), 0.3 * rng.normal(size=n)) for m, n in pairwise(SIZES)])

    def data(rng, n=12):
        return rng.normal(size=(n, SIZES[0])), rng.normal(size=(n, SIZES[-1]))

    def run(layers, X):
        A = [X]
        for k, (W, b) in enumerate(layers):
            z = A[-1] @ W + b
            A.append(np.tanh(z) if k < len(layers) - 1 else z)
        return A

    def cost(params, X, Y):
        return finish(np.sum((run(unpack(params), X)[-1] - Y) ** 2) / (2 * len(X)))

    def gradients(params, X, Y):
        layers = unpack(params)
        A = run(layers, X)
        d, found = (A[-1] - Y) / len(X), []
        for k in reversed(range(len(layers))):
            d = d if k else factor * d
            found.insert(0, (A[k].T @ d, d.sum(axis=0)))
            d = d @ layers[k][0].T * slope(A[k])
        return pack(found)

    return {"parameters": parameters, "data": data, "cost": cost, "gradients": gradients}


def in_dict(keys):
    return (lambda layers: dict(zip(keys, layers, strict=True)), lambda params: [params[key] for key in keys])


NAMED = ["layer1", "layer2", "layer3"]
KEPT = {
    "dict from the output back": (
        lambda layers: dict(reversed(list(zip(NAMED, layers, strict=True)))),
        lambda params: [params[key] for key in NAMED],
    ),
    "bias first": (lambda layers: [(b, W) for W, b in layers], lambda params: [(W, b) for b, W in params]),
    "flat, bias first": (
        lambda layers: [array for W, b in layers for array in (b, W)],
        lambda params: list(zip(params[1::2], params[::2], strict=True)),
    ),
    "from the output back": (lambda layers: layers[::-1], lambda params: params[::-1]),
    "keys that are tuples": in_dict([("layer", 1), ("layer", 2), ("layer", 3)]),
    "keys that are None, true and a number": in_dict([None, True, 2.5]),
}


@pytest.mark.parametrize("kept", KEPT)
def test_layers_are_counted_from_the_input_however_they_are_kept(kept):
    pack, unpack = KEPT[kept]
    assert judge(make_network(pack, unpack)).verdict == "verified"
    first = judge(make_network(pack, unpack, factor=1.3)).findings[0]
    assert (first.equation, first.layer) == ("BP2", 1), first


ROUNDED = {
    "1 decimal": lambda c: round(float(c), 1),
    "2 decimals": lambda c: round(float(c), 2),
    "3 decimals": lambda c: round(float(c), 3),
    "4 decimals": lambda c: float(np.round(c, 4)),
    "3 digits": lambda c: float(f"{c:.3g}"),
    "of 1/256": lambda c: np.floor(256 * c) / 256,
    "float16": np.float16,
}


@pytest.mark.parametrize("rounded", ROUNDED)
def test_a_right_gradient_beside_a_rounded_cost_is_never_wrong(rounded):
    assert judge(make_network(finish=ROUNDED[rounded])).verdict != "wrong"


@pytest.mark.parametrize("rounded", ROUNDED)
def test_a_wrong_gradient_beside_a_rounded_cost_is_never_verified(rounded):
    report = judge(make_network(finish=ROUNDED[rounded], slope=lambda a: 1 - a))
    assert report.verdict == ("undecided" if rounded == "1 decimal" else "wrong")


def test_a_step_is_found_only_where_there_is_one():
    rng = np.random.default_rng(0)
    assert all(find_step(rng.normal(size=12)) == 0 for _ in range(200))
    assert all(find_step(np.round(rng.normal(size=12), d)) == pytest.approx(10.0**-d) for d in range(1, 7))
    assert find_step([1.0] * 12) == 1.0
    assert find_step([0.0] * 12) == 0.0


@pytest.mark.parametrize("number", [Fraction, Decimal])
def test_exact_numbers_are_costs(number):
    assert judge(make_network(finish=lambda c: number(float(c)))).verdict == "verified"


def make_sequences(exponent):
    """Σ over sequences of different lengths; right with exponent 2."""

    def data(rng, n=6):
        return [rng.normal(size=(2 + k % 3, 3)) for k in range(n)], rng.normal(size=n)

    def cost(p, X, Y):
        return sum(0.5 * (np.tanh(x @ p["w"] + p["b"]).sum() - y) ** 2 for x, y in zip(X, Y, strict=True))

    def gradients(p, X, Y):
        out = {"w": np.zeros(3), "b": np.zeros(1)}
        for x, y in zip(X, Y, strict=True):
            a = np.tanh(x @ p["w"] + p["b"])
            d = (a.sum() - y) * (1 - a**exponent)
            out["w"] += x.T @ d
            out["b"] += d.sum()
        return out

    start = {"parameters": lambda rng: {"w": rng.normal(size=3), "b": rng.normal(size=1)}}
    return start | {"data": data, "cost": cost, "gradients": gradients}


def test_sequences_of_different_lengths():
    assert judge(make_sequences(2)).verdict == "verified"
    assert judge(make_sequences(1)).verdict == "wrong"


def test_two_inputs_in_a_tuple():
    def data(rng, n=6):
        return (rng.normal(size=(n, 3)), rng.normal(size=(n, 2))), rng.normal(size=n)

    def error(w, X, Y):
        return np.tanh(X[0] @ w) + X[1].sum(axis=1) - Y

    subject = {
        "parameters": lambda rng: [(rng.normal(size=3),)],
        "data": data,
        "cost": lambda p, X, Y: 0.5 * np.sum(error(p[0][0], X, Y) ** 2),
        "gradients": lambda p, X, Y: [(X[0].T @ (error(p[0][0], X, Y) / np.cosh(X[0] @ p[0][0]) ** 2),)],
    }
    report = judge(subject)
    assert report.verdict == "verified"
    assert report.evidence["rows"] == [6, 6, 5, 1]


def make_with_statistics(used):
    """A parameter without a gradient, which the cost feels or does not."""

    def out(p, X):
        return X @ p["W"] - used * p["mean"]

    def gradients(p, X, Y):
        return {"W": X.T @ (out(p, X) - Y), "mean": None}

    return {
        "parameters": lambda rng: {"W": rng.normal(size=(3, 2)), "mean": rng.normal(size=2)},
        "data": lambda rng, n=7: (rng.normal(size=(n, 3)), rng.normal(size=(n, 2))),
        "cost": lambda p, X, Y: 0.5 * np.sum((out(p, X) - Y) ** 2),
        "gradients": gradients,
    }


def test_a_parameter_that_the_cost_does_not_feel_needs_no_gradient():
    assert judge(make_with_statistics(used=0)).verdict == "verified"
    assert judge(make_with_statistics(used=1)).verdict == "wrong"


SECONDS_OF_A_CALL = 0.02
SLOW = """
import numpy as np
def parameters(rng):
    return [(rng.normal(size=(6, 8)), rng.normal(size=8)), (rng.normal(size=(8, 2)), rng.normal(size=2))]
def data(rng, n=5): return rng.normal(size=(n, 6)), rng.normal(size=(n, 2))
def run(p, X):
    a = np.tanh(X @ p[0][0] + p[0][1])
    return a, a @ p[1][0] + p[1][1]
def cost(p, X, Y):
    open({calls}, "a").write(".")
    return 0.5 * np.sum((run(p, X)[1] - Y) ** 2)
def gradients(p, X, Y):
    a, out = run(p, X)
    d = out - Y
    e = d @ p[1][0].T * (1 - a{power})
    return [(X.T @ e, e.sum(axis=0)), (a.T @ d, d.sum(axis=0))]
"""


@pytest.mark.parametrize(("power", "verdict"), [("**2", "verified"), ("", "wrong")])
def test_a_slow_subject_gets_its_verdict_within_the_usual_time(tmp_path, power, verdict):
    """How much is examined does not depend on time: the calls are counted, not waited for."""
    path, count = tmp_path / "slow.py", tmp_path / "calls"
    path.write_text(SLOW.replace("{power}", power).replace("{calls}", repr(str(count))))
    report = examine_file(path)
    assert report.verdict == verdict, report
    assert 100 < count.stat().st_size < LAST_WORD * TIMEOUT / SECONDS_OF_A_CALL


def make_prices(offset, output=1.0, inputs=1.0, change=lambda found: found):
    """2-5-1, mean square error; outputs near `offset` and as large as `output`, inputs as large as `inputs`."""

    def parameters(rng):
        hidden = rng.normal(size=(2, 5)) / inputs, rng.normal(size=5)
        return [hidden, (output * rng.normal(size=(5, 1)), offset + output * rng.normal(size=1))]

    def data(rng, n=8):
        return inputs * rng.normal(size=(n, 2)), offset + output * rng.normal(size=(n, 1))

    def run(params, X):
        (W, b), (v, c) = params
        h = np.tanh(X @ W + b)
        return h, h @ v + c

    def gradients(params, X, Y):
        h, out = run(params, X)
        d = 2 * (out - Y) / len(X)
        e = d @ params[1][0].T * (1 - h**2)
        return change([[X.T @ e, e.sum(axis=0)], [h.T @ d, d.sum(axis=0)]])

    cost = {"cost": lambda params, X, Y: np.mean((run(params, X)[1] - Y) ** 2)}
    return cost | {"parameters": parameters, "data": data, "gradients": gradients}


def flip(found):
    found[0][0] = -found[0][0]
    return found


def average(found):
    found[0][1] = found[0][1] / 5
    return found


SCALES = [(1e5, 1.0, 1.0), (1e6, 1.0, 1.0), (0.0, 3e8, 1.0), (0.0, 1e9, 1e6), (0.0, 1e12, 1.0), (0.0, 1.0, 1e-6)]


@pytest.mark.parametrize("scales", SCALES)
def test_tensors_of_very_different_sizes(scales):
    """A step that suits the largest tensor sees a saturated network only, where all gradients look alike."""
    assert judge(make_prices(*scales)).verdict == "verified"
    for change, equation in ((flip, "BP4"), (average, "BP3")):
        report = judge(make_prices(*scales, change=change))
        assert [(f.equation, f.layer) for f in report.findings] == [(equation, 1)]


def make_whole(like):
    """Linear regression from whole numbers; the gradient is written into an array `like` the parameters."""

    def gradients(p, X, Y):
        out = like(p["w"])
        for j in range(len(out)):
            out[j] = ((X @ p["w"] - Y) * X[:, j]).mean()
        return {"w": out}

    return {
        "parameters": lambda rng: {"w": np.array([1, -2, 3])},
        "data": lambda rng, n=20: (rng.normal(size=(n, 3)), rng.normal(size=n)),
        "cost": lambda p, X, Y: 0.5 * np.mean((X @ p["w"] - Y) ** 2),
        "gradients": gradients,
    }


def test_whole_parameters_cut_off_the_gradient():
    assert judge(make_whole(lambda w: np.zeros(len(w)))).verdict == "verified"
    report = judge_and_explain(make_whole(np.zeros_like))
    assert [f.cause for f in report.findings] == ["gradient_truncated_to_integers"]
