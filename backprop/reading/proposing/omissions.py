"""What was left out as a whole: a product, the line that hands an error on, a line like its neighbour."""

from __future__ import annotations

import ast
from collections.abc import Container, Iterator, Mapping, Sequence
from itertools import combinations, permutations
from typing import TypeAlias

from backprop.reading.proposing.surroundings import Surroundings
from backprop.reading.source import Edit, Source, Spot

__all__ = ["insert_lines", "products", "rename_targets"]

Insertion: TypeAlias = tuple[tuple[Edit, ...], str, float]
Shape: TypeAlias = tuple[int, ...]
LEFT = "line left out"
LOOPS = (ast.For, ast.While)


def products(names: Mapping[str, Shape], shape: Shape, own: Container[str]) -> Iterator[str]:
    """Products of two that have a shape, as texts; one of the two is among `own`.

    >>> sorted(products({"d": (5, 3), "W": (2, 3)}, (5, 2), {"d"}))
    ['d @ W.T']
    """
    turned = [(text, one) for text, one in names.items() if len(one) in (1, 2)]
    turned += [(f"{text}.T", one[::-1]) for text, one in turned if len(one) == 2]
    for a, left in turned:
        for b, right in turned:
            first, second = a.removesuffix(".T"), b.removesuffix(".T")
            if first == second or not (first in own or second in own) or not (left and right):
                continue
            if left[-1] == right[0] and left[:-1] + right[1:] == shape:
                yield f"{a} @ {b}"
    whole = [text for text, one in names.items() if one == shape and shape]
    narrow = [text for text, one in names.items() if one and _stretches(one, shape)]
    for a in whole:
        yield from (f"{a} * {b}" for b in narrow if b not in whole[: whole.index(a)] and (a in own or b in own))


def _stretches(small: Shape, large: Shape) -> bool:
    return len(small) <= len(large) and all(m in (1, n) for m, n in zip(small[::-1], large[::-1], strict=False))


def insert_lines(source: Source, statement: ast.stmt, around: Surroundings) -> Iterator[Insertion]:
    """Lines that may be missing after a statement."""
    block = source.block_of(statement)
    for line, kind, weight in _list_lines(source, statement, block, around):
        spot = source.spot(statement)
        if source.lines[spot.line - 1][: spot.column].strip():
            return  # it shares its line with another
        end = Spot(spot.end_line, spot.end_column, spot.end_line, spot.end_column)
        start = source.lines[spot.line - 1][: spot.column]
        yield (Edit(end, f"{source.line_end}{start}{line}"),), kind, weight


def _list_lines(
    source: Source, statement: ast.stmt, block: Sequence[ast.stmt], around: Surroundings
) -> Iterator[tuple[str, str, float]]:
    loop = source.parents[statement]
    if isinstance(loop, LOOPS) and block and block[-1] is statement:
        yield from _carry_on(source, loop, around)
    yield from _like_neighbour(source, statement, around)
    target = statement.targets[0] if isinstance(statement, ast.Assign) else None
    if isinstance(statement, ast.Assign):
        yield from _take_off_one(source, statement, around)
    if isinstance(target, ast.Name):
        for mask in around.masks:
            for sign in ("", "~"):
                yield f"{target.id}[{sign}{mask}] = 0", LEFT, 1.9


def rename_targets(source: Source, statement: ast.stmt, around: Surroundings) -> Iterator[Insertion]:
    """What a loop makes and nobody reads, under the names that it reads and never makes anew."""
    loop = source.parents[statement]
    if not isinstance(loop, LOOPS) or loop.body[-1] is not statement:
        return
    names = [n for s in loop.body for n in ast.walk(s) if isinstance(n, ast.Name)]
    made = {n.id: n for n in names if isinstance(n.ctx, ast.Store)}
    read = {n.id for n in names if isinstance(n.ctx, ast.Load)}
    stale = [name for name in sorted(_stored_before(source, loop) & read - set(made)) if around.numbers.get(name)]
    forgotten = [name for name in made if name in around.idle]
    for size in range(1, min(len(stale), len(forgotten)) + 1):
        for some in combinations(forgotten, size):
            for others in permutations(stale, size):
                edits = [Edit(source.spot(made[a]), b) for a, b in zip(some, others, strict=True)]
                yield tuple(sorted(edits, key=lambda e: e.spot)), "name", 1.0


def _take_off_one(source: Source, statement: ast.Assign, around: Surroundings) -> Iterator[tuple[str, str, float]]:
    """One less where the label is: p[range, Y] -= 1, p[t, Y[t]] -= 1."""
    target = statement.targets[0]
    for name in around.labels:
        if isinstance(target, ast.Name) and len(around.shapes.get(statement.value, ())) == 2:
            yield f"{target.id}[np.arange(len({name})), {name}] -= 1", LEFT, 1.7
        elif isinstance(target, ast.Name):
            yield f"{target.id}[{name}] -= 1", LEFT, 1.8
        elif isinstance(target, ast.Subscript) and isinstance(target.slice, ast.Name):
            place = target.slice.id
            yield f"{source.segment(target.value)}[{place}, {name}[{place}]] -= 1", LEFT, 1.7


def _carry_on(source: Source, loop: ast.For | ast.While, around: Surroundings) -> Iterator[tuple[str, str, float]]:
    """What a loop hands to its next turn: names from before it that it reads, and how they could go on."""
    inside = {n.id for s in loop.body for n in ast.walk(s) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load)}
    stored = {n.id for s in loop.body for n in ast.walk(s) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
    numbers = around.numbers
    made = {name: numbers[name] for name in sorted(stored) if name in numbers}
    for name in sorted((inside & _stored_before(source, loop)) & set(numbers)):
        shape = numbers[name]
        if not shape:
            continue
        if name not in stored:
            yield from ((f"{name} = {other}", LEFT, 1.5) for other, one in made.items() if one == shape)
            yield from ((f"{name} = {text}", LEFT, 1.6) for text in products(around.reachable, shape, made))
        for other, one in around.reachable.items():
            if _stretches(one, shape) and other != name:
                yield f"{name} = {name} * {other}", LEFT, 1.7


def _stored_before(source: Source, loop: ast.stmt) -> set[str]:
    """Names that the block of a loop stores before it."""
    block = source.block_of(loop)
    before = block[: block.index(loop)] if loop in block else []
    return {n.id for s in before for n in ast.walk(s) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}


def _like_neighbour(source: Source, statement: ast.stmt, around: Surroundings) -> Iterator[tuple[str, str, float]]:
    """The same line again for another attribute: `layer.gb[:] = 0` after `layer.gW[:] = 0`."""
    if not isinstance(statement, ast.Assign | ast.AugAssign | ast.Expr):
        return
    text = source.segment(statement)
    attributes = {n.attr for n in ast.walk(statement) if isinstance(n, ast.Attribute)}
    stored = [n.attr for n in ast.walk(source.tree) if isinstance(n, ast.Attribute) and isinstance(n.ctx, ast.Store)]
    for old in sorted(attributes & set(stored)):
        for new in dict.fromkeys(stored):
            if new not in attributes:
                yield text.replace(f".{old}", f".{new}"), LEFT, 1.6
