"""Plain training as a contrast: the same network, its weights found by backpropagation and Adam.

The error that is left is an optimisation error: what training reached, not what a network of this width can represent.
"""

from __future__ import annotations

import numpy as np

from backprop.approximation.ground.arguments import read_seed, read_width
from backprop.approximation.ground.hidden import read_sigma
from backprop.approximation.ground.outcome import ShallowNetwork
from backprop.approximation.ground.target import Floats, Target
from backprop.approximation.searching.result import Approximation, measure
from backprop.errors import UsageError
from backprop.runtime.compiled import CompiledNetwork, build
from backprop.training import cosine, fit

__all__ = ["EPOCHS", "MOST_UNITS", "train_with_adam"]

MOST_UNITS = 4096
EPOCHS = 3000
"""Each of a dozen steps or so: a second or two for a narrow network."""
ROWS, BATCH = 256, 32
RATE = 0.01
"""At the start; it falls to 0 along a cosine."""


def train_with_adam(
    target: Target,
    width: int,
    activation: str = "tanh",
    *,
    epochs: int | None = None,
    seed: int = 0,
    epsilon: float | None = None,
) -> Approximation:
    """Train the generated network 1-N-1 on values of F at equal distances, in mini-batches with Adam.

        cost = 1/n Σ (f(x_i) - F(x_i))^2,    x and F scaled to [-1, 1]

    Args:
        target: F on its domain.
        width: N, number of hidden units.
        activation: a name or an expression in x; not a polynomial.
        epochs: how often each value is used; None: EPOCHS. Not seconds: the same call gives the same network.
        seed: for the first weights and the order of the values.
        epsilon: the error wanted, only compared.

    Returns:
        Approximation with `method` "adam". The epoch with the lowest cost is kept.

    Raises:
        UsageError: an impossible width, number of epochs or seed; a polynomial activation.

    Source: lecture items 10 and 16; `backprop.training`.

    >>> from backprop.approximation.ground.target import read_target
    >>> found = train_with_adam(read_target("x**2", (0, 1)), 4, epochs=100)
    >>> found.width, found.sup_error < 0.2
    (4, True)
    """
    count, sigma = read_width(width, MOST_UNITS), read_sigma(activation)
    rounds = EPOCHS if epochs is None else epochs
    if rounds < 1:
        raise UsageError(f"epochs must be at least 1; got {rounds}")
    x = _list_inputs(target)[:, None]
    net = build(f"1-{count}-1", activation=activation, output="identity", cost="mse")
    known = target(_to_domain(target, x)) if target.known_between else target.values[:, None]
    y = (known - _offset(target)) / target.scale
    history = fit(net, x, y, rate=cosine(RATE), epochs=rounds, batch=BATCH, seed=read_seed(seed))
    network = _restore(target, net, np.asarray(history.theta, dtype=np.float64))
    return measure(target, sigma, network, "adam", epsilon)


def _list_inputs(target: Target) -> Floats:
    """Evenly spread over [-1, 1]; of data the points themselves."""
    if target.known_between:
        return np.linspace(-1, 1, ROWS)
    low, high = target.domain
    return np.asarray((target.grid - (low / 2 + high / 2)) / (high / 2 - low / 2))


def _to_domain(target: Target, u: Floats) -> Floats:
    low, high = target.domain
    return np.asarray(np.clip(low / 2 + high / 2 + (high / 2 - low / 2) * u, low, high))


def _offset(target: Target) -> float:
    return float(np.max(target.values) / 2 + np.min(target.values) / 2)


def _restore(target: Target, net: CompiledNetwork, theta: Floats) -> ShallowNetwork:
    """The trained network in the coordinates of the target."""
    (hidden, biases), (weights, bias) = net.views(theta)
    low, high = target.domain
    w = hidden[0] / (high / 2 - low / 2)
    constant = float(bias[0]) * target.scale + _offset(target)
    return ShallowNetwork(w, biases - w * (low / 2 + high / 2), weights[:, 0] * target.scale, constant)
