"""All parameters in one flat vector, with named views; the only bridge between the two signatures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backprop.errors import UsageError

__all__ = ["Array", "Block", "Layout"]

Array = NDArray[Any]


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

    >>> [(block.name, block.shape, block.start, block.stop) for block in Layout.of((3, 2)).blocks]
    [('W1', (3, 2), 0, 6), ('b1', (2,), 6, 8)]
    """

    blocks: tuple[Block, ...]

    @classmethod
    def of(cls, sizes: Sequence[int]) -> Layout:
        """The layout of dense layers with these sizes."""
        blocks: list[Block] = []
        start = 0
        for layer, (rows, columns) in enumerate(pairwise(sizes), start=1):
            for name, shape in ((f"W{layer}", (rows, columns)), (f"b{layer}", (columns,))):
                blocks.append(Block(name, shape, start))
                start = blocks[-1].stop
        return cls(tuple(blocks))

    @property
    def size(self) -> int:
        """The number of parameters."""
        return self.blocks[-1].stop

    def views(self, theta: Array) -> list[tuple[Array, Array]]:
        """[(W1, b1), …]: views of the vector, no copies.  Errors: UsageError if theta has another shape."""
        if theta.shape != (self.size,):
            raise UsageError(
                f"theta must be one vector of {self.size} parameters, got shape {theta.shape}; "
                "start from net.initial(rng)"
            )
        arrays = [theta[block.start : block.stop].reshape(block.shape) for block in self.blocks]
        return list(zip(arrays[::2], arrays[1::2], strict=True))

    def flatten(self, params: Sequence[tuple[Array, Array]]) -> Array:
        """One new vector from [(W1, b1), …].  Errors: UsageError naming the parameter whose shape is wrong."""
        arrays = [np.asarray(array) for pair in params for array in pair]
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
