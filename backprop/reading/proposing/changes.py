"""Changes of one piece of a line, as people make mistakes: a name, an operator, an axis, an index, a constant."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np

from backprop.reading.proposing.additions import add_to
from backprop.reading.proposing.exchanges import REDUCTIONS, change_axes_order, change_einsum, change_reduction
from backprop.reading.proposing.operations import change_operation
from backprop.reading.proposing.surroundings import Change, Surroundings, number
from backprop.reading.running.recorder import is_number

__all__ = ["change", "change_place"]

TWINS = (
    ("sum", "mean"), ("maximum", "minimum"), ("argmax", "argmin"), ("max", "min"), ("sin", "cos"), ("exp", "log"),
    ("zeros_like", "ones_like"), ("sinh", "cosh"), ("log", "log1p"), ("exp", "expm1"), ("sum", "max"), ("var", "std"),
    ("outer", "dot"), ("add", "subtract"), ("sqrt", "square"), ("cumsum", "flip"),
)  # fmt: skip
"""Functions of NumPy, and methods of arrays, that are taken one for the other."""
COMPARISONS: Mapping[type[ast.cmpop], tuple[type[ast.cmpop], ...]] = {
    ast.Gt: (ast.GtE, ast.Lt, ast.LtE),
    ast.GtE: (ast.Gt, ast.LtE, ast.Lt),
    ast.Lt: (ast.LtE, ast.Gt, ast.GtE),
    ast.LtE: (ast.Lt, ast.GtE, ast.Gt),
    ast.Eq: (ast.NotEq,),
    ast.NotEq: (ast.Eq,),
}


def change(node: ast.expr, around: Surroundings, *, callee: bool, parent: ast.AST) -> Iterator[Change]:
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
        yield from add_to(node, around, parent)


def change_place(node: ast.expr, around: Surroundings) -> Iterator[Change]:
    """The changes of a node that says which entries: another whole number, one more or less, the other comparison."""
    if isinstance(node, ast.Name) and node.id in around.numbers:
        numbers = around.numbers
        whole = sorted(name for name in numbers if _is_whole(around.values[name]) and name != node.id)
        for name in whole if _is_whole(around.values[node.id]) else ():
            if numbers[name] == numbers[node.id]:
                yield ast.Name(name, ast.Load()), "name", 1.0
    elif isinstance(node, ast.Constant | ast.Compare | ast.Subscript):
        yield from CHANGES[type(node)](node, around)
    elif isinstance(node, ast.BinOp):
        yield node.left, "operand dropped", 1.2
        yield node.right, "operand dropped", 1.2
        yield ast.BinOp(node, ast.Sub(), ast.Constant(1)), "index", 1.2
        yield ast.BinOp(node, ast.Add(), ast.Constant(1)), "index", 1.2


def _is_whole(value: Any) -> bool:
    kind = getattr(getattr(value, "dtype", np.dtype(type(value))), "kind", "f")
    return is_number(value) and kind in "iub"


def _is_place(node: ast.expr, parent: ast.AST) -> bool:
    """Whether a node says where rather than what: an index, an axis, the array that is written into."""
    if isinstance(parent, ast.Attribute):
        return parent.attr not in OF_WHOLES
    return isinstance(parent, ast.Subscript | ast.keyword | ast.Slice)


OF_WHOLES = ("reshape", "sum", "mean", "ravel", "flatten", "transpose", "swapaxes")
"""Methods that take an array as a whole: what was left out may be missing inside."""


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
                yield number(new), "constant", 1.0 if new not in (0, 1) else 1.25
        for text in around.constants:
            yield ast.parse(text, mode="eval").body, "constant", 1.3
        for count in around.counts:
            yield ast.BinOp(node, ast.Div(), ast.parse(count, mode="eval").body), "factor n", 1.2
        for name, shape in around.numbers.items():
            if shape == ():
                yield ast.Name(name, ast.Load()), "constant", 1.5


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


TAKEN_AWAY = ("copy", "clip", "flatten", "ravel", "squeeze", "transpose", "swapaxes")
"""Methods that may be one too many."""


def _change_call(node: ast.Call, around: Surroundings) -> Iterator[Change]:
    if isinstance(node.func, ast.Attribute) and node.func.attr == "einsum":
        yield from change_einsum(node)
    yield from change_axes_order(node, around)
    if ast.unparse(node) in around.counts or (isinstance(node.func, ast.Name) and node.func.id == "len"):
        for mask in around.masks:
            yield ast.parse(f"{mask}.sum()", mode="eval").body, "count", 1.1
    if isinstance(node.func, ast.Name) and node.func.id == "len" and isinstance(node.args[0], ast.Name):
        yield ast.parse(f"{node.args[0].id}.size", mode="eval").body, "count", 1.0
    if len(node.args) == 1:
        for helper, arity in around.helpers.items():
            for more in (*([ast.Constant(1)], [number(-1)]),) if arity == 1 else ():
                yield ast.Call(ast.Name(helper, ast.Load()), [node.args[0], *more], []), "function", 1.4
            if arity == 1 and not (isinstance(node.func, ast.Name) and node.func.id == helper):
                yield ast.Call(ast.Name(helper, ast.Load()), node.args, []), "function", 1.2
    yield from _move_out(node)
    if len(node.args) == 1 and not (isinstance(node.func, ast.Attribute) and node.func.attr in REDUCTIONS):
        yield node.args[0], "call taken away", 1.3
    if isinstance(node.func, ast.Attribute) and node.func.attr in REDUCTIONS:
        yield from change_reduction(node, around)
    if isinstance(node.func, ast.Attribute) and node.func.attr in TAKEN_AWAY:
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


def _change_comparison(node: ast.Compare, around: Surroundings) -> Iterator[Change]:
    if len(node.ops) == 1:
        for operator in COMPARISONS.get(type(node.ops[0]), ()):
            yield ast.Compare(node.left, [operator()], node.comparators), "comparison", 1.0
        for name, shape in around.numbers.items():
            if shape == ():
                yield ast.Compare(node.left, node.ops, [ast.Name(name, ast.Load())]), "comparison", 1.5


def _change_place(node: ast.Subscript, around: Surroundings) -> Iterator[Change]:
    index = node.slice
    mine = around.shapes.get(node, ())
    for text, shape in around.reachable.items() if mine else ():
        if len(shape) == len(mine) and text != ast.unparse(node):
            yield ast.parse(text, mode="eval").body, "name", 1.5 if shape == mine else 1.7
    if isinstance(index, ast.Constant) and isinstance(index.value, str):
        held = around.values.get(node.value.id) if isinstance(node.value, ast.Name) else None
        for key in held if isinstance(held, Mapping) else ():
            if isinstance(key, str) and key != index.value:
                yield ast.Subscript(node.value, ast.Constant(key), node.ctx), "key", 1.0
    elif isinstance(index, ast.Slice):
        for lower, upper in ((None, ast.UnaryOp(ast.USub(), ast.Constant(1))), (ast.Constant(1), None), (None, None)):
            yield ast.Subscript(node.value, ast.Slice(lower, upper, index.step), node.ctx), "index", 1.2
    elif not isinstance(index, ast.Tuple):
        for moved in _step(index):
            yield ast.Subscript(node.value, moved, node.ctx), "index", 1.0
    else:
        for k, one in enumerate(index.elts):
            for moved in _move_in(one):
                place = ast.Tuple([*index.elts[:k], moved, *index.elts[k + 1 :]], ast.Load())
                yield ast.Subscript(node.value, place, node.ctx), "index", 1.1


def _move_in(one: ast.expr) -> Iterator[ast.expr]:
    """Another place along one axis of several: beside it, or all of it the other way round."""
    if isinstance(one, ast.Name | ast.BinOp):
        yield from _step(one)
    if isinstance(one, ast.Slice) and one.lower is None and one.upper is None:
        yield ast.Slice(None, None, None if one.step is not None else number(-1))


def _step(index: ast.expr) -> Iterator[ast.expr]:
    """The place before and the one after."""
    for step in (ast.Sub, ast.Add):
        yield _tidy(ast.BinOp(index, step(), ast.Constant(1)))


def _tidy(node: ast.BinOp) -> ast.expr:
    """i - 1 + 1 is i; 2 - 1 is 1."""
    try:
        return number(ast.literal_eval(ast.unparse(node.left)) + (1 if isinstance(node.op, ast.Add) else -1))
    except (ValueError, TypeError):
        pass
    left = node.left
    if isinstance(left, ast.BinOp) and ast.unparse(left.right) == "1" and type(left.op) is not type(node.op):
        return left.left
    return node


CHANGES: Mapping[type[ast.expr], Callable[[Any, Surroundings], Iterator[Change]]] = {
    ast.Name: _change_name,
    ast.Constant: _change_constant,
    ast.BinOp: change_operation,
    ast.UnaryOp: _change_sign,
    ast.Attribute: _change_attribute,
    ast.Call: _change_call,
    ast.Compare: _change_comparison,
    ast.Subscript: _change_place,
}
