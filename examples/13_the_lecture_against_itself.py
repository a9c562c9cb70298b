"""Where the lecture contradicts itself: its formulas as they are printed, each judged by the examiner."""

from itertools import pairwise

import numpy as np

import backprop

WIDTHS = (3, 3, 3, 3)  # equal, so that no shape tells


def parameters(rng):
    return [(rng.normal(size=(m, n)), rng.normal(size=n)) for m, n in pairwise(WIDTHS)]


def data(rng, n=6):
    return rng.normal(size=(n, WIDTHS[0])), rng.normal(size=(n, WIDTHS[-1]))


def activations(params, X):
    a = [X]
    for W, b in params:
        a.append(np.tanh(a[-1] @ W + b))
    return a


def cost(params, X, Y):
    return 0.5 * np.sum((activations(params, X)[-1] - Y) ** 2)


def gradients(params, X, Y, *, recursion="w_jk", gradient="a_i delta_j", scale=lambda n: 1.0):
    a = activations(params, X)
    delta, found = scale(len(X)) * (a[-1] - Y) * (1 - a[-1] ** 2), []
    for l in range(len(params) - 1, -1, -1):
        dW = a[l].T @ delta
        found.insert(0, (dW if gradient == "a_i delta_j" else dW.T, delta.sum(axis=0)))
        W = params[l][0]
        delta = (delta @ (W.T if recursion == "w_jk" else W)) * (1 - a[l] ** 2)
    return found


def step(params, X, Y, rate):
    """As printed: l = L-1, ..., 1, which leaves out the output layer."""
    pairs = list(zip(params, gradients(params, X, Y), strict=True))
    return [(W - rate * dW, b - rate * db) for (W, b), (dW, db) in pairs[:-1]] + [params[-1]]


def subject(**printed):
    functions = {"parameters": parameters, "data": data, "cost": cost}
    changed = {name: value for name, value in printed.items() if name != "step"}
    functions["gradients"] = lambda params, X, Y: gradients(params, X, Y, **changed)
    return functions | ({"step": step} if "step" in printed else {})


PRINTED = {
    "1, 2  dz_j/da_i = w_ji, so delta_j sums w_kj delta_k": {"recursion": "w_kj"},
    "3     dC/dw_ij = delta_i a_j": {"gradient": "a_j delta_i"},
    "4     the update runs over l = L-1, ..., 1": {"step": True},
    "5     the gradient of (1/n) sum, the cost of 1/2 sum": {"scale": lambda n: 2 / n},
}

assert backprop.verify(subject()).ok
for claim, printed in PRINTED.items():
    report = backprop.verify(subject(**printed))
    assert report.verdict == "wrong"
    first = report.findings[0]
    print(f"{claim}\n      {first.equation}, layer {first.layer}: {first.explanation.split(' Here:')[0]}")

relu = backprop.approximate("sin(2*pi*x)", width=16, activation="relu")
print(
    "6     universal: only for bounded, monotone activations\n      relu is neither bounded nor a squashing function;"
)
print(f"      16 units are within {relu.sup_error:.1e} of sin(2 pi x): not being a polynomial is what counts")
