"""A line in another notation, judged: read under that notation's own choice in the same random networks as the book's.

What is written w_ji there is the weight that the book calls w_ij; beyond that nothing is known, least of all how the
line was rewritten.  Shapes are judged first: a product whose inner lengths differ means nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import product

from sympy import Expr

from theory.language import matrices as mf
from theory.language.notation import Index, Variable, free_indices, nodes
from theory.language.statement import System
from theory.witnesses.numbers import Dual
from theory.witnesses.witness import worlds
from theory.witnesses.world import Key, World

__all__ = ["ReadWorld", "misfits", "says_the_same"]

Exchanges = Callable[[tuple[Index, ...]], bool]


@dataclass
class ReadWorld(World):
    """A world in which two indices of a letter may be printed the other way round; what it computes is the book's."""

    book: World | None = None
    exchanges: Exchanges = field(default=lambda indices: False)

    def key(self, x: Variable, bound: dict[Index, int]) -> Key:
        """Which quantity a printed letter is."""
        return super().key(x.at(*x.indices[::-1]) if self.exchanges(x.indices) else x, bound)

    def quantity(self, key: Key, seed: Key | None, held: bool) -> Dual:
        """Its value, computed from the book's definitions."""
        assert self.book is not None
        return self.book.quantity(key, seed, held)


def misfits(expr: Expr) -> Iterator[str]:
    """Where shapes do not fit in the matrices of an expression."""
    for node in (m for m in nodes(expr) if isinstance(m, mf.Matrix)):
        if isinstance(node, mf.Product):
            left, right = (mf.shape(m) for m in node.args)
            if left[-1] != right[0]:
                yield f"{left} times {right}"
        elif isinstance(node, mf.Hadamard | mf.Plus):
            shapes = {mf.shape(m) for m in node.args if not isinstance(m, mf.Filled)}
            if len(shapes) > 1:
                yield " beside ".join(map(str, shapes))


def says_the_same(system: System, book: Expr, printed: Expr, exchanges: Exchanges, trials: int = 2) -> bool:
    """Does a printed line, read under its own choice, have the value of the book's line at all indices?

    >>> from theory.layers.dense import dense
    >>> from theory.language.notation import l, total, unit, var
    >>> i, j = unit("i", l - 1), unit("j", l)
    >>> book = total(var("w", l, i, j) * var("a", l - 1, i), i)
    >>> printed = total(var("w", l, j, i) * var("a", l - 1, i), i)
    >>> says_the_same(dense(), book, printed, lambda indices: len(indices) == 2)
    True
    >>> says_the_same(dense(), book, book, lambda indices: len(indices) == 2)
    False
    """
    if any(misfits(printed)) or free_indices(book) != free_indices(printed):
        return False
    for world in worlds(system, trials):
        other = ReadWorld(
            system, world.depth, world.widths, world.rows, world.layer, world.seed, world.arithmetic,
            book=world, exchanges=exchanges,
        )  # fmt: skip
        names = sorted(free_indices(book), key=str)
        for at in product(*(range(1, world.whole(index.size) + 1) for index in names)):
            bound = dict(zip(names, at, strict=True))
            if world.evaluate(book, bound)[0] != other.evaluate(printed, bound)[0]:
                return False
    return True
