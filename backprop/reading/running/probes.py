"""Probes: the tree of a subject with every value of its functions handed through one call, and nothing else changed."""

from __future__ import annotations

import ast
from dataclasses import dataclass, field

from backprop.reading.source import HEADED, SIMPLE, Source

__all__ = ["PROBE", "SCOPE", "Instrumented", "instrument", "number_nodes", "probe_tree"]

PROBE = "backprop_probe_"
SCOPE = "backprop_scope_"
NUMBER = "backprop_number"
"""An attribute of nodes: their place in `ast.walk` of the tree as it was written."""
VALUES = (
    ast.BinOp, ast.UnaryOp, ast.Call, ast.Subscript, ast.Attribute, ast.Name, ast.IfExp, ast.Compare, ast.BoolOp,
)  # fmt: skip


@dataclass
class Instrumented:
    """The changed tree, and what each probe stands for: `sites[k]` is a node of the source's own tree."""

    tree: ast.Module
    sites: list[ast.AST] = field(default_factory=list)


def instrument(source: Source) -> Instrumented:
    """Put a probe around every value and after every in-place change in the functions of a source.

    `PROBE(k, value)` returns the value itself, so that what runs is what was written: aliases, views and writes in
    place stay what they are.  `SCOPE(k, locals())` stands before each simple statement.  Names of both are looked up in
    the module, where the one who runs the tree puts them.

    >>> from pathlib import Path
    >>> made = instrument(Source(Path("f.py"), "def f(x):\\n    return x * x\\n"))
    >>> print(ast.unparse(made.tree).splitlines()[-1].strip())
    return backprop_probe_(3, backprop_probe_(1, x) * backprop_probe_(2, x))
    """
    # Two trees of one text: the reader keeps the one, the other is changed.
    return probe_tree(source, number_nodes(ast.parse(source.text, filename=str(source.path))))


def number_nodes(tree: ast.Module) -> ast.Module:
    """Every node remembers which it is, however the tree is changed and copied afterwards."""
    for number, node in enumerate(ast.walk(tree)):
        setattr(node, NUMBER, number)
    return tree


def probe_tree(source: Source, tree: ast.Module, *, everywhere: bool = False) -> Instrumented:
    """The same for a tree that was numbered, and changed since: what was put in is left alone.

    With `everywhere` what stands outside functions is probed as well.
    """
    writer = _Writer(source, everywhere=everywhere)
    writer.visit(tree)
    return Instrumented(ast.fix_missing_locations(tree), writer.sites)


class _Writer(ast.NodeTransformer):
    def __init__(self, source: Source, *, everywhere: bool) -> None:
        self.source = source
        self.nodes = list(ast.walk(source.tree))
        self.sites: list[ast.AST] = []
        self.inside = int(everywhere)

    def probe(self, node: ast.expr, old: ast.AST) -> ast.expr:
        """PROBE(k, node)"""
        call = ast.Call(ast.Name(PROBE, ast.Load()), [ast.Constant(self._number(old)), node], [])
        return ast.copy_location(call, node)

    def _number(self, old: ast.AST) -> int:
        self.sites.append(self.nodes[getattr(old, NUMBER)])
        return len(self.sites) - 1

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        self.inside += 1
        node.body = self._statements(node.body)
        self.inside -= 1
        return node

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> ast.AST:
        return node

    def visit_Lambda(self, node: ast.Lambda) -> ast.AST:
        own = self.nodes[getattr(node, NUMBER)] if hasattr(node, NUMBER) else None
        self.inside += 1
        node.body = self.visit(node.body)  # type: ignore[assignment]
        self.inside -= 1
        if own is not None and isinstance(self.source.function_of(own), ast.Module):
            node.body = self._look_first(node.body, self.source.statement_of(own))
        return node

    def _look_first(self, body: ast.expr, statement: ast.stmt) -> ast.expr:
        """A function in a table outside functions: what it sees is what its statement sees. (SCOPE(…), body)[1]"""
        self.sites.append(statement)
        names = ast.Call(ast.Name("locals", ast.Load()), [], [])
        mark = [ast.Constant(len(self.sites) - 1), names]
        both = ast.Tuple([ast.Call(ast.Name(SCOPE, ast.Load()), mark, []), body], ast.Load())
        return ast.copy_location(ast.Subscript(both, ast.Constant(1), ast.Load()), body)

    def generic_visit(self, node: ast.AST) -> ast.AST:
        for name in ("body", "orelse", "finalbody"):
            held = getattr(node, name, None)
            if isinstance(held, list) and self.inside:
                setattr(node, name, self._statements(held))
        for name, value in ast.iter_fields(node):
            if name in ("body", "orelse", "finalbody") and isinstance(value, list) and self.inside:
                continue
            if name in ("decorator_list", "annotation", "returns", "type_comment"):
                continue
            if isinstance(value, list):
                value[:] = [self.visit(item) if isinstance(item, ast.AST) else item for item in value]
            elif isinstance(value, ast.AST):
                setattr(node, name, self.visit(value))
        return node

    def _statements(self, body: list[ast.stmt]) -> list[ast.stmt]:
        made: list[ast.stmt] = []
        for node in body:
            is_text = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
            if isinstance(node, (*SIMPLE, *HEADED)) and not is_text and hasattr(node, NUMBER):
                names = ast.Call(ast.Name("locals", ast.Load()), [], [])
                mark = [ast.Constant(self._number(node)), names]
                made.append(ast.copy_location(ast.Expr(ast.Call(ast.Name(SCOPE, ast.Load()), mark, [])), node))
            made.append(self.visit(node))  # type: ignore[arg-type]
            if isinstance(node, ast.AugAssign) and hasattr(node, NUMBER):
                made.append(self._after(node))
        return made

    def _after(self, node: ast.AugAssign) -> ast.stmt:
        """Look at what an in-place change left."""
        target = ast.parse(ast.unparse(node.target), mode="eval").body
        return ast.copy_location(ast.Expr(self.probe(target, node)), node)

    def visit(self, node: ast.AST) -> ast.AST:
        old = node
        if isinstance(node, ast.Constant | ast.JoinedStr | ast.Slice | ast.arguments):
            return node
        if isinstance(node, ast.Call):
            self._visit_callee(node)
            node.args = [self.visit(item) for item in node.args]  # type: ignore[misc]
            for keyword in node.keywords:
                keyword.value = self.visit(keyword.value)  # type: ignore[assignment]
        else:
            node = super().visit(node)
        reads = isinstance(getattr(node, "ctx", ast.Load()), ast.Load)
        if self.inside and isinstance(node, VALUES) and reads and hasattr(node, NUMBER):
            return self.probe(node, old)
        return node

    def _visit_callee(self, node: ast.Call) -> None:
        """The function itself is no value; the object whose method it is may be one."""
        if isinstance(node.func, ast.Attribute):
            node.func.value = self.visit(node.func.value)  # type: ignore[assignment]
        elif not isinstance(node.func, ast.Name):
            node.func = self.visit(node.func)  # type: ignore[assignment]
