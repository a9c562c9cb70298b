"""Small changes of a line, as people make mistakes: a name, an operator, an axis, a factor, a term, an order."""

from __future__ import annotations

import ast
import copy
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from backprop.reading.recorder import is_number
from backprop.reading.source import SIMPLE, Edit, Source, head_of

__all__ = ["Proposal", "Surroundings", "propose"]

TWINS = (
    ("sum", "mean"), ("maximum", "minimum"), ("argmax", "argmin"), ("max", "min"), ("sin", "cos"), ("exp", "log"),
    ("zeros_like", "ones_like"), ("sinh", "cosh"), ("log", "log1p"), ("exp", "expm1"), ("sum", "max"), ("var", "std"),
    ("outer", "dot"), ("add", "subtract"), ("sqrt", "square"), ("cumsum", "flip"),
)  # fmt: skip
"""Functions of NumPy, and methods of arrays, that are taken one for the other."""
OPERATORS: Mapping[type[ast.operator], tuple[type[ast.operator], ...]] = {
    ast.Add: (ast.Sub, ast.Mult),
    ast.Sub: (ast.Add,),
    ast.Mult: (ast.Div, ast.MatMult, ast.Add),
    ast.Div: (ast.Mult,),
    ast.MatMult: (ast.Mult,),
    ast.Pow: (ast.Mult,),
    ast.FloorDiv: (ast.Div,),
}
COMPARISONS: Mapping[type[ast.cmpop], tuple[type[ast.cmpop], ...]] = {
    ast.Gt: (ast.GtE, ast.Lt, ast.LtE),
    ast.GtE: (ast.Gt, ast.LtE, ast.Lt),
    ast.Lt: (ast.LtE, ast.Gt, ast.GtE),
    ast.LtE: (ast.Lt, ast.GtE, ast.Gt),
    ast.Eq: (ast.NotEq,),
    ast.NotEq: (ast.Eq,),
}
AXES = (0, 1, -1)
REDUCTIONS = {"sum", "mean", "max", "min", "var", "std", "prod", "argmax", "argmin"}


@dataclass(frozen=True)
class Proposal:
    """Edits that belong together, what kind of change they are, and how much they change (less is more natural)."""

    edits: tuple[Edit, ...]
    kind: str
    weight: float


@dataclass(frozen=True)
class Surroundings:
    """What a statement sees: names with their values, functions of the file that may be called, ways to say n."""

    values: Mapping[str, Any]
    helpers: Mapping[str, int]
    """Name -> number of arguments."""
    counts: tuple[str, ...] = ()
    shapes: Mapping[ast.AST, tuple[int, ...]] = field(default_factory=dict)
    """What nodes were like when they ran."""

    @property
    def numbers(self) -> dict[str, tuple[int, ...]]:
        """Names of arrays and numbers with their shapes."""
        return {
            name: tuple(np.shape(value)) if not hasattr(value, "shape") else tuple(value.shape)
            for name, value in self.values.items()
            if is_number(value) and not isinstance(value, bool)
        }

    @property
    def masks(self) -> list[str]:
        """Names of arrays of truth values."""
        return [
            name for name, value in self.values.items() if getattr(value, "dtype", None) == np.bool_ and np.ndim(value)
        ]


def propose(source: Source, statement: ast.stmt, around: Surroundings) -> Iterator[Proposal]:
    """All small changes of one statement, none twice."""
    seen: set[tuple[Edit, ...]] = set()
    for proposal in _propose(source, statement, around):
        if proposal.edits not in seen and all(source.cut(e.spot) != e.replacement for e in proposal.edits):
            seen.add(proposal.edits)
            yield proposal


def _propose(source: Source, statement: ast.stmt, around: Surroundings) -> Iterator[Proposal]:
    nodes = [node for node in ast.walk(head_of(statement)) if isinstance(node, ast.expr)]
    loads = [node for node in nodes if isinstance(getattr(node, "ctx", ast.Load()), ast.Load)]
    callees = {id(node.func) for node in nodes if isinstance(node, ast.Call)}
    texts = {id(node): source.segment(node) for node in loads}
    same: dict[str, list[ast.expr]] = {}
    for node in loads:
        same.setdefault(texts[id(node)], []).append(node)
    for node in loads:
        for new, kind, weight in _change(node, around, callee=id(node) in callees, parent=source.parents[node]):
            text = _fit(source, node, new)
            yield Proposal((Edit(source.spot(node), text),), kind, weight)
            twins = [other for other in same[texts[id(node)]] if other is not node] if kind in FAMILIES else []
            if twins:
                edits = [Edit(source.spot(one), _fit(source, one, new)) for one in (node, *twins)]
                yield Proposal(tuple(sorted(edits, key=lambda e: e.spot)), kind, weight + 0.25)
    yield from _change_all(source, nodes, around)
    if isinstance(statement, SIMPLE):
        yield from _change_statement(source, statement)


def _change_all(source: Source, nodes: Sequence[ast.expr], around: Surroundings) -> Iterator[Proposal]:
    """The same change of every sum, mean or the like of a line: one axis for all, all kept, means for sums."""
    reductions = [
        n for n in nodes if isinstance(n, ast.Call) and isinstance(n.func, ast.Attribute) and n.func.attr in REDUCTIONS
    ]
    if len(reductions) < 2:
        return
    changes = [
        {ast.unparse(_without(new, node)): (node, new) for new, _, _ in _change_reduction(node)} for node in reductions
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


FAMILIES = {"name", "function", "key", "constant"}


def _fit(source: Source, old: ast.expr, new: ast.expr) -> str:
    """The text of the new node where the old one stands, in parentheses where it needs them."""
    text = ast.unparse(new)
    if not isinstance(new, LOOSE):
        return text
    around = source.spot(head_of(source.statement_of(old)))
    bare, safe = (_parse(source.cut_replaced(around, Edit(source.spot(old), said))) for said in (text, f"({text})"))
    return text if bare is not None and bare == safe else f"({text})"


LOOSE = (ast.BinOp, ast.UnaryOp, ast.Compare, ast.BoolOp, ast.IfExp, ast.Lambda)


def _parse(text: str) -> str | None:
    """The tree of a statement; None where it is no Python by itself."""
    try:
        return ast.dump(ast.parse(text))
    except SyntaxError:
        return None


Change = tuple[ast.expr, str, float]


def _change(node: ast.expr, around: Surroundings, *, callee: bool, parent: ast.AST) -> Iterator[Change]:
    """The changes of one node."""
    if callee:
        yield from _change_callee(node, around)
        return
    for kind, change in CHANGES.items():
        if isinstance(node, kind):
            yield from change(node, around)
    if isinstance(
        node, ast.BinOp | ast.Call | ast.Name | ast.Subscript | ast.Attribute | ast.UnaryOp
    ) and not _is_place(node, parent):
        yield from _add_to(node, around, parent)


def _is_place(node: ast.expr, parent: ast.AST) -> bool:
    """Whether a node says where rather than what: an index, an axis, the array that is written into."""
    if isinstance(parent, ast.Subscript):
        return True
    return isinstance(parent, ast.keyword | ast.Slice | ast.Attribute)


def _change_name(node: ast.Name, around: Surroundings) -> Iterator[Change]:
    numbers = around.numbers
    mine = around.values.get(node.id)
    if isinstance(mine, list | tuple | dict):
        for name, value in around.values.items():
            if name != node.id and isinstance(value, list | tuple | dict) and len(value):
                yield ast.Name(name, ast.Load()), "name", 1.0 if len(value) == len(mine) else 1.2
    if node.id not in numbers:
        return
    for name, shape in numbers.items():
        if name != node.id and len(shape) == len(numbers[node.id]):
            yield ast.Name(name, ast.Load()), "name", 1.0 if shape == numbers[node.id] else 1.5


def _change_callee(node: ast.expr, around: Surroundings) -> Iterator[Change]:
    if isinstance(node, ast.Name) and node.id in around.helpers:
        for name, arity in around.helpers.items():
            if name != node.id and arity == around.helpers[node.id]:
                yield ast.Name(name, ast.Load()), "function", 1.0
    if isinstance(node, ast.Attribute):
        for pair in TWINS:
            if node.attr in pair:
                yield ast.Attribute(node.value, pair[1 - pair.index(node.attr)], ast.Load()), "function", 1.0


def _change_constant(node: ast.Constant, around: Surroundings) -> Iterator[Change]:
    if isinstance(node.value, bool):
        yield ast.Constant(not node.value), "constant", 1.0
    elif isinstance(node.value, int | float):
        c = node.value
        for new in dict.fromkeys((c + 1, c - 1, 2 * c, c / 2 if c % 2 else c // 2, -c, 0, 1, 2, 0.5)):
            if new != c:
                # Nothing added, and a factor of one, say that the operand itself should not be there.
                yield _number(new), "constant", 1.0 if new not in (0, 1) else 1.25
        for name, shape in around.numbers.items():
            if shape == ():
                yield ast.Name(name, ast.Load()), "constant", 1.5


def _change_product(node: ast.BinOp, around: Surroundings) -> Iterator[Change]:
    for operator in OPERATORS.get(type(node.op), ()):
        yield ast.BinOp(node.left, operator(), node.right), "operator", 1.0
    if not isinstance(node.op, ast.Add | ast.Mult):
        yield ast.BinOp(node.right, node.op, node.left), "order of operands", 1.2
    yield node.left, "operand dropped", 1.2
    yield node.right, "operand dropped", 1.2
    if isinstance(node.op, ast.Sub):
        yield ast.UnaryOp(ast.USub(), node.right), "operand dropped", 1.5
    if isinstance(node.op, ast.MatMult):
        yield ast.BinOp(_turn(node.left), node.op, node.right), "transpose", 1.0
        yield ast.BinOp(node.left, node.op, _turn(node.right)), "transpose", 1.0
        yield ast.BinOp(_turn(node.right), node.op, _turn(node.left)), "transpose", 1.5
        yield ast.BinOp(_turn(node.right), node.op, node.left), "transpose", 1.5
        yield ast.BinOp(node.right, node.op, _turn(node.left)), "transpose", 1.5
        yield _turn(node), "transpose", 1.2
    if isinstance(node.op, ast.Mult | ast.Div):
        yield from _regroup(node)


def _regroup(node: ast.BinOp) -> Iterator[Change]:
    """(a + b) * c -> a * c + b and a + b * c, and back: a factor that belongs to one term or to all."""
    inner = node.left
    if isinstance(inner, ast.BinOp) and isinstance(inner.op, ast.Add | ast.Sub):
        yield ast.BinOp(ast.BinOp(inner.left, node.op, node.right), inner.op, inner.right), "grouping", 1.2
        yield ast.BinOp(inner.left, inner.op, ast.BinOp(inner.right, node.op, node.right)), "grouping", 1.2
    other = node.right
    if isinstance(other, ast.BinOp) and isinstance(other.op, ast.Add | ast.Sub) and isinstance(node.op, ast.Mult):
        yield ast.BinOp(ast.BinOp(node.left, node.op, other.left), other.op, other.right), "grouping", 1.2
        yield ast.BinOp(other.left, other.op, ast.BinOp(node.left, node.op, other.right)), "grouping", 1.2


def _turn(node: ast.expr) -> ast.expr:
    if isinstance(node, ast.Attribute) and node.attr == "T":
        return node.value
    return ast.Attribute(node, "T", ast.Load())


def _change_sign(node: ast.UnaryOp, around: Surroundings) -> Iterator[Change]:
    yield node.operand, "sign" if isinstance(node.op, ast.USub) else "operand dropped", 0.9


def _change_attribute(node: ast.Attribute, around: Surroundings) -> Iterator[Change]:
    if node.attr == "T":
        yield node.value, "transpose", 1.0
    if isinstance(node.value, ast.Name) and node.value.id == "self":
        owner = around.values.get("self")
        mine = {k: v for k, v in getattr(owner, "__dict__", {}).items() if isinstance(v, np.ndarray | float | int)}
        if node.attr in mine:
            for name, value in mine.items():
                if name != node.attr and np.ndim(value) == np.ndim(mine[node.attr]):
                    yield ast.Attribute(node.value, name, ast.Load()), "name", 1.0


def _change_call(node: ast.Call, around: Surroundings) -> Iterator[Change]:
    if ast.unparse(node) in around.counts or (isinstance(node.func, ast.Name) and node.func.id == "len"):
        for mask in around.masks:
            yield ast.parse(f"{mask}.sum()", mode="eval").body, "count", 1.1
    if len(node.args) == 1:
        for helper, arity in around.helpers.items():
            for more in (*([ast.Constant(1)], [_number(-1)]),) if arity == 1 else ():
                yield ast.Call(ast.Name(helper, ast.Load()), [node.args[0], *more], []), "function", 1.4
            if arity == 1 and not (isinstance(node.func, ast.Name) and node.func.id == helper):
                yield ast.Call(ast.Name(helper, ast.Load()), node.args, []), "function", 1.2
    yield from _move_out(node)
    if len(node.args) == 1 and not (isinstance(node.func, ast.Attribute) and node.func.attr in REDUCTIONS):
        yield node.args[0], "call taken away", 1.3
    if isinstance(node.func, ast.Attribute) and node.func.attr in REDUCTIONS:
        yield from _change_reduction(node)
    if isinstance(node.func, ast.Attribute) and node.func.attr in ("copy", "clip", "flatten", "ravel", "squeeze"):
        yield node.func.value, "call taken away", 1.2
    if len(node.args) == 2:
        yield ast.Call(node.func, node.args[::-1], node.keywords), "order of operands", 1.2
    if len(node.args) == 3 and isinstance(node.func, ast.Attribute) and node.func.attr == "where":
        yield ast.Call(node.func, [node.args[0], node.args[2], node.args[1]], []), "order of operands", 1.2


def _move_out(node: ast.Call) -> Iterator[Change]:
    """f(a + b, …) -> f(a, …) + b: a term that passes by."""
    for k, argument in enumerate(node.args):
        if isinstance(argument, ast.BinOp) and isinstance(argument.op, ast.Add | ast.Sub):
            for inner, outer in ((argument.left, argument.right), (argument.right, argument.left)):
                rest = ast.Call(node.func, [*node.args[:k], inner, *node.args[k + 1 :]], node.keywords)
                yield ast.BinOp(rest, argument.op, outer), "grouping", 1.2


def _change_reduction(node: ast.Call) -> Iterator[Change]:
    """Axes, kept or not, one for all or none."""
    method = isinstance(node.func, ast.Attribute) and not (
        isinstance(node.func.value, ast.Name) and node.func.value.id in ("np", "numpy", "jnp", "torch")
    )
    positional = node.args[(0 if method else 1) :]
    keep = [k for k in node.keywords if k.arg == "keepdims"]
    has_axis = bool(positional) or any(k.arg == "axis" for k in node.keywords)
    base = copy.copy(node)
    base.args = node.args[: (0 if method else 1)]
    kept = [k for k in node.keywords if k.arg not in ("axis", "keepdims")]
    for axis in AXES:
        word = ast.keyword("axis", _number(axis))
        yield ast.Call(node.func, base.args, [word, *keep, *kept]), "axis", 1.0
        if not keep:
            more = ast.keyword("keepdims", ast.Constant(True))
            yield ast.Call(node.func, base.args, [word, more, *kept]), "axis", 1.3
    if has_axis:
        yield ast.Call(node.func, base.args, kept), "axis", 1.2
    if keep:
        yield ast.Call(node.func, node.args, [k for k in node.keywords if k.arg != "keepdims"]), "keepdims", 1.0
    else:
        yield (
            ast.Call(node.func, node.args, [*node.keywords, ast.keyword("keepdims", ast.Constant(True))]),
            "keepdims",
            1.0,
        )
    inside = node.func.value if method else node.args[0]  # type: ignore[attr-defined]
    yield inside, "call taken away", 1.3


def _change_comparison(node: ast.Compare, around: Surroundings) -> Iterator[Change]:
    if len(node.ops) == 1:
        for operator in COMPARISONS.get(type(node.ops[0]), ()):
            yield ast.Compare(node.left, [operator()], node.comparators), "comparison", 1.0
        for name, shape in around.numbers.items():
            if shape == ():
                yield ast.Compare(node.left, node.ops, [ast.Name(name, ast.Load())]), "comparison", 1.5


def _change_place(node: ast.Subscript, around: Surroundings) -> Iterator[Change]:
    index = node.slice
    if isinstance(index, ast.Constant) and isinstance(index.value, str):
        held = around.values.get(node.value.id) if isinstance(node.value, ast.Name) else None
        for key in held if isinstance(held, Mapping) else ():
            if isinstance(key, str) and key != index.value:
                yield ast.Subscript(node.value, ast.Constant(key), node.ctx), "key", 1.0
    elif isinstance(index, ast.Slice):
        for lower, upper in ((None, ast.UnaryOp(ast.USub(), ast.Constant(1))), (ast.Constant(1), None), (None, None)):
            yield ast.Subscript(node.value, ast.Slice(lower, upper, index.step), node.ctx), "index", 1.2
    elif not isinstance(index, ast.Tuple):
        for step in (ast.Sub, ast.Add):
            moved = ast.BinOp(index, step(), ast.Constant(1))
            yield ast.Subscript(node.value, _tidy(moved), node.ctx), "index", 1.0


def _tidy(node: ast.BinOp) -> ast.expr:
    """i - 1 + 1 is i; 2 - 1 is 1."""
    try:
        return _number(ast.literal_eval(ast.unparse(node.left)) + (1 if isinstance(node.op, ast.Add) else -1))
    except (ValueError, TypeError):
        pass
    left = node.left
    if isinstance(left, ast.BinOp) and ast.unparse(left.right) == "1" and type(left.op) is not type(node.op):
        return left.left
    return node


CHANGES: Mapping[type[ast.expr], Callable[[Any, Surroundings], Iterator[Change]]] = {
    ast.Name: _change_name,
    ast.Constant: _change_constant,
    ast.BinOp: _change_product,
    ast.UnaryOp: _change_sign,
    ast.Attribute: _change_attribute,
    ast.Call: _change_call,
    ast.Compare: _change_comparison,
    ast.Subscript: _change_place,
}


def _add_to(node: ast.expr, around: Surroundings, parent: ast.AST) -> Iterator[Change]:
    """Something that was left out: a sign, a factor, a term, a function around it."""
    yield ast.UnaryOp(ast.USub(), node), "sign", 1.0
    for count in around.counts:
        n = ast.parse(count, mode="eval").body
        yield ast.BinOp(node, ast.Div(), n), "factor n", 1.1
        yield ast.BinOp(node, ast.Mult(), n), "factor n", 1.2
    for c in (2,):
        yield ast.BinOp(_number(c), ast.Mult(), node), "constant factor", 1.2
        yield ast.BinOp(node, ast.Div(), _number(c)), "constant factor", 1.2
    if isinstance(parent, ast.BinOp) and isinstance(parent.op, ast.Mult) and parent.right is not node:
        return  # the whole product is offered the same factors
    yield from _add_names(node, around)
    for helper, arity in around.helpers.items():
        if arity == 1:
            yield ast.Call(ast.Name(helper, ast.Load()), [node], []), "function around it", 1.5
    if len(around.shapes.get(node, ())) == 2:
        for axis in (0, 1):
            total = ast.Attribute(node, "sum", ast.Load())
            yield ast.Call(total, [], [ast.keyword("axis", ast.Constant(axis))]), "sum left out", 1.3


def _add_names(node: ast.expr, around: Surroundings) -> Iterator[Change]:
    """A factor, or a term, of what has a name here and fits."""
    mine = around.shapes.get(node)
    scalars = [name for name, shape in around.numbers.items() if shape == ()]
    for name, shape in around.numbers.items():
        if isinstance(node, ast.Name) and node.id == name:
            continue
        other = ast.Name(name, ast.Load())
        if mine is not None and len(mine) == 2 and shape == mine[:1]:
            column = ast.parse(f"{name}[:, None]", mode="eval").body
            yield ast.BinOp(node, ast.Mult(), column), "factor", 1.7
        if mine is not None and not _fits(shape, mine):
            continue
        yield ast.BinOp(node, ast.Mult(), other), "factor", 1.6
        yield ast.BinOp(node, ast.Div(), other), "factor", 1.8
        for helper, arity in around.helpers.items():
            if arity == 1:
                slope = ast.Call(ast.Name(helper, ast.Load()), [other], [])
                yield ast.BinOp(node, ast.Mult(), slope), "factor", 1.6
        if shape == () or (mine is not None and shape != mine):
            continue
        yield ast.BinOp(node, ast.Add(), other), "term", 1.8
        yield ast.BinOp(node, ast.Sub(), other), "term", 1.9
        for scalar in scalars:
            weighted = ast.BinOp(ast.Name(scalar, ast.Load()), ast.Mult(), other)
            yield ast.BinOp(node, ast.Add(), weighted), "term", 2.0
            yield ast.BinOp(node, ast.Add(), ast.BinOp(ast.Constant(2), ast.Mult(), weighted)), "term", 2.1


def _fits(shape: tuple[int, ...], mine: tuple[int, ...]) -> bool:
    """Whether an array stretches to the other's shape and leaves it as it is."""
    return len(shape) <= len(mine) and all(m in (1, n) for m, n in zip(shape[::-1], mine[::-1], strict=False))


def _number(c: float) -> ast.expr:
    """A constant; negative ones as people write them."""
    return ast.UnaryOp(ast.USub(), ast.Constant(-c)) if c < 0 else ast.Constant(c)


def _change_statement(source: Source, node: ast.stmt) -> Iterator[Proposal]:
    """The assignment itself, and its place among its neighbours."""
    spot = source.spot(node)
    if isinstance(node, ast.Assign) and len(node.targets) == 1:
        target, value = node.targets[0], source.segment(node.value)
        written = source.segment(target)
        if not isinstance(target, ast.Tuple | ast.List):
            for sign in ("+=", "-=", "*="):
                yield Proposal((Edit(spot, f"{written} {sign} {value}"),), "= for " + sign, 1.0)
        if isinstance(node.value, ast.Name | ast.Attribute | ast.Subscript):
            yield Proposal((Edit(source.spot(node.value), f"{value}.copy()"),), "copy", 1.0)
    if isinstance(node, ast.AugAssign):
        target, value = source.segment(node.target), source.segment(node.value)
        for sign in ("=", "+=", "-=", "*=", "/="):
            yield Proposal((Edit(spot, f"{target} {sign} {value}"),), "assignment", 1.0)
        yield Proposal((Edit(spot, f"{target} = {target} + {value}"),), "copy", 1.3)
        if isinstance(node.target, ast.Subscript) and isinstance(node.op, ast.Add):
            array, place = source.segment(node.target.value), source.segment(node.target.slice)
            place = f"({place})" if isinstance(node.target.slice, ast.Tuple) else place
            yield Proposal((Edit(spot, f"np.add.at({array}, {place}, {value})"),), "repeated indices", 1.1)
    yield from _move(source, node)


def _move(source: Source, node: ast.stmt) -> Iterator[Proposal]:
    """Take the line away, or put it before or after another of its block."""
    block = next(
        (held for _, held in ast.iter_fields(source.parents[node]) if isinstance(held, list) and node in held), []
    )
    if len(block) > 1 and not isinstance(node, ast.Return):
        yield Proposal((Edit(source.spot(node), "pass"),), "line taken away", 1.5)
    place = block.index(node) if node in block else 0
    for other in block[:place][::-1] + block[place + 1 :]:
        if isinstance(other, ast.Return | ast.FunctionDef) or source.spot(other).line == source.spot(node).line:
            continue
        first, second = sorted((node, other), key=lambda one: one.lineno)
        edits = (Edit(source.spot(first), source.segment(second)), Edit(source.spot(second), source.segment(first)))
        if isinstance(first, SIMPLE_ONES) and isinstance(second, SIMPLE_ONES):
            yield Proposal(edits, "order of lines", 1.5)


SIMPLE_ONES = (ast.Assign, ast.AugAssign, ast.Expr)
