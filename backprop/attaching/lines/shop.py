"""One iteration of a program in the workshop of the reading room: what has an edit in it gets the code of that text."""

from __future__ import annotations

import ast
import types
from collections.abc import Sequence
from typing import Any

from backprop.attaching.lines.bench import Stand, as_function
from backprop.attaching.lines.keeping import HookKeeper
from backprop.attaching.lines.outfits import Outfit, list_codes, pair
from backprop.attaching.lines.spots import EditedLines
from backprop.attaching.looking.iterations import Mangler, make_piece
from backprop.reading.running.bench import Point
from backprop.reading.running.entrances import Entrance
from backprop.reading.running.workshop import TICK, Workshop, guard
from backprop.reading.source import Edit, Spot

__all__ = ["AttachedShop"]


class AttachedShop(Workshop):
    """The workshop for an iteration: functions and the iteration get the code of their edited text."""

    def __init__(self, stand: Stand, points: Sequence[Point], enter: Entrance) -> None:
        self.stand = stand
        self.source, self.points, self.enter = stand.source, points, enter
        self.runs = self._ticks = 0
        iteration, rewritten = stand.iteration, stand.program.rewritten
        self.loop, self.scope = rewritten.loops[iteration.snapshot.loop]
        self.owner = rewritten.classes.get(iteration.snapshot.loop)
        self.body = rewritten.originals[iteration.snapshot.loop][0].body
        self.sites = {self.source.spot(rewritten.sites[k].node): k for k in self._list_sites()}
        self.statements = {self.source.spot(rewritten.statements[k]): k for k in iteration.held}
        vars(stand.program.module)[TICK] = as_function(self._tick)
        self.codes = [code for code, _ in pair(stand.wardrobe.whole, stand.wardrobe.whole)]
        self.base = self._dress_all()
        self.outfit = self.base
        self.subject = enter(stand.make_subject(lambda: self.outfit))

    def _list_sites(self) -> set[int]:
        """The values that are asked for: those that the gradients are read from."""
        flow = self.stand.attached.flow
        levels = flow.adaptive or [level for rate in flow.rates[:1] for level in rate[1]]
        return {level.key[0] for level in levels if level is not None}

    def _list_more(self) -> list[ast.stmt]:
        """What is computed at the end of an iteration."""
        return []

    def _keep(self, body: list[ast.stmt], lines: EditedLines, first: int, last: int) -> list[ast.stmt]:
        """Edited statements with the hooks that stood in those lines; as they are where none did."""
        sites, statements = ({spot: k for spot, k in numbers.items() if first <= spot.line <= last}
                             for numbers in (self.sites, self.statements))  # fmt: skip
        return HookKeeper(sites, statements, lines.places, lines.around).keep(body) if sites or statements else body

    def _dress_all(self) -> Outfit:
        """The program as written, with the hooks that are needed and with ticks."""
        tree = ast.parse(self.source.text, str(self.source.path))
        keeper = HookKeeper(self.sites, self.statements, lambda node: [self.source.spot(node)])
        tree.body = keeper.keep(tree.body)
        guard(ast.fix_missing_locations(tree))
        first, last = self._body_lines()
        lines = EditedLines(self.source, first, last, ())
        return self.stand.wardrobe.dress(self.stand.program.compile(tree), self._make_piece(lines))

    def _body_lines(self) -> tuple[int, int]:
        return self.body[0].lineno, self.body[-1].end_lineno or self.body[-1].lineno

    def _make_piece(self, lines: EditedLines) -> types.CodeType:
        body = lines.body
        if self.body[0].lineno == self.loop.lineno and isinstance(body[0], ast.For | ast.While):
            body = body[0].body
        kept = [*self._keep(body, lines, *self._body_lines()), *self._list_more()]
        once = make_piece(kept, self.loop, self.scope, self.owner)
        return self.stand.program.compile_piece(self.stand.iteration.snapshot, guard(once))

    def _install(self, edits: Sequence[Edit]) -> Any:
        """Put the edited code on; give what undoes it, or None where it cannot be put on."""
        try:
            outfit = self._dress(edits)
        except (SyntaxError, ValueError):
            return None
        if outfit is None:
            return None
        self.outfit = outfit.over(self.base)

        def restore() -> None:
            self.outfit = self.base

        return restore

    def _dress(self, edits: Sequence[Edit]) -> Outfit | None:
        first, last = self._body_lines()
        inside = [edit for edit in edits if first <= edit.spot.line and edit.spot.end_line <= last]
        out = Outfit()
        if inside:
            out.piece = self._make_piece(EditedLines(self.source, first, last, inside))
        groups: dict[tuple[str, ast.stmt], list[Edit]] = {}
        for edit in edits:
            unit = None if edit in inside else self._unit_of(edit.spot)
            if unit is None and edit not in inside:
                return None
            if unit is not None:
                groups.setdefault(unit, []).append(edit)
        for (name, node), some in groups.items():
            fitted = self._dress_unit(name, node, some)
            if fitted is None:
                return None
            out = out.over(fitted)
        return out

    def _unit_of(self, spot: Spot) -> tuple[str, ast.stmt] | None:
        """The function, or the statement at the top, that a spot is part of."""
        for name, node in self.source.outer_functions:
            if node.body[0].lineno <= spot.line and spot.end_line <= (node.end_lineno or 0):
                return name, node
        for statement in self.source.tree.body:
            if statement.lineno <= spot.line and spot.end_line <= (statement.end_lineno or 0):
                return None if isinstance(statement, ast.ClassDef | ast.For | ast.While) else ("", statement)
        return None

    def _dress_unit(self, name: str, node: ast.stmt, edits: Sequence[Edit]) -> Outfit | None:
        last = node.end_lineno or node.lineno
        lines = EditedLines(self.source, node.lineno, last, edits)
        tree: Any = ast.Module(self._keep(lines.body, lines, node.lineno, last), [])
        if "." in name:
            tree = Mangler(name.rpartition(".")[0].rpartition(".")[2]).visit(tree)
        if tree.body is not lines.body or "." in name:
            ast.fix_missing_locations(tree)
        made = self.stand.program.compile(guard(tree))
        wardrobe, out = self.stand.wardrobe, Outfit()
        known = [code for code in self.codes if node.lineno <= code.co_firstlineno <= last]
        for code in list_codes(made):
            old = next((one for one in known if one.co_name == code.co_name), None)
            fitted = None if old is None else wardrobe.fit(old, code)
            if old is None or fitted is None:
                return None
            known.remove(old)
            out = out.over(fitted)
        return out
