"""All parameters in one flat vector, with named views; the only bridge between the two signatures."""

from __future__ import annotations

from collections import namedtuple
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from itertools import pairwise
from typing import Any

import numpy as np

from backprop.arrays import Array, as_array
from backprop.errors import UsageError
from backprop.specification.network import Network
from theory.layers.kind import CATALOGUE

__all__ = ["Block", "ParameterLayout"]


@dataclass(frozen=True)
class Block:
    """One parameter's place in the vector: W1 at [start:stop], its shape."""

    name: str
    shape: tuple[int, ...]
    start: int

    @property
    def stop(self) -> int:
        return self.start + int(np.prod(self.shape))


@dataclass(frozen=True)
class ParameterLayout:
    """Where every parameter lies: W1, b1, W2, b2, … one after the other, matrices by rows.

    `groups` says how they are put together: for each layer that owns any, what they are called together and one by
    one; a named tuple unless it is a pair (W, b).

    >>> [(block.name, block.shape, block.start, block.stop) for block in ParameterLayout.of((3, 2)).blocks]
    [('W1', (3, 2), 0, 6), ('b1', (2,), 6, 8)]
    """

    blocks: tuple[Block, ...]
    groups: tuple[tuple[str, tuple[str, ...]], ...] = ()

    @classmethod
    def of(cls, sizes: Sequence[int]) -> ParameterLayout:
        """The layout of dense layers with these sizes."""
        pairs = enumerate(pairwise(sizes), start=1)
        named = [((f"W{k}", (rows, columns)), (f"b{k}", (columns,))) for k, (rows, columns) in pairs]
        return cls(place(array for pair in named for array in pair), (("Dense", ("W", "b")),) * len(named))

    @classmethod
    def of_network(cls, network: Network) -> ParameterLayout:
        """The layout of any network.

        >>> from backprop.specification.layers import BatchNorm, Dense
        >>> [block.name for block in ParameterLayout.of_network(Network(2, Dense(3), BatchNorm())).blocks]
        ['W1', 'b1', 'gamma1', 'beta1']
        """
        owners = [element for element in network.elements if element.kind and element.parameters]
        blocks = place((parameter.name, parameter.shape) for own in owners for parameter in own.parameters)
        groups = ((own.kind.owner if own.kind else "", tuple(p.field for p in own.parameters)) for own in owners)
        return cls(blocks, tuple(groups))

    @cached_property
    def size(self) -> int:
        """The number of parameters."""
        return self.blocks[-1].stop

    @cached_property
    def kinds(self) -> tuple[type | None, ...]:
        """The named tuple of each group; None for a pair (W, b)."""
        return tuple(None if owner == "Dense" else tuple_of(owner, fields) for owner, fields in self.groups)

    def views(self, theta: Array) -> list[Any]:
        """[(W1, b1), …]: views of the vector, no copies.  Errors: UsageError if theta has another shape."""
        if as_array(theta, "theta") is not theta:
            raise UsageError("theta must be an array of floating-point numbers itself; write np.array(theta, float)")
        self.check(theta)
        arrays = iter([theta[block.start : block.stop].reshape(block.shape) for block in self.blocks])
        return [
            (next(arrays), next(arrays)) if kind is None else kind(*(next(arrays) for _ in fields))
            for (_, fields), kind in zip(self.groups, self.kinds, strict=True)
        ]

    def check(self, theta: Array) -> None:
        """Errors: UsageError if theta has another shape."""
        if theta.shape != (self.size,):
            raise UsageError(
                f"theta must be one vector of {self.size} parameters, got shape {theta.shape}; "
                "start from net.initial(rng)"
            )

    def flatten(self, params: Sequence[Sequence[Array]]) -> Array:
        """One new vector from [(W1, b1), …].  Errors: UsageError naming the parameter whose shape is wrong."""
        arrays = [as_array(array, "a parameter") for pair in params for array in pair]
        if len(arrays) != len(self.blocks):
            raise UsageError(
                f"{len(self.blocks)} parameters are needed, got {len(arrays)}; pass one (W, b) for each layer"
            )
        for block, array in zip(self.blocks, arrays, strict=True):
            if array.shape != block.shape:
                raise UsageError(
                    f"{block.name} must have shape {block.shape}, got {array.shape}; W is (inputs, outputs)"
                )
        return np.concatenate([array.ravel() for array in arrays])


def place(arrays: Iterable[tuple[str, tuple[int, ...]]]) -> tuple[Block, ...]:
    """Blocks one after the other."""
    blocks: list[Block] = []
    for name, shape in arrays:
        blocks.append(Block(name, shape, blocks[-1].stop if blocks else 0))
    return tuple(blocks)


@cache
def tuple_of(owner: str, fields: tuple[str, ...]) -> type:
    """The named tuple of what a kind of layer owns; found in this module by its name, as a pickle wants it."""
    made: type = namedtuple(owner, fields, module=__name__)  # type: ignore[misc]
    globals()[owner] = made
    return made


for _kind in CATALOGUE.values():
    if _kind.owner not in ("", "Dense"):
        tuple_of(_kind.owner, tuple(name for name, _ in _kind.parameters))
