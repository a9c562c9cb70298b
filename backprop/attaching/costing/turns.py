"""Displacements of the parameters with one value changed, and with many turns of a line changed together."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from typing import Any

import numpy as np

from backprop.attaching.costing.levels import CROSS, MANY, SLIGHT
from backprop.attaching.running.leaves import is_tensor, size_of
from backprop.attaching.running.repeating import Iteration
from backprop.attaching.running.replaying import IterationRecorder, Key, MadeValue

__all__ = ["Measuring", "code_turns", "draw_change"]


class Measuring:
    """Displacements of the parameters, with one value changed."""

    def __init__(self, iteration: Iteration, factor: float | None = None) -> None:
        self.iteration = iteration
        statements = iteration.program.rewritten.statements
        calls = any(isinstance(statements[number], ast.Expr) for number in iteration.held)
        self.factor = factor or (1.0 if calls else SLIGHT)
        self.moved: dict[Key, list[Any] | None] = {}
        self.scaled: dict[Key, tuple[list[Any], list[Any]]] = {}

    def respond(self, event: MadeValue, change: Any) -> list[Any] | None:
        """The displacements with a value changed, asked once whoever wants to know; None where it cannot be."""
        if event.key not in self.moved:
            try:
                self.moved[event.key] = self.displace(changes={event.key: _adder(change)})
            except Exception:  # a shape, an index, a kind that cannot be changed: then it is none
                self.moved[event.key] = None
        return self.moved[event.key]

    def scale(self, event: MadeValue) -> tuple[list[Any], list[Any]]:
        """The displacements with half of a value, and without it."""
        if event.key not in self.scaled:
            half, none = (self.displace(changes={event.key: change}) for change in (_halve, _zero))
            self.scaled[event.key] = half, none
        return self.scaled[event.key]

    def displace(self, **options: Any) -> list[Any]:
        """(new − old) / factor for each parameter."""
        recorder = IterationRecorder(held=self.iteration.held, factor=self.factor, **options)
        after = self.iteration.run(None, recorder)
        return [(a - b) / self.factor for a, b in zip(after, self.iteration.start, strict=True)]

    def record(self) -> IterationRecorder:
        """All values of one iteration, with as much of the update as displacements are measured with."""
        recorder = IterationRecorder(held=self.iteration.held, factor=self.factor, wanted=None)
        self.iteration.run(None, recorder)
        return recorder


def draw_change(v: Any) -> tuple[Any, Any]:
    """Which entries of a value are changed, and by how much."""
    rng = np.random.default_rng(0)
    some = rng.random(v.shape) < 0.5 if v.size > 1 else np.ones(v.shape, dtype=bool)
    if v.size > 1 and (some.all() or not some.any()):
        some.flat[0], some.flat[1] = True, False
    size = size_of(v)
    # The other sign: seen after an optimiser that keeps little of a gradient but that.
    return some, np.where(some, np.where(v != 0.0, -2.0 * v, rng.uniform(0.25, 0.5, v.shape) * size), 0.0)


def _adder(change: Any) -> Any:
    def add(value: Any) -> Any:
        if is_tensor(value):
            return value + value.new_tensor(change)
        return np.asmatrix(value + change) if isinstance(value, np.matrix) else value + change

    return add


def _halve(value: Any) -> Any:
    return value / 2


def _zero(value: Any) -> Any:
    return value * 0


def code_turns(measuring: Measuring, events: Sequence[MadeValue], plain: Sequence[Any]) -> None:
    """Where many numbers are stepped by one line, which of its turns belongs to which: each turn is changed in some of
    a few runs, and a parameter that goes along with exactly those is its own."""
    sites: dict[int, list[MadeValue]] = {}
    for event in events:
        if event.value.size == 1 and event.value.dtype.kind == "f":
            sites.setdefault(event.key[0], []).append(event)
    for turns in sites.values():
        if MANY < len(turns) <= 4 * len(plain):
            _code_site(measuring, turns, plain)


def _code_site(measuring: Measuring, turns: Sequence[MadeValue], plain: Sequence[Any]) -> None:
    changes = {event.key: _adder(draw_change(event.value)[1]) for event in turns}
    runs = []
    for bit in range(-1, len(turns).bit_length()):
        chosen = {e.key: changes[e.key] for n, e in enumerate(turns) if bit < 0 or n + 1 >> bit & 1}
        try:
            runs.append([m - p for m, p in zip(measuring.displace(changes=chosen), plain, strict=True)])
        except Exception:  # they cannot be changed together: then each alone
            return
    codes = _find_codes(runs)
    if any(len(own) > 1 or not 1 <= code <= len(turns) for code, own in codes.items()):
        return
    half, none = (measuring.displace(changes={event.key: change for event in turns}) for change in (_halve, _zero))
    for n, event in enumerate(turns, 1):
        measuring.scaled[event.key] = half, none
        alone = list(plain)
        for k in codes.get(n, ()):
            alone[k] = plain[k] + runs[0][k]
        measuring.moved[event.key] = alone


def _find_codes(runs: Sequence[list[Any]]) -> dict[int, list[int]]:
    """The parameters by the runs in which they went along; the first is that of all turns."""
    codes: dict[int, list[int]] = {}
    for k, gap in enumerate(runs[0]):
        size = float(np.max(np.abs(gap), initial=0.0))
        parts = [float(np.max(np.abs(run[k]), initial=0.0)) for run in runs[1:]]
        on = [float(np.max(np.abs(run[k] - gap), initial=0.0)) <= CROSS * size for run in runs[1:]]
        if not size or not all(same or part <= CROSS * size for same, part in zip(on, parts, strict=True)):
            continue
        codes.setdefault(sum(1 << bit for bit, same in enumerate(on) if same), []).append(k)
    return codes
