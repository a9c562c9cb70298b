"""From the update back to the gradient: which values flow entry by entry into one parameter, and into no other.

A value belongs to a parameter where a change of one of its entries changes the same entry of that parameter after the
iteration and nothing else. Values are never compared with derivatives here: the pairing is by flow and by shape alone.
"""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from backprop.attaching.costing.levels import FlowLevel, drop_idle, drop_memories, keep_dependent, keep_effective
from backprop.attaching.running.leaves import NumberLeaf, is_tensor, read
from backprop.attaching.running.replaying import Iteration, IterationRecorder, MadeValue

__all__ = ["FlowLevel", "GradientFlow", "find_flow"]

SLIGHT = 1e-4
"""How much of the update is made while flows are measured: what an update does to later values is second order."""
CROSS = 1e-2
LINEAR = 1e-6
ROUNDING = 1e-15
LATEST = 160
JITTER = 0.05
MOST_NUMBERS = 12
MOST_TURNS, ENDS = 24, 4
"""Of a value that is made more often than that, the first and the last are looked at."""
SILENT = 24
"""Values in a row that do not flow to a parameter, after one that did, end the search."""
USES = (ast.Name, ast.Attribute, ast.Subscript)


@dataclass(frozen=True)
class GradientFlow:
    """How the parameters of an iteration get their gradients.

    `rates`: each common rate with a level for every parameter (None where only the displacement shows it);
    `adaptive`: where no common rate exists, the first whole level of each parameter.
    """

    iteration: Iteration
    rates: tuple[tuple[float, tuple[FlowLevel | None, ...]], ...]
    adaptive: tuple[FlowLevel, ...] | None
    library: bool = False
    numbers: tuple[float, ...] = ()
    """Single numbers that the update names: its rate may be one of them."""

    @property
    def leaves(self) -> tuple[NumberLeaf, ...]:
        """The parameters."""
        return self.iteration.leaves


class _Measuring:
    """Displacements of the parameters, with one value changed."""

    def __init__(self, iteration: Iteration) -> None:
        self.iteration = iteration
        statements = iteration.program.rewritten.statements
        calls = any(isinstance(statements[number], ast.Expr) for number in iteration.held)
        self.factor = 1.0 if calls else SLIGHT
        self.runs = 0

    def displace(self, **options: Any) -> list[Any]:
        """(new − old) / factor for each parameter."""
        self.runs += 1
        recorder = IterationRecorder(held=self.iteration.held, factor=self.factor, **options)
        after = self.iteration.run(None, recorder)
        return [(a - b) / self.factor for a, b in zip(after, self.iteration.start, strict=True)]

    def record(self) -> IterationRecorder:
        """All values of one iteration, with as much of the update as displacements are measured with."""
        recorder = IterationRecorder(held=self.iteration.held, factor=self.factor, wanted=None)
        self.iteration.run(None, recorder)
        return recorder


def find_flow(iteration: Iteration) -> GradientFlow | None:
    """The parameters among the leaves of an iteration, with their gradients; None if there is no such flow.

    Measured beside the program's own parameters: where these are zero, a new value and a step are the same numbers.
    """
    iteration = drop_memories(drop_idle(iteration))
    found = _find_flow(iteration.beside(JITTER)) if iteration.leaves else None
    if found is None:
        return None
    own = iteration.like(found.leaves)
    own.held = found.iteration.held
    return replace(found, iteration=own)


def _find_flow(iteration: Iteration) -> GradientFlow | None:
    measuring = _Measuring(iteration)
    if all(_has_grad(iteration, leaf) for leaf in iteration.leaves):
        return GradientFlow(iteration, (), None, library=True)
    recorder = measuring.record()
    plain = measuring.displace()
    levels = keep_dependent(
        iteration, [_find_levels(measuring, k, recorder.events, plain) for k in range(len(iteration.leaves))]
    )
    kept = keep_effective(iteration, levels)
    if not kept:
        return _by_displacement(iteration, recorder, plain)
    smaller = iteration.like([iteration.leaves[k] for k in kept])
    mine = [levels[k] for k in kept]
    rates = _find_common(mine)
    wholes = [[level for level in one if level.whole and level.used] for one in mine]
    first = [min(one, key=lambda level: level.order) for one in wholes if one]
    # Of a single number it cannot be seen whether a step is in proportion to it.
    sized = [level for level, leaf in zip(first, smaller.start, strict=False) if leaf.size > 1] or first
    adapts = len(first) == len(mine) and all(level.rate is None for level in sized)
    if rates and not adapts:
        return GradientFlow(smaller, tuple(rates), None, numbers=_list_numbers(smaller, recorder))
    return GradientFlow(smaller, (), tuple(first)) if adapts else None


def _has_grad(iteration: Iteration, leaf: NumberLeaf) -> bool:
    value = read(iteration.snapshot.names, leaf.places[0])
    return is_tensor(value) and bool(value.requires_grad)


def _find_levels(measuring: _Measuring, k: int, events: Sequence[MadeValue], plain: Sequence[Any]) -> list[FlowLevel]:
    shape = np.shape(plain[k])
    sites = measuring.iteration.program.rewritten.sites
    found: list[FlowLevel] = []
    own = [event for event in events if event.value.shape == shape and event.value.dtype.kind == "f"]
    own = _leave_out_turns(own)
    silent = 0
    for event in own[: -LATEST - 1 : -1]:
        level = _measure(measuring, k, event, plain, isinstance(sites[event.key[0]].node, USES))
        silent = silent + 1 if level is None else 0
        if level is not None:
            found.append(level)
        elif found and silent >= SILENT:
            break
    return found


def _leave_out_turns(events: Sequence[MadeValue]) -> list[MadeValue]:
    """Without the middle turns of long loops: what is gathered there flows on after the last, or from the first."""
    times: Counter[int] = Counter(event.key[0] for event in events)
    seen: Counter[int] = Counter()
    kept = []
    for event in events:
        site = event.key[0]
        seen[site] += 1
        if times[site] <= MOST_TURNS or seen[site] <= ENDS or seen[site] > times[site] - ENDS:
            kept.append(event)
    return kept


def _measure(measuring: _Measuring, k: int, event: MadeValue, plain: Sequence[Any], used: bool) -> FlowLevel | None:
    some, change = _draw_change(event.value)
    try:
        moved = measuring.displace(changes={event.key: _adder(change)})
    except Exception:  # a shape, an index, a kind that cannot be changed: then it is none
        return None
    if any(m is None or m.shape != p.shape for m, p in zip(moved, plain, strict=True)):
        return None
    gaps = [m - p for m, p in zip(moved, plain, strict=True)]
    if not all(np.isfinite(gap).all() for gap in gaps):
        return None
    mine = float(np.max(np.abs(gaps[k]), initial=0.0))
    noise = ROUNDING * float(np.max(np.abs(measuring.iteration.start[k]), initial=0.0)) / measuring.factor
    if mine <= 10 * noise or np.any(np.abs(gaps[k][~some]) > CROSS * mine) or np.any(gaps[k][some] == 0.0):
        return None
    others = [float(np.max(np.abs(g), initial=0.0)) for j, g in enumerate(gaps) if j != k]
    if any(other > CROSS * mine for other in others):
        return None
    return _classify(measuring, k, event, plain, (gaps[k], change), noise, used)


def _draw_change(v: Any) -> tuple[Any, Any]:
    """Which entries of a value are changed, and by how much."""
    rng = np.random.default_rng(0)
    some = rng.random(v.shape) < 0.5 if v.size > 1 else np.ones(v.shape, dtype=bool)
    if v.size > 1 and (some.all() or not some.any()):
        some.flat[0], some.flat[1] = True, False
    size = float(np.max(np.abs(v), initial=0.0)) or 1.0
    # The other sign: seen after an optimiser that keeps little of a gradient but that.
    return some, np.where(some, np.where(v != 0.0, -2.0 * v, rng.uniform(0.25, 0.5, v.shape) * size), 0.0)


def _classify(
    measuring: _Measuring, k: int, event: MadeValue, plain: Sequence[Any], response: Any, noise: float, used: bool
) -> FlowLevel:
    gap, change = response
    some = change != 0.0
    rate: float | None = float(np.median(-gap[some] / change[some]))
    room = LINEAR * float(np.max(np.abs(plain[k]), initial=0.0)) + 10 * noise
    try:
        half = measuring.displace(changes={event.key: _halve})[k]
        without = measuring.displace(changes={event.key: _zero})[k]
    except Exception:  # as above
        return FlowLevel(event.key, None, False, used, event.order)
    off = np.abs(plain[k] + (rate or 0.0) * event.value), np.abs(half - plain[k] / 2)
    if not all(bool(np.all(one <= room)) for one in off):
        rate = None
    # What is left of the step, where there is none of this value.
    whole = bool(np.all(np.abs(without) <= room))
    down = float(np.sum(plain[k] * event.value))
    return FlowLevel(event.key, rate, whole, used, event.order, 1.0 if down <= 0 else -1.0)


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


def _find_common(levels: Sequence[list[FlowLevel]]) -> list[tuple[float, tuple[FlowLevel | None, ...]]]:
    """Rates that every parameter has a level for, in the order in which the values are made."""
    out: list[tuple[float, tuple[FlowLevel | None, ...]]] = []
    full = max(levels, key=len, default=[])
    for level in sorted(full, key=lambda one: one.order):
        if level.rate is None or any(abs(level.rate / rate - 1) < LINEAR for rate, _ in out):
            continue
        chosen = [
            [one for one in mine if one.rate is not None and abs(one.rate / level.rate - 1) < LINEAR] for mine in levels
        ]
        # A number that is spread over a parameter has no level of the parameter's shape; its step shows it.
        if all(one or not any(other.rate for other in mine) for one, mine in zip(chosen, levels, strict=True)):
            out.append(
                (level.rate, tuple(max(one, key=lambda x: (x.used, x.order)) if one else None for one in chosen))
            )
    return out


def _by_displacement(iteration: Iteration, recorder: IterationRecorder, plain: Sequence[Any]) -> GradientFlow | None:
    """Where no value shows the gradient (numbers one by one, in lists): the step itself, over a rate that the update
    names."""
    if not any(map(np.any, plain)):
        return None
    nothing = tuple(None for _ in iteration.leaves)
    return GradientFlow(iteration, ((1.0, nothing),), None, numbers=_list_numbers(iteration, recorder))


def _list_numbers(iteration: Iteration, recorder: IterationRecorder) -> tuple[float, ...]:
    """Numbers that the update's own lines name or hold."""
    rewritten = iteration.program.rewritten
    statements = [rewritten.statements[number] for number in iteration.held]
    lines = {line for one in statements for line in range(one.lineno, (one.end_lineno or one.lineno) + 1)}
    held = {
        float(part.value)
        for one in statements
        for part in ast.walk(one)
        if isinstance(part, ast.Constant) and isinstance(part.value, float)
    }
    read = {
        abs(float(event.value.reshape(())))
        for event in recorder.events
        if event.value.size == 1 and getattr(rewritten.sites[event.key[0]].node, "lineno", 0) in lines
        and isinstance(rewritten.sites[event.key[0]].node, USES)
    }  # fmt: skip
    return tuple(sorted(number for number in held | read if 0 < number < 1e6))[:MOST_NUMBERS]
