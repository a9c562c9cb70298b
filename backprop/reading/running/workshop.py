"""The workshop: the subject with a piece of its text replaced, run at every point, and which tensors are right then."""

from __future__ import annotations

import ast
import re
import types
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from backprop.examiner.measuring.cases import Case
from backprop.examiner.subject.adapters.detection import recognise
from backprop.examiner.subject.protocol.subjects import Unusable
from backprop.reading.running.bench import Bench, Point, load_module
from backprop.reading.running.entrances import Entrance, by_gradients
from backprop.reading.running.recorder import Exhausted
from backprop.reading.source import Edit, Source, Spot

__all__ = ["MOST_TICKS", "TICK", "Premises", "Workshop", "find_functions", "guard", "open_premises"]

TICK = "backprop_tick_"
TURNS = re.compile(r"\b(for|while)\b|" + "\n[ \t]+def ")
"""What of an edited function may run for long; what it calls has its ticks."""
MOST_TICKS = 20_000
"""Turns of loops and calls of functions in one run."""


class Workshop:
    """Runs edited texts.

    A function gets the code of its edited text and keeps its identity, so that tables, classes and aliases that hold it
    are mended too; what stands outside functions makes the module run anew.
    """

    def __init__(self, source: Source, points: Sequence[Point], enter: Entrance = by_gradients) -> None:
        self.source = source
        self.enter = enter
        self.points = points
        self.runs = 0
        self._ticks = 0
        self._load(source)

    def _load(self, source: Source) -> None:
        code = compile(guard(ast.parse(source.text, str(source.path))), str(source.path), "exec")
        self.module = load_module(code, source.path, {TICK: self._tick})
        self.subject = self.enter(recognise(self.module, str(source.path), str(source.path)))
        self.live = dict(find_functions(vars(self.module), self.module.__name__))

    def _tick(self) -> None:
        self._ticks += 1
        if self._ticks > MOST_TICKS:
            raise Exhausted

    def right_at(self, edits: Sequence[Edit], points: Sequence[Point]) -> list[tuple[bool, ...]]:
        """Which tensors are right at each point after the edits; none where the text does not run.

        The search ends at the first point where the edited code fails.
        """
        restore = self._install(edits)
        if restore is None:
            return []
        try:
            found = []
            for point in points:
                right = self._judge(point)
                if right is None:
                    return []
                found.append(right)
            return found
        finally:
            restore()

    def _judge(self, point: Point) -> tuple[bool, ...] | None:
        self.runs += 1
        self._ticks = 0
        case: Case = replace(point.case, subject=self.subject)
        try:
            with np.errstate(all="ignore"):
                return self._compare(point, case, case.gradients(case.values))
        except (Unusable, Exhausted):
            return None

    def _compare(self, point: Point, case: Case, given: Sequence[Any]) -> tuple[bool, ...]:
        """Which of the given gradients are right at a point; the case calls the edited code."""
        return point.truth.right(given, [leaf.shape for leaf in case.leaves])

    def _install(self, edits: Sequence[Edit]) -> Any:
        """Put the edited code in place; give what undoes it, or None where it is no Python."""
        touched = {self._outer_of(edit.spot) for edit in edits}
        try:
            if None in touched or len(touched) != 1:
                return self._install_all(edits)
            (name,) = touched
            assert name is not None
            function = self.live.get(name)
            code = self._compile(name, edits)
            if function is None or code is None or code.co_freevars != function.__code__.co_freevars:
                return self._install_all(edits)
        except (SyntaxError, ValueError, Unusable):
            return None
        old, function.__code__ = function.__code__, code
        defaults = function.__defaults__

        def restore() -> None:
            function.__code__, function.__defaults__ = old, defaults

        return restore

    def _install_all(self, edits: Sequence[Edit]) -> Any:
        kept = self.module, self.subject, self.live
        self._load(Source(self.source.path, self.source.replace(edits)))

        def restore() -> None:
            self.module, self.subject, self.live = kept

        return restore

    def _outer_of(self, spot: Spot) -> str | None:
        for name, node in self.source.outer_functions:
            if node.body[0].lineno <= spot.line and spot.end_line <= (node.end_lineno or 0):
                return name
        return None

    def _compile(self, name: str, edits: Sequence[Edit]) -> types.CodeType | None:
        """The code of one outer function after the edits."""
        node = next(node for one, node in self.source.outer_functions if one == name)
        first, last = node.lineno, node.end_lineno or node.lineno
        lines = Source(self.source.path, "".join(self.source.lines[first - 1 : last]))
        moved = [Edit(_shift(edit.spot, first - 1), edit.replacement) for edit in edits]
        text = lines.replace(moved)
        text = "if 1:\n" + text if text[:1] in " \t" else text
        code = compile(guard(ast.parse(text)) if TURNS.search(text) else text, str(self.source.path), "exec")
        return next((c for c in _codes(code) if c.co_name == node.name), None)


class Premises:
    """Where a source is run: with probes at a bench, with pieces of it replaced in a workshop."""

    def __init__(self, source: Source) -> None:
        self.source = source

    @property
    def looks_elsewhere(self) -> bool:
        """Whether the fault is known not to be in what the gradients are made of: nothing is tried there."""
        return False

    def open_bench(self, enter: Entrance = by_gradients) -> Bench:
        """A bench; Errors: as it raises."""
        return Bench(self.source, enter)

    def open_shop(self, bench: Bench, points: Sequence[Point]) -> Workshop:
        """A workshop for the points of a bench."""
        return Workshop(self.source, points, bench.enter)

    def tell(self, found: dict[str, Any], what: str) -> dict[str, Any]:
        """What was read, as plain data, in the lines of the file; `what` was asked for."""
        return found


def open_premises(path: Path, text: str | None = None) -> Premises:
    """Those of a subject in a file, or of a text in its place; Errors: OSError, UnicodeDecodeError."""
    return Premises(Source.read(path) if text is None else Source(path, text))


def _shift(spot: Spot, lines: int) -> Spot:
    return Spot(spot.line - lines, spot.column, spot.end_line - lines, spot.end_column)


def _codes(code: types.CodeType) -> list[types.CodeType]:
    return [constant for constant in code.co_consts if isinstance(constant, types.CodeType)]


def find_functions(names: dict[str, Any], module: str) -> dict[str, types.FunctionType]:
    """The functions and methods of a module by qualified name, decorators of the language taken off."""
    found: dict[str, types.FunctionType] = {}
    for name, thing in list(names.items()):
        if isinstance(thing, type) and thing.__module__ == module:
            inside = find_functions(dict(vars(thing)), module)
            found |= {f"{name}.{one}": function for one, function in inside.items()}
        inner = getattr(thing, "__func__", getattr(thing, "fget", thing))
        if isinstance(inner, types.FunctionType) and inner.__module__ == module and inner.__name__ == name:
            found[name] = inner
    return found


def guard(tree: ast.Module) -> ast.Module:
    """A tick at the start of every loop and function, in place."""
    waiting: list[Any] = list(tree.body)
    while waiting:
        node = waiting.pop()
        for name in ("body", "orelse", "finalbody", "handlers", "cases"):
            waiting += getattr(node, name, None) or []
        if isinstance(node, ast.For | ast.While | ast.FunctionDef):
            call = ast.Expr(ast.Call(ast.Name(TICK, ast.Load()), [], []))
            node.body.insert(0, ast.fix_missing_locations(ast.copy_location(call, node.body[0])))
    return tree
