"""A network class as people write them, with its training under the main guard: right.

backprop verify examples/17_a_class.py
backprop attach examples/17_a_class.py -o subject.py     what was taken for what, to be edited
"""

import itertools

import numpy as np


class Network:
    """Sigmoid layers, one sample at a time, momentum."""

    def __init__(self, sizes, rate=0.5, momentum=0.9):
        rng = np.random.default_rng(1)
        self.rate, self.momentum = rate, momentum
        self.weights = [rng.normal(size=(n, m)) / np.sqrt(m) for m, n in itertools.pairwise(sizes)]
        self.biases = [np.zeros((n, 1)) for n in sizes[1:]]
        self.speeds = [np.zeros_like(w) for w in self.weights]

    def forward(self, x):
        self.activations = [x]
        for w, b in zip(self.weights, self.biases, strict=True):
            self.activations.append(1 / (1 + np.exp(-(w @ self.activations[-1] + b))))
        return self.activations[-1]

    def backprop(self, target):
        delta = self.activations[-1] - target
        for k in reversed(range(len(self.weights))):
            a = self.activations[k + 1]
            delta = delta * a * (1 - a)
            step = self.rate * delta @ self.activations[k].T
            before = self.weights[k]
            self.speeds[k] = self.momentum * self.speeds[k] - step
            self.weights[k] = before + self.speeds[k]
            self.biases[k] = self.biases[k] - self.rate * delta
            delta = before.T @ delta

    def fit(self, samples, epochs):
        for _ in range(epochs):
            for x, target in samples:
                self.forward(x)
                self.backprop(target)


if __name__ == "__main__":
    corners = [(np.array([[a], [b]]), np.array([[float(a != b)]])) for a in (0.0, 1.0) for b in (0.0, 1.0)]
    network = Network([2, 4, 1])
    network.fit(corners, 300)
    print([round(network.forward(x).item(), 2) for x, _ in corners])
