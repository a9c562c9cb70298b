"""Assignment: write BP2.  The network, its cost, BP1, BP3 and BP4 are given; the error of the hidden layer is yours.

Check it before you hand it in:  backprop verify write_bp2.py --hint place
"""

from itertools import pairwise

import numpy as np

SIZES = (3, 5, 4, 2)


def parameters(rng):
    """[(W1, b1), (W2, b2), (W3, b3)], the first index of W the unit that a number comes from."""
    return [(rng.normal(size=(m, k)) / np.sqrt(m), rng.normal(size=k) / 10) for m, k in pairwise(SIZES)]


def data(rng, n=None):
    """A batch of n samples, one a row."""
    n = 6 if n is None else n
    return rng.normal(size=(n, SIZES[0])), rng.normal(size=(n, SIZES[-1]))


def forward(params, X):
    """z and a of every layer (F1, F2): tanh, the last layer linear."""
    zs, activations = [], [X]
    for layer, (W, b) in enumerate(params, start=1):
        zs.append(activations[-1] @ W + b)
        activations.append(np.tanh(zs[-1]) if layer < len(params) else zs[-1])
    return zs, activations


def cost(params, X, Y):
    """Half the sum of squared errors."""
    return 0.5 * np.sum((forward(params, X)[1][-1] - Y) ** 2)


def error_of_layer_below(delta, W, z):
    """BP2: the error of a layer, shape (n, M_l), from that of the next, (n, M_(l+1)), its W, (M_l, M_(l+1)), and z."""
    ### BEGIN SOLUTION
    return (delta @ W.T) * (1 - np.tanh(z) ** 2)
    ### END SOLUTION


def gradients(params, X, Y):
    """The derivative of the cost by every parameter, in the structure of params."""
    zs, activations = forward(params, X)
    delta = activations[-1] - Y  # BP1
    found = []
    for layer in reversed(range(len(params))):
        found.insert(0, (activations[layer].T @ delta, delta.sum(axis=0)))  # BP4, BP3
        if layer:
            delta = error_of_layer_below(delta, params[layer][0], zs[layer - 1])
    return found
