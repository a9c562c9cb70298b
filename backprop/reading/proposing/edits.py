"""Small edits of a statement: changes of its pieces, the same change at every spot, the assignment, its place."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from backprop.reading.proposing.changes import change, change_place
from backprop.reading.proposing.exchanges import REDUCTIONS, change_reduction, exchange
from backprop.reading.proposing.omissions import insert_lines, rename_targets
from backprop.reading.proposing.surroundings import Change, Surroundings
from backprop.reading.source import SIMPLE, Edit, Source, head_of

__all__ = ["Proposal", "propose"]


@dataclass(frozen=True)
class Proposal:
    """Edits that belong together, what kind of change they are, and how much they change (less is more natural)."""

    edits: tuple[Edit, ...]
    kind: str
    weight: float


def propose(source: Source, statement: ast.stmt, around: Surroundings, most: float) -> Iterator[Proposal]:
    """All small changes of one statement up to a weight, none twice."""
    seen: set[tuple[Edit, ...]] = set()
    for proposal in _propose(source, statement, around, most):
        if proposal.edits not in seen and all(source.cut(e.spot) != e.replacement for e in proposal.edits):
            seen.add(proposal.edits)
            yield proposal


def _propose(source: Source, statement: ast.stmt, around: Surroundings, most: float) -> Iterator[Proposal]:
    nodes = [node for node in ast.walk(head_of(statement)) if isinstance(node, ast.expr)]
    loads = [node for node in nodes if isinstance(getattr(node, "ctx", ast.Load()), ast.Load)]
    callees = {id(node.func) for node in nodes if isinstance(node, ast.Call)}
    texts = {id(node): source.segment(node) for node in loads}
    places = {id(inner) for node in nodes if isinstance(node, ast.Subscript) for inner in ast.walk(node.slice)}
    same: dict[str, list[ast.expr]] = {}
    for node in loads:
        same.setdefault(texts[id(node)], []).append(node)
    for node in loads:
        callee, parent = id(node) in callees, source.parents[node]
        changes = (
            change_place(node, around) if id(node) in places else change(node, around, callee=callee, parent=parent)
        )
        twins = [other for other in same[texts[id(node)]] if other is not node]
        yield from _place_changes(source, node, twins, (c for c in _prefer(changes, around) if c[2] <= most))
    yield from _change_all(source, nodes, around)
    yield from (Proposal(*one) for one in exchange(source, nodes, around))
    if isinstance(statement, SIMPLE):
        yield from _change_statement(source, statement)
        yield from (Proposal(*one) for one in rename_targets(source, statement, around))
    yield from (Proposal(*one) for one in insert_lines(source, statement, around))


def _prefer(changes: Iterator[Change], around: Surroundings) -> Iterator[Change]:
    """A change is more natural if it reads a name which the function makes and nobody reads."""
    for new, kind, weight in changes:
        yield new, kind, weight - EXPECTED * _uses(new, around.idle) if around.idle else weight


def _place_changes(
    source: Source, node: ast.expr, twins: Sequence[ast.expr], changes: Iterator[Change]
) -> Iterator[Proposal]:
    """Each change as an edit; where such mistakes come in families, at every spot with the same text as well."""
    for new, kind, weight in changes:
        yield Proposal((Edit(source.spot(node), _fit(source, node, new)),), kind, weight)
        if twins and kind in FAMILIES:
            edits = [Edit(source.spot(one), _fit(source, one, new)) for one in (node, *twins)]
            yield Proposal(tuple(sorted(edits, key=lambda e: e.spot)), kind, weight + 0.25)


EXPECTED = 0.4
"""How much more natural that is."""


def _uses(new: ast.expr, names: frozenset[str]) -> bool:
    return any(isinstance(node, ast.Name) and node.id in names for node in ast.walk(new))


def _change_all(source: Source, nodes: Sequence[ast.expr], around: Surroundings) -> Iterator[Proposal]:
    """The same change of every sum, mean or the like of a line: one axis for all, all kept, means for sums."""
    reductions = [
        n for n in nodes if isinstance(n, ast.Call) and isinstance(n.func, ast.Attribute) and n.func.attr in REDUCTIONS
    ]
    if len(reductions) < 2:
        return
    changes = [
        {ast.unparse(_without(new, node)): (node, new) for new, _, _ in change_reduction(node, around)}
        for node in reductions
    ]
    for said in changes[0]:
        if all(said in one for one in changes):
            edits = [Edit(source.spot(one[said][0]), _fit(source, *one[said])) for one in changes]
            yield Proposal(tuple(sorted(edits, key=lambda e: e.spot)), "axis", 1.4)


def _without(new: ast.expr, node: ast.Call) -> ast.expr:
    """A reduction without what is reduced: only how."""
    if not isinstance(new, ast.Call):
        return ast.Name("taken_away", ast.Load())
    return ast.Call(ast.Name("reduce", ast.Load()), [], new.keywords)


FAMILIES = {"name", "function", "key", "constant", "index", "transpose"}


def _fit(source: Source, old: ast.expr, new: ast.expr) -> str:
    """The text of the new node where the old one stands, in parentheses where it needs them."""
    text = ast.unparse(new)
    if not isinstance(new, LOOSE) or not isinstance(source.parents[old], TIGHT):
        return text
    kind = type(getattr(new, "op", new))
    if (old, kind) not in source.bare:
        around = source.spot(head_of(source.statement_of(old)))
        bare, safe = (_parse(source.cut_replaced(around, Edit(source.spot(old), said))) for said in (text, f"({text})"))
        source.bare[old, kind] = bare is not None and bare == safe
    return text if source.bare[old, kind] else f"({text})"


TIGHT = (
    ast.BinOp,
    ast.UnaryOp,
    ast.Compare,
    ast.BoolOp,
    ast.IfExp,
    ast.Attribute,
    ast.Subscript,
    ast.Call,
    ast.Starred,
)
LOOSE = (ast.BinOp, ast.UnaryOp, ast.Compare, ast.BoolOp, ast.IfExp, ast.Lambda)


def _parse(text: str) -> str | None:
    """The tree of a statement; None where it is no Python by itself."""
    try:
        return ast.dump(ast.parse(text))
    except SyntaxError:
        return None


def _change_statement(source: Source, node: ast.stmt) -> Iterator[Proposal]:
    """The assignment itself, and its place among its neighbours."""
    spot = source.spot(node)
    if isinstance(node, ast.Assign) and len(node.targets) == 1:
        target, value = node.targets[0], source.segment(node.value)
        written = source.segment(target)
        if not isinstance(target, ast.Tuple | ast.List):
            gathers = isinstance(target, ast.Subscript | ast.Attribute) or _in_loop(source, node)
            for sign in ("+=", "-=", "*="):
                weight = GATHERED if gathers else ONCE
                yield Proposal((Edit(spot, f"{written} {sign} {value}"),), "= for " + sign, weight)
        if isinstance(node.value, ast.Name | ast.Attribute | ast.Subscript):
            yield Proposal((Edit(source.spot(node.value), f"{value}.copy()"),), "copy", 1.0)
    if isinstance(node, ast.AugAssign):
        written, value = source.segment(node.target), source.segment(node.value)
        for sign in ("=", "+=", "-=", "*=", "/="):
            yield Proposal((Edit(spot, f"{written} {sign} {value}"),), "assignment", 1.0)
        yield Proposal((Edit(spot, f"{written} = {written} + {value}"),), "copy", 1.3)
        if isinstance(node.target, ast.Subscript) and isinstance(node.op, ast.Add):
            array, place = source.segment(node.target.value), source.segment(node.target.slice)
            place = f"({place})" if isinstance(node.target.slice, ast.Tuple) else place
            yield Proposal((Edit(spot, f"np.add.at({array}, {place}, {value})"),), "repeated indices", 1.1)
    yield from _move(source, node)


GATHERED, ONCE = 1.0, 1.9
"""Weights of `+=` where something is gathered in turns, and where a name is made once."""


def _in_loop(source: Source, node: ast.AST) -> bool:
    while node in source.parents:
        node = source.parents[node]
        if isinstance(node, ast.For | ast.While):
            return True
    return False


def _move(source: Source, node: ast.stmt) -> Iterator[Proposal]:
    """Take the line away, or put it before or after another of its block."""
    block = source.block_of(node)
    if len(block) > 1 and not isinstance(node, ast.Return):
        yield Proposal((Edit(source.spot(node), "pass"),), "line taken away", 1.5)
    place = block.index(node) if node in block else 0
    for other in block[:place][::-1] + block[place + 1 :]:
        if isinstance(other, ast.Return | ast.FunctionDef) or source.spot(other).line == source.spot(node).line:
            continue
        first, second = sorted((node, other), key=lambda one: one.lineno)
        edits = (Edit(source.spot(first), source.segment(second)), Edit(source.spot(second), source.segment(first)))
        if isinstance(first, SIMPLE_ONES) and isinstance(second, SIMPLE_ONES):
            near = abs(block.index(other) - place) == 1
            yield Proposal(edits, "order of lines", 1.3 if near else 1.5)


SIMPLE_ONES = (ast.Assign, ast.AugAssign, ast.Expr)
