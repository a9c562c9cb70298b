"""An output and its target, as the iteration has them together: in a difference, or handed to what is called a cost."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from backprop.attaching.looking.losses import STRONG
from backprop.attaching.looking.rewriting import Rewritten
from backprop.attaching.running.replaying import Key

__all__ = ["Pair", "find_pairs"]


@dataclass(frozen=True)
class Pair:
    """An output and its target: two sites, one value an occurrence."""

    output: int
    target: int
    occurrences: int

    def read(self, values: Mapping[Key, Any]) -> list[tuple[Any, Any]]:
        """All outputs with their targets."""
        return [(values[self.output, i], values[self.target, i]) for i in range(self.occurrences)]

    @property
    def sites(self) -> tuple[int, int]:
        """Whose values are needed."""
        return self.output, self.target


def find_pairs(rewritten: Rewritten, base: Mapping[Key, Any], moved: Mapping[Key, Any]) -> list[Pair]:
    """An output depends on the parameters, a target does not; a pair with the values of an earlier one is left out."""
    pairs: dict[tuple[bytes, ...], Pair] = {}
    for left, right in _list_together(rewritten):
        if left is None or right is None:
            continue
        for output, target in ((left, right), (right, left)):
            pair = _make_pair(output, target, base, moved)
            if pair is not None:
                pairs.setdefault(tuple(part.tobytes() for both in pair.read(base) for part in both), pair)
    return list(pairs.values())


def _list_together(rewritten: Rewritten) -> Iterator[tuple[int | None, int | None]]:
    """The two sides of each difference; then the two arguments of a cost or of its slope; last, where a cost is made
    for a target and then asked, cost(target)(output), what each of two calls is handed."""
    yield from rewritten.differences.values()
    alone: list[int | None] = []
    for site, arguments in rewritten.calls.items():
        call = rewritten.sites[site].node
        if isinstance(call, ast.Call) and not call.keywords and STRONG.search(ast.unparse(call.func)):
            if len(arguments) == 2:
                yield arguments[0], arguments[1]
            alone += arguments if len(arguments) == 1 else ()
    yield from ((one, other) for k, one in enumerate(alone) for other in alone[k + 1 :])


def _make_pair(output: int, target: int, base: Mapping[Key, Any], moved: Mapping[Key, Any]) -> Pair | None:
    count = 0
    while (output, count) in base and (target, count) in base:
        count += 1
    if not count or not _varies(output, count, base, moved) or _varies(target, count, base, moved):
        return None
    shapes = [(base[output, i].shape, base[target, i].shape) for i in range(count)]
    return Pair(output, target, count) if all(a == b and int(np.prod(a)) >= 1 for a, b in shapes) else None


def _varies(site: int, count: int, base: Mapping[Key, Any], moved: Mapping[Key, Any]) -> bool:
    return any(
        (site, i) not in moved or not np.array_equal(base[site, i], moved[site, i], equal_nan=True)
        for i in range(count)
    )
