"""Changes of an operation: another operator, its operands dropped, exchanged, turned, grouped or replaced."""

from __future__ import annotations

import ast
import copy
from collections.abc import Iterator, Mapping

from backprop.reading.proposing.additions import fits
from backprop.reading.proposing.surroundings import Change, Surroundings

__all__ = ["change_operation"]

OPERATORS: Mapping[type[ast.operator], tuple[type[ast.operator], ...]] = {
    ast.Add: (ast.Sub, ast.Mult),
    ast.Sub: (ast.Add,),
    ast.Mult: (ast.Div, ast.MatMult, ast.Add),
    ast.Div: (ast.Mult,),
    ast.MatMult: (ast.Mult,),
    ast.Pow: (ast.Mult,),
    ast.FloorDiv: (ast.Div,),
}


def change_operation(node: ast.BinOp, around: Surroundings) -> Iterator[Change]:
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
        yield from _swap_axes(node, around)
    if isinstance(node.op, ast.Pow | ast.Sub | ast.Add):
        yield from _regroup_power(node)
    if isinstance(node.op, ast.Add | ast.Sub):
        yield from _move_into(node)
    if isinstance(node.op, ast.Mult | ast.Div):
        yield from _regroup(node)
        yield from _replace_operand(node, around)


def _swap_axes(node: ast.BinOp, around: Surroundings) -> Iterator[Change]:
    """Transposes of stacks of matrices, as the file writes them or not at all."""
    for operand in (node.left, node.right):
        if len(around.shapes.get(operand, ())) == 3:
            swapped = ast.parse("x.transpose(0, 2, 1)", mode="eval").body
        elif len(around.shapes.get(operand, ())) > 3:
            swapped = ast.parse("x.swapaxes(-1, -2)", mode="eval").body
        else:
            continue
        swapped.func.value = operand  # type: ignore[attr-defined]
        left, right = (swapped, node.right) if operand is node.left else (node.left, swapped)
        yield ast.BinOp(left, node.op, right), "transpose", 1.1


def _move_into(node: ast.BinOp) -> Iterator[Change]:
    """f(a) + b -> f(a + b): a term that should pass through a function."""
    for call in ast.walk(node.left):
        if isinstance(call, ast.Call) and len(call.args) == 1 and not isinstance(node.right, ast.Call):
            inside = ast.BinOp(call.args[0], node.op, node.right)
            moved = copy.deepcopy(node.left)
            twin = next(one for one in ast.walk(moved) if ast.dump(one) == ast.dump(call))
            assert isinstance(twin, ast.Call)
            twin.args = [inside]
            yield moved, "grouping", 1.3


def _regroup_power(node: ast.BinOp) -> Iterator[Change]:
    """(1 - a) ** 2 -> 1 - a ** 2, and back."""
    inner, outer = node.left, node.right
    if isinstance(node.op, ast.Pow) and isinstance(inner, ast.BinOp) and isinstance(inner.op, ast.Add | ast.Sub):
        yield ast.BinOp(inner.left, inner.op, ast.BinOp(inner.right, node.op, outer)), "grouping", 1.2
    if isinstance(node.op, ast.Add | ast.Sub) and isinstance(outer, ast.BinOp) and isinstance(outer.op, ast.Pow):
        yield ast.BinOp(ast.BinOp(inner, node.op, outer.left), outer.op, outer.right), "grouping", 1.2


def _replace_operand(node: ast.BinOp, around: Surroundings) -> Iterator[Change]:
    """Another array in place of a factor that is more than a name."""
    mine = around.shapes.get(node)
    for operand, other in ((node.left, node.right), (node.right, node.left)):
        if mine is None or isinstance(operand, ast.Name) or around.shapes.get(other) != mine:
            continue
        for text, shape in around.reachable.items():
            if shape and fits(shape, mine):
                new = ast.parse(text, mode="eval").body
                left, right = (new, node.right) if operand is node.left else (node.left, new)
                yield ast.BinOp(left, node.op, right), "factor", 1.7


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
