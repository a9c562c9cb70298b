"""One iteration of a loop as a piece of program of its own."""

from __future__ import annotations

import ast
from functools import cache
from typing import Any, TypeAlias

__all__ = ["LOOP", "PIECE", "STATE", "Loop", "Mangler", "Scope", "is_loop_hook", "load_names", "make_piece"]

LOOP = "hook_loop"
PIECE, STATE = "hook_piece", "hook_state"
"""The function that one iteration becomes, and its one argument: local names with their values."""

Loop: TypeAlias = ast.For | ast.While
Scope: TypeAlias = ast.FunctionDef | ast.Module


def is_loop_hook(statement: ast.stmt) -> bool:
    """Whether a statement tells that an iteration begins, and asks whether the loop shall end."""
    call = statement.test if isinstance(statement, ast.If) else None
    return isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id == LOOP


def make_piece(body: list[ast.stmt], loop: Loop, scope: Scope, owner: str | None) -> ast.Module:
    """Statements of a loop, run once: as plain ones where it stands at the top, else as a function of its names."""
    once = ast.For(ast.Name("hook_once", ast.Store()), ast.Tuple([ast.Constant(0)], ast.Load()), body, [])
    if isinstance(scope, ast.Module):
        return ast.Module([ast.copy_location(once, loop)], [])
    tree = ast.parse(f"def {PIECE}({STATE}):\n    try:\n        pass\n    finally:\n        {STATE}.update(locals())")
    function: Any = tree.body[0]
    function.body[0].body = [ast.copy_location(once, loop)]
    shared = _list_shared(scope)
    function.body[:0] = [ast.Global(list(shared))] if shared else []
    return tree if owner is None else Mangler(owner).visit(tree)


@cache
def _list_shared(scope: Scope) -> tuple[str, ...]:
    """Names that a function shares with the file."""
    shared = {name for node in ast.walk(scope) if isinstance(node, ast.Global) for name in node.names}
    return tuple(sorted(shared))


class Mangler(ast.NodeTransformer):
    """Private names as inside their class."""

    def __init__(self, name: str) -> None:
        self.prefix = "_" + name.lstrip("_")

    def visit_Name(self, node: ast.Name) -> ast.Name:
        node.id = self._mangle(node.id)
        return node

    def visit_Attribute(self, node: ast.Attribute) -> ast.Attribute:
        self.generic_visit(node)
        node.attr = self._mangle(node.attr)
        return node

    def _mangle(self, name: str) -> str:
        return self.prefix + name if name.startswith("__") and not name.endswith("__") else name


def load_names(piece: ast.Module, names: list[str]) -> ast.Module:
    """The piece with its local names taken from the state first, as far as it does not share them with the file; ready
    to be compiled."""
    function: Any = piece.body[0]
    if isinstance(function, ast.FunctionDef):
        heads = function.body[0].names if isinstance(function.body[0], ast.Global) else []
        loads = [f"{name} = {STATE}[{name!r}]" for name in names if name not in heads and name.isidentifier()]
        function.body[len(function.body) - 1 : len(function.body) - 1] = _parse_loads(tuple(loads))
    return ast.fix_missing_locations(piece)


@cache
def _parse_loads(loads: tuple[str, ...]) -> list[ast.stmt]:
    return ast.parse("\n".join(loads)).body
