"""A network over time that runs: its generated module, loaded; trained and saved as any other."""

from __future__ import annotations

from collections.abc import Sequence
from types import ModuleType
from typing import Any

import numpy as np

from backprop.arrays import Array
from backprop.codegen.lowering.load import load
from backprop.codegen.recurrence.emit_steps import emit_steps
from backprop.codegen.recurrence.lower_steps import lower_steps
from backprop.runtime.compiled import CompiledNetwork, build
from backprop.specification.network import DEFAULT_COST, DEFAULT_OUTPUT, Network
from backprop.specification.parameters import ParameterLayout, place
from backprop.specification.recurrent import RecurrentNetwork

__all__ = ["CompiledRecurrent", "build_recurrent", "compile_network"]


class CompiledRecurrent:
    """The generated functions of one network over time.

    Parameters come as the module has them, a named tuple and (W, b), or as one flat vector, as `fit` and the optimisers
    want them.  Shapes of Elman's: [(E, W, b), (W, b)] with E (M_0, M_1), W (M_1, M_1), then W (M_1, M_2); X (n, T, M_0)
    for any T; Y (n, M_2).  It is a subject of `backprop.verify`, as is its `module`.

    >>> net = build_recurrent("3-4-2")
    >>> rng = np.random.default_rng(0)
    >>> params, X, Y = net.parameters(rng), rng.normal(size=(5, 7, 3)), rng.normal(size=(5, 2))
    >>> [array.shape for array in net.gradients(params, X, Y)[0]]
    [(3, 4), (4, 4), (4,)]
    >>> net.gradient(net.initial(rng), X, Y).shape == (net.size,)
    True
    """

    reads_sequences = True

    def __init__(self, network: RecurrentNetwork | Network) -> None:
        """`network`, or the same for sequences of one step: a hidden layer and an output layer."""
        self.network = RecurrentNetwork(network) if isinstance(network, Network) else network
        self.source: str = emit_steps(self.network)
        self.module: ModuleType = load(self.source, "recurrent")
        groups = lower_steps(self.network).program.groups
        blocks = place((name.id, tuple(map(int, name.dims))) for group in groups for name in group.names)
        self.layout = ParameterLayout(blocks, tuple((group.kind, group.fields) for group in groups))

    @property
    def size(self) -> int:
        """The number of parameters."""
        return self.layout.size

    def views(self, theta: Array) -> list[Any]:
        """The parameters as the module has them: views of the vector, no copies."""
        return self.layout.views(theta)

    def statistics(self) -> dict[str, Array]:
        """Nothing is measured beside the parameters."""
        return {}

    def initial(self, rng: np.random.Generator) -> Array:
        """Draw parameters, one flat vector."""
        return flatten(self.module.parameters(rng))

    def parameters(self, rng: np.random.Generator) -> Any:
        """Draw parameters."""
        return self.module.parameters(rng)

    def data(self, rng: np.random.Generator, n: int | None = None) -> Any:
        """Draw a batch."""
        return self.module.data(rng, n)

    def forward(self, params: Any, X: Array) -> Array:
        """The outputs, (n, M_2)."""
        return np.asarray(self.module.forward(self._nested(params), X))

    def cost(self, params: Any, X: Array, Y: Array) -> Any:
        """The cost, one number."""
        return self.module.cost(self._nested(params), X, Y)

    def gradients(self, params: Any, X: Array, Y: Array) -> Any:
        """The derivative of C by every parameter, in the structure of the parameters."""
        return self.module.gradients(self._nested(params), X, Y)

    def gradient(self, theta: Array, X: Array, Y: Array) -> Array:
        """The same as one flat vector."""
        return flatten(self.gradients(theta, X, Y))

    def value_and_gradient(self, theta: Array, X: Array, Y: Array) -> tuple[Any, Array]:
        """Both, for training."""
        return self.cost(theta, X, Y), self.gradient(theta, X, Y)

    def _nested(self, params: Any) -> Any:
        return self.views(params) if isinstance(params, np.ndarray) else params

    def __repr__(self) -> str:
        return f"CompiledRecurrent({self.network})"


def flatten(groups: Sequence[Sequence[Array]]) -> Array:
    """One vector of all entries."""
    return np.concatenate([part.ravel() for group in groups for part in group])


def build_recurrent(
    sizes: str | Sequence[int],
    activation: str = "tanh",
    output: str = DEFAULT_OUTPUT,
    cost: str = DEFAULT_COST,
    kind: str = "recurrent",
) -> CompiledRecurrent:
    """Derive, generate and load a layer over time with a dense layer on its last step.

    `sizes` is inputs-units-outputs; `kind` is "recurrent" (Elman's), "lstm", "gru" or "gru_before".
    Errors: UsageError for names or sizes that do not exist.

    >>> print(build_recurrent("1-2-1", activation="sigmoid").source.splitlines()[0])
    \"\"\"A recurrent network 1-2-1, hidden sigmoid, output identity, cost half-sse: forward pass, cost and gradients.
    >>> build_recurrent("1-2-1", kind="lstm").module.Lstm._fields
    ('Ei', 'Wi', 'bi', 'Ef', 'Wf', 'bf', 'Eo', 'Wo', 'bo', 'E', 'W', 'b')
    """
    return CompiledRecurrent(RecurrentNetwork.parse(sizes, activation, output, cost, kind))


def compile_network(network: Network | RecurrentNetwork) -> CompiledNetwork | CompiledRecurrent:
    """Any network that runs."""
    return build(network) if isinstance(network, Network) else CompiledRecurrent(network)
