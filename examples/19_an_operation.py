"""A single operation with its hand-written backward: every input's gradient, without a network around it."""

import numpy as np

import backprop


def normalise(x, gain):
    """Each row of x over its root mean square, times gain."""
    return x / np.sqrt(np.mean(x**2, axis=-1, keepdims=True)) * gain


def normalise_backward(x, gain, grad):
    """Forgets that the root mean square depends on x."""
    r = np.sqrt(np.mean(x**2, axis=-1, keepdims=True))
    return grad * gain / r, np.sum(grad * x / r, axis=0)


rng = np.random.default_rng(0)
print(backprop.verify(normalise, inputs=(rng.normal(size=(4, 5)), np.ones(5)), backward=normalise_backward))
