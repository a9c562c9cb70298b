"""A network with its derivatives by the input that runs: its generated module, loaded."""

from __future__ import annotations

from collections.abc import Sequence
from types import ModuleType

from backprop.codegen.lowering.load import load
from backprop.codegen.tangents.emit_tangents import emit_tangents
from backprop.specification.network import Network

__all__ = ["build_with_derivatives"]


def build_with_derivatives(sizes: str | Sequence[int], cost: str, activation: str = "tanh") -> ModuleType:
    """Derive, generate and load y(x) with y' and y'' and the gradient of a cost that contains them.

    `cost` is that of one row, in x, y, y1 (y'), y2 (y'') and t (the row's target); C is the mean over the rows.
    The module has parameters(rng), derivatives(params, X), cost and gradients(params, X, Y); X, Y are (n, 1), params
    [(W, b), …].  It is a subject of `backprop.verify`, and `__source__` is its text.
    Errors: UsageError for what is not 1-…-1, a kink, or a cost that cannot be read.

    >>> import numpy as np
    >>> net = build_with_derivatives("1-8-1", "(1 - t)*(y2 + pi^2*sin(pi*x))^2 + t*y^2")
    >>> params = net.parameters(np.random.default_rng(0))
    >>> [values.shape for values in net.derivatives(params, np.zeros((5, 1)))]
    [(5, 1), (5, 1), (5, 1)]
    """
    source = emit_tangents(Network.parse(sizes, activation, "identity"), cost)
    module = load(source, "derivatives")
    module.__dict__["__source__"] = source
    return module
