"""Programs as people write them, each with a habit that a reading could stumble over; all of them right."""

from __future__ import annotations

from kit.samples.attached_programs import DATA

CLOSURE = (
    DATA
    + """
def make(n):
    theta = {"A": rng.normal(size=(n, 2)) * 0.1, "c": np.zeros(2)}
    def forward(X):
        return np.tanh(X @ theta["A"] + theta["c"])
    def gradients(X, Y):
        out = forward(X)
        loss = np.sum((out - Y) ** 2) / (2 * len(X))
        d = (out - Y) * (1 - out ** 2) / len(X)
        return {"A": X.T @ d, "c": d.sum(0)}
    return theta, forward, gradients
theta, forward, gradients = make(3)
for epoch in range(50):
    g = gradients(X, Y)
    for k in theta:
        theta[k] -= 0.1 * g[k]
"""
)

HIDDEN_CLOSURE = CLOSURE.replace(
    "    return theta, forward, gradients\ntheta, forward, gradients = make(3)\n",
    "    def step(X, Y):\n        g = gradients(X, Y)\n        for k in theta:\n            theta[k] -= 0.1 * g[k]\n"
    "    return step\nstep = make(3)\n",
).replace("    g = gradients(X, Y)\n    for k in theta:\n        theta[k] -= 0.1 * g[k]\n", "    step(X, Y)\n", 1)

LIKELIHOOD = (
    DATA
    + """
counts = rng.poisson(2.0, size=12)
def log_likelihood(beta):
    return np.sum(counts * (X @ beta) - np.exp(X @ beta))
beta = np.zeros(3)
for epoch in range(50):
    score = X.T @ (counts - np.exp(X @ beta))
    beta = beta + 0.01 * score
    print(log_likelihood(beta))
"""
)

RUNNING_SUM = (
    DATA
    + """
labels = (X[:, 0] > 0).astype(int)
W = rng.normal(size=(3, 2))
for epoch in range(20):
    total = 0
    for x, label in zip(X, labels):
        s = x @ W
        p = np.exp(s - s.max())
        p /= p.sum()
        total -= np.log(p[label])
        d = p.copy()
        d[label] -= 1
        W -= 0.1 * np.outer(x, d)
"""
)

UNITS = """
import math
import random
random.seed(4)
class NN:
    def __init__(self, ni, nh):
        self.ni, self.nh = ni + 1, nh
        self.ai, self.ah = [1.0] * self.ni, [1.0] * nh
        self.wi = [[random.uniform(-0.5, 0.5) for _ in range(nh)] for _ in range(self.ni)]
        self.wo = [random.uniform(-1.0, 1.0) for _ in range(nh)]
    def update(self, inputs):
        for i in range(self.ni - 1):
            self.ai[i] = inputs[i]
        for j in range(self.nh):
            self.ah[j] = math.tanh(sum(self.ai[i] * self.wi[i][j] for i in range(self.ni)))
        self.ao = sum(self.ah[j] * self.wo[j] for j in range(self.nh))
    def back(self, target, rate):
        d = target - self.ao
        deltas = [(1 - self.ah[j] ** 2) * d * self.wo[j] for j in range(self.nh)]
        for j in range(self.nh):
            self.wo[j] += rate * d * self.ah[j]
        for i in range(self.ni):
            for j in range(self.nh):
                self.wi[i][j] += rate * deltas[j] * self.ai[i]
net = NN(2, 3)
for epoch in range(50):
    for inputs, target in [([0.0, 0.0], 0.0), ([0.0, 1.0], 1.0), ([1.0, 0.0], 1.0), ([1.0, 1.0], 0.0)]:
        net.update(inputs)
        net.back(target, 0.5)
"""

HABITS_OF_CODE = {
    "values in a closure": CLOSURE,
    "values in nothing but a closure": HIDDEN_CLOSURE,
    "a likelihood that is made large": LIKELIHOOD,
    "a loss that is only added up": RUNNING_SUM,
    "units that are written over": UNITS,
}
SLIPS = {
    "values in a closure": ("(1 - out ** 2)", "(1 - out)"),
    "values in nothing but a closure": ("(1 - out ** 2)", "(1 - out)"),
    "a likelihood that is made large": ("counts - np.exp(X @ beta))\n", "counts - X @ beta)\n"),
    "units that are written over": ("(1 - self.ah[j] ** 2) * d", "(1 - self.ah[j]) * d"),
}

TABLE = (
    DATA
    + """
ACT = {
    "tanh": (np.tanh, lambda a: 1 - a ** 2),
    "sigmoid": (lambda z: 1 / (1 + np.exp(-z)), lambda a: a * (1 - a)),
}
f, slope = ACT["sigmoid"]
W1, W2 = rng.normal(size=(3, 4)), rng.normal(size=(4, 2))
for epoch in range(50):
    a = f(X @ W1)
    d = (a @ W2 - Y) / len(X)
    g1 = X.T @ ((d @ W2.T) * slope(a))
    W2 -= 0.1 * a.T @ d
    W1 -= 0.1 * g1
"""
)

FORWARD = (
    DATA
    + """
W1, W2 = rng.normal(size=(3, 4)), rng.normal(size=(4, 2))
for epoch in range(50):
    z = X @ W1
    e = np.exp(z - z.max(axis=1, keepdims=True))
    a = e / e.sum(axis=1, keepdims=True)
    out = a @ W2
    loss = 0.5 * np.sum((out - Y) ** 2)
    d = out - Y
    da = d @ W2.T
    dz = a * (da - (da * a).sum(axis=1, keepdims=True))
    W2 -= 0.1 * a.T @ d
    W1 -= 0.1 * X.T @ dz
"""
)
