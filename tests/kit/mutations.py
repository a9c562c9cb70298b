"""Wrong equations, made from right ones: what a tired hand writes.  Used by the tests of the witness."""

from __future__ import annotations

from collections.abc import Iterator

from sympy import Expr, Integer, Rational

from theory.language.notation import Function, Partial, Total, Variable, n, nodes, rewrite, substitute, var


def replace_node(expr: Expr, old: Expr, new: Expr) -> Expr:
    """One node for another, wherever it stands."""
    return rewrite(expr, lambda node: new if node == old else None)


def mutate(expr: Expr) -> Iterator[tuple[str, Expr]]:
    """Every mutant of one right-hand side, with what was done to it."""
    for factor, name in (
        (Integer(-1), "sign"),
        (Integer(2), "factor 2"),
        (Rational(1, 2), "factor 1/2"),
        (1 / n, "factor 1/n"),
    ):
        yield name, factor * expr
    for node in dict.fromkeys(nodes(expr)):
        for name, new in mutate_node(node):
            yield f"{name} at {node}", replace_node(expr, node, new)


def mutate_node(node: Expr) -> Iterator[tuple[str, Expr]]:
    """What can go wrong at one node."""
    if isinstance(node, Function):
        z = node.argument
        yield "lost f'", Integer(1)
        yield "f instead of f'", Function(node.layer, node.order - 1, z)
        yield "f'' instead of f'", Function(node.layer, node.order + 1, z)
        yield "f' doubled", node**2
        yield "f' at a", Function(node.layer, node.order, var("a", z.layer, *z.indices))
        yield "f of another layer", Function(node.layer - 1, node.order, z)
    if isinstance(node, Total):
        for index in free_names(node):
            yield "lost Σ", substitute(node.body, {node.index: index})
    if isinstance(node, Variable) and node.layer is not None:
        units = [index for index in node.indices if not index.is_sample]
        if len(units) == 2:
            yield "swapped indices", node.at(*node.indices[::-1])
        yield "layer below", Variable(node.args[0], node.layer - 1, *node.indices)
        other = {"a": "z", "delta": "a", "z": "a"}.get(node.name)
        if other:
            yield f"{other} instead of {node.name}", var(other, node.layer, *node.indices)
    if isinstance(node, Partial):
        yield "lost derivative of C", Integer(1)


def free_names(node: Total) -> list[Expr]:
    """Indices outside the sum that a lost sum could be confused with: one of units for units."""
    bound = {x.index for x in nodes(node) if isinstance(x, Total)}
    seen = [index for x in nodes(node.body) if isinstance(x, Variable) for index in x.indices]
    return [index for index in dict.fromkeys(seen) if index not in bound and index.is_sample == node.index.is_sample][
        :1
    ]
