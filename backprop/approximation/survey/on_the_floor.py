"""Networks of several widths with a polynomial for activation: they come down to the floor and stay there."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from backprop.approximation.searching.search import approximate
from backprop.errors import UsageError

__all__ = ["FloorRow", "list_networks_on_floor"]


class FloorRow(NamedTuple):
    """One network: its width, the largest error on the grid (measured), that error over the floor (proved)."""

    width: int
    error: float
    ratio: float


def list_networks_on_floor(
    target: str, activation: str, widths: Iterable[int], domain: Sequence[float] = (0.0, 1.0)
) -> list[FloorRow]:
    """Fit a network of each width and divide its error by the floor: never below 1, and near 1 once width >= degree.

    Errors: `UsageError` where nothing above 0 is proved: the activation is no polynomial, or F is one of its degree.

    >>> [f"{row.width} {row.ratio:.4f}" for row in list_networks_on_floor("sine", "x**2", (3,))]
    ['3 1.0000']
    """
    rows = []
    for width in widths:
        found = approximate(target, width=width, activation=activation, domain=domain)
        if found.limit is None:
            raise UsageError(
                f"no floor above 0 is proved for {target!r} and {activation!r}; choose a polynomial of low degree"
            )
        rows.append(FloorRow(width, found.sup_error, found.sup_error / found.limit.lower))
    return rows
