"""A backward pass written by hand: it fails, is explained, is mended, and passes."""

from types import SimpleNamespace

import numpy as np

import backprop


def parameters(rng):
    return [(rng.normal(size=(3, 5)), rng.normal(size=5)), (rng.normal(size=(5, 2)), rng.normal(size=2))]


def data(rng, n=8):
    return rng.normal(size=(n, 3)), rng.normal(size=(n, 2))


def cost(params, X, Y):
    (W1, b1), (W2, b2) = params
    return 0.5 * np.sum((np.tanh(X @ W1 + b1) @ W2 + b2 - Y) ** 2)


def backward(params, X, Y, slope):
    """The backward pass, with the slope of tanh as the author wrote it."""
    (W1, b1), (W2, b2) = params
    a1 = np.tanh(X @ W1 + b1)
    delta2 = a1 @ W2 + b2 - Y
    delta1 = (delta2 @ W2.T) * slope(a1)
    return [(X.T @ delta1, delta1.sum(axis=0)), (a1.T @ delta2, delta2.sum(axis=0))]


def slipped(params, X, Y):
    return backward(params, X, Y, lambda a: 1 - np.tanh(a) ** 2)  # a is already tanh(z)


def mended(params, X, Y):
    return backward(params, X, Y, lambda a: 1 - a**2)


def subject(gradients):
    """A module with these four functions would do as well: backprop verify my_network.py"""
    return SimpleNamespace(__name__="my network", parameters=parameters, data=data, cost=cost, gradients=gradients)


report = backprop.verify(subject(slipped))
print(report)
assert report.verdict == "wrong"
assert (report.findings[0].equation, report.findings[0].layer) == ("BP2", 1)

report = backprop.verify(subject(mended))
print(f"\nafter mending: {report.verdict}")
assert report.ok
