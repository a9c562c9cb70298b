"""Sizes that must be equal: a union of unknown lengths, learned from the definitions before any number is drawn."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

__all__ = ["Dim", "Dims", "OutOfRange", "ShapeMisfit"]


class ShapeMisfit(Exception):
    """Two things were put together whose shapes do not fit; the message says which."""


class OutOfRange(ShapeMisfit):
    """A shifted index, x_{i+1}, that points beyond its axis: the formula is meant for what lies inside."""


class Dim:
    """One length: unknown, equal to another, 1, or the sum of parts (side by side)."""

    __slots__ = ("_up", "free", "name", "parts", "size")

    def __init__(
        self, size: int | None = None, parts: tuple[Dim, ...] = (), name: str = "", free: bool = False
    ) -> None:
        self._up: Dim | None = None
        self.size = size
        self.parts = parts
        self.name = name
        self.free = free

    def root(self) -> Dim:
        """The one that stands for all equal ones."""
        here = self
        while here._up is not None:
            here = here._up
        return here

    def join(self, other: Dim) -> None:
        """Make two lengths equal."""
        a, b = self.root(), other.root()
        if a is b:
            return
        if a.parts and b.parts and len(a.parts) == len(b.parts):
            for one, two in zip(a.parts, b.parts, strict=True):
                one.join(two)
            return
        if a.size is not None and b.size is not None and a.size != b.size:
            raise ShapeMisfit(f"length {a.size} against length {b.size}")
        if a.name and b.name and a.name != b.name:
            raise ShapeMisfit(f"length {a.name} against length {b.name}")
        if a.parts or (a.size is not None and not b.parts):
            a, b = b, a
        if any(leaf is a for leaf in b.leaves()):
            raise ShapeMisfit("a length that is a part of itself")
        b.name = b.name or a.name
        b.free = b.free and a.free
        a._up = b

    def leaves(self) -> list[Dim]:
        """What a length is put together of."""
        parts = self.root().parts
        return [leaf for part in parts for leaf in [part.root(), *part.leaves()]]

    def fits(self, other: Dim) -> bool:
        """Whether both could be the same length."""
        a, b = self.root(), other.root()
        named = bool(a.name and b.name and a.name != b.name)
        return a is b or not (named or (a.size is not None and b.size is not None and a.size != b.size))

    def length(self) -> int | None:
        """The number, if it is known by now."""
        root = self.root()
        if root.parts:
            sizes = [part.length() for part in root.parts]
            return sum(size for size in sizes if size is not None) if None not in sizes else None
        return root.size


class Dims:
    """The lengths of one formula, and how they get numbers."""

    def __init__(self) -> None:
        self.named: dict[str, Dim] = {}
        self.all: list[Dim] = []
        self.one = Dim(1, name="1")
        self.soft = False

    def new(self, name: str = "") -> Dim:
        """An unknown length."""
        dim = Dim(name=name, free=self.soft)
        self.all.append(dim)
        return dim

    def join(self, one: Dim, two: Dim) -> None:
        """Make two lengths equal; while a formula under judgement is read, only what nothing else has fixed."""
        if self.soft and not (one.root().free or two.root().free):
            return
        if self.soft and not one.fits(two):
            return
        one.join(two)

    def name(self, name: str) -> Dim:
        """The length of that name; a number is itself."""
        if name == "1":
            return self.one
        if name.isdigit():
            return Dim(min(int(name), 6))
        if name not in self.named:
            self.named[name] = self.new(name)
        return self.named[name]

    def unknown(self) -> list[Dim]:
        """The lengths that have no number yet, each once."""
        seen: list[Dim] = []
        for dim in self.all:
            for root in self._leaves(dim):
                if root.size is None and not any(root is one for one in seen):
                    seen.append(root)
        return seen

    def _leaves(self, dim: Dim) -> Iterable[Dim]:
        root = dim.root()
        if not root.parts:
            yield root
        for part in root.parts:
            yield from self._leaves(part)

    def draw(self, rng: np.random.Generator, equal: bool, most: int = 4) -> None:
        """Give every unknown length a number: all 2, or different ones from 2."""
        unknown = self.unknown()
        start = int(rng.integers(0, most - 1))
        numbers = (rng.permutation(len(unknown)) + start) % (most - 1) + 2 if not equal else np.full(len(unknown), 2)
        for dim, number in zip(unknown, numbers, strict=True):
            dim.size = int(number)

    def stretch(self, a: Sequence[Dim], b: Sequence[Dim]) -> tuple[Dim, ...]:
        """The shape of an elementwise result: equal lengths, 1 stretches."""
        if len(a) < len(b):
            a, b = b, a
        pad = len(a) - len(b)
        out = list(a[:pad])
        for one, two in zip(a[pad:], b, strict=True):
            if one.length() == 1:
                out.append(two)
            elif two.length() == 1:
                out.append(one)
            else:
                self.join(one, two)
                out.append(one)
        return tuple(out)
