"""Programs as people write them, in a few kinds, right and with one fault each."""

from __future__ import annotations

DATA = """
import numpy as np
rng = np.random.default_rng(0)
X = rng.normal(size=(12, 3))
Y = np.c_[np.sin(X[:, 0]), X[:, 1] * X[:, 2]]
"""

SCRIPT = (
    DATA
    + """
W1, b1 = rng.normal(size=(3, 4)), np.zeros(4)
W2, b2 = rng.normal(size=(4, 2)), np.zeros(2)
lr = 0.1
for epoch in range(500):
    hidden = np.tanh(X @ W1 + b1)
    out = hidden @ W2 + b2
    error = out - Y
    delta = error / len(X)
    back = (delta @ W2.T) * (1 - hidden ** 2)
    W2 -= lr * hidden.T @ delta
    b2 -= lr * delta.sum(axis=0)
    W1 -= lr * X.T @ back
    b1 -= lr * back.sum(axis=0)
print("done")
"""
)

CLASS = (
    DATA
    + """
class Net:
    def __init__(self, sizes, rate):
        self.rate = rate
        self.weights = [rng.normal(size=pair) * 0.5 for pair in zip(sizes, sizes[1:])]
        self.biases = [np.zeros(n) for n in sizes[1:]]
    def predict(self, X):
        self.outputs = [X]
        for W, b in zip(self.weights, self.biases):
            self.outputs.append(1 / (1 + np.exp(-(self.outputs[-1] @ W + b))))
        return self.outputs[-1]
    def loss(self, X, Y):
        return np.mean((self.predict(X) - Y) ** 2)
    def backward(self, Y):
        delta = 2 * (self.outputs[-1] - Y) / Y.size
        self.dW, self.db = [None] * len(self.weights), [None] * len(self.weights)
        for k in range(len(self.weights) - 1, -1, -1):
            a = self.outputs[k + 1]
            delta = delta * a * (1 - a)
            self.dW[k], self.db[k] = self.outputs[k].T @ delta, delta.sum(axis=0)
            delta = delta @ self.weights[k].T
    def update(self):
        for k in range(len(self.weights)):
            self.weights[k] = self.weights[k] - self.rate * self.dW[k]
            self.biases[k] = self.biases[k] - self.rate * self.db[k]
    def train(self, X, Y, epochs):
        for epoch in range(epochs):
            loss = self.loss(X, Y)
            self.backward(Y)
            self.update()
"""
)

MAIN = """
if __name__ == "__main__":
    Net([3, 5, 4, 2], 0.3).train(X, Y, 10 ** 9)
"""

LAYERS = (
    DATA
    + """
class Dense:
    def __init__(self, i, o):
        self.W, self.b = rng.normal(size=(i, o)), np.zeros((1, o))
    def forward(self, x):
        self.x = x
        return x @ self.W + self.b
    def backward(self, grad, rate):
        out = grad @ self.W.T
        self.W -= rate * self.x.T @ grad
        self.b -= rate * grad.sum(axis=0, keepdims=True)
        return out
class Tanh:
    def forward(self, x):
        self.y = np.tanh(x)
        return self.y
    def backward(self, grad, rate):
        return grad * (1 - self.y ** 2)
def mse(t, o):
    return np.mean((t - o) ** 2)
def mse_prime(t, o):
    return 2 * (o - t) / t.size
layers = [Dense(3, 5), Tanh(), Dense(5, 2)]
for epoch in range(100):
    h = X
    for layer in layers:
        h = layer.forward(h)
    grad = mse_prime(Y, h)
    for layer in reversed(layers):
        grad = layer.backward(grad, 0.1)
"""
)

ADAM = (
    DATA
    + """
p = {"W1": rng.normal(size=(3, 4)), "b1": np.zeros(4), "W2": rng.normal(size=(4, 2)), "b2": np.zeros(2)}
m = {k: np.zeros_like(v) for k, v in p.items()}
s = {k: np.zeros_like(v) for k, v in p.items()}
def gradients(p, X, Y):
    h = np.tanh(X @ p["W1"] + p["b1"])
    d = (h @ p["W2"] + p["b2"] - Y) / len(X)
    e = (d @ p["W2"].T) * (1 - h * h)
    return {"W1": X.T @ e, "b1": e.sum(0), "W2": h.T @ d, "b2": d.sum(0)}
def cost(p, X, Y):
    return 0.5 * np.sum((np.tanh(X @ p["W1"] + p["b1"]) @ p["W2"] + p["b2"] - Y) ** 2) / len(X)
for t in range(1, 200):
    g = gradients(p, X, Y)
    for k in p:
        m[k] = 0.9 * m[k] + 0.1 * g[k]
        s[k] = 0.999 * s[k] + 0.001 * g[k] ** 2
        p[k] = p[k] - 0.01 * (m[k] / (1 - 0.9 ** t)) / (np.sqrt(s[k] / (1 - 0.999 ** t)) + 1e-8)
    if t % 50 == 0:
        print(t, cost(p, X, Y))
"""
)

LISTS = """
import math
w = [[0.3, -0.2], [0.5, 0.1], [-0.4, 0.7]]
v = [0.6, -0.3]
rows = [([0.0, 1.0, 0.5], 1.0), ([1.0, 0.2, 0.1], 0.0)]
rate = 0.2
for epoch in range(100):
    for x, t in rows:
        h = [math.tanh(sum(x[i] * w[i][j] for i in range(3))) for j in range(2)]
        o = sum(h[j] * v[j] for j in range(2))
        loss = 0.5 * (o - t) ** 2
        d = o - t
        e = [d * v[j] * (1 - h[j] ** 2) for j in range(2)]
        for j in range(2):
            v[j] -= rate * d * h[j]
        for i in range(3):
            for j in range(2):
                w[i][j] -= rate * e[j] * x[i]
"""

KINDS = {"script": SCRIPT, "class": CLASS + MAIN, "layers": LAYERS, "adam": ADAM, "lists": LISTS, "class alone": CLASS}
"""Right programs."""

FAULTS = {
    "script": [
        ("(1 - hidden ** 2)", "(1 - hidden)", "BP2", 1),
        ("lr * delta.sum(axis=0)", "lr * delta.mean(axis=0)", "BP3", 2),
        ("lr * hidden.T @ delta", "lr * hidden.T @ error", "BP4", 2),
    ],
    "class": [
        ("delta * a * (1 - a)", "delta * a", "BP1", 3),
        ("delta.sum(axis=0)", "delta.mean(axis=0)", "BP3", 3),
    ],
    "layers": [("grad * (1 - self.y ** 2)", "grad * (1 - self.y)", "BP2", 1)],
    "adam": [("(1 - h * h)", "(1 + h * h)", "BP2", 1)],
}
"""By kind: text, what stands there instead, equation and layer of the fault."""

COLUMNS = """
import numpy as np
rng = np.random.default_rng(1)
points = rng.normal(size=(12, 2))
samples = [(p.reshape(2, 1), np.array([[float(p[0] > 0)], [float(p[0] * p[1] > 0)]])) for p in points]

def sig(z):
    return 1 / (1 + np.exp(-z))

class Net:
    def __init__(self, sizes):
        self.weights = [rng.normal(size=(o, i)) for i, o in zip(sizes, sizes[1:])]
        self.biases = [rng.normal(size=(o, 1)) for o in sizes[1:]]
    def predict(self, a):
        for W, b in zip(self.weights, self.biases):
            a = sig(W @ a + b)
        return a
    def train(self, samples, size, eta):
        for epoch in range(3):
            for k in range(0, len(samples), size):
                self.learn(samples[k:k + size], eta)
            print(self.total_cost(samples))
    def learn(self, batch, eta):
        gW, gb = [np.zeros(W.shape) for W in self.weights], [np.zeros(b.shape) for b in self.biases]
        for x, y in batch:
            dW, db = self.backprop(x, y)
            gW, gb = [a + d for a, d in zip(gW, dW)], [a + d for a, d in zip(gb, db)]
        self.weights = [W - eta / len(batch) * g for W, g in zip(self.weights, gW)]
        self.biases = [b - eta / len(batch) * g for b, g in zip(self.biases, gb)]
    def backprop(self, x, y):
        outs = [x]
        for W, b in zip(self.weights, self.biases):
            outs.append(sig(W @ outs[-1] + b))
        dW, db = [None] * len(self.weights), [None] * len(self.weights)
        delta = outs[-1] - y
        for k in range(len(self.weights) - 1, -1, -1):
            dW[k], db[k] = delta @ outs[k].T, delta
            delta = (self.weights[k].T @ delta) * outs[k] * (1 - outs[k])
        return dW, db
    def total_cost(self, samples):
        total = 0.0
        for x, y in samples:
            a = self.predict(x)
            total += np.sum(-y * np.log(a) - (1 - y) * np.log(1 - a))
        return total / len(samples)

Net([2, 4, 3, 2]).train(samples, 4, 1.0)
"""
"""The file's cost is a mean over all samples, the gradient a sum over the batch, the step divides."""

NUMBER = """
import numpy as np
rng = np.random.default_rng(2)
X = rng.normal(size=(20, 3))
y = np.repeat([0.0, 1.0], 10)

def predict(w, b):
    return 1 / (1 + np.exp(-(X @ w + b)))

def cost(w, b):
    h = predict(w, b)
    return -np.mean(y * np.log(h) + (1 - y) * np.log(1 - h))

def fit(rate=0.5):
    w, b = np.zeros(3), 0.0
    for _ in range(20):
        error = predict(w, b) - y
        dw, db = X.T @ error / len(y), error.mean()
        w = w - rate * dw
        b = b - rate * db
        print(cost(w, b))

fit()
"""
"""A bias that is a number, bound anew; its first gradient is zero, since the classes are equal in number."""
