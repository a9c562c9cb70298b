"""One iteration of a program on the bench of the reading room."""

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
from backprop.attaching.handing import Attached, HandedOver
from backprop.attaching.lines.outfits import Outfit, Wardrobe
from backprop.attaching.lines.shrinking import count_samples, shrink
from backprop.attaching.running.leaves import size_of
from backprop.examiner.measuring.cases import Case
from backprop.examiner.subject.protocol.subjects import Subject, Unusable
from backprop.reading.running.bench import Bench, Point
from backprop.reading.running.entrances import Entrance
from backprop.reading.running.probes import PROBE, SCOPE, Instrumented, probe_tree
from backprop.reading.running.recorder import Event, move
from backprop.reading.source import Source

__all__ = ["AttachedBench", "Stand", "as_function"]

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
        names[PROBE] = as_function(self.recorder.probe)
        names[SCOPE] = as_function(self._look)
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


def as_function(method: Callable[..., Any]) -> Callable[..., Any]:
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
        size = size_of(numbers)
        return move(value, SHAKE * size * np.random.default_rng(key[0]).uniform(0.5, 1.0, numbers.shape))
    except Exception:  # an object of another kind
        return value


def _ours(names: dict[str, Any]) -> dict[str, Any]:
    """The names of the program, without those of its hooks."""
    return {name: value for name, value in names.items() if not name.startswith(("hook_", "backprop_", "__"))}
