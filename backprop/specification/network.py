"""The specification of a network: layers, cost, penalties.  Frozen, validated, no arrays."""

from __future__ import annotations

import math
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from backprop.arrays import as_whole
from backprop.errors import UsageError, unknown_name
from backprop.shown import ShownAsText
from backprop.specification.layers import Activation, Dense, Gated, Layer, Residual, check_layers, check_number
from backprop.specification.plan import Element, count_parameters, list_elements, write_table
from theory.chapters.networks.costs import COSTS
from theory.functions.activation_catalogue import NAMES as ACTIVATIONS
from theory.functions.elementwise import ActivationError
from theory.functions.elementwise import ActivationFunction as Statement
from theory.functions.elementwise import find as find_statement
from theory.language.tokens import ExpressionError

__all__ = ["MAX_DEPTH", "MAX_PARAMETERS", "OUTPUTS", "Network", "find_activation", "walk"]

MAX_DEPTH, MAX_PARAMETERS, OUTPUTS = 1000, 500_000_000, (*ACTIVATIONS, "softmax")
DEFAULT_ACTIVATION, DEFAULT_OUTPUT, DEFAULT_COST = "sigmoid", "identity", "half-sse"


@dataclass(frozen=True, init=False, repr=False)
class Network(ShownAsText):
    """A feed-forward network: what goes in, layer after layer, and the cost.

    Parameters
    ----------
    inputs : M_0, the number of inputs.
    layers : of `backprop.layers`, in order; the activation of the last one is the output function.
    cost : "half-sse" (½ΣΣ), "mse" (mean over samples and outputs), "binary-cross-entropy" or
        "cross-entropy" (both: mean over samples of the sum over outputs).
    l2, l1 : penalties (l2/2) Σ w² + l1 Σ |w| on all weights, added to the cost; biases, scales, shifts and slopes
        are free.  A layer's own `l2` or `l1` replaces them there.
    weighted : each sample has a weight in the cost, given with the data (`weights=`).

    Errors: UsageError with what, got, where and what to do.  Source: LECTURE items 1, 8, 11, 14.

    >>> from backprop.specification.layers import BatchNorm, Dropout
    >>> network = Network(64, Dense(32, "relu"), BatchNorm(), Dropout(0.5), Dense(10, "softmax"), cost="cross-entropy")
    >>> network.sizes, network.depth, network.size
    ((64, 32, 10), 2, 2474)
    >>> short = Network.parse("64-32-10", activation="relu", output="softmax", cost="cross-entropy")
    >>> short == Network(64, Dense(32, "relu"), Dense(10, "softmax"), cost="cross-entropy")
    True
    >>> Network.parse("64-0-10")
    Traceback (most recent call last):
    backprop.errors.UsageError: a layer needs at least 1 unit, got 0 in layer 1 of 64-0-10; write sizes like \
784-100-100-10
    """

    inputs: int
    layers: tuple[Layer, ...]
    cost: str
    l2: float
    l1: float
    weighted: bool

    def __init__(
        self,
        inputs: int,
        *layers: Layer,
        cost: str = DEFAULT_COST,
        l2: float = 0.0,
        l1: float = 0.0,
        weighted: bool = False,
    ) -> None:
        values = {"inputs": inputs, "layers": layers, "cost": cost, "l2": l2, "l1": l1, "weighted": weighted}
        for name, value in values.items():
            object.__setattr__(self, name, value)
        check_parts(self)
        check_choices(self)

    @classmethod
    def parse(
        cls,
        sizes: str | Sequence[int],
        activation: str | Iterable[str] = DEFAULT_ACTIVATION,
        output: str = DEFAULT_OUTPUT,
        cost: str = DEFAULT_COST,
        **options: Any,
    ) -> Network:
        """Build a specification from the short form: sizes as "784-100-100-10" or a sequence, one activation for
        all hidden layers or one for each; `options` are l2, l1 and weighted."""
        numbers = parse_sizes(sizes)
        hidden = max(len(numbers) - 2, 0)
        names = (activation,) * hidden if isinstance(activation, str) else read_names(activation)
        if isinstance(activation, str) and not hidden:
            find_activation(activation, "hidden layers, of which there are none")
        if len(names) != hidden:
            raise UsageError(
                f"{hidden} hidden layers need {hidden} activations, got {len(names)}; "
                "give one name for all or one for each hidden layer"
            )
        check_sizes(numbers)
        layers = [Dense(units, name) for units, name in zip(numbers[1:], (*names, output), strict=True)]
        return cls(numbers[0], *layers, cost=cost, **options)

    @cached_property
    def elements(self) -> tuple[Element, ...]:
        """The layers one after the other, each with its number, its names and its width; see
        `backprop.specification.plan`."""
        return list_elements(self.inputs, self.layers, self.is_plain)

    @cached_property
    def sizes(self) -> tuple[int, ...]:
        """(M_0, …, M_L): the inputs and the units of every layer that has weights."""
        return (self.inputs, *(part.units for layer in walk(self.layers) for part in layer.parts() if part.units))

    @property
    def outputs(self) -> int:
        """M_L, the number of outputs."""
        return self.sizes[-1]

    @cached_property
    def is_plain(self) -> bool:
        """Dense layers and nothing else: no penalty, no weights of samples."""
        own = any(layer.l2 or layer.l1 for layer in self.layers if isinstance(layer, Dense))
        dense = all(type(layer) is Dense for layer in self.layers)
        return dense and not (own or self.l2 or self.l1 or self.weighted)

    @property
    def depth(self) -> int:
        """L, the number of layers that have weights."""
        return len(self.sizes) - 1

    @property
    def size(self) -> int:
        """The number of parameters."""
        return count_parameters(self.elements)

    @property
    def functions(self) -> tuple[str, ...]:
        """The activation of every layer 1..L of a plain network; otherwise every function that is applied."""
        return (*self.activations, self.output)

    @cached_property
    def activations(self) -> tuple[str, ...]:
        """The activations below the output, in order (of a plain network: one for each hidden layer)."""
        named = (layer for layer in walk(self.layers) if isinstance(layer, Dense | Activation))
        names = [layer.activation if isinstance(layer, Dense) else layer.name for layer in named]
        last = self.layers[-1]
        return tuple(names[:-1] if isinstance(last, Dense | Activation) else names)

    @property
    def output(self) -> str:
        """The output function: the activation of the last layer."""
        last = self.layers[-1]
        if isinstance(last, Dense):
            return last.activation
        return last.name if isinstance(last, Activation) else "identity"

    @property
    def targets(self) -> str:
        """What the cost asks of Y: "real", "binary" or "distribution"."""
        return COSTS[self.cost].targets

    def table(self) -> str:
        """Every layer with the shape of its output and its parameters, as text.

        >>> print(Network(4, Dense(3, "relu"), Dense(2)).table())
        layer             output   parameters
        ----------------------------------------------
        inputs            (n, 4)
        Dense(3, 'relu')  (n, 3)           15  W1 (4, 3), b1 (3,)
        Dense(2)          (n, 2)            8  W2 (3, 2), b2 (2,)
        ----------------------------------------------
        cost half-sse                      23
        """
        return write_table(self.inputs, self.elements, self.describe_cost())

    def describe_cost(self) -> str:
        """The cost and what is added to it."""
        parts = [f"cost {self.cost}", f"l2={self.l2:g}" if self.l2 else "", f"l1={self.l1:g}" if self.l1 else ""]
        return ", ".join([part for part in parts if part] + (["weighted samples"] if self.weighted else []))

    def __str__(self) -> str:
        if not self.is_plain:
            return repr(self).removeprefix("Network")[1:-1]
        hidden = ", ".join(dict.fromkeys(self.activations)) or "none"
        sizes = "-".join(str(size) for size in self.sizes)
        return f"{sizes}, hidden {hidden}, output {self.output}, cost {self.cost}"

    def _repr_latex_(self) -> str:
        steps = "".join(rf"\xrightarrow{{\text{{{layer!r}}}}}".replace("_", r"\_") for layer in self.layers)
        return rf"$\mathbb{{R}}^{{{self.inputs}}}{steps}\mathbb{{R}}^{{{self.outputs}}}$"

    def __repr__(self) -> str:
        options = {"l2": self.l2, "l1": self.l1, "weighted": self.weighted}
        parts = [repr(self.inputs), *map(repr, self.layers), f"cost={self.cost!r}"]
        return f"Network({', '.join(parts + [f'{name}={value!r}' for name, value in options.items() if value])})"


def walk(layers: Iterable[Layer]) -> Iterator[Layer]:
    """Every layer, those inside a residual connection too."""
    for layer in layers:
        yield from walk(layer.layers) if isinstance(layer, Residual) else (layer,)


def read_names(names: object) -> tuple[str, ...]:
    """A list of names, in an order that means something."""
    if isinstance(names, list | tuple) and all(isinstance(name, str) for name in names):
        return tuple(names)
    raise UsageError(f"activation must be one name or a list of names, got {names!r:.60}; write 'relu'")


def parse_sizes(sizes: str | Sequence[int]) -> tuple[int, ...]:
    """Read "784-100-10" (or a sequence of integers)."""
    if not isinstance(sizes, str):
        numbers = sizes.tolist() if hasattr(sizes, "tolist") else sizes  # an array
        try:
            if isinstance(numbers, list | tuple | range):
                return tuple(as_whole("a size", size, least=-sys.maxsize) for size in numbers)
        except UsageError:
            pass  # said below, with all sizes
        raise UsageError(f"sizes must be integers, got {sizes!r:.60}; write sizes like (784, 100, 10)")
    parts = sizes.strip().split("-")
    shown = sizes if len(sizes) <= 60 else sizes[:57] + "..."
    if not all(part.isascii() and part.isdigit() and len(part) <= 9 for part in parts):
        raise UsageError(f"sizes must be whole numbers joined by '-', got {shown!r}; write sizes like 784-100-100-10")
    return tuple(int(part) for part in parts)


def check_sizes(sizes: tuple[int, ...]) -> None:
    """At least an input and an output; at least one unit each."""
    shown = "-".join(str(size) for size in sizes[:8]) + ("-..." if len(sizes) > 8 else "")
    if len(sizes) < 2:
        raise UsageError(f"a network needs an input and an output size, got {shown!r}; write sizes like 784-100-100-10")
    for layer, size in enumerate(sizes):
        if size < 1:
            raise UsageError(
                f"a layer needs at least 1 unit, got {size} in layer {layer} of {shown}; "
                "write sizes like 784-100-100-10"
            )


def check_parts(network: Network) -> None:
    """Inputs, layers and penalties are what they should be, one by one."""
    inputs: object = network.inputs
    if not isinstance(inputs, int) or isinstance(inputs, bool) or inputs < 1:
        raise UsageError(
            f"a network begins with its number of inputs, at least 1, got {inputs!r:.60}; "
            "write Network(784, Dense(100, 'relu'), Dense(10))"
        )
    check_layers(network.layers, "Network")
    for name in ("l2", "l1"):
        check_number(network, name, getattr(network, name), 0, math.inf, "0 or positive")
    if not isinstance(network.weighted, bool):
        raise UsageError(f"weighted must be True or False, got {network.weighted!r:.60}; weights come with the data")
    if network.depth < 1:
        raise UsageError("a network needs at least one layer with weights, got none; add a Dense layer")
    if network.depth > MAX_DEPTH:
        raise UsageError(f"a network may have {MAX_DEPTH} layers, got {network.depth}; use fewer layers")
    if network.size > MAX_PARAMETERS:
        raise UsageError(
            f"the network has {network.size:,} parameters, more than the {MAX_PARAMETERS:,} that are supported; "
            "use smaller layers"
        )


def find_activation(name: str, where: str) -> Statement:
    """The statement of an activation by name or expression; UsageError says in which layer it was asked for."""
    try:
        return find_statement(name)
    except (ActivationError, ExpressionError) as error:
        raise UsageError(f"{error} ({where})") from None


def check_choices(network: Network) -> None:
    """Every activation and the cost are known, and the cost is defined for the output."""
    gates = [(layer.gate, "a gate") for layer in walk(network.layers) if isinstance(layer, Gated)]
    hidden = [(name, f"hidden layer {layer}") for layer, name in enumerate(network.activations, start=1)]
    for name, where in (*hidden, *gates):
        if name == "softmax":
            raise UsageError(
                f"softmax is an output activation only, got it in {where}; choose from: {', '.join(ACTIVATIONS)}"
            )
        find_activation(name, where)
    if network.output != "softmax":
        find_activation(network.output, "output layer; softmax is possible here too")
    if not isinstance(network.cost, str) or network.cost not in COSTS:
        raise unknown_name("cost", network.cost, COSTS)
    allowed = COSTS[network.cost].outputs
    if allowed is not None and network.output not in allowed:
        raise UsageError(
            f"the cost {network.cost} needs outputs between 0 and 1, got output {network.output!r}; "
            f"choose the output from: {', '.join(allowed)}"
        )
    if network.output == "softmax" and network.outputs == 1:
        raise UsageError(
            "softmax over 1 output is always 1, got an output layer of 1 unit; "
            "use sigmoid with binary-cross-entropy for two classes"
        )
