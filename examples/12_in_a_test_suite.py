"""In a test suite: `pytest examples/12_in_a_test_suite.py`. The last test fails on purpose, on the smallest network."""

import sys

import numpy as np
from hypothesis import Phase, given, settings

import backprop
from backprop.verification import strategies


class MyNetwork:
    """tanh layers, a linear output, half the sum of squares; written by hand for any widths."""

    def __init__(self, sizes, planted=False):
        self.sizes, self.planted = sizes, planted

    def parameters(self, rng):
        pairs = zip(self.sizes, self.sizes[1:], strict=False)
        return [(rng.normal(size=(m, n)), rng.normal(size=n)) for m, n in pairs]

    def data(self, rng, n=5):
        return rng.normal(size=(n, self.sizes[0])), rng.normal(size=(n, self.sizes[-1]))

    def activations(self, params, X):
        a = [X]
        for number, (W, b) in enumerate(params, start=1):
            z = a[-1] @ W + b
            a.append(z if number == len(params) else np.tanh(z))
        return a

    def cost(self, params, X, Y):
        return 0.5 * np.sum((self.activations(params, X)[-1] - Y) ** 2)

    def gradients(self, params, X, Y):
        a = self.activations(params, X)
        delta, found = a[-1] - Y, []
        for layer in range(len(params) - 1, -1, -1):
            W, _ = params[layer]
            found.insert(0, (a[layer].T @ delta, delta.sum(axis=0)))
            slope = 1 - np.tanh(a[layer]) ** 2 if self.planted else 1 - a[layer] ** 2
            delta = (delta @ W.T) * slope
        return found


def test_one_network():
    backprop.assert_gradients(MyNetwork((3, 4, 4, 2)))


@settings(max_examples=10, deadline=None)
@given(strategies.sizes(max_depth=3, max_width=4))
def test_networks_of_any_widths(sizes):
    backprop.assert_gradients(MyNetwork(sizes))


@settings(max_examples=10, deadline=None, derandomize=True, phases=(Phase.generate, Phase.shrink))
@given(strategies.sizes(max_depth=3, max_width=4))
def test_a_planted_mistake_shrinks_to_the_smallest_network(sizes):
    backprop.assert_gradients(MyNetwork(sizes, planted=True))


if __name__ == "__main__":
    test_one_network()
    test_networks_of_any_widths()
    try:
        test_a_planted_mistake_shrinks_to_the_smallest_network()
    except AssertionError as failure:
        print(failure)
        print("found, as planted; the smallest failing network is", *getattr(failure, "__notes__", []))
    else:
        sys.exit("the planted mistake was not found")
