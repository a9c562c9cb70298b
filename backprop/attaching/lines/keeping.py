"""Edited pieces of a program with the hooks that a gradient is read by, and no others."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from backprop.attaching.looking.rewriting import (
    BLEND,
    CALL,
    GROW,
    PROBE,
    PROBED,
    SCALE,
    Rewriter,
    Rewritten,
    store_thunk,
)  # fmt: skip
from backprop.reading.source import Spot

__all__ = ["HookKeeper"]


class HookKeeper(Rewriter):
    """Puts the hooks of some sites and statements in, found by where they stood in the text as written.

    Of several nodes at one place the outermost is taken: what stands where the gradient was named is the gradient.
    """

    def __init__(
        self,
        sites: Mapping[Spot, int],
        statements: Mapping[Spot, int],
        places: Callable[[ast.AST], Iterable[Spot]],
        lines_of: Callable[[ast.stmt], tuple[int, int]] | None = None,
    ) -> None:
        super().__init__(Rewritten(ast.Module([], [])))
        self.sites, self.statements, self.places, self.lines_of = dict(sites), dict(statements), places, lines_of
        self.lines = {spot.line for spot in (*sites, *statements)}

    def visit(self, node: Any) -> Any:
        """As ever; a statement in whose lines there was no hook stays as it is."""
        if self.lines_of is not None and isinstance(node, ast.stmt):
            first, last = self.lines_of(node)
            if not any(first <= line <= last for line in self.lines):
                return node
        return super().visit(node)

    def _take(self, numbers: dict[Spot, int], node: ast.AST) -> int | None:
        spot = next((spot for spot in self.places(node) if spot in numbers), None) if numbers else None
        return None if spot is None else numbers.pop(spot)

    def value(self, node: Any, target: str = "") -> Any:
        """An expression, with a probe around it if it is one of the sites."""
        if not isinstance(node, PROBED) or not isinstance(getattr(node, "ctx", ast.Load()), ast.Load):
            return None if node is None else self.generic_visit(node)
        number = self._take(self.sites, node)
        inside = self._inside(node)
        return inside if number is None else self._hook(PROBE, node, ast.Constant(number), inside)

    def visit_AugAssign(self, node: ast.AugAssign) -> Any:
        number = self._take(self.statements, node)
        old, value = store_thunk(node.target), self.visit(node.value)
        node.value = value
        if number is not None and isinstance(node.op, ast.Add | ast.Sub):
            node.value = self._hook(SCALE, value, ast.Constant(number), old, value)
        if number is not None and isinstance(node.op, ast.Mult | ast.Div):
            divides = ast.Constant(isinstance(node.op, ast.Div))
            node.value = self._hook(GROW, value, ast.Constant(number), old, value, divides)
        return node

    def visit_Assign(self, node: ast.Assign) -> Any:
        number = self._take(self.statements, node)
        old, value = store_thunk(node.targets[0]), self.visit(node.value)
        node.value = value if number is None else self._hook(BLEND, node.value, ast.Constant(number), old, value)
        return node

    def visit_Expr(self, node: ast.Expr) -> Any:
        number, call = self._take(self.statements, node), node.value
        if number is None or not isinstance(call, ast.Call):
            node.value = self.visit(call)
            return node
        inside: Any = self._inside(call)
        hooked: Any = self._hook(CALL, call, ast.Constant(number), inside.func, *inside.args)
        hooked.keywords, node.value = inside.keywords, hooked
        return node

    def _loop(self, node: Any) -> Any:
        for name in ("iter", "test"):
            if hasattr(node, name):
                setattr(node, name, self.visit(getattr(node, name)))
        node.body, node.orelse = self._statements(node.body), self._statements(node.orelse)
        return node

    visit_For = visit_While = _loop

    def keep(self, body: list[ast.stmt]) -> list[ast.stmt]:
        """The statements with those hooks."""
        return self._statements(body)
