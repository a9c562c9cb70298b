"""One iteration of a program on the bench of the reading room, and in its workshop."""

from __future__ import annotations

import ast
import copy
import itertools
import types
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np

from backprop.attaching.costing.fitting import Chosen
from backprop.attaching.lines.keeping import HookKeeper
from backprop.attaching.lines.outfits import Outfit, Wardrobe, list_codes, pair
from backprop.attaching.lines.shrinking import count_samples, shrink
from backprop.attaching.lines.spots import EditedLines
from backprop.attaching.looking.iterations import Mangler, make_piece
from backprop.attaching.pieces import Attached, HandedOver
from backprop.examiner.measuring.cases import Case
from backprop.examiner.subject.protocol.subjects import Subject, Unusable
from backprop.reading.running.bench import Bench, Point
from backprop.reading.running.entrances import Entrance
from backprop.reading.running.probes import PROBE, SCOPE, Instrumented, probe_tree
from backprop.reading.running.recorder import Event, move
from backprop.reading.running.workshop import TICK, Workshop, guard
from backprop.reading.source import Edit, Source, Spot

__all__ = ["AttachedBench", "AttachedShop", "Stand"]

SHAKE = 1e-4
PACE = 2
"""A run puts a whole program back first."""


class Stand:
    """An attached program whose functions can be dressed; its subjects, of all samples or of few."""

    def __init__(self, attached: Attached, source: Source) -> None:
        self.attached, self.source = attached, source
        self.iteration = attached.flow.iteration
        self.program = self.iteration.program
        self.wardrobe = Wardrobe(self.program)
        self.samples = count_samples(self.iteration)
        self.is_mean = False
        self._handed: dict[int, HandedOver] = {}

    def hand_over(self, rows: int) -> HandedOver:
        """The functions for so many samples; 0 for all that the program has."""
        rows = rows if self.samples else 0
        if rows not in self._handed:
            attached = self.attached
            if rows:
                small = shrink(self.iteration, self.samples[0], rows)
                flow = replace(attached.flow, iteration=small)
                attached = replace(attached, flow=flow, chosen=self._scale(attached.chosen, rows))
            self._handed[rows] = HandedOver(attached)
        return self._handed[rows]

    def _scale(self, chosen: Chosen, rows: int) -> Chosen:
        """A cost of few samples: an output for each, and a mean over them where its factor is one over their number."""
        samples, pair = self.samples[0], chosen.candidate.pair
        factor = chosen.factor * samples / rows if self.is_mean else chosen.factor
        if pair is not None and pair.occurrences == samples:
            pair = replace(pair, occurrences=rows)
        return replace(chosen, factor=factor, candidate=replace(chosen.candidate, pair=pair))

    def take_samples(self, samples: int, *, is_mean: bool = False) -> None:
        """From now on so many are what is made few; `is_mean`: the factor of the cost is one over them."""
        self.is_mean = is_mean
        self.samples = [samples, *(n for n in self.samples if n != samples)]
        self._handed = {rows: one for rows, one in self._handed.items() if not rows}

    def make_subject(self, outfit: Callable[[], Outfit]) -> Subject:
        """Its functions, each run in an outfit. X has an entry for each sample, none where all are meant."""

        def run(name: str, params: Any, X: Any, *more: Any) -> Any:
            functions = self.hand_over(len(X)).table()
            with self.wardrobe.wearing(outfit()):
                return functions[name](params, X, *more)

        whole = self.hand_over(0).table()
        functions: dict[str, Any] = {name: partial(run, name) for name in whole if name not in ("parameters", "data")}
        functions["parameters"] = whole["parameters"]
        functions["data"] = lambda rng, n=0: (np.zeros(n or 0), np.zeros(0))
        return Subject(functions, str(self.source.path), str(self.source.path))


class AttachedBench(Bench):
    """The bench for an iteration: what is replayed is the program with probes."""

    def __init__(self, stand: Stand, enter: Entrance) -> None:
        self.stand = stand
        self._of_cost: dict[int, set[ast.stmt]] = {}
        super().__init__(stand.source, enter)
        self.pace *= PACE

    def _start(self) -> tuple[Instrumented, types.ModuleType, Subject]:
        stand = self.stand
        program, snapshot = stand.program, stand.iteration.snapshot
        probed = copy.deepcopy(program.rewritten)
        made = probe_tree(self.source, probed.tree, everywhere=True)
        names = vars(program.module)
        names[PROBE] = _as_function(self.recorder.probe)
        names[SCOPE] = _as_function(self._look)
        piece = probed.piece(snapshot.loop, program.more.get(snapshot.loop, ()))
        outfit = stand.wardrobe.dress(program.compile(made.tree), program.compile_piece(snapshot, piece))
        return made, program.module, stand.make_subject(lambda: outfit)

    def _look(self, site: int, seen: dict[str, Any]) -> None:
        self.recorder.scope(site, _ours(seen) if site in self.recorder.watch else seen)

    def draw_points(self, plans: Sequence[tuple[int, int]]) -> list[Point]:
        """Points of few samples where the program bears that and the same gradients are wrong; else of all."""
        whole = super().draw_points([(seed, 0) for seed, _ in plans[-1:]])
        if not whole:
            return []
        means = (True, False) if self.stand.attached.chosen.factor != 1.0 else (False,)
        for samples, is_mean in itertools.product(list(self.stand.samples), means):
            self.stand.take_samples(samples, is_mean=is_mean)
            small = super().draw_points([(seed, min(rows, samples)) for seed, rows in plans])
            together = tuple(all(right) for right in zip(*(point.given for point in small), strict=True))
            if len(small) == len(plans) and together == whole[0].given:
                return small
        self.stand.samples = []
        return [*whole, *super().draw_points([(seed, 0) for seed, _ in plans[:-1]])]

    def record_cost(self, case: Case) -> list[Event]:
        """Those values of which the cost is made: an iteration makes others as well before it comes to its cost."""
        events = super().record_cost(case)
        if id(case) not in self._of_cost:
            self._of_cost[id(case)] = set(self._find_used(case, events))
        used = self._of_cost[id(case)]
        return [event for event in events if self._statement(event.key[0]) in used]

    def _statement(self, site: int) -> ast.stmt:
        return self.source.statement_of(self.instrumented.sites[site])

    def _find_used(self, case: Case, events: Sequence[Event]) -> list[ast.stmt]:
        """Statements of which a small change changes the cost."""
        by_statement: dict[ast.stmt, set[int]] = {}
        for event in events:
            if event.value.dtype.kind == "f" and event.value.size:
                by_statement.setdefault(self._statement(event.key[0]), set()).add(event.key[0])
        plain = self._evaluate(case, set())
        return [statement for statement, sites in by_statement.items() if self._evaluate(case, sites) != plain]

    def _evaluate(self, case: Case, sites: set[int]) -> Any:
        self.recorder.restart()
        self.recorder.change = dict.fromkeys(sites, _shake)
        try:
            return case.cost(case.values)
        except Unusable:
            return None
        finally:
            self.recorder.change = {}


def _as_function(method: Callable[..., Any]) -> Callable[..., Any]:
    """A function that stays among the names of a program: what is none is put back with its state."""

    def call(*args: Any) -> Any:
        return method(*args)

    return call


def _shake(key: Any, value: Any) -> Any:
    """A value moved a little, each entry by another amount."""
    try:
        numbers = np.asarray(value.detach() if hasattr(value, "detach") else value)
        if numbers.dtype.kind != "f":
            return value
        size = float(np.max(np.abs(numbers), initial=0.0)) or 1.0
        return move(value, SHAKE * size * np.random.default_rng(key[0]).uniform(0.5, 1.0, numbers.shape))
    except Exception:  # an object of another kind
        return value


def _ours(names: dict[str, Any]) -> dict[str, Any]:
    """The names of the program, without those of its hooks."""
    return {name: value for name, value in names.items() if not name.startswith(("hook_", "backprop_", "__"))}


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
        vars(stand.program.module)[TICK] = _as_function(self._tick)
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

    def _keeper(self, places: Any) -> HookKeeper:
        return HookKeeper(self.sites, self.statements, places)

    def _dress_all(self) -> Outfit:
        """The program as written, with the hooks that are needed and with ticks."""
        tree = ast.parse(self.source.text, str(self.source.path))
        keeper = self._keeper(lambda node: [self.source.spot(node)])
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
        kept = [*self._keeper(lines.places).keep(body), *self._list_more()]
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
        lines = EditedLines(self.source, node.lineno, node.end_lineno or node.lineno, edits)
        tree: Any = ast.Module(self._keeper(lines.places).keep(lines.body), [])
        if "." in name:
            tree = Mangler(name.rpartition(".")[0].rpartition(".")[2]).visit(tree)
        made = self.stand.program.compile(guard(ast.fix_missing_locations(tree)))
        wardrobe, out = self.stand.wardrobe, Outfit()
        last = node.end_lineno or node.lineno
        known = [code for code, _ in pair(wardrobe.whole, wardrobe.whole) if node.lineno <= code.co_firstlineno <= last]
        for code in list_codes(made):
            old = next((one for one in known if one.co_name == code.co_name), None)
            fitted = None if old is None else wardrobe.fit(old, code)
            if old is None or fitted is None:
                return None
            known.remove(old)
            out = out.over(fitted)
        return out
