"""What may have been left out of a piece of a line: a sign, a factor, a term, a sum, a function around it."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence

from backprop.reading.proposing.omissions import products
from backprop.reading.proposing.surroundings import Change, Surroundings, number

__all__ = ["add_to", "fits"]


ON_A_NAME = 0.1
"""What is missing was left out where a value was made, rather than where its name is used; but a line that only gives
another name to something most likely should have done more."""


def add_to(node: ast.expr, around: Surroundings, parent: ast.AST) -> Iterator[Change]:
    """Something that was left out: a sign, a factor, a term, a function around it."""
    if around.shapes and node not in around.shapes:
        return  # no number, or it never ran
    more = 0.0
    if isinstance(node, ast.Name):
        more = -ON_A_NAME if isinstance(parent, ast.Assign) else ON_A_NAME
    for new, kind, weight in _add_to(node, around, parent):
        yield new, kind, weight + more


def _add_to(node: ast.expr, around: Surroundings, parent: ast.AST) -> Iterator[Change]:
    yield from _add_constants(node, around, parent)
    yield from _add_matrices(node, around)
    yield from _wrap(node, around, parent)
    if isinstance(parent, ast.BinOp) and isinstance(parent.op, ast.Mult) and parent.right is not node:
        yield from (one for one in _add_names(node, around) if one[1] == "term")
        return  # the whole product is offered the same factors
    for text in around.constants:
        constant = ast.parse(text, mode="eval").body
        yield ast.BinOp(node, ast.Div(), constant), "factor", 1.6
        yield ast.BinOp(node, ast.Mult(), constant), "factor", 1.7
    yield from _add_names(node, around)
    yield from _add_pieces(node, around, parent)
    if isinstance(parent, ast.Assign | ast.AugAssign | ast.Return):
        for text in products(around.reachable, around.shapes.get(node, ()), around.made):
            yield ast.BinOp(node, ast.Add(), ast.parse(text, mode="eval").body), "term", 2.2


def _add_constants(node: ast.expr, around: Surroundings, parent: ast.AST) -> Iterator[Change]:
    """A sign, a factor n, 1/n, 2, 1/2, 4, 1/4, one more or less."""
    yield ast.UnaryOp(ast.USub(), node), "sign", 1.0
    said = ast.unparse(node)
    for count in around.counts if said not in around.counts else ():
        n = ast.parse(count, mode="eval").body
        yield ast.BinOp(node, ast.Div(), n), "factor n", 1.1
        yield ast.BinOp(node, ast.Mult(), n), "factor n", 1.2
    for length in around.lengths if said not in around.counts else ():
        yield ast.BinOp(node, ast.Div(), ast.parse(length, mode="eval").body), "factor n", 1.45
    for c, weight in ((2, 1.2), (4, 1.5)):
        yield ast.BinOp(number(c), ast.Mult(), node), "constant factor", weight
        yield ast.BinOp(node, ast.Div(), number(c)), "constant factor", weight
    if isinstance(parent, ast.BinOp | ast.Call):
        yield ast.BinOp(node, ast.Add(), number(1)), "constant term", 1.6
        yield ast.BinOp(node, ast.Sub(), number(1)), "constant term", 1.6
        yield ast.BinOp(number(1), ast.Sub(), node), "constant term", 1.6


def _wrap(node: ast.expr, around: Surroundings, parent: ast.AST) -> Iterator[Change]:
    """A function of the file, a copy or a sum around it."""
    for helper, arity in around.helpers.items():
        if arity == 1:
            yield ast.Call(ast.Name(helper, ast.Load()), [node], []), "function around it", 1.5
        if arity in (1, 2):
            yield ast.Call(ast.Name(helper, ast.Load()), [node, number(-1)], []), "function around it", 1.7
    for function in around.functions:
        yield ast.Call(ast.parse(function, mode="eval").body, [node], []), "function around it", 1.6
    if isinstance(parent, ast.Call) and isinstance(node, ast.Name):
        for k in range(min(len(around.shapes.get(node, ())), 2)):
            place = "::-1" if k == 0 else ":, ::-1"
            yield ast.parse(f"{node.id}[{place}]", mode="eval").body, "order reversed", 1.4
    if isinstance(parent, ast.Call) and isinstance(node, ast.Name) and around.shapes.get(node):
        yield ast.Call(ast.Attribute(node, "copy", ast.Load()), [], []), "copy", 1.1
    if len(around.shapes.get(node, ())) == 2:
        for axis in (0, 1):
            total = ast.Attribute(node, "sum", ast.Load())
            yield ast.Call(total, [], [ast.keyword("axis", ast.Constant(axis))]), "sum left out", 1.3


def _add_names(node: ast.expr, around: Surroundings) -> Iterator[Change]:
    """A factor, or a term, of what has a name here and fits."""
    mine = around.shapes.get(node)
    factors = around.factors
    scalars = [name for name, shape in factors.items() if shape == ()]
    for name, shape in factors.items():
        if isinstance(node, ast.Name) and node.id == name:
            continue
        other = ast.Name(name, ast.Load())
        if mine is not None and len(mine) == 2 and shape == mine[:1]:
            column = ast.parse(f"{name}[:, None]", mode="eval").body
            yield ast.BinOp(node, ast.Mult(), column), "factor", 1.7
        if mine is not None and not fits(shape, mine):
            continue
        yield ast.BinOp(node, ast.Mult(), other), "factor", 1.6
        yield ast.BinOp(node, ast.Div(), other), "factor", 1.8
        for helper in (helper for helper, arity in around.helpers.items() if arity == 1):
            slope = ast.Call(ast.Name(helper, ast.Load()), [other], [])
            yield ast.BinOp(node, ast.Mult(), slope), "factor", 1.6
        if shape != () and mine in (None, shape):
            yield from _add_terms(node, other, scalars)
            yield from _add_slopes(node, name) if mine == shape else ()


def _add_slopes(node: ast.expr, name: str) -> Iterator[Change]:
    """The slope of a usual activation, said by its output."""
    for text in (f"1 - {name}", f"1 - {name} ** 2", f"{name} * (1 - {name})", f"{name} > 0"):
        yield ast.BinOp(node, ast.Mult(), ast.parse(text, mode="eval").body), "factor", 1.65


def _add_terms(node: ast.expr, other: ast.expr, scalars: Sequence[str]) -> Iterator[Change]:
    """Another array added or taken off, as it is or weighted: a penalty."""
    yield ast.BinOp(node, ast.Add(), other), "term", 1.8
    yield ast.BinOp(node, ast.Sub(), other), "term", 1.9
    for scalar in scalars:
        weighted = ast.BinOp(ast.Name(scalar, ast.Load()), ast.Mult(), other)
        yield ast.BinOp(node, ast.Add(), weighted), "term", 2.0
        yield ast.BinOp(node, ast.Add(), ast.BinOp(ast.Constant(2), ast.Mult(), weighted)), "term", 2.1


def _add_matrices(node: ast.expr, around: Surroundings) -> Iterator[Change]:
    """A square matrix on either side, which leaves the shape as it is."""
    mine = around.shapes.get(node, ())
    if len(mine) not in (1, 2):
        return
    for name, shape in around.numbers.items():
        if len(shape) != 2 or shape[0] != shape[1] or (isinstance(node, ast.Name) and node.id == name):
            continue
        for text in (name, f"{name}.T"):
            matrix = ast.parse(text, mode="eval").body
            if shape[1] == mine[0]:
                yield ast.BinOp(matrix, ast.MatMult(), node), "factor", 1.7
            if shape[0] == mine[-1]:
                yield ast.BinOp(node, ast.MatMult(), matrix), "factor", 1.7


def _add_pieces(node: ast.expr, around: Surroundings, parent: ast.AST) -> Iterator[Change]:
    """A factor that is an item or an attribute: of what is reached here, and of the same line."""
    mine = around.shapes.get(node)
    if mine is None:
        return
    outer = around.shapes.get(parent) if isinstance(parent, ast.BinOp) else None
    for text, shape in {**around.reachable, **around.pieces(node)}.items():
        wide = outer is not None and fits(mine, shape) and fits(shape, outer)
        if not text.isidentifier() and (wide or fits(shape, mine)):
            other = ast.parse(text, mode="eval").body
            yield ast.BinOp(node, ast.Mult(), other), "factor", 1.7
            yield ast.BinOp(node, ast.Div(), other), "factor", 1.8
            if shape == mine and shape:
                yield ast.BinOp(node, ast.Add(), other), "term", 2.0
                yield from _add_weighted(node, other, around)


def _add_weighted(node: ast.expr, other: ast.expr, around: Surroundings) -> Iterator[Change]:
    """A penalty whose weight is an attribute, as it is or over the number of samples."""
    weights = [text for text, shape in around.reachable.items() if shape == () and text not in around.turns]
    for text in weights[:MOST_WEIGHTS]:
        weighted = ast.BinOp(ast.parse(text, mode="eval").body, ast.Mult(), other)
        yield ast.BinOp(node, ast.Add(), weighted), "term", 2.1
        yield ast.BinOp(node, ast.Add(), ast.BinOp(ast.Constant(2), ast.Mult(), weighted)), "term", 2.2
        for count in around.counts:
            mean = ast.BinOp(weighted, ast.Div(), ast.parse(count, mode="eval").body)
            yield ast.BinOp(node, ast.Add(), mean), "term", 2.2


MOST_WEIGHTS = 8


def fits(shape: tuple[int, ...], mine: tuple[int, ...]) -> bool:
    """Whether an array stretches to the other's shape and leaves it as it is."""
    return len(shape) <= len(mine) and all(m in (1, n) for m, n in zip(shape[::-1], mine[::-1], strict=False))
