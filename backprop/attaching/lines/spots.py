"""A piece of the text with edits in it, and where each of its nodes stands in the text as written."""

from __future__ import annotations

import ast
import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from backprop.reading.source import Edit, Source, Spot

__all__ = ["EditedLines"]


@dataclass(frozen=True)
class Changed:
    """A stretch of characters, before and after."""

    start: int
    end: int
    new_start: int
    new_end: int


class EditedLines:
    """Whole lines of a source with edits inside them, as a tree of their own.

    Errors: SyntaxError where they are no Python.

    >>> from pathlib import Path
    >>> source = Source(Path("f.py"), "a = b\\nc = d + e\\n")
    >>> lines = EditedLines(source, 2, 2, [Edit(Spot(2, 4, 2, 5), "d * 2")])
    >>> names = [node for node in ast.walk(lines.tree) if isinstance(node, ast.Name)]
    >>> [(node.id, spot.line, spot.column) for node in names for spot in lines.places(node)]
    [('c', 2, 0), ('e', 2, 8), ('d', 2, 4)]
    """

    def __init__(self, source: Source, first: int, last: int, edits: Sequence[Edit]) -> None:
        lines = Source(source.path, "".join(source.lines[first - 1 : last]))
        moved = [Edit(_shift(edit.spot, 1 - first), edit.replacement) for edit in sorted(edits, key=lambda e: e.spot)]
        text = lines.replace(moved)
        self.indented = text[:1] in " \t"
        self.first, self.before = first, lines
        self.after = Source(source.path, "if 1:\n" + text if self.indented else text)
        self.stretches = list(_find_stretches(lines, moved))

    @property
    def tree(self) -> ast.Module:
        """The edited lines, parsed."""
        return self.after.tree

    @property
    def body(self) -> list[ast.stmt]:
        """Their statements."""
        outer: list[ast.stmt] = self.tree.body
        if self.indented and isinstance(outer[0], ast.If):
            return outer[0].body
        return outer

    def around(self, node: ast.stmt) -> tuple[int, int]:
        """The lines between which all of a statement stood before."""
        away = self.first - 1 - int(self.indented)
        room = abs(len(self.after.lines) - int(self.indented) - len(self.before.lines))
        return node.lineno + away - room, (node.end_lineno or node.lineno) + away + room

    def places(self, node: ast.AST) -> Iterator[Spot]:
        """Where a node stood before: nowhere if it is new, at several spots where something went away beside it."""
        spot, ahead = self.after.spot(node), int(self.indented)
        ends = ((spot.line - ahead, spot.column), (spot.end_line - ahead, spot.end_column))
        starts, stops = (list(self._return(self._after_offset(*end))) for end in ends)
        for start, stop in itertools.product(starts, stops):
            if start < stop:
                yield Spot(*self._place(start), *self._place(stop))

    def _return(self, offset: int) -> Iterator[int]:
        """Where a place between characters was before."""
        moved = 0
        for one in self.stretches:
            if offset < one.new_start:
                break
            if offset == one.new_start:
                yield one.start
            if offset == one.new_end and one.end != one.start:
                yield one.end
            if offset <= one.new_end:
                if one.start == one.end and offset == one.new_end > one.new_start:
                    yield one.end
                return
            moved = one.new_end - one.end
        yield offset - moved

    @cached_property
    def _after_starts(self) -> list[int]:
        lines = self.after.lines[int(self.indented) :]
        return [0, *itertools.accumulate(map(len, lines))]

    @cached_property
    def _before_starts(self) -> list[int]:
        return [0, *itertools.accumulate(map(len, self.before.lines))]

    def _after_offset(self, line: int, column: int) -> int:
        return self._after_starts[line - 1] + column

    def _place(self, offset: int) -> tuple[int, int]:
        line = next(k for k, start in enumerate(self._before_starts[1:]) if offset < start or k == len(
            self._before_starts) - 2)  # fmt: skip
        return line + self.first, offset - self._before_starts[line]


def _shift(spot: Spot, by: int) -> Spot:
    return Spot(spot.line + by, spot.column, spot.end_line + by, spot.end_column)


def _find_stretches(lines: Source, edits: Sequence[Edit]) -> Iterator[Changed]:
    """What really changes: an edit without the characters that it begins and ends with as before."""
    starts = [0, *itertools.accumulate(map(len, lines.lines))]
    moved = 0
    for edit in edits:
        old, new = lines.cut(edit.spot), edit.replacement
        first = starts[edit.spot.line - 1] + edit.spot.column
        same = len(list(itertools.takewhile(lambda pair: pair[0] == pair[1], zip(old, new, strict=False))))
        rest = old[same:][::-1], new[same:][::-1]
        tail = len(list(itertools.takewhile(lambda pair: pair[0] == pair[1], zip(*rest, strict=False))))
        start, end = first + same, first + len(old) - tail
        new_start = start + moved
        new_end = new_start + len(new) - same - tail
        yield Changed(start, end, new_start, new_end)
        moved = new_end - end
