"""Whether a file has the functions of a subject, by looking at its text."""

from __future__ import annotations

import ast
from pathlib import Path

__all__ = ["has_subject", "is_subject"]

REQUIRED = {"parameters", "data", "cost"}
FLAT = {"fun", "grad", "theta0"}


def has_subject(tree: ast.Module) -> bool:
    """Whether a file defines the functions of a subject, in itself, in a class, or under the name `subject`.

    >>> has_subject(ast.parse("def fun(x): pass\\ndef grad(x): pass\\ntheta0 = None"))
    True
    """
    scopes = [tree.body, *(node.body for node in tree.body if isinstance(node, ast.ClassDef))]
    return any(_is_protocol(_bound(body)) for body in scopes) or "subject" in _bound(tree.body)


def is_subject(path: Path) -> bool:
    """Whether a file that can be read is Python with those functions; what is no Python at all counts as one."""
    try:
        return path.suffix == ".py" and has_subject(ast.parse(path.read_bytes()))
    except (OSError, SyntaxError, ValueError, RecursionError):
        return path.suffix == ".py"


def _is_protocol(names: set[str]) -> bool:
    return names >= FLAT or (names >= REQUIRED and bool(names & {"gradients", "step"}))


def _bound(body: list[ast.stmt]) -> set[str]:
    names: set[str] = set()
    for node in body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            names.add(node.name)
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            names |= {part.id for target in targets for part in ast.walk(target) if isinstance(part, ast.Name)}
        elif isinstance(node, ast.Import | ast.ImportFrom):
            names |= {alias.asname or alias.name for alias in node.names}
        elif isinstance(node, ast.If | ast.Try):
            names |= _bound(node.body) | _bound(node.orelse)
    return names
