"""Mending by value: expressions over the names in scope, made from the inside out, until one has the needed value."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from functools import cache
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from backprop.reading.proposing.shelf import CLOSE, Made, Shelf, dedupe

__all__ = ["Vocabulary", "synthesise"]

Values: TypeAlias = Sequence[NDArray[Any]]
"""What something is at every place."""

Shape: TypeAlias = tuple[int, ...]

MOST_LEAVES = 26
MOST_BLOCKS = 72
NEAR, FAR = 1.4, 1.5
RARE = 3.0
LARGEST = 4_096


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
    pairs = dedupe([e for k, a in enumerate(blocks) for b in blocks[k:] for e in _combine(a, b, wanted)])
    shelf = Shelf([*blocks, *pairs])
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


OPERATIONS: tuple[tuple[str, Callable[[Any, Any], Any], int], ...] = (
    (" * ", np.multiply, 1),
    (" / ", np.divide, 1),
    (" + ", np.add, 0),
    (" - ", lambda x, y: np.asarray(x, float) - y, 0),
)


def _combine(a: Made, b: Made, wanted: Set[Shape]) -> Iterator[Made]:
    """Two blocks by one operation, in both orders where they differ, as far as somebody could ask for the shape."""
    for left, right in ((a, b), (b, a)) if a is not b else ((a, b),):
        x, y = left.first, right.first
        product = None
        if x.ndim == 2 and y.ndim == 2 and x.shape[1] == y.shape[0] and (x.shape[0], y.shape[1]) in wanted:
            said = f"{left.inside(1)} @ {right.inside(2)}"
            product = _apply(said, np.matmul, [left, right], a.size + b.size + 0.5, 1)
        if product is not None:
            yield product
        if _broadcasts(x.shape, y.shape):
            yield from _combine_entries(left, right, wanted, again=left is b and a is not b)


def _combine_entries(left: Made, right: Made, wanted: Set[Shape], *, again: bool) -> Iterator[Made]:
    """Entry by entry; `again`: both have met in the other order."""
    shape = _stretch(left.first.shape, right.first.shape)
    reduced = not wanted.isdisjoint(_list_reduced(shape))
    for sign, function, binds in OPERATIONS if shape in wanted else OPERATIONS[:reduced]:
        if again and sign in (" * ", " + "):
            continue
        said = f"{left.inside(binds)}{sign}{right.inside(binds + 1 if sign in (' / ', ' - ') else binds)}"
        # A quotient by data is seldom meant, and fails where they are zero.
        rare = RARE if sign == " / " and right.first.ndim else 1.0
        made = _apply(said, function, [left, right], left.size + right.size + rare, binds)
        if made is not None and shape in wanted:
            yield made
        if made is not None and reduced and sign == " * ":
            yield from (e for e in _reduce(made) if e.first.shape in wanted)


@cache
def _stretch(a: Shape, b: Shape) -> Shape:
    return np.broadcast_shapes(a, b)


@cache
def _list_reduced(shape: Shape) -> frozenset[Shape]:
    """The shapes that sums along one axis have."""
    axes = range(len(shape))
    return frozenset((*shape[:k], *one, *shape[k + 1 :]) for k in axes for one in ((), (1,)))


def _reduce(e: Made) -> Iterator[Made]:
    """Sums over one axis."""
    for axis in range(e.first.ndim):
        for keep in (False, True):
            said = f"{e.inside(2)}.sum(axis={axis}{', keepdims=True' if keep else ''})"
            made = _apply(said, lambda x, a=axis, k=keep: x.sum(axis=a, keepdims=k), [e], e.size + 1 + keep / 2, 2)
            if made is not None:
                yield made
        said = f"{e.inside(2)}.mean(axis={axis}, keepdims=True)"
        mean = _apply(said, lambda x, a=axis: x.mean(axis=a, keepdims=True), [e], e.size + 2, 2)
        if mean is not None:
            yield mean


def _broadcasts(a: tuple[int, ...], b: tuple[int, ...]) -> bool:
    return all(m == n or 1 in (m, n) for m, n in zip(a[::-1], b[::-1], strict=False))


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
        if not _broadcasts(t.shape, value.shape):
            return None
        left = np.asarray(rest(t, value))
        if left.shape != t.shape or np.isinf(left).any():
            return None
        found.append(left)
    return found
