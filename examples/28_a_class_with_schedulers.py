"""A class with schedulers, as courses hand it out, with a fault that few see: it trains all the same.

backprop verify examples/28_a_class_with_schedulers.py     BP3: the bias gradient is 100 times the right one

Bias and weights are one matrix, and the bias meets a column of 0.01: by the chain rule its gradient has that factor.
"""

import itertools
from copy import copy

import numpy as np


class Momentum:
    def __init__(self, eta, keep):
        self.eta, self.keep, self.change = eta, keep, 0

    def update_change(self, gradient):
        self.change = self.keep * self.change + self.eta * gradient
        return self.change


def cost_squares(target):
    return lambda output: np.sum((output - target) ** 2) / len(target)


def cost_slope(target, output):
    return 2 * (output - target) / len(target)


class Network:
    def __init__(self, sizes, cost_func, seed=1):
        rng = np.random.default_rng(seed)
        self.cost_func = cost_func
        self.weights = [rng.normal(size=(m + 1, k)) for m, k in itertools.pairwise(sizes)]

    def feedforward(self, X):
        self.outputs = [np.hstack([0.01 * np.ones((len(X), 1)), X])]
        for k, W in enumerate(self.weights):
            z = self.outputs[-1] @ W
            a = np.tanh(z) if k + 1 < len(self.weights) else z
            self.outputs.append(np.hstack([0.01 * np.ones((len(X), 1)), a]) if k + 1 < len(self.weights) else a)
        return self.outputs[-1]

    def backpropagate(self, target):
        changes, delta = [], cost_slope(target, self.outputs[-1])
        for k in reversed(range(len(self.weights))):
            for_weights = self.outputs[k][:, 1:].T @ delta
            for_bias = delta.sum(axis=0).reshape(1, -1)  # 0.01 * this
            change = [self.bias_rules[k].update_change(for_bias), self.weight_rules[k].update_change(for_weights)]
            changes.insert(0, np.vstack(change))
            if k:
                delta = (delta @ self.weights[k][1:].T) * (1 - self.outputs[k][:, 1:] ** 2)
        self.weights = [W - change for W, change in zip(self.weights, changes, strict=True)]

    def fit(self, X, target, scheduler, batches, epochs):
        rng, judge = np.random.default_rng(0), self.cost_func(target)
        self.bias_rules = [copy(scheduler) for _ in self.weights]
        self.weight_rules = [copy(scheduler) for _ in self.weights]
        for _ in range(epochs):
            for rows in np.array_split(rng.permutation(len(X)), batches):
                self.feedforward(X[rows])
                self.backpropagate(target[rows])
        return judge(self.feedforward(X))


if __name__ == "__main__":
    X = np.random.default_rng(3).normal(size=(24, 3))
    target = np.c_[np.sin(X[:, 0]), X[:, 1] * X[:, 2]]
    error = Network([3, 8, 2], cost_squares).fit(X, target, Momentum(0.02, 0.5), batches=2, epochs=300)
    print(f"it trains: error {error:.3f}")
