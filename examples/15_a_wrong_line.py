"""An attention layer with a slip in its backward pass; the examiner marks the line and mends it:

backprop verify examples/15_a_wrong_line.py --annotate
"""

import numpy as np


def parameters(rng):
    return {name: rng.normal(size=(3, 3)) / 2 for name in ("q", "k", "v", "o")}


def data(rng, n=None):
    n = n or 3
    return rng.normal(size=(n, 4, 3)), rng.normal(size=(n, 4, 3))


def attend(p, X):
    q, k, v = X @ p["q"], X @ p["k"], X @ p["v"]
    scores = q @ k.transpose(0, 2, 1) / np.sqrt(3)
    e = np.exp(scores - scores.max(axis=-1, keepdims=True))
    weights = e / e.sum(axis=-1, keepdims=True)
    context = weights @ v
    return q, k, v, weights, context, context @ p["o"]


def cost(p, X, Y):
    return 0.5 * ((attend(p, X)[-1] - Y) ** 2).mean()


def gradients(p, X, Y):
    q, k, v, weights, context, out = attend(p, X)
    dout = (out - Y) / Y.size
    dcontext = dout @ p["o"].T
    dweights = dcontext @ v.transpose(0, 2, 1)
    dv = weights.transpose(0, 2, 1) @ dcontext
    dscores = weights * (dweights - (dweights * weights).sum(axis=1, keepdims=True)) / np.sqrt(3)
    dq = dscores @ k
    dk = dscores.transpose(0, 2, 1) @ q
    flat = X.reshape(-1, 3).T
    return {
        "q": flat @ dq.reshape(-1, 3),
        "k": flat @ dk.reshape(-1, 3),
        "v": flat @ dv.reshape(-1, 3),
        "o": context.reshape(-1, 3).T @ dout.reshape(-1, 3),
    }


if __name__ == "__main__":
    print("backprop verify examples/15_a_wrong_line.py --annotate")
