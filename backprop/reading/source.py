"""The text of a subject: its statements, where they stand, and the same text with a piece replaced."""

from __future__ import annotations

import ast
import difflib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, TypeAlias

__all__ = ["BOM", "HEADED", "SIMPLE", "Edit", "FunctionNode", "Source", "Spot", "head_of"]

FunctionNode: TypeAlias = ast.FunctionDef | ast.AsyncFunctionDef
SIMPLE = (ast.Assign, ast.AugAssign, ast.AnnAssign, ast.Return, ast.Expr)
"""Statements that hold a value and no other statement."""
HEADED = (ast.For, ast.While, ast.If)
"""Statements with a head of their own: what is gone through, or what is asked."""
LINE = re.compile(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+$")
BOM = "\ufeff"


@dataclass(frozen=True, order=True)
class Spot:
    """A piece of a file: lines from 1, columns from 0 in characters."""

    line: int
    column: int
    end_line: int
    end_column: int


@dataclass(frozen=True)
class Edit:
    """A piece of the text and what shall stand there instead."""

    spot: Spot
    replacement: str


@dataclass(frozen=True)
class Source:
    """A Python file as text and as a tree.

    Errors: SyntaxError where the text is no Python of this interpreter.

    >>> source = Source(Path("net.py"), "def f(x):\\n    return x @ x.T\\n")
    >>> [source.segment(node) for node in ast.walk(source.tree) if isinstance(node, ast.Attribute)]
    ['x.T']
    """

    path: Path
    text: str
    bom: bool = False

    @classmethod
    def read(cls, path: Path) -> Source:
        """Read a file as it is: its line ends, its tabs; a byte order mark is remembered.

        Errors: OSError, and UnicodeDecodeError where it is not UTF-8.
        """
        text = path.read_bytes().decode("utf-8")
        return cls(path, text.removeprefix(BOM), text.startswith(BOM))

    @cached_property
    def tree(self) -> ast.Module:
        """The parsed text."""
        return ast.parse(self.text, filename=str(self.path))

    @cached_property
    def bare(self) -> dict[tuple[ast.expr, type], bool]:
        """Whether a kind of expression (an operator, a comparison …) may replace a node as it is, where known."""
        return {}

    @cached_property
    def lines(self) -> list[str]:
        """Lines with their ends, as Python counts them."""
        return LINE.findall(self.text)

    def imports(self, package: str) -> bool:
        """Whether the text itself imports a package; what else this process has loaded does not matter."""
        return re.search(rf"^\s*(import|from)\s+{package}\b", self.text, re.MULTILINE) is not None

    def spot(self, node: ast.AST) -> Spot:
        """Where a node stands; the tree counts columns in bytes, a reader in characters."""
        first, last = node.lineno, node.end_lineno  # type: ignore[attr-defined]
        start, end = node.col_offset, node.end_col_offset  # type: ignore[attr-defined]
        return Spot(first, self._characters(first, start), last, self._characters(last, end))

    def segment(self, node: ast.AST) -> str:
        """The text of a node."""
        return self.cut(self.spot(node))

    def cut(self, spot: Spot) -> str:
        """The text of a spot."""
        start, end = self._offset(spot.line, spot.column), self._offset(spot.end_line, spot.end_column)
        return self.text[start:end]

    def replace(self, edits: Sequence[Edit]) -> str:
        """The text after the edits, which may not overlap."""
        text = self.text
        for edit in sorted(edits, key=lambda one: one.spot, reverse=True):
            start = self._offset(edit.spot.line, edit.spot.column)
            end = self._offset(edit.spot.end_line, edit.spot.end_column)
            text = text[:start] + edit.replacement + text[end:]
        return text

    def locate(self, spot: Spot) -> dict[str, Any]:
        """A spot as plain data: lines from 1, columns from 0 in characters."""
        place = {"file": str(self.path), "cell": None, "line": spot.line, "column": spot.column}
        return place | {"end_line": spot.end_line, "end_column": spot.end_column, "text": self.cut(spot)}

    def describe(self, edits: Sequence[Edit]) -> list[dict[str, Any]]:
        """Edits as plain data."""
        places = [self.locate(edit.spot) | {"replacement": edit.replacement} for edit in edits]
        return [{key: value for key, value in place.items() if key != "text"} for place in places]

    def edits_to(self, text: str) -> list[Edit]:
        """What makes another text of this one, by whole lines.

        >>> source = Source(Path("net.py"), "a = 1\\nb = 2\\n")
        >>> source.replace(source.edits_to("a = 1\\nb = 3\\nc = 4\\n"))
        'a = 1\\nb = 3\\nc = 4\\n'
        """
        after, edits = LINE.findall(text), []
        for kind, a, b, c, d in difflib.SequenceMatcher(None, self.lines, after, autojunk=False).get_opcodes():
            if kind == "replace":
                last, new = self.lines[b - 1].rstrip("\r\n"), "".join(after[c:d])
                edits.append(Edit(Spot(a + 1, 0, b, len(last)), new.removesuffix(self.lines[b - 1][len(last) :])))
            elif kind != "equal":
                edits.append(Edit(Spot(a + 1, 0, b + 1, 0), "".join(after[c:d])))
        return edits

    def cut_replaced(self, spot: Spot, edit: Edit) -> str:
        """The text of a spot with an edit inside it made."""
        start, end = self._offset(spot.line, spot.column), self._offset(spot.end_line, spot.end_column)
        first = self._offset(edit.spot.line, edit.spot.column)
        last = self._offset(edit.spot.end_line, edit.spot.end_column)
        return self.text[start:first] + edit.replacement + self.text[last:end]

    def diff(self, edits: Sequence[Edit]) -> str:
        """The edits as a unified diff that `patch` accepts."""
        name = self.path.name
        after = self.replace(edits).splitlines(keepends=True)
        rows = difflib.unified_diff(self.lines, after, fromfile=name, tofile=name)
        return "".join(row if row.endswith("\n") else row + "\n\\ No newline at end of file\n" for row in rows)

    @cached_property
    def parents(self) -> dict[ast.AST, ast.AST]:
        """The node around each node."""
        return {child: node for node in ast.walk(self.tree) for child in ast.iter_child_nodes(node)}

    def function_of(self, node: ast.AST) -> ast.AST:
        """The function that a node is part of; the whole file where it is part of none."""
        while node in self.parents and not isinstance(node, ast.FunctionDef):
            node = self.parents[node]
        return node

    def block_of(self, statement: ast.stmt) -> list[ast.stmt]:
        """The statements among which one stands."""
        held = (held for _, held in ast.iter_fields(self.parents[statement]) if isinstance(held, list))
        return next((block for block in held if statement in block), [])

    @cached_property
    def line_end(self) -> str:
        """How the lines of the file end."""
        first = self.lines[0] if self.lines else ""
        return "\r\n" if first.endswith("\r\n") else "\n"

    @cached_property
    def outer_functions(self) -> list[tuple[str, FunctionNode]]:
        """Functions and methods that stand in no other function, with their qualified names."""
        return list(_outer(self.tree.body, ""))

    def statement_of(self, node: ast.AST) -> ast.stmt:
        """The innermost statement that a node is part of."""
        while not isinstance(node, ast.stmt):
            node = self.parents[node]
        return node

    def _characters(self, line: int, bytes_before: int) -> int:
        text = self.lines[line - 1]
        return bytes_before if text.isascii() else len(text.encode()[:bytes_before].decode())

    @cached_property
    def _starts(self) -> list[int]:
        starts = [0]
        for line in self.lines:
            starts.append(starts[-1] + len(line))
        return starts

    def _offset(self, line: int, column: int) -> int:
        return self._starts[line - 1] + column


def _outer(body: Sequence[ast.stmt], prefix: str) -> Iterator[tuple[str, FunctionNode]]:
    for node in body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield prefix + node.name, node
        elif isinstance(node, ast.ClassDef):
            yield from _outer(node.body, f"{prefix}{node.name}.")
        elif isinstance(node, ast.If | ast.Try):
            yield from _outer(node.body, prefix)
            yield from _outer(node.orelse, prefix)


def head_of(statement: ast.stmt) -> ast.AST:
    """The part of a statement that is no other statement.

    >>> ast.unparse(head_of(ast.parse("for k in range(3): pass").body[0]))
    'range(3)'
    """
    if isinstance(statement, ast.For):
        return statement.iter
    return statement.test if isinstance(statement, ast.While | ast.If) else statement
