"""Which modules a file imports from its own folder."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

__all__ = ["list_siblings"]

MOST_SIBLINGS = 8


def list_siblings(path: Path) -> dict[str, Path]:
    """The modules in a file's own folder that it imports, directly or through each other, by the name it uses."""
    folder, found = path.resolve().parent, dict[str, Path]()
    waiting = [path]
    while waiting and len(found) < MOST_SIBLINGS:
        for name in _list_imported(waiting.pop(0)):
            file = folder.joinpath(*name.split(".")).with_suffix(".py")
            if name not in found and file.is_file() and file != path.resolve():
                found[name] = file
                waiting.append(file)
    return found


def _list_imported(path: Path) -> Iterator[str]:
    """Names of modules that a file imports, and of names that may be modules; none where it is no Python."""
    try:
        tree = ast.parse(path.read_bytes())
    except (OSError, SyntaxError, ValueError, RecursionError):
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
