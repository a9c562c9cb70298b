"""Mending by value: expressions over the names in scope, made from the inside out, until one has the needed value."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from backprop.reading.proposing.pairs import LARGEST, RARE, Shape, broadcasts, pair_up, reductions
from backprop.reading.proposing.shelf import CLOSE, Made, Shelf, dedupe

__all__ = ["Vocabulary", "synthesise"]

Values: TypeAlias = Sequence[NDArray[Any]]
"""What something is at every place."""

MOST_LEAVES = 26
MOST_BLOCKS = 72
NEAR, FAR = 1.4, 1.5


@dataclass(frozen=True)
class Vocabulary:
    """What can be used: names with their values at every place, functions of one argument, ways to say n."""

    names: Mapping[str, Values]
    helpers: Mapping[str, Callable[[Any], Any]]
    counts: Mapping[str, Values]
    favoured: frozenset[str] = frozenset()
    """Names that the line has already."""
    near: frozenset[str] = frozenset()
    """Names that lines beside it make."""


def synthesise(target: Values, scene: Vocabulary) -> list[Made]:
    """Expressions that have the target's value at every place, the shortest first; NaN in the target is free.

    >>> a, b = np.array([[1.0, 2.0]]), np.array([[3.0, 5.0]])
    >>> scene = Vocabulary({"a": (a, 2 * a), "b": (b, b + 1)}, {}, {})
    >>> synthesise((a.T @ b, 2 * a.T @ (b + 1)), scene)[0].text
    'a.T @ b'
    """
    with np.errstate(all="ignore"):
        return _synthesise(target, scene)


def _synthesise(target: Values, scene: Vocabulary) -> list[Made]:
    leaves = _list_leaves(scene)
    blocks = dedupe([*leaves, *(e for leaf in leaves for e in _extend(leaf, scene))])[:MOST_BLOCKS]
    wanted = _list_shapes(target[0].shape)
    shelf = Shelf(blocks, list(pair_up(blocks, wanted)))
    found = [e for e in shelf.find(target[0]) if _matches(e, target)]
    found += list(_scale(target, shelf, scene))
    if not found:
        found += list(_complete(target, blocks, shelf))
    if not found:
        found += list(_complete_twice(target, leaves, shelf))
    return sorted(found, key=lambda e: e.size)


def _list_shapes(shape: Shape) -> frozenset[Shape]:
    """Shapes of what is looked up for a target: its own, and those of one row or column that is stretched.

    >>> sorted(_list_shapes((3, 2)))
    [(1, 2), (2,), (3, 1), (3, 2)]
    """
    stretched = {(*shape[:axis], 1, *shape[axis + 1 :]) for axis in range(len(shape))}
    return frozenset({shape, shape[1:], *stretched} if shape else {shape})


def _list_leaves(scene: Vocabulary) -> list[Made]:
    made = []
    for name, values in scene.names.items():
        size = 1.0 if name in scene.favoured else NEAR if name in scene.near else FAR
        made.append(Made(name, np.asarray(values[0]), lambda k, v=values: np.asarray(v[k]), size))  # type: ignore[misc]
    return dedupe(sorted(made, key=lambda e: (e.size, len(e.text))))[:MOST_LEAVES]


def _apply(text: str, function: Callable[..., Any], parts: Sequence[Made], size: float, binds: int) -> Made | None:
    """A function of expressions; None where it fails or is not finite."""
    try:
        first = np.asarray(function(*(part.first for part in parts)))
    except Exception:
        return None
    if first.dtype.kind not in "fiub" or first.size > LARGEST or not np.isfinite(first).all():
        return None
    return Made(text, first, lambda k: np.asarray(function(*(part.at(k) for part in parts))), size, binds)


def _extend(leaf: Made, scene: Vocabulary) -> Iterator[Made]:
    """One leaf with something done to it."""
    inside = leaf.inside(2)
    made: list[tuple[str, Callable[[Any], Any], float, int]] = [
        (f"{inside} ** 2", lambda x: x * x, 1, 1),
        (f"1 - {inside}", lambda x: 1 - x, 1, 0),
        (f"1 - {inside} ** 2", lambda x: 1 - x * x, 1.5, 0),
        (f"{inside} * (1 - {inside})", lambda x: x * (1 - x), 2, 1),
        (f"({inside} > 0)", lambda x: np.asarray(x) > 0, 1, 2),
    ]
    if leaf.first.ndim == 2:
        made.append((f"{inside}.T", lambda x: x.T, 0.5, 2))
    made += [(f"{name}({leaf.text})", function, 1.0, 2) for name, function in scene.helpers.items()]
    for said, function, more, binds in made:
        e = _apply(said, function, [leaf], leaf.size + more, binds)
        if e is not None:
            yield e
    yield from _reduce(leaf)


def _reduce(e: Made) -> Iterator[Made]:
    """Sums and means along one axis."""
    for reduction in reductions(e.first.ndim):
        made = _apply(reduction.say(e.inside(2), e.first.ndim), reduction, [e], e.size + reduction.nodes, 2)
        if made is not None:
            yield made


def _matches(e: Made, target: Values) -> bool:
    try:
        return all(_close(e.at(k), t) for k, t in enumerate(target))
    except Exception:
        return False


def _close(v: NDArray[Any], t: NDArray[Any]) -> bool:
    if v.shape != t.shape:
        return False
    known = ~np.isnan(t)
    scale = float(np.max(np.abs(t[known]), initial=0.0))
    return bool(known.any()) and bool(np.all(np.abs(v[known] - t[known]) <= CLOSE * max(scale, 1e-12)))


def _scale(target: Values, shelf: Shelf, scene: Vocabulary) -> Iterator[Made]:
    """c times an expression, c one of -1, 2, 1/2, n, 1/n."""
    ones = [np.asarray(1.0) for _ in target]
    factors = [
        ("-", "", [-one for one in ones]),
        ("2 * ", "", [2 * one for one in ones]),
        ("", " / 2", [one / 2 for one in ones]),
    ]
    for count, values in scene.counts.items():
        n = [np.asarray(v, float) for v in values]
        factors += [("", f" / {count}", [1 / v for v in n]), (f"{count} * ", "", n)]
    for before, after, factor in factors:
        wanted = [t / f for t, f in zip(target, factor, strict=True)]
        for e in shelf.find(wanted[0]):
            if _matches(e, wanted):
                yield Made(f"{before}{e.inside(1)}{after}", e.first, e.at, e.size + 1, 1)


INVERSES: tuple[tuple[str, Callable[[Any, Any], Any], int, bool], ...] = (
    (" * ", np.divide, 1, False),
    (" + ", np.subtract, 0, False),
    (" - ", np.add, 0, False),
    (" - ", lambda target, block: block - target, 0, True),
    (" / ", np.multiply, 1, False),
)
"""target = e ∘ block, or block ∘ e: how e is got, how tightly it binds, whether the block is first."""


def _complete(target: Values, blocks: Sequence[Made], shelf: Shelf) -> Iterator[Made]:
    """target = pair ∘ block: what is left over of the target is looked up."""
    for block in blocks:
        for sign, rest, binds, first in INVERSES:
            left = _take_off(rest, target, block)
            if left is not None:
                yield from (_put(e, block, sign, binds, first=first) for e in _look_up(left, shelf))


def _complete_twice(target: Values, leaves: Sequence[Made], shelf: Shelf) -> Iterator[Made]:
    """target = (pair ∘ leaf) ∘ leaf."""
    for leaf in leaves:
        for sign, rest, binds, first in INVERSES:
            left = _take_off(rest, target, leaf)
            if left is not None:
                yield from (_put(e, leaf, sign, binds, first=first) for e in _complete(left, leaves, shelf))


def _put(e: Made, block: Made, sign: str, binds: int, *, first: bool) -> Made:
    a, b = (block, e) if first else (e, block)
    said = f"{a.inside(binds)}{sign}{b.inside(binds + 1)}"
    return Made(said, e.first, e.at, e.size + block.size + (RARE if sign == " / " and b.first.ndim else 1), binds)


def _look_up(left: Values, shelf: Shelf) -> Iterator[Made]:
    """All that are what is left, also those of one row or column that is stretched."""
    for target in (left, *_collapse(left)):
        yield from (e for e in shelf.find(target[0]) if _matches(e, target))


def _collapse(values: Values) -> Iterator[Values]:
    """The same with an axis of length one, or without it, where nothing changes along it."""
    for axis in range(values[0].ndim):
        if all(
            np.ptp(np.nan_to_num(v), axis=axis).max(initial=0.0)
            <= CLOSE * np.max(np.abs(np.nan_to_num(v)), initial=1e-12)
            for v in values
        ):
            yield [v.take([0], axis=axis) for v in values]
            if axis == 0:
                yield [v[0] for v in values]


def _take_off(rest: Callable[[Any, Any], Any], target: Values, block: Made) -> list[NDArray[Any]] | None:
    found = []
    for k, t in enumerate(target):
        value = block.first if k == 0 else block.at(k)
        if not broadcasts(t.shape, value.shape):
            return None
        left = np.asarray(rest(t, value))
        if left.shape != t.shape or np.isinf(left).any():
            return None
        found.append(left)
    return found
