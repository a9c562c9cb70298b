"""What a recurrent network is: one recurrent layer over a sequence, then a dense layer on its last step."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from backprop.errors import UsageError
from backprop.specification.network import DEFAULT_COST, DEFAULT_OUTPUT, Network

__all__ = ["RecurrentNetwork"]


@dataclass(frozen=True)
class RecurrentNetwork:
    """A recurrent layer (Elman's) that reads sequences of any length, and a dense layer that reads its last step.

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

    def __post_init__(self) -> None:
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
    ) -> RecurrentNetwork:
        """From "inputs-units-outputs" or three numbers.  Errors: UsageError with what, got and what to do."""
        widths = Network.parse(sizes, cost=cost, output=output)
        return cls(Network.parse(sizes, activation, output, cost) if widths.depth == 2 else widths)

    @property
    def sizes(self) -> tuple[int, ...]:
        """(inputs, units, outputs)."""
        return self.dense.sizes
