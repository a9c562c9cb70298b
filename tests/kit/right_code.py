"""Forty right networks by hand, each with one habit that checks of gradients trip over."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np

__all__ = ["RIGHT", "changed"]

ROWS = 7
Functions = dict[str, Callable[..., Any]]


def softmax(z):
    e = np.exp(z - z.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def build(
    *, f=np.tanh, slope=lambda z, a: 1 - a**2, end="linear", rows=ROWS, spread=1.0, bias=0.2, log=np.log, scale=1.0,
    squared=lambda r: r**2 / 2, dressed=lambda r: r, mask=None, inputs=lambda X: X, sizes=(4, 5, 3),
) -> Functions:  # fmt: skip
    """A two-layer network by hand; `squared` is the cost of a residual and `dressed` its derivative."""

    def parameters(rng):
        draws = pairwise(sizes)
        return [(spread * rng.normal(size=(i, o)) / np.sqrt(i), bias * rng.normal(size=o)) for i, o in draws]

    def data(rng):
        K = sizes[-1]
        Y = np.eye(K)[rng.integers(K, size=rows)] if end == "softmax" else rng.normal(size=(rows, K))
        Y = (Y > 0) * 1.0 if end == "sigmoid" else Y
        return inputs(rng.normal(size=(rows, sizes[0]))), Y

    def run(params, X):
        (W1, b1), (W2, b2) = params
        z = X @ W1 + b1
        a = f(z) if mask is None else f(z) * mask
        end_of = {"linear": lambda z: z, "softmax": softmax, "sigmoid": sigmoid}[end]
        return z, a, end_of(a @ W2 + b2)

    def cost(params, X, Y):
        out = run(params, X)[2]
        if end == "linear":
            return scale * np.sum(squared(out - Y))
        both = Y * log(out) + ((1 - Y) * log(1 - out) if end == "sigmoid" else 0)
        return -scale * np.sum(both)

    def gradients(params, X, Y):
        z, a, out = run(params, X)
        d2 = scale * (dressed(out - Y) if end == "linear" else out - Y)
        back = d2 @ params[1][0].T if mask is None else d2 @ params[1][0].T * mask
        d1 = back * slope(z, f(z))
        return [(X.T @ d1, d1.sum(0)), (a.T @ d2, d2.sum(0))]

    forward = {"forward": lambda params, X: run(params, X)[2]}
    return forward | {"parameters": parameters, "data": data, "cost": cost, "gradients": gradients}


def changed(base: Functions, **functions: Callable[..., Any]) -> Functions:
    return base | functions


def relu(at_zero: float, **more: Any) -> Functions:
    return build(f=lambda z: np.maximum(z, 0), slope=lambda z, a: np.where(z == 0, at_zero, z > 0), **more)


def in_columns() -> Functions:
    base = build()
    return changed(
        base,
        parameters=lambda rng: [(W.T, b[:, None]) for W, b in base["parameters"](rng)],
        data=lambda rng: tuple(a.T for a in base["data"](rng)),
        forward=lambda p, X: base["forward"](rows_of(p), X.T).T,
        cost=lambda p, X, Y: base["cost"](rows_of(p), X.T, Y.T),
        gradients=lambda p, X, Y: [(W.T, b[:, None]) for W, b in base["gradients"](rows_of(p), X.T, Y.T)],
    )


def rows_of(params):
    return [(W.T, b.ravel()) for W, b in params]


def by_sample() -> Functions:
    base = build()

    def gradients(params, X, Y):
        total = [[0.0 * W, 0.0 * b] for W, b in params]
        for x, y in zip(X, Y, strict=True):
            for mine, one in zip(total, base["gradients"](params, x[None], y[None]), strict=True):
                mine[0], mine[1] = mine[0] + one[0], mine[1] + one[1]
        return total

    return changed(base, gradients=gradients)


def reused_buffers() -> Functions:
    base, kept = build(), []

    def gradients(params, X, Y):
        found = base["gradients"](params, X, Y)
        kept[:] = kept or [(np.empty_like(W), np.empty_like(b)) for W, b in found]
        for mine, one in zip(kept, found, strict=True):
            mine[0][...], mine[1][...] = one
        return kept

    return changed(base, gradients=gradients)


def views_of_one_vector() -> Functions:
    base = build()

    def gradients(params, X, Y):
        found = [a for pair in base["gradients"](params, X, Y) for a in pair]
        whole = np.concatenate([a.ravel() for a in found])
        cuts = np.split(whole, np.cumsum([a.size for a in found])[:-1])
        W1, b1, W2, b2 = (cut.reshape(a.shape) for cut, a in zip(cuts, found, strict=True))
        return [(W1, b1), (W2, b2)]

    return changed(base, gradients=gradients)


def normalised() -> Functions:
    def parameters(rng):
        return [(rng.normal(size=(4, 5)), np.zeros(5)), {"gamma": rng.normal(size=5), "beta": rng.normal(size=5)},
                (rng.normal(size=(5, 2)), np.zeros(2))]  # fmt: skip

    def run(params, X):
        (W1, b1), norm, (W2, b2) = params
        u = X @ W1 + b1
        s = np.sqrt(u.var(axis=0) + 1e-5)
        x = (u - u.mean(axis=0)) / s
        a = np.tanh(norm["gamma"] * x + norm["beta"])
        return s, x, a, a @ W2 + b2

    def gradients(params, X, Y):
        (_, _), norm, (W2, _) = params
        s, x, a, out = run(params, X)
        d2 = out - Y
        dz = d2 @ W2.T * (1 - a**2)
        dx = dz * norm["gamma"]
        d1 = (dx - dx.mean(axis=0) - x * (dx * x).mean(axis=0)) / s
        return [(X.T @ d1, d1.sum(0)), {"gamma": (dz * x).sum(0), "beta": dz.sum(0)}, (a.T @ d2, d2.sum(0))]

    return {
        "parameters": parameters,
        "data": lambda rng: (rng.normal(size=(ROWS, 4)), rng.normal(size=(ROWS, 2))),
        "cost": lambda p, X, Y: np.sum((run(p, X)[3] - Y) ** 2) / 2,
        "gradients": gradients,
    }


def tied() -> Functions:
    def run(params, X):
        h = sigmoid(X @ params["W"] + params["b"])
        return h, h @ params["W"].T + params["c"]

    def gradients(params, X, Y):
        h, out = run(params, X)
        d = out - Y
        e = d @ params["W"] * h * (1 - h)
        return {"W": X.T @ e + d.T @ h, "b": e.sum(0), "c": d.sum(0)}

    return {
        "parameters": lambda rng: {"W": rng.normal(size=(4, 3)), "b": rng.normal(size=3), "c": rng.normal(size=4)},
        "data": lambda rng: (rng.normal(size=(ROWS, 4)),) * 2,
        "cost": lambda p, X, Y: np.sum((run(p, X)[1] - Y) ** 2) / 2,
        "gradients": gradients,
    }


def pooled_with_ties() -> Functions:
    """The larger of two units; duplicate units are tied everywhere, and the first one takes the error."""

    def parameters(rng):
        W = rng.normal(size=(4, 3))
        return [(np.repeat(W, 2, axis=1), np.zeros(6)), (rng.normal(size=(3, 2)), np.zeros(2))]

    def run(params, X):
        (W1, b1), (W2, b2) = params
        pairs = (X @ W1 + b1).reshape(len(X), 3, 2)
        return pairs, pairs.max(axis=2), pairs.max(axis=2) @ W2 + b2

    def gradients(params, X, Y):
        pairs, a, out = run(params, X)
        d2 = out - Y
        back = d2 @ params[1][0].T
        first = np.arange(2) == pairs.argmax(axis=2)[..., None]
        d1 = (back[..., None] * first).reshape(len(X), 6)
        return [(X.T @ d1, d1.sum(0)), (a.T @ d2, d2.sum(0))]

    return {
        "parameters": parameters,
        "data": lambda rng: (rng.normal(size=(ROWS, 4)), rng.normal(size=(ROWS, 2))),
        "cost": lambda p, X, Y: np.sum((run(p, X)[2] - Y) ** 2) / 2,
        "gradients": gradients,
    }


def with_context() -> Functions:
    base = build()

    def masked(mask):
        return build(mask=mask)

    return changed(
        base,
        context=lambda rng, n: {"mask": 2.0 * (rng.random((n, 5)) < 0.5)},
        forward=lambda p, X, mask: masked(mask)["forward"](p, X),
        cost=lambda p, X, Y, mask: masked(mask)["cost"](p, X, Y),
        gradients=lambda p, X, Y, mask: masked(mask)["gradients"](p, X, Y),
    )


def with_step() -> Functions:
    base = build()

    def step(params, X, Y, rate):
        return [
            (W - rate * dW, b - rate * db)
            for (W, b), (dW, db) in zip(params, base["gradients"](params, X, Y), strict=True)
        ]

    return changed(base, step=step)


def in_single(what: str) -> Functions:
    base = build(end="softmax")

    def lower(nest):
        return [(W.astype(np.float32), b.astype(np.float32)) for W, b in nest]

    def short(function):
        return lambda p, X, Y: function(lower(p), X.astype(np.float32), Y.astype(np.float32))

    functions = {name: short(base[name]) for name in ("cost", "gradients") if what in (name, "both")}
    if what == "parameters":
        functions["parameters"] = lambda rng: lower(base["parameters"](rng))
    return changed(base, **functions)


def rounded_cost() -> Functions:
    base = build()
    return changed(base, cost=lambda p, X, Y: float(np.float32(base["cost"](p, X, Y))))


def with_cost(offset: float = 0.0, factor: float = 1.0) -> Functions:
    base = build()
    return changed(
        base,
        cost=lambda p, X, Y: factor * base["cost"](p, X, Y) + offset,
        gradients=lambda p, X, Y: [(factor * W, factor * b) for W, b in base["gradients"](p, X, Y)],
    )


def read_as(make: Callable[[Any], Any]) -> Functions:
    base = build()
    return changed(base, gradients=lambda p, X, Y: make(base["gradients"](p, X, Y)))


def scaled_columns(X):
    return X * np.array([1e4, 1.0, 1e-3, 1.0])


def first_two_dead(X):
    return X * np.array([0.0, 0.0, 1.0, 1.0])


def near_kinks() -> Functions:
    base = relu(0.0)

    def parameters(rng):
        (W1, _), top = base["parameters"](rng)
        return [(W1, -np.ones(4) @ W1 + 1e-7), top]

    def data(rng):
        X, Y = base["data"](rng)
        X[0] = 1.0
        return X, Y

    return changed(base, parameters=parameters, data=data)


HUBER = {
    "squared": lambda r: np.where(abs(r) < 0.5, r**2 / 2, 0.5 * (abs(r) - 0.25)),
    "dressed": lambda r: np.clip(r, -0.5, 0.5),
}
RIGHT: dict[str, Callable[[], Functions]] = {
    "a cost summed over the batch": build,
    "a cost averaged over the batch": lambda: build(scale=1 / ROWS),
    "softmax fused with the cross-entropy": lambda: build(end="softmax"),
    "a sigmoid fused with the cross-entropy": lambda: build(end="sigmoid"),
    "a guard in the logarithm, outputs saturated": lambda: build(
        end="softmax", spread=4.0, log=lambda a: np.log(a + 1e-8)
    ),
    "a tiny guard, outputs saturated": lambda: build(end="softmax", spread=5.0, log=lambda a: np.log(a + 1e-12)),
    "a guard for both logarithms": lambda: build(end="sigmoid", spread=4.0, log=lambda a: np.log(a + 1e-8)),
    "clipped outputs in the cost": lambda: build(
        end="softmax", spread=4.0, log=lambda a: np.log(np.clip(a, 1e-7, 1 - 1e-7))
    ),
    "the larger of output and guard": lambda: build(
        end="softmax", spread=4.0, log=lambda a: np.log(np.maximum(a, 1e-6))
    ),
    "samples in columns": in_columns,
    "a loop over samples": by_sample,
    "buffers filled again and returned": reused_buffers,
    "gradients as views of one vector": views_of_one_vector,
    "gradients as lists": lambda: read_as(lambda g: [[W.tolist(), b.tolist()] for W, b in g]),
    "gradients as a tuple of lists": lambda: read_as(lambda g: tuple(list(pair) for pair in g)),
    "gradients in Fortran order": lambda: read_as(lambda g: [(np.asfortranarray(W), b) for W, b in g]),
    "gradients as read-only views": lambda: read_as(lambda g: [(np.broadcast_to(W, W.shape), b) for W, b in g]),
    "gradients in float32, cost in float64": lambda: in_single("gradients"),
    "cost in float32, gradients in float64": lambda: in_single("cost"),
    "everything in float32": lambda: in_single("both"),
    "float32 parameters": lambda: in_single("parameters"),
    "a cost rounded to float32 at its end": rounded_cost,
    "a large offset in the cost": lambda: with_cost(offset=1e6),
    "a huge factor": lambda: with_cost(factor=1e12),
    "a tiny factor": lambda: with_cost(factor=1e-12),
    "ill-scaled inputs": lambda: build(inputs=scaled_columns),
    "inputs that are always zero": lambda: build(inputs=first_two_dead),
    "a batch of one": lambda: build(rows=1),
    "width one everywhere": lambda: build(sizes=(1, 1, 1)),
    "f' of relu at zero is 0": lambda: relu(0.0, bias=0.0, inputs=first_two_dead),
    "f' of relu at zero is 1/2": lambda: relu(0.5, bias=0.0, inputs=lambda X: X * 0.0),
    "f' of relu at zero is 1": lambda: relu(1.0, bias=0.0, inputs=lambda X: X * (np.arange(len(X)) > 1)[:, None]),
    "kinks within a step": near_kinks,
    "f' of sigmoid from its value": lambda: build(f=sigmoid, slope=lambda z, a: a * (1 - a)),
    "saturated sigmoids": lambda: build(f=sigmoid, slope=lambda z, a: a * (1 - a), spread=20.0),
    "the absolute value as activation": lambda: build(f=np.abs, slope=lambda z, a: np.sign(z)),
    "a piecewise cost": lambda: build(**HUBER),
    "a cost of absolute values": lambda: build(squared=np.abs, dressed=np.sign),
    "a frozen mask": lambda: build(mask=np.array([2.0, 0.0, 2.0, 0.0, 2.0])),
    "a mask from the context": with_context,
    "a normalisation over the batch": normalised,
    "tied weights": tied,
    "ties in pooling": pooled_with_ties,
    "a step after the gradients": with_step,
}
