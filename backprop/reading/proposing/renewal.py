"""By value: what a suspect piece of code should have been is known; which expressions over names in scope are it."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from backprop.reading.proposing.edits import Proposal
from backprop.reading.proposing.scenes import list_helpers, list_numbers, say_count
from backprop.reading.proposing.shelf import Made
from backprop.reading.proposing.sufficiency import Sufficient, replay
from backprop.reading.proposing.synthesis import Values, Vocabulary, synthesise
from backprop.reading.running.bench import Bench, Point
from backprop.reading.running.recorder import Event
from backprop.reading.source import Edit

__all__ = ["renew"]

BASE_WEIGHT, NODE_WEIGHT = 1.2, 0.15
MOST_SHOWN = 12
MOST_PLACES = 6


def renew(
    bench: Bench, points: Sequence[Point], sites: Sequence[Sequence[Sufficient]], node: ast.expr
) -> Iterator[Proposal]:
    """New expressions for a node whose needed value is known at every one of the points (`sites[k]` belongs to it)."""
    targets: list[Any] = []
    scopes: list[dict[str, Any]] = []
    counts: list[list[str]] = []
    for point, found in zip(points, sites, strict=True):
        mine = next((one for one in found if one.node is node), None)
        seen = None if mine is None else _watch(bench, point, mine)
        if mine is None or seen is None:
            return
        for scope, (_, value) in zip(seen, sorted(mine.needed.items()), strict=True):
            if len(targets) < MOST_PLACES and not np.isnan(value).all():
                targets.append(value)
                scopes.append(scope)
                counts.append(say_count(scope, point.case.rows))
    if not targets:
        return
    scene = _make_scene(bench, scopes, counts, node)
    for e in synthesise(tuple(targets), scene)[:MOST_SHOWN]:
        yield Proposal((Edit(bench.source.spot(node), _place(bench, node, e)),), "value", _weigh(e))


def _watch(bench: Bench, point: Point, mine: Sufficient) -> list[dict[str, Any]] | None:
    """Names and values before the line of a site, each time that it runs, and those of the pieces that the line makes.

    The run is one in which the site has what it needs, so that what is handed from turn to turn is right.
    """
    assert isinstance(mine.node, ast.expr)
    statement = bench.source.statement_of(mine.node)
    sites = frozenset(k for k, site in enumerate(bench.instrumented.sites) if site is statement)
    recorder = bench.recorder
    recorder.watch, recorder.scopes, recorder.log = sites, {}, []
    try:
        before = replay(bench, point, mine)
        events = recorder.log
    finally:
        recorder.watch, recorder.log = frozenset(), None
    seen = [scope for scopes in recorder.scopes.values() for scope in scopes]
    if len(seen) != len(mine.needed) or len(before) != len(seen):
        return None
    pieces = _pieces(bench, events, statement, mine.node, len(seen))
    pieces[_enclose(bench, mine.node)] = [before[key] for key in sorted(before)]
    return [{**scope, **{text: values[k] for text, values in pieces.items()}} for k, scope in enumerate(seen)]


def _pieces(
    bench: Bench, events: Sequence[Event], statement: ast.stmt, node: ast.expr, times: int
) -> dict[str, list[Any]]:
    """What the line has already made: its own pieces, in parentheses where they need them, with their values."""
    found: dict[str, list[Any]] = {}
    for event in events:
        piece = bench.instrumented.sites[event.key[0]]
        inner = isinstance(piece, ast.BinOp | ast.Call | ast.Subscript) and piece is not node
        if inner and bench.source.statement_of(piece) is statement and bench.source.parents[piece] is not statement:
            found.setdefault(_enclose(bench, piece), []).append(event.value)
    return {text: values for text, values in found.items() if len(values) == times}


def _enclose(bench: Bench, piece: ast.AST) -> str:
    text = bench.source.segment(piece)
    return f"({text})" if isinstance(piece, ast.BinOp | ast.UnaryOp) else text


def _weigh(e: Made) -> float:
    return BASE_WEIGHT + NODE_WEIGHT * e.size


def _place(bench: Bench, node: ast.expr, e: Made) -> str:
    parent = bench.source.parents[node]
    tight = isinstance(parent, ast.BinOp | ast.UnaryOp | ast.Attribute | ast.Compare | ast.Subscript)
    return e.inside(2) if tight else e.text


def _make_scene(
    bench: Bench, scopes: Sequence[Mapping[str, Any]], counts: Sequence[Sequence[str]], node: ast.expr
) -> Vocabulary:
    """The names that are there every time."""
    listed = [dict(list_numbers(scope)) for scope in scopes]
    shared = [name for name in listed[0] if all(name in one for one in listed)]
    names: dict[str, Values] = {name: tuple(np.asarray(one[name]) for one in listed) for name in shared}
    helpers = {name: function for name, (arity, function) in list_helpers(bench).items() if arity == 1}
    said = {count for some in counts for count in some}
    number = {count: _evaluate_counts(count, scopes) for count in sorted(said) if all(count in some for some in counts)}
    statement = bench.source.statement_of(node)
    words = {ast.unparse(inner) for inner in ast.walk(statement) if isinstance(inner, ast.expr)}
    favoured = frozenset(name for name in shared if name in words or name.startswith("("))
    block = [inner for s in bench.source.block_of(statement) for inner in ast.walk(s)]
    near = {inner.id for inner in block if isinstance(inner, ast.Name) and isinstance(inner.ctx, ast.Store)}
    return Vocabulary(names, helpers, number, favoured, frozenset(near))


def _evaluate_counts(count: str, scopes: Sequence[Mapping[str, Any]]) -> Values:
    """The value of `n`, `len(X)` or `X.shape[0]` each time."""
    name = count.removeprefix("len(").removesuffix(")").removesuffix(".shape[0]")
    return tuple(np.asarray(np.shape(scope[name])[0] if name != count else scope[name]) for scope in scopes)
