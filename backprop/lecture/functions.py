"""Activations by the names that the lecture's programs give them; each is one of the catalogue."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from backprop.arrays import Array, as_floats
from backprop.errors import UsageError
from backprop.runtime.activation_functions import activation
from backprop.runtime.compiled import CompiledNetwork, build
from backprop.specification.network import DEFAULT_COST


class LectureFunction:
    """An activation: called with an array it gives f of it, and `FFNN` reads its name in the catalogue.

    >>> RELU([-1.0, 2.0]), softmax([[0.0, 0.0]])
    (array([0., 2.]), array([[0.5, 0.5]]))
    """

    def __init__(self, name: str, stated: str) -> None:
        self.__name__, self.stated = name, stated

    def __repr__(self) -> str:
        return self.__name__

    def __call__(self, X: ArrayLike) -> Array:
        """f(X), of X's shape; softmax row by row."""
        values = as_floats(X, "X")
        if self.stated != "softmax":
            return np.asarray(activation(self.stated).f(values))
        rows = as_rows(values, "X")
        net, theta = pass_through(rows.shape[1], "softmax")
        return net.forward(theta, rows).reshape(values.shape)


def pass_through(width: int, output: str, cost: str = DEFAULT_COST) -> tuple[CompiledNetwork, Array]:
    """A network whose weights let everything through, so that only its output function and its cost act."""
    net = build((width, width), output=output, cost=cost)
    return net, net.layout.flatten([(np.eye(width), np.zeros(width))])


def as_rows(values: Any, name: str) -> Array:
    """Numbers as a matrix, one row a sample; one sample may come as a vector.  Errors: UsageError."""
    rows = np.atleast_2d(as_floats(values, name).astype(float))
    if rows.ndim != 2:
        raise UsageError(f"{name} must have one row a sample and one column a unit, got shape {rows.shape}")
    return rows


def name_of(function: Any, where: str) -> str:
    """The name in the catalogue, of one of these functions, or the name or expression itself.  Errors: UsageError."""
    if isinstance(function, LectureFunction):
        return function.stated
    if isinstance(function, str):
        return function
    raise UsageError(
        f"{where} must be a function of backprop.lecture (sigmoid, RELU, …), a name, or an expression in x, got "
        f"{function!r:.60}; a derivative is derived from an expression, not from code"
    )


sigmoid = LectureFunction("sigmoid", "sigmoid")
RELU = LectureFunction("RELU", "relu")
LRELU = LectureFunction("LRELU", "leaky_relu")
softmax = LectureFunction("softmax", "softmax")
identity = LectureFunction("identity", "identity")
