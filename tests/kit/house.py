"""The house as data: files, arrows between them, lists, classes, lines; what the laws of the house are held against."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("theory", "backprop")

Arrow = tuple[str, str]


def module_name(path: Path) -> str:
    """theory/layers/dense.py -> theory.layers.dense"""
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def files(package: str) -> list[Path]:
    """Every source file of a package or folder."""
    return sorted((ROOT / package).rglob("*.py"))


@cache
def modules() -> dict[str, Path]:
    """Every module of the house."""
    return {module_name(path): path for package in PACKAGES for path in files(package)}


@cache
def tree_of(path: Path) -> ast.Module:
    """The parsed file."""
    return ast.parse(path.read_text(encoding="utf-8"))


def imports_of(path: Path) -> list[tuple[str, bool]]:
    """Every imported module of a file, and whether the import stands at the top of the file.

    Imports under `if TYPE_CHECKING` are for the type checker only and never run.  A string that is the name of a module
    of the house (or module:name) is an import too: by such strings rooms are loaded when they are first needed.
    """
    tree = tree_of(path)
    typing_only = {
        id(inner)
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
        for inner in ast.walk(node)
    }
    top = {id(node) for node in tree.body}
    found = []
    for node in ast.walk(tree):
        if id(node) in typing_only:
            continue
        if isinstance(node, ast.Import):
            found += [(alias.name, id(node) in top) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: imports are written in full"
            names = [f"{node.module}.{a.name}" for a in node.names]
            found += [
                (module, id(node) in top)
                for module in dict.fromkeys(n if n in modules() else str(node.module) for n in names)
            ]
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            name = node.value.partition(":")[0]
            if "." in name and name in modules():
                found.append((name, True))
    return found


@cache
def arrows() -> frozenset[Arrow]:
    """Who imports whom, inside the house."""
    return frozenset(
        (name, target) for name, path in modules().items() for target, _ in imports_of(path) if target in modules()
    )


def handed_on() -> list[str]:
    """Names that a file imports from a module which has them from another; a front door (`__init__`) may hand on."""
    found = []
    for name, path in modules().items():
        for node in ast.walk(tree_of(path)):
            if isinstance(node, ast.ImportFrom) and node.module in modules():
                target = modules()[node.module]
                theirs = {
                    alias.asname or alias.name
                    for other in tree_of(target).body
                    if isinstance(other, ast.ImportFrom)
                    for alias in other.names
                }
                names = [alias.name for alias in node.names if alias.name in theirs]
                found += [f"{name}: {node.module}.{one}" for one in names if target.name != "__init__.py"]
    return found


def folders() -> list[str]:
    """Every folder of the house, as a module name."""
    return sorted(name for name, path in modules().items() if path.name == "__init__.py")


def rooms_in(folder: str) -> dict[str, set[str]]:
    """The graph of a folder: room or file -> the rooms and files beside it that it imports."""

    def room(name: str) -> str | None:
        return name.removeprefix(folder + ".").split(".")[0] if name.startswith(folder + ".") else None

    graph: dict[str, set[str]] = {}
    for source, target in arrows():
        a, b = room(source), room(target)
        if a is not None and b is not None and a != b:
            graph.setdefault(a, set()).add(b)
    return graph


def find_cycle(graph: dict[str, set[str]]) -> list[str]:
    """A ring of rooms, or an empty list.

    >>> find_cycle({"a": {"b"}, "b": {"c"}, "c": {"a"}}), find_cycle({"a": {"b"}, "b": {"c"}})
    (['a', 'b', 'c', 'a'], [])
    """
    done: set[str] = set()

    def walk(node: str, path: list[str]) -> list[str]:
        if node in path:
            return [*path[path.index(node) :], node]
        if node in done:
            return []
        for following in sorted(graph.get(node, ())):
            ring = walk(following, [*path, node])
            if ring:
                return ring
        done.add(node)
        return []

    return next((ring for node in sorted(graph) if (ring := walk(node, []))), [])


def reached_from(start: str) -> set[str]:
    """All modules that a module or room reaches, through others too; a submodule runs its packages first."""
    waiting = [name for name in modules() if name == start or name.startswith(start + ".")]
    seen: set[str] = set()
    while waiting:
        name = waiting.pop()
        if name in seen:
            continue
        seen.add(name)
        waiting += [target for source, target in arrows() if source == name]
        parent = name.rpartition(".")[0]
        if parent and parent not in PACKAGES:
            waiting.append(parent)
    return seen


def classes() -> Iterator[tuple[str, str]]:
    """Every class that stands at the top of a file, with its module."""
    for name, path in modules().items():
        yield from ((node.name, name) for node in tree_of(path).body if isinstance(node, ast.ClassDef))


def lists_of(words: frozenset[str], path: Path) -> list[int]:
    """Lines where three or more of the words stand in one tuple, list, set or as the keys of one dictionary."""
    lines = []
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.Tuple | ast.List | ast.Set | ast.Dict):
            parts = node.keys if isinstance(node, ast.Dict) else node.elts
            found = {part.value for part in parts if isinstance(part, ast.Constant) and isinstance(part.value, str)}
            if len(found & words) >= 3:
                lines.append(node.lineno)
    return lines


def count_lines(path: Path) -> int:
    """Lines of a file."""
    return len(path.read_text(encoding="utf-8").splitlines())


def long_functions(limit: int) -> list[str]:
    """Functions of more lines than the limit, their docstrings not counted."""
    found = []
    for name, path in modules().items():
        for node in ast.walk(tree_of(path)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                first = node.body[0]
                prose = (first.end_lineno or 0) - first.lineno + 1 if ast.get_docstring(node) else 0
                if (node.end_lineno or 0) - node.lineno + 1 - prose > limit:
                    found.append(f"{name}.{node.name}")
    return sorted(found)


NAME = re.compile(r"[A-Za-z_]\w*(?:[./][A-Za-z_]\w*)*(?:/|\(\))?")


def names_in_readme(folder: str) -> list[str]:
    """What a room's README writes in backticks and could be a name or a path; its blocks of code are left out."""
    text = (modules()[folder].parent / "README.md").read_text(encoding="utf-8")
    text = re.sub(r"```.*?```", "", text, flags=re.DOTALL)
    return [word for word in re.findall(r"`([^`\n]+)`", text) if NAME.fullmatch(word)]


def inside(folder: str) -> set[str]:
    """The modules and rooms that lie in a folder."""
    rest = [name.removeprefix(folder + ".") for name in modules() if name.startswith(folder + ".")]
    return {name for name in rest if "." not in name and not name.startswith("__")}


@cache
def defined_in(name: str) -> frozenset[str]:
    """Functions, classes, methods, arguments and assigned names of a module, and the words that stand in it as text."""
    found = set()
    for node in ast.walk(tree_of(modules()[name])):
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            found.add(node.name)
        elif isinstance(node, ast.arg):
            found.add(node.arg)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            found.add(node.id)
        elif isinstance(node, ast.alias):
            found.add(node.asname or node.name)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            found.update(re.findall(r"\w+", node.value) if len(node.value) < 80 else ())
    return frozenset(found)


def means_something(word: str, folder: str) -> bool:
    """Whether a word of a room's README is a file, a module, or a name that stands in the code.

    A bare word is a module of the room, or of a room in it or around it, or stands in its code; a dotted one is a
    module of the house, a name in one, or of a library that the room imports; a path is there.

    >>> means_something("verify.py", "backprop.verification"), means_something("lower_stack", "backprop.codegen")
    (True, False)
    """
    home = modules()[folder].parent
    here = [name for name in modules() if name == folder or name.startswith(folder + ".")]
    known = frozenset(PACKAGES).union(*(defined_in(name) for name in here))
    if (home / word).exists() or (ROOT / word).exists() or word in modules():
        return True
    if "/" in word or word.endswith(".py"):
        return word == "FILE.py"
    first, _, name = word.removesuffix("()").rpartition(".")
    if first:
        return name in defined_in(first) if first in modules() else first.split(".")[0] in known - set(PACKAGES)
    around = [folder, *(folder[:k] for k, letter in enumerate(folder) if letter == ".")]
    below = {name.rpartition(".")[2] for name in here}
    return name in below | known or any(name in inside(room) for room in around)
