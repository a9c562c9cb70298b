"""Two expressions by one operation: all pairs of two shapes at once, named only where somebody asks for one."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence, Set
from dataclasses import dataclass
from functools import cache
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from backprop.reading.proposing.shelf import Made, Rows

__all__ = ["LARGEST", "RARE", "Shape", "broadcasts", "pair_up", "reductions"]

Shape: TypeAlias = tuple[int, ...]

RARE = 3.0
"""What a quotient by data counts more: it is seldom meant, and fails where they are zero."""
LARGEST = 4_096


@dataclass(frozen=True)
class Joining:
    """How two are joined: the sign, what it does, how tightly it binds, whether order matters, nodes that it counts."""

    sign: str
    function: Callable[[Any, Any], Any]
    binds: int
    ordered: bool
    nodes: float = 1.0

    def say(self, left: Made, right: Made) -> str:
        """The text of both joined."""
        return f"{left.inside(self.binds)}{self.sign}{right.inside(self.binds + self.ordered)}"

    def count(self, right: Made) -> float:
        """What it adds to the length of both."""
        return RARE if self.sign == " / " and right.first.ndim else self.nodes


TIMES = Joining(" * ", np.multiply, 1, ordered=False)
ENTRIES = (
    TIMES,
    Joining(" / ", np.divide, 1, ordered=True),
    Joining(" + ", np.add, 0, ordered=False),
    Joining(" - ", lambda x, y: np.asarray(x, float) - y, 0, ordered=True),
)
PRODUCT = Joining(" @ ", np.matmul, 1, ordered=True, nodes=0.5)


@dataclass(frozen=True)
class Reduction:
    """A sum or mean along one axis, counted from the end, and the nodes that it counts."""

    name: str
    axis: int
    keeps: bool
    nodes: float

    def __call__(self, values: NDArray[Any]) -> Any:
        """Of one value, or of many along the first axis."""
        return getattr(values, self.name)(axis=self.axis, keepdims=self.keeps)

    def shape_of(self, shape: Shape) -> Shape:
        """The shape of what is left."""
        at = len(shape) + self.axis
        return (*shape[:at], *((1,) if self.keeps else ()), *shape[at + 1 :])

    def say(self, text: str, ndim: int) -> str:
        """The text of it."""
        return f"{text}.{self.name}(axis={ndim + self.axis}{', keepdims=True' if self.keeps else ''})"


@cache
def reductions(ndim: int) -> tuple[Reduction, ...]:
    """Sums along each axis with and without it, and the mean that keeps it."""
    made = []
    for axis in range(-ndim, 0):
        made += [Reduction("sum", axis, keeps, 1 + keeps / 2) for keeps in (False, True)]
        made.append(Reduction("mean", axis, True, 2.0))
    return tuple(made)


def pair_up(blocks: Sequence[Made], wanted: Set[Shape]) -> Iterator[Rows]:
    """All pairs of blocks by one operation, as far as somebody could ask for the shape."""
    groups: dict[tuple[Shape, str], list[int]] = {}
    for k, block in enumerate(blocks):
        groups.setdefault((block.first.shape, block.first.dtype.kind), []).append(k)
    stacks = {key: np.stack([blocks[k].first for k in members]) for key, members in groups.items()}
    for i, (a, mine) in enumerate(groups.items()):
        for j, (b, theirs) in enumerate(groups.items()):
            yield from _Pair(blocks, stacks[a], mine, stacks[b], theirs, again=i == j).make(wanted, first=i <= j)


@dataclass(frozen=True)
class _Pair:
    """Every block of one group with every one of another."""

    blocks: Sequence[Made]
    left: NDArray[Any]
    lefts: Sequence[int]
    right: NDArray[Any]
    rights: Sequence[int]
    again: bool
    """Both groups are the same: what does not depend on order is made once."""

    def make(self, wanted: Set[Shape], *, first: bool) -> Iterator[Rows]:
        """What they make; `first`: these groups meet in this order first."""
        a, b = self.left.shape[1:], self.right.shape[1:]
        if len(a) == len(b) == 2 and a[1] == b[0] and (a[0], b[1]) in wanted:
            yield from self._join(PRODUCT, self.left[:, None] @ self.right[None])
        if not broadcasts(a, b):
            return
        shape = np.broadcast_shapes(a, b)
        reduced = [r for r in reductions(len(shape)) if r.shape_of(shape) in wanted]
        for operation in ENTRIES if shape in wanted else ENTRIES[: bool(reduced)]:
            if operation.ordered or first:
                values = self._apply(operation, len(shape))
                if shape in wanted:
                    yield from self._join(operation, values)
                for reduction in reduced if operation is TIMES else ():
                    yield from self._join(operation, reduction(values), reduction)

    def _apply(self, operation: Joining, ndim: int) -> NDArray[Any]:
        """The operation on all pairs, the values of both with as many axes as the result has."""
        x, y = (v.reshape(len(v), *(1,) * (ndim - v.ndim + 1), *v.shape[1:]) for v in (self.left, self.right))
        return np.asarray(operation.function(x[:, None], y[None]))

    def _join(self, operation: Joining, values: NDArray[Any], reduction: Reduction | None = None) -> Iterator[Rows]:
        """Those that are finite, with what names one of them."""
        if values[0, 0].size > LARGEST:
            return
        flat = values.reshape(len(self.lefts), len(self.rights), -1)
        usable = np.isfinite(flat).all(axis=2)
        if self.again and not operation.ordered:
            usable &= np.less_equal.outer(self.lefts, self.rights)
        i, j = np.nonzero(usable)
        extra = 0.0 if reduction is None else reduction.nodes
        mine = np.array([self.blocks[k].size for k in self.lefts])
        theirs = np.array([self.blocks[k].size + operation.count(self.blocks[k]) + extra for k in self.rights])

        def name(row: int) -> Made:
            left, right = self.blocks[self.lefts[i[row]]], self.blocks[self.rights[j[row]]]
            return _name(operation, reduction, left, right)

        yield Rows(values.shape[2:], flat[i, j].astype(float), mine[i] + theirs[j], name)


def _name(operation: Joining, reduction: Reduction | None, left: Made, right: Made) -> Made:
    """One of them by itself."""
    function, text = operation.function, operation.say(left, right)
    first = np.asarray(function(left.first, right.first))
    size = left.size + right.size + operation.count(right)
    if reduction is None:
        return Made(text, first, lambda k: np.asarray(function(left.at(k), right.at(k))), size, operation.binds)
    said = reduction.say(f"({text})", first.ndim)

    def at(k: int) -> NDArray[Any]:
        return np.asarray(reduction(np.asarray(function(left.at(k), right.at(k)))))

    return Made(said, np.asarray(reduction(first)), at, size + reduction.nodes, 2)


def broadcasts(a: Shape, b: Shape) -> bool:
    """Whether two shapes go together entry by entry."""
    return all(m == n or 1 in (m, n) for m, n in zip(a[::-1], b[::-1], strict=False))
