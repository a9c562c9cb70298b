"""The judge: right code with unusual conventions is verified, wrong code is called wrong with its equation."""

from __future__ import annotations

import json
from collections.abc import Callable
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
import pytest

from backprop.examiner.judging.judge import judge

Functions = dict[str, Callable[..., Any]]
BATCH = 6


def sigmoid(z: Any) -> Any:
    return 1 / (1 + np.exp(-z))


def softmax(z: Any) -> Any:
    e = np.exp(z - z.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


def tanh_prime(z: Any) -> Any:
    return 1 - np.tanh(z) ** 2


def network(
    f: Callable[[Any], Any] = np.tanh,
    f_prime: Callable[[Any], Any] = tanh_prime,
    *,
    sizes: tuple[int, int, int] = (4, 5, 3),
    entropy: bool = False,
    scale: float = 1.0,
    constant: float = 0.0,
    inputs: float = 1.0,
    single: tuple[bool, bool] = (False, False),
    guard: float = 0.0,
    zero_biases: bool = False,
    number: Callable[[Any], Any] = float,
) -> Functions:
    """A two-layer network by hand; `single` says whether cost and gradients compute in float32."""

    def parameters(rng: np.random.Generator) -> Any:
        b = 0.0 if zero_biases else 0.1
        pairs = pairwise(sizes)
        return [(rng.normal(size=(i, o)) / np.sqrt(i), b * rng.normal(size=o)) for i, o in pairs]

    def data(rng: np.random.Generator, n: int = BATCH) -> Any:
        K = sizes[-1]
        Y = np.eye(K)[rng.integers(K, size=n)] if entropy else rng.normal(size=(n, K))
        return inputs * rng.normal(size=(n, sizes[0])), Y

    def reach(params: Any, X: Any) -> Any:
        (W1, b1), (W2, b2) = params
        z1 = X @ W1 + b1
        z2 = f(z1) @ W2 + b2
        return z1, f(z1), softmax(z2) if entropy else z2

    def lower(params: Any, X: Any, Y: Any, wanted: bool) -> Any:
        if not wanted:
            return params, X, Y
        f4 = np.float32
        return [(W.astype(f4), b.astype(f4)) for W, b in params], X.astype(f4), Y.astype(f4)

    def cost(params: Any, X: Any, Y: Any) -> Any:
        params, X, Y = lower(params, X, Y, single[0])
        a = reach(params, X)[2]
        C = -np.sum(Y * np.log(a + guard)) / len(X) if entropy else np.sum((a - Y) ** 2) / 2
        return number(scale * C + constant)

    def gradients(params: Any, X: Any, Y: Any) -> Any:
        params, X, Y = lower(params, X, Y, single[1])
        (_, _), (W2, _) = params
        z1, a1, a2 = reach(params, X)
        d2 = scale * (a2 - Y) / (len(X) if entropy else 1)
        d1 = (d2 @ W2.T) * f_prime(z1)
        return [(X.T @ d1, d1.sum(axis=0)), (a1.T @ d2, d2.sum(axis=0))]

    return {"parameters": parameters, "data": data, "cost": cost, "gradients": gradients}


def change(base: Functions, **functions: Callable[..., Any]) -> Functions:
    return base | functions


def relu(z: Any) -> Any:
    return np.maximum(z, 0)


def relu_prime(z: Any) -> Any:
    return (z > 0) * 1.0


class Dense(NamedTuple):
    W: Any
    b: Any


def as_named_tuples() -> Functions:
    base = network()
    return change(
        base,
        parameters=lambda rng: [Dense(*p) for p in base["parameters"](rng)],
        gradients=lambda p, X, Y: [Dense(*g) for g in base["gradients"](p, X, Y)],
    )


def as_dict() -> Functions:
    base = network()

    def join(pairs: Any) -> Any:
        return {f"{k}{i}": v for i, pair in enumerate(pairs, start=1) for k, v in zip("Wb", pair, strict=True)}

    def split(d: Any) -> Any:
        return [(d["W1"], d["b1"]), (d["W2"], d["b2"])]

    return change(
        base,
        parameters=lambda rng: join(base["parameters"](rng)),
        cost=lambda p, X, Y: base["cost"](split(p), X, Y),
        gradients=lambda p, X, Y: dict(sorted(join(base["gradients"](split(p), X, Y)).items(), reverse=True)),
    )


def as_columns() -> Functions:
    """W as (out, in), b as (out, 1), samples in columns; data takes no n."""
    base = network()

    def turn(pairs: Any) -> Any:
        return [(W.T, b.reshape(-1, 1)) for W, b in pairs]

    def back(pairs: Any) -> Any:
        return [(W.T, b.ravel()) for W, b in pairs]

    return change(
        base,
        parameters=lambda rng: turn(base["parameters"](rng)),
        data=lambda rng: tuple(a.T.copy() for a in base["data"](rng)),
        cost=lambda p, X, Y: base["cost"](back(p), X.T, Y.T),
        gradients=lambda p, X, Y: turn(base["gradients"](back(p), X.T, Y.T)),
    )


def as_flat() -> Functions:
    base = network()
    X, Y = base["data"](np.random.default_rng(1))

    def join(pairs: Any) -> Any:
        return np.concatenate([a.ravel() for pair in pairs for a in pair])

    def split(t: Any) -> Any:
        return [(t[:20].reshape(4, 5), t[20:25]), (t[25:40].reshape(5, 3), t[40:])]

    return {
        "theta0": lambda rng: join(base["parameters"](rng)),
        "fun": lambda t: base["cost"](split(t), X, Y),
        "grad": lambda t: join(base["gradients"](split(t), X, Y)),
    }


def with_lists() -> Functions:
    base = network()
    return change(base, gradients=lambda p, X, Y: [[W.tolist(), b.tolist()] for W, b in base["gradients"](p, X, Y)])


def with_dropout(draw: Callable[[Any, int], Any] | None = None) -> Functions:
    """Inverted dropout; masks from `context`, or from the global generator if `draw` is given."""
    base = network()

    def context(rng: np.random.Generator, n: int) -> Any:
        return {"mask": (rng.random((n, 5)) < 0.6) / 0.6}

    def cost(params: Any, X: Any, Y: Any, mask: Any = None) -> float:
        (W1, b1), (W2, b2) = params
        mask = draw(X, 5) if mask is None and draw else mask
        return float(np.sum(((np.tanh(X @ W1 + b1) * mask) @ W2 + b2 - Y) ** 2) / 2)

    def gradients(params: Any, X: Any, Y: Any, mask: Any = None) -> Any:
        (W1, b1), (W2, b2) = params
        mask = draw(X, 5) if mask is None and draw else mask
        t = np.tanh(X @ W1 + b1)
        d2 = (t * mask) @ W2 + b2 - Y
        d1 = (d2 @ W2.T) * mask * (1 - t**2)
        return [(X.T @ d1, d1.sum(axis=0)), ((t * mask).T @ d2, d2.sum(axis=0))]

    functions = change(base, cost=cost, gradients=gradients)
    return functions if draw else functions | {"context": context}


def draw_globally(X: Any, width: int) -> Any:
    return (np.random.random((len(X), width)) < 0.6) / 0.6


def with_batch_norm(gamma_in_recursion: bool = True) -> Functions:
    """Dense, batch normalisation, tanh, dense: the bias before the normalisation has gradient zero."""

    def parameters(rng: np.random.Generator) -> Any:
        norm = {"gamma": 1 + 0.3 * rng.normal(size=5), "beta": 0.1 * rng.normal(size=5)}
        return [(rng.normal(size=(4, 5)), rng.normal(size=5)), norm, (rng.normal(size=(5, 2)), np.zeros(2))]

    def reach(params: Any, X: Any) -> Any:
        (W1, b1), norm, (W2, b2) = params
        z = X @ W1 + b1
        inverse = 1 / np.sqrt(z.var(axis=0) + 1e-5)
        hat = (z - z.mean(axis=0)) * inverse
        a = np.tanh(norm["gamma"] * hat + norm["beta"])
        return inverse, hat, a, a @ W2 + b2

    def gradients(params: Any, X: Any, Y: Any) -> Any:
        inverse, hat, a, out = reach(params, X)
        d2 = out - Y
        dh = (d2 @ params[2][0].T) * (1 - a**2)
        dx = dh * params[1]["gamma"] if gamma_in_recursion else dh
        d1 = inverse * (dx - dx.mean(axis=0) - hat * (dx * hat).mean(axis=0))
        norm = {"gamma": (dh * hat).sum(axis=0), "beta": dh.sum(axis=0)}
        return [(X.T @ d1, d1.sum(axis=0)), norm, (a.T @ d2, d2.sum(axis=0))]

    return {
        "parameters": parameters,
        "data": lambda rng: (rng.normal(size=(7, 4)), rng.normal(size=(7, 2))),
        "cost": lambda p, X, Y: float(np.sum((reach(p, X)[-1] - Y) ** 2) / 2),
        "gradients": gradients,
    }


def stepping(update: Callable[..., Any]) -> Functions:
    return network() | {"step": update}


def step_right(params: Any, X: Any, Y: Any, rate: float) -> None:
    for layer, gradient in zip(params, network()["gradients"](params, X, Y), strict=True):
        for array, change_of_it in zip(layer, gradient, strict=True):
            np.subtract(array, rate * change_of_it, out=array)


def step_too_early(params: Any, X: Any, Y: Any, rate: float) -> Any:
    (W1, b1), (W2, b2) = params
    a1 = np.tanh(X @ W1 + b1)
    d2 = a1 @ W2 + b2 - Y
    W2 = W2 - rate * a1.T @ d2
    d1 = (d2 @ W2.T) * (1 - a1**2)
    return [(W1 - rate * X.T @ d1, b1 - rate * d1.sum(axis=0)), (W2, b2 - rate * d2.sum(axis=0))]


def in_a_buffer() -> Functions:
    base = network()
    buffer = [(np.zeros((4, 5)), np.zeros(5)), (np.zeros((5, 3)), np.zeros(3))]

    def gradients(params: Any, X: Any, Y: Any) -> Any:
        for kept, fresh in zip(buffer, base["gradients"](params, X, Y), strict=True):
            kept[0][...], kept[1][...] = fresh
        return buffer

    return change(base, gradients=gradients)


RIGHT: dict[str, Functions] = {
    "plain": network(),
    "relu": network(relu, relu_prime, entropy=True),
    "relu with slope one at zero, and everything at zero": network(
        relu, lambda z: (z >= 0) * 1.0, inputs=0.0, zero_biases=True
    ),
    "relu with slope a half at zero": network(relu, lambda z: np.heaviside(z, 0.5), inputs=0.0, zero_biases=True),
    "absolute value": network(np.abs, np.sign),
    "float32 in cost and gradient": network(single=(True, True)),
    "float32 in the cost only": network(single=(True, False)),
    "float32 in the gradient only": network(single=(False, True)),
    "float32 with relu and softmax": network(relu, relu_prime, entropy=True, single=(True, True)),
    "guarded logarithm": network(entropy=True, guard=1e-8),
    "a large constant in the cost": network(constant=1e8),
    "a tiny cost": network(scale=1e-12),
    "a huge cost": network(scale=1e12),
    "raw pixels": network(entropy=True, inputs=255.0),
    "saturated sigmoid": network(sigmoid, lambda z: sigmoid(z) * (1 - sigmoid(z)), inputs=50.0),
    "width one": network(sizes=(1, 1, 1)),
    "a cost that carries complex numbers": network(number=lambda c: c),
    "a cost in an array": network(number=lambda c: np.array([[c]])),
    "named tuples": as_named_tuples(),
    "a dict in another order": as_dict(),
    "columns": as_columns(),
    "a flat vector": as_flat(),
    "lists": with_lists(),
    "one buffer for all results": in_a_buffer(),
    "dropout with its mask in the context": with_dropout(),
    "dropout from the global generator": with_dropout(draw_globally),
    "batch normalisation": with_batch_norm(),
    "a step that writes in place": stepping(step_right),
}


def spoil(base: Functions, fault: Callable[[Any], Any]) -> Functions:
    return change(base, gradients=lambda p, X, Y: fault(base["gradients"](p, X, Y)))


def only_second_weights(g: Any, factor: float) -> Any:
    return [g[0], (factor * g[1][0], g[1][1])]


WRONG: dict[str, tuple[Functions, str, int | None]] = {
    "twice the gradient": (spoil(network(), lambda g: [(2 * W, 2 * b) for W, b in g]), "cost", None),
    "ascent": (spoil(network(), lambda g: [(-W, -b) for W, b in g]), "BP1", 2),
    "no slope": (network(f_prime=lambda z: 1.0), "BP2", 1),
    "slope at the activation": (network(sigmoid, lambda z: sigmoid(sigmoid(z)) / 2), "BP2", 1),
    "relu slope for the absolute value": (network(np.abs, relu_prime), "BP2", 1),
    "weights a thousandth off": (spoil(network(), lambda g: only_second_weights(g, 1.001)), "BP4", 2),
    "a thousandth off in float32": (
        spoil(network(single=(True, True)), lambda g: only_second_weights(g, 1.001)),
        "BP4",
        2,
    ),
    "under a large constant": (
        spoil(network(constant=1e6), lambda g: only_second_weights(g, 1.01)),
        "BP4",
        2,
    ),
    "transposed": (spoil(network(sizes=(4, 3, 3)), lambda g: [g[0], (g[1][0].T, g[1][1])]), "BP4", 2),
    "bias of one sample": (spoil(network(), lambda g: [(g[0][0], g[0][1] / BATCH), g[1]]), "BP3", 1),
    "bias as one number": (spoil(network(), lambda g: [g[0], (g[1][0], g[1][1].sum())]), "BP3", 2),
    "bias not reduced": (spoil(network(), lambda g: [(g[0][0], g[0][1][None]), g[1]]), "BP3", 1),
    "no number": (spoil(network(), lambda g: [g[0], (g[1][0], g[1][1] * np.nan)]), "BP3", 2),
    "output layer left out": (spoil(network(), lambda g: [g[0], (0 * g[1][0], 0 * g[1][1])]), "update", 2),
    "gamma forgotten": (with_batch_norm(gamma_in_recursion=False), "BP2", 1),
    "weights changed on the way back": (stepping(step_too_early), "update", 1),
}


@pytest.mark.parametrize("name", RIGHT)
def test_right_code_with_an_unusual_convention_is_verified(name: str) -> None:
    report = judge(RIGHT[name])
    assert report.verdict == "verified", str(report)
    assert report.ok


@pytest.mark.parametrize("name", WRONG)
def test_wrong_code_is_called_wrong_with_equation_and_layer(name: str) -> None:
    subject, equation, layer = WRONG[name]
    report = judge(subject)
    assert report.verdict == "wrong", str(report)
    assert (report.findings[0].equation, report.findings[0].layer) == (equation, layer)
    assert report.findings[0].parameters


def test_memory_between_calls_is_an_update_fault() -> None:
    base, kept = network(), [[np.zeros((4, 5)), np.zeros(5)], [np.zeros((5, 3)), np.zeros(3)]]

    def gradients(params: Any, X: Any, Y: Any) -> Any:
        for total, fresh in zip(kept, base["gradients"](params, X, Y), strict=True):
            total[0] += fresh[0]
            total[1] += fresh[1]
        return [(W.copy(), b.copy()) for W, b in kept]

    report = judge(change(base, gradients=gradients))
    assert (report.verdict, report.findings[0].equation) == ("wrong", "update")


def test_a_stale_forward_pass_is_a_forward_fault() -> None:
    base, cache = network(), {}

    def cost(params: Any, X: Any, Y: Any) -> Any:
        cache["params"] = params
        return base["cost"](params, X, Y)

    def gradients(params: Any, X: Any, Y: Any) -> Any:
        return base["gradients"](cache.get("params", params), X, Y)

    report = judge(change(base, cost=cost, gradients=gradients))
    assert (report.verdict, report.findings[0].equation) == ("wrong", "forward")


def test_a_cost_that_never_repeats_is_unusable() -> None:
    base, rng = network(), np.random.default_rng()
    report = judge(change(base, cost=lambda p, X, Y: base["cost"](p, X, Y) + rng.normal()))
    assert report.verdict == "unusable"
    assert "two calls of cost" in report.notes[0]


def test_the_code_of_a_kink_is_a_note_and_not_a_fault() -> None:
    report = judge(RIGHT["relu with slope one at zero, and everything at zero"])
    assert any("kink" in note for note in report.notes)


@pytest.mark.parametrize(
    ("change_to", "said"),
    [
        ({"cost": lambda p, X, Y: float("nan")}, "NaN or infinite"),
        ({"cost": lambda p, X, Y: X}, "one number"),
        ({"gradients": lambda p, X, Y: None}, "returned None"),
        ({"gradients": lambda p, X, Y: "all of them"}, "another structure"),
        ({"gradients": lambda p, X, Y: 1 / 0}, "ZeroDivisionError"),
        ({"parameters": lambda rng: []}, "no parameters"),
        ({"parameters": lambda rng: ["W", "b"]}, "not numbers"),
        ({"data": lambda rng: 3}, r"(X, Y)"),
    ],
)
def test_a_broken_subject_is_unusable_with_the_reason(change_to: Functions, said: str) -> None:
    report = judge(network() | change_to)
    assert report.verdict == "unusable"
    assert said in report.notes[0]
    assert not report.ok


def test_the_report_is_plain_json_and_readable() -> None:
    report = judge(WRONG["no slope"][0])
    data = json.loads(json.dumps(report.to_dict(), allow_nan=False))
    assert set(data) == {"verdict", "findings", "mend", "limits", "evidence", "reproduce"}
    assert set(data["findings"][0]) == {
        "equation", "layer", "parameters", "cause", "explanation", "grounds", "entries", "location", "labels", "mend",
    }  # fmt: skip
    assert set(data["findings"][0]["entries"][0]) == {
        "parameter",
        "index",
        "yours",
        "expected",
        "uncertainty",
    }
    assert data["findings"][0]["cause"] == "unknown"
    assert "Root cause: BP2, layer 1 (W1, b1)" in str(report)
    assert "escapes" in data["evidence"]["tensors"]["W1"]


def test_the_same_seed_gives_the_same_report() -> None:
    subject = WRONG["no slope"][0]
    assert judge(subject, seed=3).to_dict() == judge(subject, seed=3).to_dict()


def test_the_caller_s_generators_are_left_as_they_were() -> None:
    np.random.seed(7)
    before = np.random.get_state()[1].copy()
    judge(RIGHT["dropout from the global generator"])
    assert np.array_equal(np.random.get_state()[1], before)


def test_the_work_does_not_grow_with_the_number_of_parameters() -> None:
    small, large = (judge(network(sizes=(width, 40, 3))) for width in (40, 400))
    assert small.ok
    assert large.ok
    assert large.evidence["evaluations"] < 2 * small.evidence["evaluations"]


def test_one_wrong_entry_in_a_large_tensor_is_found() -> None:
    def fault(g: Any) -> Any:
        g[0][0][77, 13] *= 3
        return g

    report = judge(spoil(network(sizes=(100, 40, 3)), fault))
    assert report.verdict == "wrong"
    assert report.findings[0].entries[0].index == (77, 13)


def test_a_right_step_in_float32_is_not_called_wrong_and_a_wrong_one_is() -> None:
    def parameters(rng):
        return [(rng.normal(size=(3, 4)), rng.normal(size=4)), (rng.normal(size=(4, 2)), rng.normal(size=2))]

    def data(rng, n=6):
        return rng.normal(size=(n, 3)), rng.normal(size=(n, 2))

    def single(params):
        return [tuple(np.asarray(a, dtype=np.float32) for a in pair) for pair in params]

    def cost(params, X, Y):
        (W1, b1), (W2, b2) = params
        return 0.5 * np.sum((np.tanh(X @ W1 + b1) @ W2 + b2 - Y) ** 2)

    def gradients(params, X, Y):
        (W1, b1), (W2, b2) = params
        a = np.tanh(X @ W1 + b1)
        d2 = a @ W2 + b2 - Y
        d1 = (d2 @ W2.T) * (1 - a**2)
        return [(X.T @ d1, d1.sum(axis=0)), (a.T @ d2, d2.sum(axis=0))]

    def move(factor):
        def step(params, X, Y, rate):
            params = single(params)
            found = single(gradients(params, X.astype(np.float32), Y.astype(np.float32)))
            rate = np.float32(factor * rate)
            return [(W - rate * dW, b - rate * db) for (W, b), (dW, db) in zip(params, found, strict=True)]

        return step

    subject = {"parameters": parameters, "data": data, "cost": cost, "gradients": gradients}
    assert judge(subject | {"step": move(1.0)}).ok
    finding = judge(subject | {"step": move(1.001)}).findings[0]
    assert finding.equation == "update"
