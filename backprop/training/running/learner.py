"""A network in training: what changes while it learns apart from theta, and where chance comes in."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any, cast

import numpy as np

from backprop.training.prediction import Labels, pick_classes
from backprop.training.trainable import Array, State, Trainable

__all__ = ["Learner"]


class Learner:
    """One network seen from the loop: plain ones, and those with masks (dropout) or statistics (batch norm).

    A network with a `context` method is asked for the masks of every step; one with `statistics` has its running
    statistics carried along in `state`, which belongs to the parameters: they are kept and stored together.
    """

    def __init__(self, net: Trainable, dtype: np.dtype[Any]) -> None:
        self._net = cast(Any, net)  # what only some networks have is not in the protocol
        self._has_context = hasattr(self._net, "context")
        start: Mapping[str, Array] = self._net.statistics() if self._has_context else {}
        self.state: State = cast_masks(start, dtype)
        takes_out = "out" in inspect.signature(net.value_and_gradient).parameters
        self._out: dict[str, Array] = {"out": np.empty(net.size, dtype)} if takes_out else {}

    def is_random(self) -> bool:
        """Does the gradient depend on chance or on the company in the batch?"""
        return self._has_context and bool(self._net.context(np.random.default_rng(0), 2))

    def learn(self, theta: Array, X: Array, Y: Array, rng: np.random.Generator) -> tuple[float, Array]:
        """Cost and gradient of one batch in training mode; the running statistics move on."""
        if not self._has_context:
            value, gradient = self._net.value_and_gradient(theta, X, Y, **self._out)
            return float(value), gradient
        context = cast_masks(self._net.context(rng, len(X)), theta.dtype)
        if not self.state:
            value, gradient = self._net.value_and_gradient(theta, X, Y, **context, **self._out)
            return float(value), gradient
        value, gradient, seen = self._net.learn(theta, X, Y, **context)
        self.state = self._net.blend(self.state, seen, len(X))
        return float(value), gradient

    def measure_cost(self, theta: Array, X: Array, Y: Array) -> float:
        """The cost in prediction mode, penalties included."""
        return float(self._net.cost(theta, X, Y, **self.state))

    def measure_accuracy(self, theta: Array, X: Array, labels: Labels) -> float:
        """The share of rows whose class is read rightly, in prediction mode."""
        return float(np.mean(pick_classes(self._net.forward(theta, X, **self.state)) == labels))


def cast_masks(context: Mapping[str, Any], dtype: np.dtype[Any]) -> dict[str, Any]:
    """Masks in the type of the parameters, so that float32 stays float32."""
    return {
        name: value.astype(dtype, copy=False) if isinstance(value, np.ndarray) and value.dtype.kind == "f" else value
        for name, value in context.items()
    }
