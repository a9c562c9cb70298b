"""Right programs of several architectures, as people write them, in which tests plant a fault."""

from __future__ import annotations

__all__ = ["ATTENTION", "DENSE", "PROGRAMS", "RECURRENT"]

DENSE = """
import numpy as np
REG = 0.1
def parameters(rng):
    return [(rng.normal(size=(i, o)) / 2, 0.1 * rng.normal(size=o)) for i, o in ((4, 5), (5, 3))]
def data(rng, n=None):
    n = n or 6
    return rng.normal(size=(n, 4)), rng.normal(size=(n, 3))
def act(z):
    return np.tanh(z)
def slope(z):
    return 1 - np.tanh(z) ** 2
def forward_pass(params, X):
    (W1, b1), (W2, b2) = params
    z1 = X @ W1 + b1
    a1 = act(z1)
    return z1, a1, a1 @ W2 + b2
def cost(params, X, Y):
    (W1, b1), (W2, b2) = params
    y = forward_pass(params, X)[-1]
    return 0.5 * ((y - Y) ** 2).sum() / len(X) + 0.5 * REG * ((W1 ** 2).sum() + (W2 ** 2).sum())
def gradients(params, X, Y):
    (W1, b1), (W2, b2) = params
    n = len(X)
    z1, a1, y = forward_pass(params, X)
    d2 = (y - Y) / n
    dW2 = a1.T @ d2 + REG * W2
    db2 = d2.sum(axis=0)
    d1 = (d2 @ W2.T) * slope(z1)
    dW1 = X.T @ d1 + REG * W1
    db1 = d1.sum(axis=0)
    return [(dW1, db1), (dW2, db2)]
"""
RECURRENT = """
import numpy as np
def parameters(rng):
    return {"W": rng.normal(size=(2, 3)) / 2, "U": rng.normal(size=(3, 3)) / 2, "b": 0.1 * rng.normal(size=3),
            "V": rng.normal(size=(3, 2)) / 2}
def data(rng, n=None):
    n = n or 4
    return rng.normal(size=(n, 3, 2)), rng.normal(size=(n, 2))
def unroll(p, X):
    h = [np.zeros((len(X), 3))]
    for t in range(X.shape[1]):
        h.append(np.tanh(X[:, t] @ p["W"] + h[-1] @ p["U"] + p["b"]))
    return h
def cost(p, X, Y):
    return 0.5 * ((unroll(p, X)[-1] @ p["V"] - Y) ** 2).sum()
def gradients(p, X, Y):
    h = unroll(p, X)
    e = h[-1] @ p["V"] - Y
    g = {k: np.zeros_like(v) for k, v in p.items()}
    g["V"] = h[-1].T @ e
    dh = e @ p["V"].T
    for t in range(X.shape[1] - 1, -1, -1):
        dz = dh * (1 - h[t + 1] ** 2)
        g["W"] += X[:, t].T @ dz
        g["U"] += h[t].T @ dz
        g["b"] += dz.sum(axis=0)
        dh = dz @ p["U"].T
    return g
"""
ATTENTION = """
import numpy as np
def parameters(rng):
    return {k: rng.normal(size=(3, 3)) / 2 for k in ("q", "k", "v", "o")}
def data(rng, n=None):
    n = n or 3
    return rng.normal(size=(n, 4, 3)), rng.normal(size=(n, 4, 3))
def attend(p, X):
    q, k, v = X @ p["q"], X @ p["k"], X @ p["v"]
    s = q @ k.transpose(0, 2, 1) / np.sqrt(3)
    e = np.exp(s - s.max(axis=-1, keepdims=True))
    a = e / e.sum(axis=-1, keepdims=True)
    return q, k, v, a, a @ v
def cost(p, X, Y):
    return 0.5 * ((attend(p, X)[-1] @ p["o"] - Y) ** 2).mean()
def flat(a, b):
    return np.einsum("nij,nik->jk", a, b)
def gradients(p, X, Y):
    q, k, v, a, c = attend(p, X)
    e = (c @ p["o"] - Y) / Y.size
    dc = e @ p["o"].T
    da = dc @ v.transpose(0, 2, 1)
    dv = a.transpose(0, 2, 1) @ dc
    ds = a * (da - (da * a).sum(axis=-1, keepdims=True)) / np.sqrt(3)
    dq = ds @ k
    dk = ds.transpose(0, 2, 1) @ q
    return {"q": flat(X, dq), "k": flat(X, dk), "v": flat(X, dv), "o": flat(c, e)}
"""
GRAPH = """
import numpy as np
A = np.array([[2, 1, 0, 0], [1, 1, 3, 0], [0, 0, 1, 1], [1, 0, 2, 1]]) / 4.0
def parameters(rng):
    return {"E": rng.normal(size=(5, 3)), "W": rng.normal(size=(2, 3)), "V": rng.normal(size=(3, 3)) / 2}
def data(rng):
    return (np.array([0, 3, 3, 1]), rng.normal(size=(4, 2))), np.array([0, 2, 1, 1])
def run(p, X):
    words, X = X
    h = np.tanh(p["E"][words] + A @ X @ p["W"])
    s = A @ h @ p["V"]
    e = np.exp(s - s.max(axis=1, keepdims=True))
    return h, e / e.sum(axis=1, keepdims=True)
def cost(p, X, Y):
    h, q = run(p, X)
    return -np.log(q[np.arange(4), Y]).mean() + 0.5 * (np.arctanh(h) ** 2).sum()
def gradients(p, X, Y):
    h, q = run(p, X)
    words, X = X
    i = np.arange(4)
    ds = q.copy()
    ds[i, Y] -= 1
    ds /= len(Y)
    dV = (A @ h).T @ ds
    dh = A.T @ ds @ p["V"].T
    back = np.arctanh(h)
    dz = dh * (1 - h ** 2) + back
    dW = (A @ X).T @ dz
    dE = np.zeros_like(p["E"])
    np.add.at(dE, words, dz)
    return {"E": dE, "W": dW, "V": dV}
"""
STEPPING = (
    DENSE
    + """
def step(params, X, Y, rate):
    new = []
    for (W, b), (dW, db) in zip(params, gradients(params, X, Y)):
        new.append((W - rate * dW, b - rate * db))
    return new
"""
)
PROGRAMS = {"dense": DENSE, "recurrent": RECURRENT, "attention": ATTENTION}
