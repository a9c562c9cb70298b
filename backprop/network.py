"""The specification of a network: sizes, activations, output, cost.  Frozen, validated, no arrays."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from backprop.errors import UsageError, unknown_name
from theory.activations import NAMES as ACTIVATIONS
from theory.activations import Activation, ActivationError
from theory.activations import find as find_statement
from theory.costs import COSTS
from theory.expressions import ExpressionError

__all__ = ["MAX_DEPTH", "MAX_PARAMETERS", "OUTPUTS", "Network", "find_activation"]

MAX_DEPTH = 1000
MAX_PARAMETERS = 500_000_000
OUTPUTS = (*ACTIVATIONS, "softmax")
DEFAULT_ACTIVATION, DEFAULT_OUTPUT, DEFAULT_COST = "sigmoid", "identity", "half-sse"


@dataclass(frozen=True)
class Network:
    """A feed-forward network of dense layers.

    Parameters
    ----------
    sizes : units of every layer, input first: (M_0, …, M_L), at least two, each at least 1.
    activations : one name (or expression in x) for each hidden layer, L - 1 of them.
    output : activation of the last layer; "softmax" is possible here only.
    cost : "half-sse" (½ΣΣ), "mse" (mean over samples and outputs), "binary-cross-entropy" or
        "cross-entropy" (both: mean over samples of the sum over outputs).

    Errors: UsageError with what, got, where and what to do.  Source: LECTURE item 1.

    >>> network = Network.parse("64-32-10", activation="relu", output="softmax", cost="cross-entropy")
    >>> network.sizes, network.depth, network.size
    ((64, 32, 10), 2, 2410)
    >>> Network.parse("64-0-10")
    Traceback (most recent call last):
    backprop.errors.UsageError: a layer needs at least 1 unit, got 0 in layer 1 of 64-0-10; write sizes like \
784-100-100-10
    """

    sizes: tuple[int, ...]
    activations: tuple[str, ...]
    output: str = DEFAULT_OUTPUT
    cost: str = DEFAULT_COST

    def __post_init__(self) -> None:
        check_sizes(self.sizes)
        check_choices(self)

    @classmethod
    def parse(
        cls,
        sizes: str | Sequence[int],
        activation: str | Iterable[str] = DEFAULT_ACTIVATION,
        output: str = DEFAULT_OUTPUT,
        cost: str = DEFAULT_COST,
    ) -> Network:
        """Build a specification from the short form: sizes as "784-100-100-10" or a sequence, one activation for
        all hidden layers or one for each."""
        numbers = parse_sizes(sizes)
        hidden = max(len(numbers) - 2, 0)
        names = (activation,) * hidden if isinstance(activation, str) else tuple(activation)
        if isinstance(activation, str) and not hidden:
            find_activation(activation, "hidden layers, of which there are none")
        if len(names) != hidden:
            raise UsageError(
                f"{hidden} hidden layers need {hidden} activations, got {len(names)}; "
                "give one name for all or one for each hidden layer"
            )
        return cls(numbers, names, output, cost)

    @property
    def depth(self) -> int:
        """L, the number of layers that own parameters."""
        return len(self.sizes) - 1

    @property
    def size(self) -> int:
        """The number of parameters."""
        return sum((rows + 1) * columns for rows, columns in pairwise(self.sizes))

    @property
    def layers(self) -> tuple[str, ...]:
        """The activation of every layer 1..L."""
        return (*self.activations, self.output)

    @property
    def targets(self) -> str:
        """What the cost asks of Y: "real", "binary" or "distribution"."""
        return COSTS[self.cost].targets

    def __str__(self) -> str:
        hidden = ", ".join(dict.fromkeys(self.activations)) or "none"
        sizes = "-".join(str(size) for size in self.sizes)
        return f"{sizes}, hidden {hidden}, output {self.output}, cost {self.cost}"


def parse_sizes(sizes: str | Sequence[int]) -> tuple[int, ...]:
    """Read "784-100-10" (or a sequence of integers)."""
    if not isinstance(sizes, str):
        numbers = tuple(sizes)
        if not all(isinstance(size, int) and not isinstance(size, bool) for size in numbers):
            raise UsageError(f"sizes must be integers, got {list(numbers)!r}; write sizes like (784, 100, 10)")
        return numbers
    parts = sizes.strip().split("-")
    shown = sizes if len(sizes) <= 60 else sizes[:57] + "..."
    if not all(part.isascii() and part.isdigit() and len(part) <= 9 for part in parts):
        raise UsageError(f"sizes must be whole numbers joined by '-', got {shown!r}; write sizes like 784-100-100-10")
    return tuple(int(part) for part in parts)


def check_sizes(sizes: tuple[int, ...]) -> None:
    """At least an input and an output; at least one unit each; not more than fits into memory."""
    shown = "-".join(str(size) for size in sizes[:8]) + ("-..." if len(sizes) > 8 else "")
    if len(sizes) < 2:
        raise UsageError(f"a network needs an input and an output size, got {shown!r}; write sizes like 784-100-100-10")
    if len(sizes) - 1 > MAX_DEPTH:
        raise UsageError(f"a network may have {MAX_DEPTH} layers, got {len(sizes) - 1}; use fewer layers")
    for layer, size in enumerate(sizes):
        if size < 1:
            raise UsageError(
                f"a layer needs at least 1 unit, got {size} in layer {layer} of {shown}; "
                "write sizes like 784-100-100-10"
            )
    parameters = sum((rows + 1) * columns for rows, columns in pairwise(sizes))
    if parameters > MAX_PARAMETERS:
        raise UsageError(
            f"{shown} has {parameters:,} parameters, more than the {MAX_PARAMETERS:,} that are supported; "
            "use smaller layers"
        )


def find_activation(name: str, where: str) -> Activation:
    """The statement of an activation by name or expression; UsageError says in which layer it was asked for."""
    try:
        return find_statement(name)
    except (ActivationError, ExpressionError) as error:
        raise UsageError(f"{error} ({where})") from None


def check_choices(network: Network) -> None:
    """Every activation and the cost are known, and the cost is defined for the output."""
    for layer, name in enumerate(network.activations, start=1):
        if name == "softmax":
            raise UsageError(
                f"softmax is an output activation only, got it in hidden layer {layer}; choose from: "
                f"{', '.join(ACTIVATIONS)}"
            )
        find_activation(name, f"hidden layer {layer}")
    if network.output != "softmax":
        find_activation(network.output, "output layer; softmax is possible here too")
    if network.cost not in COSTS:
        raise unknown_name("cost", network.cost, COSTS)
    allowed = COSTS[network.cost].outputs
    if allowed is not None and network.output not in allowed:
        raise UsageError(
            f"the cost {network.cost} needs outputs between 0 and 1, got output {network.output!r}; "
            f"choose the output from: {', '.join(allowed)}"
        )
    if network.output == "softmax" and network.sizes[-1] == 1:
        raise UsageError(
            "softmax over 1 output is always 1, got an output layer of 1 unit; "
            "use sigmoid with binary-cross-entropy for two classes"
        )
