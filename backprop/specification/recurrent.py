"""What a recurrent network is: one recurrent layer over a sequence, then a dense layer on its last step."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from backprop.errors import UsageError, unknown_name
from backprop.specification.network import DEFAULT_COST, DEFAULT_OUTPUT, Network
from theory.chapters.networks.recurrent import STATEMENTS

__all__ = ["KINDS", "RecurrentNetwork"]

KINDS = tuple(STATEMENTS)
"""The layers over time, as the book states them."""


@dataclass(frozen=True)
class RecurrentNetwork:
    """A layer over time that reads sequences of any length, and a dense layer that reads its last step.

    `kind` is "recurrent" (Elman's), "lstm", "gru" (the reset gate behind the product, as in torch and Keras) or
    "gru_before" (before it, as first published).
    `dense` is the same network for sequences of one step: inputs, units, outputs, functions and cost are checked and
    kept there.  Shapes: X (n, T, inputs), Y (n, outputs).

    >>> RecurrentNetwork.parse("3-8-2").sizes
    (3, 8, 2)
    >>> RecurrentNetwork.parse("3-2")
    Traceback (most recent call last):
    backprop.errors.UsageError: a recurrent network has three sizes, inputs-units-outputs, and no other layers, \
got 3-2, hidden none, output identity, cost half-sse; write 3-8-2
    """

    dense: Network
    kind: str = "recurrent"

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise unknown_name("kind of layer over time", self.kind, KINDS)
        if self.dense.depth != 2 or not self.dense.is_plain:
            raise UsageError(
                "a recurrent network has three sizes, inputs-units-outputs, and no other layers, "
                f"got {self.dense!s:.80}; write 3-8-2"
            )

    @classmethod
    def parse(
        cls,
        sizes: str | Sequence[int],
        activation: str = "tanh",
        output: str = DEFAULT_OUTPUT,
        cost: str = DEFAULT_COST,
        kind: str = "recurrent",
    ) -> RecurrentNetwork:
        """From "inputs-units-outputs" or three numbers.  Errors: UsageError with what, got and what to do."""
        widths = Network.parse(sizes, cost=cost, output=output)
        return cls(Network.parse(sizes, activation, output, cost) if widths.depth == 2 else widths, kind)

    @property
    def sizes(self) -> tuple[int, ...]:
        """(inputs, units, outputs)."""
        return self.dense.sizes

    @property
    def targets(self) -> str:
        """What the cost asks of Y."""
        return self.dense.targets

    def __str__(self) -> str:
        return f"{self.kind} {self.dense}"
