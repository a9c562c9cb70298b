"""Expressions made for a mend, kept so that those with a wanted value are found at once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

__all__ = ["CLOSE", "Made", "Place", "Rows", "Shelf", "dedupe"]

Place: TypeAlias = int
"""One time that a line runs, at one point."""

CLOSE = 1e-6
SCALE, SPREAD = 2.0**30, 2**12
"""Digits of a projection that tell values apart, and room for its exponent."""


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


@dataclass(frozen=True, eq=False)
class Rows:
    """Many expressions of one shape: their values in rows, their lengths, and which one a row is."""

    shape: tuple[int, ...]
    values: NDArray[Any]
    sizes: NDArray[Any]
    name: Callable[[int], Made]


class Shelf:
    """Expressions by shape, to be found by their value at the first place: a random projection, then the whole.

    Of those with the same value the shortest is kept; of many in rows only those that are found are ever named.
    """

    def __init__(self, expressions: Sequence[Made], rows: Sequence[Rows] = ()) -> None:
        by_shape: dict[tuple[int, ...], list[Rows]] = {}
        for e in expressions:
            one = Rows(e.first.shape, e.first.reshape(1, -1).astype(float), np.array([e.size]), lambda _, e=e: e)  # type: ignore[misc]
            by_shape.setdefault(one.shape, []).append(one)
        for many in rows:
            by_shape.setdefault(many.shape, []).append(many)
        self.stacks: dict[tuple[int, ...], NDArray[Any]] = {}
        self.places: dict[tuple[int, ...], list[tuple[Rows, int]]] = {}
        for shape, found in by_shape.items():
            values = np.concatenate([one.values for one in found])
            of = np.repeat(np.arange(len(found)), [len(one.values) for one in found])
            rows_in = np.concatenate([np.arange(len(one.values)) for one in found])
            order = np.argsort(np.concatenate([one.sizes for one in found]), kind="stable")
            _, kept = np.unique(_signs(values[order]), return_index=True)
            order = order[np.sort(kept)]
            self.stacks[shape] = values[order]
            self.places[shape] = [(found[k], int(row)) for k, row in zip(of[order], rows_in[order], strict=True)]
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
        return [rows.name(row) for rows, row in (self.places[first.shape][k] for k in sorted(near))]


def dedupe(expressions: Sequence[Made]) -> list[Made]:
    """The shortest of those with the same value at the first place."""
    best: dict[Any, Made] = {}
    for e in sorted(expressions, key=lambda e: e.size):
        best.setdefault((e.first.shape, _sign(e.first)), e)
    return list(best.values())


@cache
def _weights(size: int) -> NDArray[Any]:
    return np.random.default_rng(size).uniform(0.5, 1.5, size)


def _sign(v: NDArray[Any]) -> int:
    """The same for equal values, for others hardly ever: a random projection."""
    return int(_signs(v.reshape(1, -1))[0])


def _signs(values: NDArray[Any]) -> NDArray[np.int64]:
    """The sign of each row: its projection to some thirty digits of two, and its exponent."""
    mantissa, exponent = np.frexp(values.astype(float) @ _weights(values.shape[1]))
    signs: NDArray[np.int64] = np.rint(mantissa * SCALE).astype(np.int64) * SPREAD + exponent
    return signs
