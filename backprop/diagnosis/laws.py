"""The law c·n^p behind numbers found at several batch sizes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

__all__ = ["SAME_NUMBER", "find_law"]

SAME_NUMBER = 1e-5
POWERS = (0, 1, -1, 2, -2)
NICE = (1.0, 2.0, 0.5, -1.0, 0.0, 4.0, 0.25, 3.0, 0.1, 0.01)


def find_law(numbers: Sequence[tuple[float, int]], same: float = SAME_NUMBER) -> tuple[float, int] | None:
    """c and p with number = c·n^p at every case; where several do, a c that people write."""
    found = []
    for power in POWERS:
        constants = [number / rows**power for number, rows in numbers]
        middle = float(np.median(constants))
        if all(abs(c - middle) <= same * max(abs(middle), 1e-6) for c in constants):
            found.append((middle, power))
    if not found:
        return None
    nice = [pair for pair in found if any(abs(pair[0] - x) < same for x in NICE)]
    return (nice or found)[0]
