"""A network class with schedulers, as courses hand it out: right, and with one of its known faults each.

A layer's weights are one matrix whose first row is the bias; a column of equal numbers goes in front of what enters.
"""

from __future__ import annotations

__all__ = ["FAULTS", "write_class"]

CLASS = '''
"""A feed-forward network with schedulers."""
import sys
from copy import copy

import numpy as np


class Rule:
    def __init__(self, rate):
        self.rate = rate

    def change(self, gradient):
        raise NotImplementedError

    def forget(self):
        pass


class Plain(Rule):
    def change(self, gradient):
        return self.rate * gradient


class Heavy(Rule):
    def __init__(self, rate, keep):
        super().__init__(rate)
        self.keep, self.past = keep, 0

    def change(self, gradient):
        self.past = self.keep * self.past + self.rate * gradient
        return self.past


class Adaptive(Rule):
    def __init__(self, rate, first, second):
        super().__init__(rate)
        self.first, self.second = first, second
        self.mean, self.square, self.epoch = 0, 0, 1

    def change(self, gradient):
        self.mean = self.first * self.mean + (1 - self.first) * gradient
        self.square = self.second * self.square + (1 - self.second) * gradient * gradient
        mean = self.mean / (1 - self.first**self.epoch)
        square = self.square / (1 - self.second**self.epoch)
        return self.rate * mean / (np.sqrt(square) + 1e-8)

    def forget(self):
        self.epoch += 1
        self.mean, self.square = 0, 0


def cost_squares(goal):
    def of(out):
        return (1.0 / goal.shape[0]) * np.sum((goal - out) ** 2)

    return of


def cost_logistic(goal):
    def of(out):
        return -(1.0 / goal.shape[0]) * np.sum(goal * np.log(out + 1e-9) + (1 - goal) * np.log(1 - out + 1e-9))

    return of


def cost_entropy(goal):
    def of(out):
        return -(1.0 / {entropy_scale}) * np.sum(goal * np.log(out + 1e-9))

    return of


def squares_slope(goal, out):
    return 2 * (out - goal) / goal.shape[0]


def logistic_slope(goal, out):
    return (-goal / (out + 1e-9) + (1 - goal) / (1 - out + 1e-9)) / goal.shape[0]


def entropy_slope(goal, out):
    return -goal / (out + 1e-9) / {entropy_scale}


COST_SLOPES = {{"cost_squares": squares_slope, "cost_logistic": logistic_slope, "cost_entropy": entropy_slope}}


def straight(z):
    return z


def logistic(z):
    return 1 / (1 + np.exp(-z))


def rectified(z):
    return np.where(z > 0, z, 0)


def softmax(z):
    e = np.exp(z - np.max(z, axis=-1, keepdims=True))
    return e / np.sum(e, axis=-1, keepdims=True)


def slope_of(function):
    if function is rectified:
        return lambda z: np.where(z > 0, 1, 0)
    if function is straight:
        return lambda z: np.ones_like(z)
    return lambda z: function(z) * (1 - function(z))


class Net:
    def __init__(self, sizes, hidden=logistic, output=straight, cost=cost_squares, seed=None):
        self.sizes, self.hidden, self.output, self.cost, self.seed = sizes, hidden, output, cost, seed
        self.weights, self.weight_rules, self.bias_rules = [], [], []
        self.signals, self.sums = [], []
        self.classes = None
        self.draw_weights()
        self.decide()

    def draw_weights(self):
        rng = np.random.default_rng(self.seed)
        self.weights = []
        for k in range(len(self.sizes) - 1):
            W = rng.normal(size=(self.sizes[k] + 1, self.sizes[k + 1]))
            W[0, :] = rng.normal(size=self.sizes[k + 1]) * 0.01
            self.weights.append(W)

    def decide(self):
        self.classes = self.cost.__name__ in ("cost_logistic", "cost_entropy")

    def fit(self, X, goal, rule, batches=1, epochs=100, penalty=0):
        rng = np.random.default_rng(self.seed)
        size = X.shape[0] // batches
        self.weight_rules = [copy(rule) for _ in self.weights]
        self.bias_rules = [copy(rule) for _ in self.weights]
        errors = np.full(epochs, np.nan)
        judge = self.cost(goal)
        try:
            for epoch in range(epochs):
                {rows}
                X_now, goal_now = X[rows], goal[rows]
                for k in range(batches):
                    first, last = k * size, (k + 1) * size if k < batches - 1 else X.shape[0]
                    X_batch, goal_batch = X_now[first:last], goal_now[first:last]
                    self.forward(X_batch)
                    self.backward(X_batch, goal_batch, penalty)
                for one in self.weight_rules:
                    one.forget()
                for one in self.bias_rules:
                    one.forget()
                errors[epoch] = judge(self.forward(X))
                self.show(epoch / epochs, error=errors[epoch])
        except KeyboardInterrupt:
            pass
        return errors

    def predict(self, X, limit=0.5):
        out = self.forward(X)
        return np.where(out > limit, 1, 0) if self.classes else out

    def forward(self, X):
        self.signals, self.sums = [], []
        if len(X.shape) == 1:
            X = X.reshape((1, X.shape[0]))
        a = np.hstack([np.ones((X.shape[0], 1)) * {column}, X])
        self.signals.append(a)
        self.sums.append(a)
        for k in range(len(self.weights)):
            z = a @ self.weights[k]
            self.sums.append(z)
            if k < len(self.weights) - 1:
                a = self.hidden(z)
                a = np.hstack([np.ones((a.shape[0], 1)) * {column}, a])
            else:
                a = self.output(z)
            self.signals.append(a)
        return a

    def backward(self, X, goal, penalty):
        {before}
        for k in range(len(self.weights) - 1, -1, -1):
            if k == len(self.weights) - 1:
                if {short_cut}:
                    delta = {short_error}
                else:
                    delta = slope_of(self.output)(self.sums[k + 1]) * COST_SLOPES[self.cost.__name__](
                        goal, self.signals[k + 1])
            else:
                {through}
            for_weights = self.signals[k][:, 1:].T @ delta
            for_bias = {for_bias}
            for_weights = for_weights + self.weights[k][1:, :] * penalty
            change = np.vstack([
                self.bias_rules[k].change(for_bias), self.weight_rules[k].change(for_weights)])
            {update}
        {after}

    def show(self, share, **numbers):
        done = int(share * 20)
        said = " ".join(f"{{name}}: {{value:.4f}}" for name, value in numbers.items())
        sys.stdout.write("\\r[" + "=" * done + "." * (20 - done) + "] " + said)
        sys.stdout.flush()


if __name__ == "__main__":
    rng = np.random.default_rng(3)
    X = rng.normal(size=(24, 3))
{use}
'''

RIGHT = {
    "entropy_scale": "goal.shape[0]",
    "column": "1.0",
    "rows": "rows = rng.permutation(X.shape[0])",
    "short_cut": "self.output is softmax and self.cost is cost_entropy",
    "short_error": "(self.signals[k + 1] - goal) / goal.shape[0]",
    "before": "changes = []",
    "through": "delta = (delta @ self.weights[k + 1][1:, :].T) * slope_of(self.hidden)(self.sums[k + 1])",
    "for_bias": "np.sum(delta, axis=0).reshape(1, -1)",
    "update": "changes.insert(0, change)",
    "after": "self.weights = [W - change for W, change in zip(self.weights, changes)]",
}

FAULTS = {
    "bias gradient times 100": {"column": "0.01"},
    "deltas from updated weights": {"before": "changes = None", "update": "self.weights[k] -= change", "after": "pass"},
    "cost scale n·K": {"entropy_scale": "goal.size", "short_error": "self.signals[k + 1] - goal"},
    "softmax output with another cost": {"short_cut": "self.output is softmax"},
    "rows drawn with replacement": {"rows": "rows = rng.choice(X.shape[0], X.shape[0])"},
}
"""What stands in other places, by the name of the fault; a softmax hidden layer is a use, not a change."""

USES = {
    "regression": ("np.c_[np.sin(X[:, 0]), X[:, 1] * X[:, 2]]", "(3, 5, 4, 2), seed=1"),
    "two classes": (
        "(X[:, :1] * X[:, 1:2] > 0).astype(float)",
        "(3, 5, 1), output=logistic, cost=cost_logistic, seed=1",
    ),
    "classes": ("np.eye(3)[rng.integers(3, size=24)]", "(3, 5, 3), output=softmax, cost=cost_entropy, seed=1"),
    "squares": ("np.eye(3)[rng.integers(3, size=24)]", "(3, 5, 3), output=softmax, cost=cost_squares, seed=1"),
    "softmax hidden": ("np.c_[np.sin(X[:, 0]), X[:, 1] * X[:, 2]]", "(3, 5, 2), hidden=softmax, seed=1"),
    "rectified": ("np.c_[np.sin(X[:, 0]), X[:, 1] * X[:, 2]]", "(3, 5, 4, 2), hidden=rectified, seed=1"),
}
"""Targets and the arguments of the class."""

RULES = {"plain": "Plain(0.05)", "heavy": "Heavy(0.05, 0.5)", "adaptive": "Adaptive(0.01, 0.9, 0.999)"}


def write_class(use: str, fault: str = "", rule: str = "plain", **parts: str) -> str:
    """The file, with the class used under its main guard."""
    goal, arguments = USES[use]
    lines = (
        f"    goal = {goal}\n    net = Net({arguments})\n    net.fit(X, goal, {RULES[rule]}, batches=2, epochs=40)\n"
    )
    return CLASS.format(use=lines.rstrip(), **(RIGHT | FAULTS.get(fault, {}) | parts)).lstrip()
