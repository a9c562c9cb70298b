"""The law c·n^p behind numbers found at several batch sizes, and how it is written."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

__all__ = ["SAME_NUMBER", "Factor", "describe_law", "find_law"]

SAME_NUMBER = 1e-5
POWERS = (0, 1, -1, 2, -2)
NICE = (1.0, 2.0, 0.5, -1.0, 0.0, 4.0, 0.25, 3.0, 0.1, 0.01)
LARGEST_PART = 64
"""Of a fraction that people write; beyond it a number stays a decimal."""


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


def describe_law(number: float, power: int) -> str:
    """c·n^p as people write it: a fraction where the number is one.

    >>> describe_law(2.0, -1), describe_law(1 / 3, 0), describe_law(0.5, 1), describe_law(1.0, -2)
    ('2/n', '1/3', 'n/2', '1/n²')
    >>> describe_law(-1.0, 1), describe_law(0.12345, 0), describe_law(-2.2e-17, 0)
    ('-n', '0.12345', '0')
    """
    letter = {1: "n", 2: "n²"}.get(abs(power), "")
    part = Fraction(number).limit_denominator(LARGEST_PART)
    if abs(number) < SAME_NUMBER:
        return "0" if not power else f"{number:.6g}·{letter}" if power > 0 else f"{number:.6g}/{letter}"
    if abs(float(part) - number) > SAME_NUMBER * abs(number) or abs(part.numerator) > LARGEST_PART**2:
        return f"{number:.6g}" + (f"·{letter}" if power > 0 else f"/{letter}" if power else "")
    above, below = part.numerator, part.denominator
    sign, above = ("-" if above < 0 else ""), abs(above)
    top = letter if power > 0 and above == 1 else f"{above}{letter if power > 0 else ''}"
    bottom = "".join(([str(below)] if below > 1 else []) + ([letter] if power < 0 else []))
    bottom = f"({bottom})" if below > 1 and power < 0 else bottom
    return f"{sign}{top}/{bottom}" if bottom else f"{sign}{top}"


@dataclass(frozen=True)
class Factor:
    """yours = number · n^power · expected, in all readings of some tensors at every case where they are wrong.

    `off` is the largest gap in units of its room, `entries` how many readings were compared, `rows` the batch sizes.
    """

    number: float
    power: int
    off: float
    entries: int
    rows: tuple[int, ...]

    @property
    def law(self) -> tuple[float, int]:
        """Number and power, as far as two factors are told apart."""
        return float(f"{self.number:.4g}"), self.power

    def at(self, rows: int | None) -> float:
        """The factor at a batch size."""
        return self.number * float(rows or 1) ** self.power

    def __str__(self) -> str:
        text = describe_law(self.number, self.power)
        sizes = set(self.rows)
        if self.power and len(sizes) == 1:
            size = next(iter(sizes))
            return f"{describe_law(self.at(size), 0)} ({text} at n = {size}, the only batch size seen)"
        return text
