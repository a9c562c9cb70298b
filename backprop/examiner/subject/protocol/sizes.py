"""Natural sizes of parameters: how far each may be moved so that the network stays what it is."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from backprop.examiner.subject.protocol.naming import Leaf

__all__ = ["root_mean_square", "size_entries", "size_tensors"]

Array = NDArray[np.float64]


def size_tensors(values: Sequence[Array], leaves: Sequence[Leaf]) -> list[float]:
    """Of each tensor its own root mean square; of zeros that of the smallest one beside it.

    Tensors of one network may differ by any factor: prices have an output bias of 1e5 above weights of 1.
    """
    own = [root_mean_square(v) for v in values]
    smallest = min((size for size in own if size), default=1.0)
    found = []
    for size, leaf in zip(own, leaves, strict=True):
        beside = [other for other, its in zip(own, leaves, strict=True) if other and its.layer == leaf.layer]
        found.append(size or min(beside, default=smallest))
    return found


def size_entries(values: Sequence[Array], leaves: Sequence[Leaf]) -> list[Array]:
    """Of each entry: in a matrix the smaller of its row's and its column's root mean square, in weights of one output
    and in flat vectors its own size, elsewhere that of the tensor.

    Inputs in different units have weights in different units: a row of its size for each.
    """
    return [
        _size_tensor(value, leaf, size)
        for value, leaf, size in zip(values, leaves, size_tensors(values, leaves), strict=True)
    ]


def root_mean_square(values: Array) -> float:
    """√(mean of squares), 0 for nothing."""
    largest = float(np.max(np.abs(values), initial=0.0))
    # Squares of what is near the ends of the number range would leave it.
    return largest * float(np.sqrt(np.mean((values / largest) ** 2))) if largest else 0.0


def _size_tensor(value: Array, leaf: Leaf, size: float) -> Array:
    if leaf.role != "b" and (value.ndim == 1 or (value.ndim == 2 and 1 in value.shape)):
        found = np.abs(value)
    elif value.ndim == 2:
        found = np.minimum(*(np.sqrt(np.mean(value**2, axis=axis, keepdims=True)) for axis in (0, 1)))
        found = np.broadcast_to(found, value.shape)
    else:
        found = np.full(value.shape, size)
    return np.where(found > 0, found, size)
