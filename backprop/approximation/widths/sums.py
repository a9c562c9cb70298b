"""Which numbers of a list have a sum near a given one: which units may look left."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["find_sums"]

Floats = NDArray[np.float64]

FREE_KINKS = 34
"""So many kinks may look either way when a sum is looked for; the rest look as brings it nearer, largest first."""
TRIED = 3
"""Sets of kinks that are tried."""


def find_sums(numbers: Floats, wanted: float, tried: int = TRIED) -> list[tuple[int, ...]]:
    """Sets of indices with sums near a number: a few numbers free, the others as they bring it nearer, largest first.

    The free ones are cut in two halves; for each sum of the one the nearest of the other is looked up.

    Source: E. Horowitz, S. Sahni, Computing partitions with applications to the knapsack problem (1974).

    >>> find_sums(np.array([3.0, 5.0, 7.0]), 10.0)[0]
    (0, 2)
    """
    order = np.argsort(-np.abs(numbers), kind="stable")
    free = order[np.unique(np.linspace(0, len(order) - 1, min(len(order), FREE_KINKS)).astype(int))]
    taken: list[int] = []
    for k in (int(k) for k in order if k not in free):
        if abs(wanted - numbers[k]) < abs(wanted):
            taken.append(k)
            wanted -= float(numbers[k])
    halves = [free[: len(free) // 2], free[len(free) // 2 :]]
    choices = [np.arange(2 ** len(half))[:, None] >> np.arange(len(half)) & 1 == 1 for half in halves]
    sums = [choice @ numbers[half] for choice, half in zip(choices, halves, strict=True)]
    order = np.argsort(sums[1])
    near = order[np.clip(np.searchsorted(sums[1][order], wanted - sums[0]), 0, len(order) - 1)]
    best = np.argsort(np.abs(wanted - sums[0] - sums[1][near]))[:tried]
    return [tuple(sorted([*taken, *halves[0][choices[0][k]].tolist(), *halves[1][choices[1][near[k]]].tolist()]))
            for k in best]  # fmt: skip
