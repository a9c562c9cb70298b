"""Hypothesis strategies for networks, parameters and batches: the test kit, for your own tests too.

    from hypothesis import given
    from backprop import strategies

    @given(strategies.networks(max_depth=3))
    def test_my_property(network): ...

Drawn networks often have equally wide neighbouring layers (so that a missing transpose shows as a wrong
value, not as a shape error) and batches of more than one sample (so that a lost 1/n shows).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import fields
from functools import cache
from typing import Any

import numpy as np
from hypothesis import strategies as st

from backprop.arrays import Array, as_whole
from backprop.errors import UsageError
from backprop.specification.layers import KINDS, Activation, BatchNorm, Dense, Layer, LayerNorm, PReLU, Residual
from backprop.specification.network import Network
from backprop.specification.parameters import ParameterLayout
from theory.chapters.networks.costs import COSTS
from theory.functions.activation_catalogue import NAMES

__all__ = ["batches", "networks", "parameters", "sizes", "stacks"]

MAX_DEPTH, MAX_WIDTH, MAX_ROWS, MAX_LAYERS = 5, 6, 8, 4
LARGEST_PARAMETER, LARGEST_INPUT = 2.0, 3.0
SEEDS = st.integers(0, 2**32 - 1)


@st.composite
def sizes(draw: st.DrawFn, max_depth: int = MAX_DEPTH, max_width: int = MAX_WIDTH) -> tuple[int, ...]:
    """(M_0, …, M_L) with 1 <= L <= max_depth; half of them have all layers equally wide (at least 2)."""
    max_depth, max_width = as_whole("max_depth", max_depth), as_whole("max_width", max_width)
    depth = draw(st.integers(1, max_depth))
    # All widths are drawn first, so that a failure with equal ones can shrink to the smallest of any.
    widths = draw(st.lists(st.integers(1, max_width), min_size=depth + 1, max_size=depth + 1))
    return (max(2, widths[0]),) * (depth + 1) if draw(st.booleans()) else tuple(widths)


@st.composite
def networks(
    draw: st.DrawFn,
    max_depth: int = MAX_DEPTH,
    max_width: int = MAX_WIDTH,
    activations: Sequence[str] = NAMES,
    costs: Sequence[str] = tuple(COSTS),
) -> Network:
    """Specifications with one activation per hidden layer, any output the cost allows, any cost.

    >>> from hypothesis import find
    >>> str(find(networks(), lambda network: network.depth == 2))
    '1-1-1, hidden identity, output identity, cost half-sse'
    """
    activations, costs = as_names("activations", activations), as_names("costs", costs)
    drawn = draw(sizes(max_depth, max_width))
    hidden = tuple(draw(st.sampled_from(list(activations))) for _ in drawn[1:-1])
    cost = draw(st.sampled_from(list(costs)))
    outputs = list(COSTS[cost].outputs or (*activations, "softmax"))
    if drawn[-1] == 1:
        outputs = [output for output in outputs if output != "softmax"]
    return Network.parse(drawn, hidden, draw(st.sampled_from(outputs)), cost)


@st.composite
def stacks(draw: st.DrawFn, max_layers: int = MAX_LAYERS, max_width: int = MAX_WIDTH) -> Network:
    """Specifications with every kind of layer in any order: weights, gates, normalisations, dropout, residual
    connections around several layers, learned slopes; penalties and weights of samples; any cost its output allows.

    >>> from hypothesis import find
    >>> find(stacks(), lambda network: not network.is_plain).depth
    1
    """
    inputs = draw(st.integers(1, as_whole("max_width", max_width)))
    body, _ = draw_layers(
        draw, inputs, draw(st.integers(0, as_whole("max_layers", max_layers, least=0))), max_width, nested=1
    )
    cost = draw(st.sampled_from(list(COSTS)))
    outputs = list(COSTS[cost].outputs or (*NAMES, "softmax"))
    units = draw(st.integers(2, max(2, max_width)))
    output = draw(st.sampled_from(outputs))
    last: list[Layer] = [Dense(units, output)]
    if draw(st.booleans()):
        between = draw(st.sampled_from([BatchNorm(), LayerNorm(), PReLU()]))
        last = [Dense(units), between, Activation(output)]
    options = {name: draw(st.sampled_from([0.0, 0.25])) for name in ("l2", "l1")}
    return Network(inputs, *body, *last, cost=cost, weighted=draw(st.booleans()), **options)


def draw_layers(draw: st.DrawFn, width: int, count: int, max_width: int, nested: int) -> tuple[list[Layer], int]:
    """That many layers, and how wide the last one is."""
    drawn: list[Layer] = []
    for _ in range(count):
        layer = draw(single_layers(max_width))
        if nested and draw(st.integers(0, 3)) == 0:
            inner, reached = draw_layers(draw, width, draw(st.integers(1, 2)), max_width, nested - 1)
            layer = Residual(*inner, *([] if reached == width else [Dense(width)]))
        drawn.append(layer)
        width = getattr(layer, "units", width)
    return drawn, width


@cache
def single_layers(max_width: int = MAX_WIDTH) -> st.SearchStrategy[Layer]:
    """One layer of any kind but a residual connection."""
    return st.one_of([draw_kind(kind, max_width) for kind in KINDS.values() if kind is not Residual])


def draw_kind(kind: type[Layer], max_width: int) -> st.SearchStrategy[Layer]:
    """A layer of one kind: any number of units, the values of its fields that are drawn."""
    known: dict[str, st.SearchStrategy[Any]] = {name: st.sampled_from(values) for name, values in kind.drawn.items()}
    if any(field.name == "units" for field in fields(kind)):  # type: ignore[arg-type]
        known["units"] = st.integers(1, max_width)
    return st.builds(kind, **known)


@st.composite
def parameters(draw: st.DrawFn, network: Network) -> Array:
    """One flat vector: uniform in ±2, biases away from zero."""
    check_network(network)
    rng = np.random.default_rng(draw(SEEDS))
    return rng.uniform(-LARGEST_PARAMETER, LARGEST_PARAMETER, size=ParameterLayout.of_network(network).size)


@st.composite
def batches(draw: st.DrawFn, network: Network, max_rows: int = MAX_ROWS) -> tuple[Array, Array]:
    """(X, Y) with 1 to max_rows samples; Y fits the cost (one-hot rows, zeros and ones, or reals)."""
    check_network(network)
    rng = np.random.default_rng(draw(SEEDS))
    rows = draw(st.integers(1, as_whole("max_rows", max_rows)))
    X = rng.uniform(-LARGEST_INPUT, LARGEST_INPUT, size=(rows, network.sizes[0]))
    outputs = network.sizes[-1]
    targets: dict[str, Callable[[], Array]] = {
        "real": lambda: rng.uniform(-LARGEST_INPUT, LARGEST_INPUT, size=(rows, outputs)),
        "binary": lambda: rng.integers(2, size=(rows, outputs)).astype(float),
        "distribution": lambda: np.eye(outputs)[rng.integers(outputs, size=rows)],
    }
    return X, targets[network.targets]()


def as_names(what: str, names: Sequence[str]) -> list[str]:
    """A list of names, not empty."""
    if isinstance(names, list | tuple) and names and all(isinstance(name, str) for name in names):
        return list(names)
    raise UsageError(f"{what} must be a list of names, got {names!r:.60}")


def check_network(network: object) -> None:
    """What is drawn for a network needs one."""
    if not isinstance(network, Network):
        raise UsageError(f"a Network is needed, got a {type(network).__name__}; write backprop.Network.parse('3-4-2')")
