"""A recurrent network that runs: its generated module, loaded."""

from __future__ import annotations

from collections.abc import Sequence
from types import ModuleType
from typing import Any

from backprop.codegen.lowering.load import load
from backprop.codegen.recurrence.emit_steps import emit_steps
from backprop.specification.network import DEFAULT_COST, DEFAULT_OUTPUT, Network
from backprop.specification.recurrent import RecurrentNetwork

__all__ = ["CompiledRecurrent", "build_recurrent"]


class CompiledRecurrent:
    """The generated functions of one recurrent network: parameters, data, forward, cost, gradients.

    Shapes: params [(E, W, b), (W, b)] with E (M_0, M_1), W (M_1, M_1), then W (M_1, M_2); X (n, T, M_0) for any T;
    Y (n, M_2).  It is a subject of `backprop.verify`, as is its `module`.

    >>> import numpy as np
    >>> net = build_recurrent("3-4-2")
    >>> rng = np.random.default_rng(0)
    >>> params, X, Y = net.parameters(rng), rng.normal(size=(5, 7, 3)), rng.normal(size=(5, 2))
    >>> [array.shape for array in net.gradients(params, X, Y)[0]]
    [(3, 4), (4, 4), (4,)]
    """

    def __init__(self, dense: Network) -> None:
        """`dense` is the same network for sequences of one step: a hidden layer and an output layer."""
        self.network = RecurrentNetwork(dense)
        self.source: str = emit_steps(self.network)
        self.module: ModuleType = load(self.source, "recurrent")

    def __getattr__(self, name: str) -> Any:
        if name in ("parameters", "data", "forward", "forward_pass", "cost", "gradients"):
            return getattr(self.module, name)
        raise AttributeError(f"a recurrent network has no {name!r}; see its `source`")

    def __repr__(self) -> str:
        return f"CompiledRecurrent({self.network.dense})"


def build_recurrent(
    sizes: str | Sequence[int],
    activation: str = "tanh",
    output: str = DEFAULT_OUTPUT,
    cost: str = DEFAULT_COST,
) -> CompiledRecurrent:
    """Derive, generate and load a recurrent layer with a dense layer on its last step.

    `sizes` is inputs-units-outputs.  Errors: UsageError for names or sizes that do not exist.

    >>> print(build_recurrent("1-2-1", activation="sigmoid").source.splitlines()[0])
    \"\"\"A recurrent network 1-2-1, hidden sigmoid, output identity, cost half-sse: forward pass, cost and gradients.
    """
    return CompiledRecurrent(RecurrentNetwork.parse(sizes, activation, output, cost).dense)
