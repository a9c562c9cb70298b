"""From the update back to the gradient: which values flow entry by entry into one parameter, and into no other.

A value belongs to a parameter where a change of one of its entries changes the same entry of that parameter after the
iteration and nothing else. Values are never compared with derivatives here: the pairing is by flow and by shape alone.
"""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from backprop.attaching.costing.levels import (
    CROSS,
    MANY,
    SLIGHT,
    FlowLevel,
    drop_idle,
    drop_memories,
    keep_dependent,
    keep_effective,
    keep_unshown,
)  # fmt: skip
from backprop.attaching.running.leaves import NumberLeaf, is_tensor, read
from backprop.attaching.running.replaying import Iteration, IterationRecorder, Key, MadeValue
from backprop.attaching.running.tracing import find_updates

__all__ = ["FlowLevel", "GradientFlow", "Measuring", "by_step", "find_flow", "find_levels"]

LINEAR = 1e-6
ROUNDING = 1e-15
LATEST = 160
JITTER = 0.05
MOST_NUMBERS = 12
MOST_CODED = 4_000
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
    decays: tuple[float, ...] = ()
    """The share of each parameter that its step takes beside its gradient: a weight decay."""
    numbers: tuple[float, ...] = ()
    """Single numbers that the update names: its rate may be one of them."""

    @property
    def leaves(self) -> tuple[NumberLeaf, ...]:
        """The parameters."""
        return self.iteration.leaves


class Measuring:
    """Displacements of the parameters, with one value changed."""

    def __init__(self, iteration: Iteration) -> None:
        self.iteration = iteration
        statements = iteration.program.rewritten.statements
        calls = any(isinstance(statements[number], ast.Expr) for number in iteration.held)
        self.factor = 1.0 if calls else SLIGHT
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
    measuring = Measuring(iteration)
    if all(_has_grad(iteration, leaf) for leaf in iteration.leaves):
        return GradientFlow(iteration, (), None, library=True)
    recorder = measuring.record()
    # What is made behind the last change of a parameter flows into none.
    ahead = [event for event in recorder.events if event.order <= recorder.latest]
    plain = measuring.displace()
    if len(plain) > MANY:
        _code_turns(measuring, ahead[-MOST_CODED:], plain)
    levels = keep_dependent(iteration, [find_levels(measuring, k, ahead, plain) for k in range(len(iteration.leaves))])
    kept = keep_effective(iteration, levels)
    if not kept:
        return _by_displacement(iteration, recorder, plain)
    kept = sorted({*kept, *keep_unshown(iteration, levels, kept)})
    smaller = iteration.like([iteration.leaves[k] for k in kept])
    smaller.held = find_updates(smaller)
    if smaller.held != iteration.held:
        # What is no parameter is what it is in the program, and goes on as there.
        return _find_flow(smaller)
    mine = [levels[k] for k in kept]
    rates = _find_common(mine)
    wholes = [[level for level in one if level.whole and level.used] for one in mine]
    first = _find_first(wholes)
    # Of a single number it cannot be seen whether a step is in proportion to it.
    sized = [level for level, leaf in zip(first, smaller.start, strict=False) if leaf.size > 1] or first
    # One step that is not in proportion is an optimiser's or a clipping's; that of a gradient of nothing looks like it.
    adapts = len(first) == len(mine) and any(level.rate is None and level.decay is None for level in sized)
    if rates and not adapts:
        return GradientFlow(smaller, tuple(rates), None, numbers=_list_numbers(smaller, recorder))
    return GradientFlow(smaller, (), tuple(first)) if adapts else _with_decay(smaller, mine, recorder)


def _find_first(wholes: Sequence[list[FlowLevel]]) -> list[FlowLevel]:
    """What an optimiser is given: the earliest value that all parameters have at one place, else the earliest of each."""
    shared = set.intersection(*({level.key[0] for level in one} for one in wholes)) if wholes else set()
    if shared:
        site = min((level.order, level.key[0]) for level in wholes[0] if level.key[0] in shared)[1]
        wholes = [[level for level in one if level.key[0] == site] for one in wholes]
    return [min(one, key=lambda level: level.order) for one in wholes if one]


def _with_decay(
    iteration: Iteration, levels: Sequence[list[FlowLevel]], recorder: IterationRecorder
) -> GradientFlow | None:
    """Where some steps are a gradient and a share of the parameter itself, and the others are gradients."""
    shown = [
        [level if level.rate is not None else replace(level, rate=level.decay[0])
         for level in one if level.rate is not None or level.decay is not None]
        for one in levels
    ]  # fmt: skip
    rates = _find_common(shown) if all(shown) else []
    if not rates:
        return None
    decays = [level.decay[1] if level is not None and level.decay else 0.0 for level in rates[0][1]]
    return GradientFlow(iteration, tuple(rates[:1]), None, numbers=_list_numbers(iteration, recorder),
                        decays=tuple(decays))  # fmt: skip


def by_step(flow: GradientFlow) -> GradientFlow:
    """The same with what the step takes of a parameter counted to its gradient, as that of a penalty."""
    (rate, levels), *_ = flow.rates
    shown = tuple(None if share else level for level, share in zip(levels, flow.decays, strict=True))
    return replace(flow, rates=((rate, shown),), decays=())


def _has_grad(iteration: Iteration, leaf: NumberLeaf) -> bool:
    value = read(iteration.snapshot.names, leaf.places[0])
    return is_tensor(value) and bool(value.requires_grad)


def _code_turns(measuring: Measuring, events: Sequence[MadeValue], plain: Sequence[Any]) -> None:
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
    changes = {event.key: _adder(_draw_change(event.value)[1]) for event in turns}
    runs = []
    for bit in range(-1, len(turns).bit_length()):
        chosen = {e.key: changes[e.key] for n, e in enumerate(turns) if bit < 0 or n + 1 >> bit & 1}
        try:
            runs.append([m - p for m, p in zip(measuring.displace(changes=chosen), plain, strict=True)])
        except Exception:  # they cannot be changed together: then each alone
            return
    codes: dict[int, list[int]] = {}
    for k, gap in enumerate(runs[0]):
        size = float(np.max(np.abs(gap), initial=0.0))
        parts = [float(np.max(np.abs(run[k]), initial=0.0)) for run in runs[1:]]
        on = [float(np.max(np.abs(run[k] - gap), initial=0.0)) <= CROSS * size for run in runs[1:]]
        if not size or not all(same or part <= CROSS * size for same, part in zip(on, parts, strict=True)):
            continue
        codes.setdefault(sum(1 << bit for bit, same in enumerate(on) if same), []).append(k)
    if any(len(own) > 1 or not 1 <= code <= len(turns) for code, own in codes.items()):
        return
    scaled = tuple(measuring.displace(changes={event.key: change for event in turns}) for change in (_halve, _zero))
    for n, event in enumerate(turns, 1):
        measuring.scaled[event.key] = scaled
        alone = list(plain)
        for k in codes.get(n, ()):
            alone[k] = plain[k] + runs[0][k]
        measuring.moved[event.key] = alone


def find_levels(measuring: Measuring, k: int, events: Sequence[MadeValue], plain: Sequence[Any]) -> list[FlowLevel]:
    shape = np.shape(plain[k])
    sites = measuring.iteration.program.rewritten.sites
    found: list[FlowLevel] = []
    own = [event for event in events if event.value.shape == shape and event.value.dtype.kind == "f"]
    own = _leave_out_turns(own, measuring.moved.keys())
    silent = 0
    for event in own[: -max(LATEST, 4 * len(plain)) - 1 : -1]:
        level = _measure(measuring, k, event, plain, isinstance(sites[event.key[0]].node, USES))
        part = level is not None and level.rate is None and level.decay is None and not level.whole
        # Part of a sum: what stands before is part of it as well.
        silent = silent + (2 if part else 1) if level is None or part else 0
        if level is not None:
            found.append(level)
        if found and silent >= SILENT:
            break
    return found


def _leave_out_turns(events: Sequence[MadeValue], known: Collection[Key]) -> list[MadeValue]:
    """Without the middle turns of long loops, as far as nothing is known of them: what is gathered there flows on after the last, or from the first."""
    times: Counter[int] = Counter(event.key[0] for event in events)
    seen: Counter[int] = Counter()
    kept = []
    for event in events:
        site = event.key[0]
        seen[site] += 1
        if event.key in known or times[site] <= MOST_TURNS or seen[site] <= ENDS or seen[site] > times[site] - ENDS:
            kept.append(event)
    return kept


def _measure(measuring: Measuring, k: int, event: MadeValue, plain: Sequence[Any], used: bool) -> FlowLevel | None:
    some, change = _draw_change(event.value)
    moved = measuring.respond(event, change)
    if moved is None or any(m is None or m.shape != p.shape for m, p in zip(moved, plain, strict=True)):
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
    measuring: Measuring, k: int, event: MadeValue, plain: Sequence[Any], response: Any, noise: float, used: bool
) -> FlowLevel:
    gap, change = response
    some = change != 0.0
    rate: float | None = float(np.median(-gap[some] / change[some]))
    room = LINEAR * float(np.max(np.abs(plain[k]), initial=0.0)) + 10 * noise
    try:
        half, without = (moved[k] for moved in measuring.scale(event))
    except Exception:  # as above
        return FlowLevel(event.key, None, False, used, event.order)
    off = np.abs(plain[k] + (rate or 0.0) * event.value), np.abs(half - plain[k] / 2)
    decay = None
    if not all(bool(np.all(one <= room)) for one in off):
        decay = _find_decay(measuring.iteration.start[k], plain[k], half, rate or 0.0, event.value, room)
        rate = None
    # What is left of the step, where there is none of this value.
    whole = bool(np.all(np.abs(without) <= room))
    down = float(np.sum(plain[k] * event.value))
    return FlowLevel(event.key, rate, whole, used, event.order, 1.0 if down <= 0 else -1.0, decay)


def _find_decay(start: Any, plain: Any, half: Any, rate: float, value: Any, room: float) -> tuple[float, float] | None:
    """(rate, share) where a step is −rate times a value and −share times the parameter, entry by entry."""
    if start.size < 2 or np.any(np.abs(half - plain - rate * value / 2) > room):
        return None
    left = -(plain + rate * value)
    share = float(np.sum(left * start)) / (float(np.sum(start**2)) or 1.0)
    # All of the parameter taken is what stores a new one.
    return (rate, share) if abs(share) < 0.5 and np.all(np.abs(left - share * start) <= room) else None


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
    values: dict[int, set[float]] = {}
    for event in recorder.events:
        node: Any = rewritten.sites[event.key[0]].node
        if event.value.size == 1 and isinstance(node, USES) and getattr(node, "lineno", 0) in lines:
            values.setdefault(event.key[0], set()).add(abs(float(event.value.reshape(()).real)))
    # A rate is one number however often it is read.
    read = {number for numbers in values.values() if len(numbers) == 1 for number in numbers}
    return tuple(sorted(number for number in held | read if 0 < number < 1e6))[:MOST_NUMBERS]
