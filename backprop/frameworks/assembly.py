"""What a reader of another framework's model finds, layer by layer, put together as a network with its numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from backprop.arrays import Array, as_floats
from backprop.errors import UsageError
from backprop.runtime.compiled import build
from backprop.runtime.saving import Saved
from backprop.specification.layers import Activation, Dense, Layer
from backprop.specification.network import OUTPUTS, Network
from theory.functions.activation_catalogue import ALIASES

__all__ = ["Assembly", "find_function", "misfit"]

DEFAULT_COSTS = {"softmax": "cross-entropy", "sigmoid": "binary-cross-entropy"}
"""Output function -> the cost that is usual with it; mse with all others."""
BARE = {name.replace("_", ""): name for name in OUTPUTS} | dict(ALIASES) | {"linear": "identity", "logistic": "sigmoid"}
"""A function's name in lower case and without strokes -> its name in the catalogue."""
SLOPE, SCALE = 0.01, 1.0
"""The slope of the catalogue's leaky_relu, and the alpha of its elu."""


def misfit(where: str, why: str) -> UsageError:
    """The error for the first layer that does not fit."""
    return UsageError(f"{where} does not fit: {why}")


def find_function(where: str, name: str, settings: Mapping[str, Any]) -> str:
    """The activation of ours, a name or an expression in x, that another framework calls so.

    `settings` are its numbers by the names that torch and Keras share.

    Errors: UsageError for an unknown one.

    >>> find_function("layer 1", "LeakyReLU", {"negative_slope": 0.2})
    'max(0, x) + 0.2*min(0, x)'
    >>> find_function("layer 1", "GELU", {"approximate": "tanh"})
    'gelu_tanh'
    """
    found = BARE.get(name.lower().replace("_", ""))
    if found is None:
        raise misfit(where, f"there is no activation {name!r} here; there are {', '.join(OUTPUTS)}")
    slope, alpha = settings.get("negative_slope", SLOPE), settings.get("alpha", SCALE)
    if found == "leaky_relu" and slope != SLOPE:
        return f"max(0, x) + {float(slope)!r}*min(0, x)"
    if found == "elu" and alpha != SCALE:
        return f"max(0, x) + {float(alpha)!r}*(exp(min(0, x)) - 1)"
    if found == "gelu" and settings.get("approximate", "none") not in (False, "none"):
        return "gelu_tanh"
    if found == "softplus" and settings.get("beta", SCALE) != SCALE:
        raise misfit(where, f"softplus with beta={settings['beta']!r}; here it is 1")
    if found == "softmax" and settings.get("dim", -1) not in (-1, 1):
        raise misfit(where, f"softmax along axis {settings['dim']!r}; here it goes over the units of a row")
    return found


class Assembly:
    """The layers so far, with their arrays in the order of the flat vector."""

    def __init__(self) -> None:
        self.inputs = 0
        self.layers: list[Layer] = []
        self.arrays: list[Array] = []
        self.statistics: list[Array] = []

    @property
    def output(self) -> str:
        """The function that the last layer ends in, "" for none."""
        last = self.layers[-1] if self.layers else None
        return last.activation if isinstance(last, Dense) else last.name if isinstance(last, Activation) else ""

    def put(
        self, where: str, layer: Layer, width: int = 0, arrays: Sequence[Any] = (), seen: Sequence[Any] = ()
    ) -> None:
        """One more layer: how wide what comes in is (0: not said), its parameters, its running statistics."""
        if self.output == "softmax":
            raise misfit(where, "it comes after a softmax, which is taken at the end only")
        self.inputs = self.inputs or width
        self.layers.append(layer)
        self.arrays += [as_floats(np.asarray(array), f"a parameter of {where}") for array in arrays]
        self.statistics += [as_floats(np.asarray(array), f"a statistic of {where}") for array in seen]

    def dense(
        self, where: str, W: Any, b: Any, name: str = "identity", l2: float | None = None, l1: float | None = None
    ) -> None:
        """A dense layer, W of shape (inputs, outputs), with its function and penalties."""
        inputs, units = np.shape(W)
        self.put(where, Dense(int(units), name, l2, l1), int(inputs), (W, b))

    def act(self, where: str, activation: str) -> None:
        """A function: that of the dense layer before it, if that has none."""
        last = self.layers[-1] if self.layers else None
        if isinstance(last, Dense) and last.activation == "identity":
            self.layers[-1] = Dense(last.units, activation, last.l2, last.l1)
        elif activation != "identity":
            self.put(where, Activation(activation))

    def finish(self, what: str, cost: str | None, output: str | None, l2: float = 0.0) -> Saved:
        """The network that runs, with its numbers.  `output`: a function that the model leaves to its loss."""
        if not self.inputs:
            raise UsageError(f"{what} has no layer with weights; there is nothing to bring along")
        if output is not None:
            self.act(f"the output function of {what}", output)
        cost = cost or DEFAULT_COSTS.get(self.output, "mse")
        net = build(Network(self.inputs, *self.layers, cost=cost, l2=l2))
        theta = net.layout.flatten([self.arrays])
        return Saved(net, theta, dict(zip(net.statistics(), self.statistics, strict=True)))
