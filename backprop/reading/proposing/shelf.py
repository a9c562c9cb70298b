"""Expressions made for a mend, kept so that those with a wanted value are found at once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

__all__ = ["CLOSE", "Made", "Place", "Shelf", "dedupe"]

Place: TypeAlias = int
"""One time that a line runs, at one point."""

CLOSE = 1e-6
DIGITS = 9


@dataclass(frozen=True, eq=False)
class Made:
    """A text, what it is at the first place and how to get it at others, its length in nodes, how tightly it binds.

    `binds`: 0 a sum, 1 a product, 2 an atom.
    """

    text: str
    first: NDArray[Any]
    at: Callable[[Place], NDArray[Any]]
    size: float
    binds: int = 2

    def inside(self, binds: int) -> str:
        """The text where something that binds so tightly stands around it."""
        return self.text if self.binds >= binds else f"({self.text})"


class Shelf:
    """Expressions by shape, to be found by their value at the first place: a random projection, then the whole."""

    def __init__(self, expressions: Sequence[Made]) -> None:
        self.by_shape: dict[tuple[int, ...], list[Made]] = {}
        for e in expressions:
            self.by_shape.setdefault(e.first.shape, []).append(e)
        self.stacks = {
            shape: np.stack([e.first.ravel() for e in found]).astype(float) for shape, found in self.by_shape.items()
        }
        self.sorted: dict[tuple[tuple[int, ...], bytes], tuple[Any, ...]] = {}

    def _project(self, shape: tuple[int, ...], known: NDArray[np.bool_]) -> tuple[Any, ...]:
        """Weights of the known entries, and what they make of every expression of the shape, in order."""
        key = shape, known.tobytes()
        if key not in self.sorted:
            weights = _weights(known.size) * known.ravel()
            projected = self.stacks[shape] @ weights
            order = np.argsort(projected)
            self.sorted[key] = weights, projected[order], order
        return self.sorted[key]

    def find(self, first: NDArray[Any]) -> list[Made]:
        """All that are close there."""
        known = ~np.isnan(first)
        if first.shape not in self.stacks or not known.any():
            return []
        flat = np.where(known, first, 0.0).ravel().astype(float)
        scale = max(float(np.max(np.abs(flat))), 1e-12)
        weights, projected, order = self._project(first.shape, known)
        at, slack = float(flat @ weights), CLOSE * scale * float(weights.sum())
        start, end = np.searchsorted(projected, (at - slack, at + slack))
        stack, mask = self.stacks[first.shape], known.ravel()
        near = [int(k) for k in order[start:end] if np.all(np.abs(stack[k] - flat)[mask] <= CLOSE * scale)]
        return [self.by_shape[first.shape][k] for k in sorted(near)]


def dedupe(expressions: Sequence[Made]) -> list[Made]:
    """The shortest of those with the same value at the first place."""
    best: dict[Any, Made] = {}
    for e in sorted(expressions, key=lambda e: e.size):
        best.setdefault((e.first.shape, _sign(e.first)), e)
    return list(best.values())


@cache
def _weights(size: int) -> NDArray[Any]:
    return np.random.default_rng(size).uniform(0.5, 1.5, size)


def _sign(v: NDArray[Any]) -> str:
    """The same for equal values, for others hardly ever: a random projection."""
    return f"{float(v.ravel() @ _weights(v.size)):.{DIGITS}e}"
