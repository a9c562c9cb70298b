"""How large z and delta are in each layer of a network at its start: measured, and by the derived recursion."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, cast

import numpy as np
import sympy

from backprop.runtime.activation_functions import activation as find_functions
from backprop.training.trainable import Array, Trainable
from theory.chapters.training.initialisation import BACKWARD, FORWARD, INPUTS, OUTPUTS, SLOPE, SPREAD, VALUE, variance

__all__ = ["Sizes", "count_dead_units", "derive_sizes", "measure_sizes"]

REACH, POINTS = 10.0, 20_001  # of the grid on which means over a normal z are taken; kinks at 0 are grid points


OVERWHELMING = 1e9  # random targets of this size hide the outputs they are compared with


class Sizes(NamedTuple):
    """Root mean squares in layers 1..L: of the weighted inputs z, and of delta relative to that of layer L."""

    z: list[float]
    delta: list[float]


def derive_sizes(net: Trainable, scheme: str, data_square: float) -> Sizes:
    """The sizes that the derivation gives for a plain network, layer by layer.

    E[z²] = M_in Var(w) E[f(z)²] of the layer before (`data_square` for the first), and E[δ²] = E[f'(z)²] M_out Var(w)
    E[δ²] of the layer after, the means over a normal z of the size at hand. The output layer's own f' is left out:
    delta is counted relative to layer L.

    Source: `python -m theory initialisation`.

    >>> import backprop
    >>> net = backprop.build([100] * 4, activation="relu")
    >>> [round(size, 3) for size in derive_sizes(net, "he", 1.0).delta]
    [1.0, 1.0, 1.0]
    """
    network = cast(Any, net).network
    names = ("identity", *network.activations)
    shapes = list(itertools.pairwise(network.sizes))
    spreads = [variance(scheme, *shape, name) for shape, name in zip(shapes, names, strict=True)]
    forward, backward = compile_factors()
    squares, incoming = [], data_square
    for (inputs, _), spread, name in zip(shapes, spreads, (*names[1:], "identity"), strict=True):
        squares.append(forward(inputs, incoming, spread))
        incoming = average(name, squares[-1])[0]
    deltas = [1.0]
    for layer in range(len(shapes) - 1, 0, -1):
        slope = average(names[layer], squares[layer - 1])[1]
        deltas.insert(0, deltas[0] * backward(shapes[layer][1], slope, spreads[layer]))
    return Sizes([square**0.5 for square in squares], [square**0.5 for square in deltas])


@functools.cache
def compile_factors() -> tuple[Callable[..., float], Callable[..., float]]:
    """The two derived factors as functions of width, moment and variance."""
    forward = sympy.lambdify((INPUTS, VALUE, SPREAD), FORWARD, "math", dummify=True)
    backward = sympy.lambdify((OUTPUTS, SLOPE, SPREAD), BACKWARD, "math", dummify=True)
    return forward, backward


def average(name: str, square: float) -> tuple[float, float]:
    """E[f(z)²] and E[f'(z)²] for a normal z of that mean square."""
    functions = find_functions(name)
    x = np.linspace(-REACH, REACH, POINTS)
    weights = np.exp(-(x**2) / 2)
    weights /= weights.sum()
    z = square**0.5 * x
    return float(weights @ functions.f(z) ** 2), float(weights @ functions.f_prime(z) ** 2)


def measure_sizes(
    net: Trainable, theta: Array, X: Array, rng: np.random.Generator, *, draws: int = 20, **context: Any
) -> list[float]:
    """The root mean square of delta in each layer, relative to layer L, for errors at the output that are pure chance.

    For the cost half-sse. The targets are random and so large that delta of layer L is nothing but them; its rows are
    then independent, and the mean square of the gradient of b (BP3, a sum over rows) is n times that of delta. After a
    batch normalisation the gradient of its beta takes the place of b's.

    Args:
        X: inputs (n, M_0); draws: how many sets of targets are averaged over.
        context: masks and mode of networks that have them, `net.context(rng, n)`.
    """
    gradient_of = cast(Any, net).gradient
    outputs = find_additive(net.views(theta))[-1].size
    squares = np.zeros(len(find_additive(net.views(theta))))
    for _ in range(draws):
        Y = OVERWHELMING * rng.standard_normal((len(X), outputs))
        additive = find_additive(net.views(gradient_of(theta, X, Y, **context)))
        squares += [np.mean(block**2) for block in additive]
    return [float(size) for size in np.sqrt(squares / squares[-1])]


def find_additive(layers: Sequence[Sequence[Array]]) -> list[Array]:
    """b of each dense layer, or beta of the normalisation that follows it."""
    found: list[Array] = []
    for layer in layers:
        beta = getattr(layer, "beta", None)
        found[-1:] = [beta] if beta is not None else [*found[-1:], layer[1]]
    return found


def count_dead_units(net: Trainable, theta: Array, X: Array) -> list[float]:
    """The share of units, in each hidden layer of a plain network, whose slope f'(z) is 0 for every row of X.

    No gradient reaches such a unit: with these data it cannot learn any more.

    >>> import backprop
    >>> net = backprop.build("1-2-1", activation="relu")
    >>> theta = np.array([1.0, 1.0, 0.0, -5.0, 1.0, 1.0, 0.0])
    >>> count_dead_units(net, theta, np.array([[1.0], [2.0]]))
    [0.5]
    """
    names = cast(Any, net).network.activations
    shares: list[float] = []
    a: Any = X
    for (W, b, *_), name in zip(net.views(theta), names, strict=False):
        functions = find_functions(name)
        z = a @ W + b
        shares.append(float(np.mean(np.all(functions.f_prime(z) == 0, axis=0))))
        a = functions.f(z)
    return shares
