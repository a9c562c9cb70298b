"""All parameters in one flat vector, with named views; the only bridge between the two signatures."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np

from backprop.arrays import Array, as_array
from backprop.errors import UsageError
from backprop.network import Network

__all__ = ["Array", "Block", "Gate", "Layout", "Scale", "Slope"]


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
class Layout:
    """Where every parameter lies: W1, b1, W2, b2, … one after the other, matrices by rows.

    `groups` says how they are put together: for each layer that owns any, its fields, and a named tuple unless it
    is a pair (W, b).

    >>> [(block.name, block.shape, block.start, block.stop) for block in Layout.of((3, 2)).blocks]
    [('W1', (3, 2), 0, 6), ('b1', (2,), 6, 8)]
    """

    blocks: tuple[Block, ...]
    groups: tuple[tuple[str, ...], ...] = ()

    @classmethod
    def of(cls, sizes: Sequence[int]) -> Layout:
        """The layout of dense layers with these sizes."""
        pairs = enumerate(pairwise(sizes), start=1)
        named = [((f"W{k}", (rows, columns)), (f"b{k}", (columns,))) for k, (rows, columns) in pairs]
        return cls(place(array for pair in named for array in pair), (("W", "b"),) * len(named))

    @classmethod
    def of_network(cls, network: Network) -> Layout:
        """The layout of any network.

        >>> from backprop.layers import BatchNorm, Dense
        >>> [block.name for block in Layout.of_network(Network(2, Dense(3), BatchNorm())).blocks]
        ['W1', 'b1', 'gamma1', 'beta1']
        """
        owners = [element.parameters for element in network.elements if element.parameters]
        blocks = place((parameter.name, parameter.shape) for owned in owners for parameter in owned)
        return cls(blocks, tuple(tuple(parameter.field for parameter in owned) for owned in owners))

    @cached_property
    def size(self) -> int:
        """The number of parameters."""
        return self.blocks[-1].stop

    @cached_property
    def kinds(self) -> tuple[type | None, ...]:
        """The named tuple of each group; None for a pair (W, b)."""
        return tuple(None if fields == ("W", "b") else NAMED[fields] for fields in self.groups)

    def views(self, theta: Array) -> list[Any]:
        """[(W1, b1), …]: views of the vector, no copies.  Errors: UsageError if theta has another shape."""
        if as_array(theta, "theta") is not theta:
            raise UsageError("theta must be an array of floating-point numbers itself; write np.array(theta, float)")
        self.check(theta)
        arrays = iter([theta[block.start : block.stop].reshape(block.shape) for block in self.blocks])
        return [
            (next(arrays), next(arrays)) if kind is None else kind(*(next(arrays) for _ in fields))
            for fields, kind in zip(self.groups, self.kinds, strict=True)
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


class Scale(NamedTuple):
    """What a normalisation owns."""

    gamma: Array
    beta: Array


class Slope(NamedTuple):
    """What a PReLU owns."""

    slope: Array


class Gate(NamedTuple):
    """What a gated layer owns."""

    W: Array
    b: Array
    V: Array
    c: Array


NAMED: dict[tuple[str, ...], type] = {kind._fields: kind for kind in (Scale, Slope, Gate)}
