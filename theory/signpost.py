"""`python -m MODULE`: a chapter prints itself; of all else, what it is, what is in it, and what to run instead."""

from __future__ import annotations

import ast
import re
import sys
from importlib import import_module
from pathlib import Path

__all__ = ["stand_at"]

TOP = Path(__file__).parents[1]
INSTEAD = {
    "theory": "Nothing runs here: `python -m theory [TOPIC]` prints the book, `python -m theory --help` its topics.",
    "backprop": "Nothing runs here: `python -m backprop --help` lists the commands.",
}


def stand_at(package: str) -> None:
    """Ends `python -m MODULE`, if MODULE is of this package: a chapter is printed, of all else its page.

    A package calls this while `python -m` looks for the module: Python has put "-m" in the place of a file's name then.
    A module that lies in a room now is known by its last name.
    """
    parts = name_asked_for().split(".")
    path = find(parts) if parts[0] == package and len(parts) > 1 else None
    if path is None or path.stem == "__main__":
        return
    topic = topic_of(path)
    if topic:
        raise SystemExit(import_module("theory.chapters.book").main([topic, *sys.argv[1:]]))
    print(f"{describe(path)}\n\n{INSTEAD[package]}")
    raise SystemExit(0)


def name_asked_for() -> str:
    """The module of `python -m MODULE WORD …`, also of `python -mMODULE`."""
    word = sys.orig_argv[len(sys.orig_argv) - len(sys.argv)]
    return word.partition("m")[2] if word.startswith("-") else word


def find(parts: list[str]) -> Path | None:
    """The file of a chapter by its last name, of a module or room, or of the only one with that last name."""
    home = TOP.joinpath(*parts)
    within = TOP / parts[0]
    named = [*within.rglob(f"{parts[-1]}.py"), *within.rglob(f"{parts[-1]}/__init__.py")]
    chapters = [path for path in named if topic_of(path)]
    there = [path for path in (home / "__init__.py", home.with_suffix(".py")) if path.is_file()]
    return next(iter(chapters or there or (named if len(named) == 1 else ())), None)


def topic_of(path: Path) -> str:
    """The name of the chapter that a file holds."""
    found = re.search(r'^CHAPTER = Chapter\("(\w+)"', path.read_text(encoding="utf-8"), re.MULTILINE)
    return found[1] if found else ""


def name_of(path: Path) -> str:
    """The name under which a file or room is imported."""
    place = path.parent if path.name == "__init__.py" else path.with_suffix("")
    return ".".join(place.relative_to(TOP).parts)


def describe(path: Path) -> str:
    """A room's page; of a module its name, its docstring, and the first line of everything public in it."""
    if path.name == "__init__.py":
        return path.with_name("README.md").read_text(encoding="utf-8").strip()
    tree = ast.parse(path.read_text(encoding="utf-8"))
    public = [node for node in tree.body if isinstance(node, ast.FunctionDef | ast.ClassDef) if node.name[0] != "_"]
    signs = [f"  {node.name}: {(ast.get_docstring(node) or '').partition(chr(10))[0]}" for node in public]
    return "\n".join([name_of(path), ast.get_docstring(tree) or "", *[""][: len(signs)], *signs])
