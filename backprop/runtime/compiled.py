"""A network that runs: generated source, loaded, behind a few functions of one flat parameter vector."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cached_property
from types import ModuleType
from typing import Any

import numpy as np

from backprop.codegen.elementwise import Accuracy, check_accuracy
from backprop.codegen.emit import emit
from backprop.codegen.emit_flat import emit_flat
from backprop.codegen.load import load
from backprop.codegen.lower import lower
from backprop.codegen.program import Program
from backprop.codegen.secure import secure
from backprop.errors import UsageError
from backprop.network import DEFAULT_ACTIVATION, DEFAULT_COST, DEFAULT_OUTPUT, Network
from backprop.runtime.parameters import Array, Layout

__all__ = ["DEFAULT_ACCURACY", "CompiledNetwork", "build"]

DEFAULT_ACCURACY: Accuracy = "fast"


class CompiledNetwork:
    """The generated functions of one network.

    Shapes: theta (size,), X (n, M_0), Y (n, M_L).  Every function is pure to its caller: inputs are not
    changed, nothing is remembered between calls, results are new arrays.

    Errors: UsageError where a shape does not fit.

    >>> net = build("3-4-2", activation="tanh")
    >>> rng = np.random.default_rng(0)
    >>> theta = net.initial(rng)
    >>> X, Y = rng.normal(size=(5, 3)), rng.normal(size=(5, 2))
    >>> net.gradient(theta, X, Y).shape == theta.shape
    True
    >>> [W.shape for W, b in net.views(theta)]
    [(3, 4), (4, 2)]
    """

    def __init__(self, network: Network, accuracy: Accuracy = DEFAULT_ACCURACY) -> None:
        check_accuracy(accuracy)
        self.network, self.accuracy = network, accuracy
        program = lower(network)
        self.program: Program = secure(program, network) if accuracy == "full" else program
        self.source: str = emit(network, self.program, accuracy)
        self.layout = Layout.of(network.sizes)

    def __reduce__(self) -> tuple[type[CompiledNetwork], tuple[Network, Accuracy]]:
        return CompiledNetwork, (self.network, self.accuracy)

    def __repr__(self) -> str:
        return f"CompiledNetwork({self.network}, {self.size} parameters)"

    @property
    def size(self) -> int:
        """The number of parameters."""
        return self.layout.size

    @cached_property
    def module(self) -> ModuleType:
        """The generated module itself: a subject with parameters, data, forward, cost, gradients."""
        return load(self.source, "network")

    @cached_property
    def fast(self) -> ModuleType:
        """The same program for flat vectors."""
        flat = load("import numpy as np\n\n\n" + emit_flat(self.program, self.layout), "flat_network")
        for name in self.program.calls():
            setattr(flat, name, getattr(self.module, name))
        return flat

    def initial(self, rng: np.random.Generator) -> Array:
        """Random parameters as one vector: weights with variance 1/fan-in, small biases."""
        return self.layout.flatten(self.module.parameters(rng))

    def views(self, theta: Array) -> list[tuple[Array, Array]]:
        """[(W1, b1), …], views without copies."""
        return self.layout.views(theta)

    def forward(self, theta: Array, X: Array) -> Array:
        """The outputs, (n, M_L)."""
        result = self.module.forward(self.views(theta), check_rows("X", X, self.network.sizes[0]))
        return np.array(result) if np.shares_memory(result, X) else result

    def cost(self, theta: Array, X: Array, Y: Array) -> Any:
        """The cost, one number."""
        self.check(X, Y)
        return self.module.cost(self.views(theta), X, Y)

    def gradient(self, theta: Array, X: Array, Y: Array) -> Array:
        """dC by theta, a new vector."""
        self.check(X, Y, theta)
        return self.fast.gradient(theta, X, Y)

    def value_and_gradient(self, theta: Array, X: Array, Y: Array) -> tuple[Any, Array]:
        """Cost and gradient from one forward pass."""
        self.check(X, Y, theta)
        value, gradient = self.fast.value_and_gradient(theta, X, Y)
        return value, gradient

    def check(self, X: Array, Y: Array, theta: Array | None = None) -> None:
        """Shapes that do not fit are an error with what, got and where."""
        check_rows("X", X, self.network.sizes[0])
        check_rows("Y", Y, self.network.sizes[-1])
        if X.shape[0] != Y.shape[0]:
            raise UsageError(
                f"X and Y must have as many rows, got {X.shape[0]} and {Y.shape[0]}; one row is one sample"
            )
        if theta is not None and theta.shape != (self.size,):
            self.layout.views(theta)


def check_rows(name: str, array: Array, columns: int) -> Array:
    """The array, if it has the right number of columns and at least one row."""
    if not isinstance(array, np.ndarray) or array.ndim != 2 or array.shape[1] != columns or not array.shape[0]:
        got = getattr(array, "shape", type(array).__name__)
        raise UsageError(
            f"{name} must be an array of shape (n, {columns}) with n >= 1, got {got}; one row is one sample"
        )
    return array


def build(
    sizes: str | Sequence[int] | Network,
    activation: str | Iterable[str] = DEFAULT_ACTIVATION,
    output: str = DEFAULT_OUTPUT,
    cost: str = DEFAULT_COST,
    accuracy: Accuracy = DEFAULT_ACCURACY,
) -> CompiledNetwork:
    """Derive, lower, emit and load a network.

    Parameters: sizes as "784-100-100-10", a sequence or a `Network`; one activation for all hidden layers
    (a name or an expression in x) or one for each; output activation; cost; accuracy of the activations:

    - "fast" (default): f' from the stored a = f(z) where an identity allows, such as a (1 - a).  Errors are a few
      units of rounding of the largest |f'|, not of f'(z) itself: far out every digit of a small slope is lost.
    - "full": f within 4 and f' within 8 units in the last place for every float; several times slower.

    "fast" is the default because an entry of a gradient is a sum over samples and units, and the matrix products
    around f' round by as much as the fast form loses: the entries that matter come out the same.  Choose "full"
    where single small slopes count: one sample, saturated units, float32, vanishing gradients under study.
    Errors: UsageError with what, got, where and what to do.

    >>> net = build("4-3-2", activation="x*tanh(x)", output="softmax", cost="cross-entropy")
    >>> net.size
    23
    """
    network = sizes if isinstance(sizes, Network) else Network.parse(sizes, activation, output, cost)
    return CompiledNetwork(network, accuracy)
