"""The text of a file or notebook as it is, and what forbids to run it: said without running it."""

from __future__ import annotations

import ast
import importlib.util
import json
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from backprop.attaching.looking.refusals import Refused
from backprop.reading.running.probes import number_nodes

__all__ = ["Document", "missing_packages", "read_document"]

PYTHON_2 = re.compile(
    r"^\s*print\s+[\"'\w]|^\s*except\s+[\w.]+\s*,\s*\w+\s*:|^\s*raise\s+\w+\s*,|^\s*exec\s+[\"'\w]", re.MULTILINE
)
MAGIC = re.compile(r"^\s*[%!?]")
SHELL = re.compile(r"^(\s*)([\w, ]+=\s*)?[%!]\S.*$")


@dataclass(frozen=True)
class Document:
    """Python text with the place of each line: `cells` holds (first line, number of the cell) of a notebook."""

    path: Path
    text: str
    cells: tuple[tuple[int, int], ...] = field(default=())
    marked: ast.Module | None = None
    """The tree with a piece of it marked, in place of the one of the text."""

    @cached_property
    def tree(self) -> ast.Module:
        """The parsed text; Errors: `Refused`, Python 2 named as such."""
        if self.marked is not None:
            return self.marked
        try:
            return number_nodes(ast.parse(self.text, filename=str(self.path)))
        except (SyntaxError, ValueError, RecursionError) as error:
            raise self._refuse(error) from error

    def place(self, line: int) -> str:
        """Where a line stands, in words.

        >>> Document(Path("a.ipynb"), "", ((1, 0), (4, 2))).place(5), Document(Path("a.py"), "").place(5)
        ('cell 2, line 2', 'line 5')
        """
        before = [(first, cell) for first, cell in self.cells if first <= line]
        return f"cell {before[-1][1]}, line {line - before[-1][0] + 1}" if before else f"line {line}"

    def _refuse(self, error: Exception) -> Refused:
        line = getattr(error, "lineno", None) or 1
        if PYTHON_2.search(self.text) and isinstance(error, SyntaxError):
            said = f"Python 2 syntax ({self.place(line)}); translate it with 2to3, or give it as Python 3"
        else:
            said = f"not Python: {getattr(error, 'msg', error)} ({self.place(line)})"
        return Refused(f"{self.path}: {said}", "syntax")


def read_document(path: Path, text: str | None = None) -> Document:
    """Read a .py file or a notebook; `text` stands for what a .py file holds.

    Magics and shell lines of a notebook are left out, each by a line of its own, so that lines keep their numbers.
    Errors: `Refused` where it cannot be read.
    """
    if not path.is_file():
        raise Refused(f"no file {str(path)!r}; give a .py file or a notebook", "nothing")
    try:
        raw = path.read_bytes().decode("utf-8-sig") if text is None else text.removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        raise Refused(f"{path} is no text in UTF-8: byte {error.start} cannot be read", "syntax") from error
    if path.suffix != ".ipynb":
        return Document(path, raw)
    return _read_notebook(path, raw)


def _read_notebook(path: Path, raw: str) -> Document:
    try:
        cells = json.loads(raw)["cells"]
        sources = [(n, _join(cell["source"])) for n, cell in enumerate(cells) if cell["cell_type"] == "code"]
    except (ValueError, KeyError, TypeError) as error:
        raise Refused(f"{path} is no notebook of format 4: {type(error).__name__}: {error}", "syntax") from error
    lines: list[str] = []
    places = []
    for number, source in sources:
        places.append((len(lines) + 1, number))
        magic = source.lstrip().startswith("%%")
        lines += ["# " + line if magic else _leave_out(line) for line in source.splitlines() or [""]]
    return Document(path, "\n".join(lines) + "\n", tuple(places))


def _join(source: Any) -> str:
    return source if isinstance(source, str) else "".join(source)


def _leave_out(line: str) -> str:
    if not (MAGIC.match(line) or SHELL.match(line)):
        return line
    return line[: len(line) - len(line.lstrip())] + "pass  # " + line.strip()


def missing_packages(tree: ast.Module, folder: Path) -> list[str]:
    """Packages that a file imports outright and that are not there, without importing anything."""
    roots = dict.fromkeys(name.split(".")[0] for name in _imported(tree.body))
    return [root for root in roots if not _is_there(root, folder)]


def _imported(body: list[ast.stmt]) -> Iterator[str]:
    """What is imported whatever happens: not inside `try`, not inside functions."""
    for node in body:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module
        elif isinstance(node, ast.If):
            yield from _imported(node.body)


def _is_there(root: str, folder: Path) -> bool:
    if root in sys.modules or (folder / f"{root}.py").exists() or (folder / root).is_dir():
        return True
    try:
        return importlib.util.find_spec(root) is not None
    except (ImportError, ValueError):
        return False
