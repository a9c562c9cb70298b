"""GEMMs alone: the matrix products of one gradient and nothing else, as quickly as NumPy does them.

Forward A W; backward A.T D for every layer, and D W.T for all but the first.  Operands lie as in the mathematics
(rows = samples), results go into arrays that are there already.  Each product is done by `ndarray.dot(…, out)` or by
`np.matmul(…, out=)`, whichever was quicker for its shapes just before: the fastest of what NumPy offers.
"""

from __future__ import annotations

import timeit
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np

__all__ = ["multiply_alone"]

REPEATS = 7


def multiply_alone(
    sizes: tuple[int, ...], n: int, dtype: Any, rng: np.random.Generator, ways: tuple[str, ...] = ("dot", "matmul")
) -> Callable[[], None]:
    """A function that does the products of one gradient, each in the quickest of some ways."""
    arrays: dict[str, Any] = {"matmul": np.matmul, "dot": np.ndarray.dot}
    for layer, width in enumerate(sizes):
        arrays[f"A{layer}"] = rng.normal(size=(n, width)).astype(dtype)
        arrays[f"A{layer}T"] = arrays[f"A{layer}"].T
        arrays[f"D{layer}"] = rng.normal(size=(n, width)).astype(dtype)
        arrays[f"Z{layer}"] = np.empty((n, width), dtype)
    for layer, (rows, columns) in enumerate(pairwise(sizes), start=1):
        arrays[f"W{layer}"] = rng.normal(size=(rows, columns)).astype(dtype)
        arrays[f"W{layer}T"] = arrays[f"W{layer}"].T
        arrays[f"G{layer}"] = np.empty((rows, columns), dtype)
    depth = len(sizes) - 1
    products = [(f"A{k - 1}", f"W{k}", f"Z{k}") for k in range(1, depth + 1)]
    for k in range(depth, 0, -1):
        products.append((f"A{k - 1}T", f"D{k}", f"G{k}"))
        if k > 1:
            products.append((f"D{k}", f"W{k}T", f"Z{k - 1}"))
    lines = [choose(product, arrays, ways) for product in products]
    source = f"def run({', '.join(f'{name}={name}' for name in arrays)}):\n    " + "\n    ".join(lines)
    exec(source, arrays)
    return arrays["run"]


def choose(product: tuple[str, str, str], arrays: dict[str, Any], ways: tuple[str, ...]) -> str:
    """The call that does one product most quickly."""
    calls = [f"{function}({', '.join(product)})" for function in ways]
    size = arrays[product[0]].size * arrays[product[1]].shape[1]
    number = max(1, int(2e6 / (size + 1e4)))
    return min(calls, key=lambda call: min(timeit.repeat(call, globals=arrays, number=number, repeat=REPEATS)))
