"""From the update back to the gradient: which values flow entry by entry into one parameter, and into no other.

A value belongs to a parameter where a change of one of its entries changes the same entry of that parameter after the
iteration and nothing else. Values are never compared with derivatives here: the pairing is by flow and by shape alone.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from backprop.attaching.costing.clipping import find_unclipped
from backprop.attaching.costing.decays import find_undecayed
from backprop.attaching.costing.levels import (
    CROSS,
    MANY,
    SLIGHT,
    FlowLevel,
    drop_idle,
    drop_memories,
    drop_states,
    keep_dependent,
    keep_effective,
    keep_unshown,
)  # fmt: skip
from backprop.attaching.costing.rates import (
    LINEAR,
    USES,
    GradientFlow,
    by_displacement,
    find_common,
    find_decay,
    find_first,
    is_share,
    list_numbers,
    with_decay,
)  # fmt: skip
from backprop.attaching.costing.turns import Measuring, code_turns, draw_change
from backprop.attaching.running.leaves import NumberLeaf, is_tensor, read
from backprop.attaching.running.repeating import Iteration
from backprop.attaching.running.replaying import IterationRecorder, Key, MadeValue
from backprop.attaching.running.tracing import find_updates

__all__ = ["find_flow", "find_levels"]

ROUNDING = 1e-15
LATEST = 160
JITTER = 0.05
MOST_CODED = 4_000
MOST_TURNS, ENDS = 24, 4
"""Of a value that is made more often than that, the first and the last are looked at."""
SILENT, MOST_PARTS = 24, 12
"""Values in a row that do not flow to a parameter, after one that did, end the search."""


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


def _find_flow(iteration: Iteration, factor: float | None = None) -> GradientFlow | None:
    measuring = Measuring(iteration, factor)
    if all(_has_grad(iteration, leaf) for leaf in iteration.leaves):
        return GradientFlow(iteration, (), None, library=True)
    recorder, plain = measuring.record(), measuring.displace()
    levels = _list_levels(measuring, recorder, plain)
    if measuring.factor == 1.0 and any(not any(level.whole for level in one) for one in levels):
        # What a whole step does to the gradients behind it hides whose gradient a value is; a little of it does not.
        return _find_flow(iteration, SLIGHT)
    stay = drop_states(iteration, levels)
    kept = keep_effective(iteration, levels) if len(stay) == len(levels) else stay
    if not kept:
        return by_displacement(iteration, recorder, plain)
    if kept is not stay:
        kept = sorted({*kept, *keep_unshown(iteration, levels, kept)})
    smaller = iteration.like([iteration.leaves[k] for k in kept])
    smaller.held = find_updates(smaller)
    if kept is stay or smaller.held != iteration.held:
        # What is no parameter is what it is in the program, and goes on as there.
        return _find_flow(smaller)
    return _tell_flow(smaller, [levels[k] for k in kept], recorder)


def _list_levels(measuring: Measuring, recorder: IterationRecorder, plain: Sequence[Any]) -> list[list[FlowLevel]]:
    # What is made behind the last change of a parameter flows into none.
    ahead = [event for event in recorder.events if event.order <= recorder.latest]
    if len(plain) > MANY:
        code_turns(measuring, ahead[-MOST_CODED:], plain)
    return keep_dependent(measuring.iteration, [find_levels(measuring, k, ahead, plain) for k in range(len(plain))])


def _tell_flow(smaller: Iteration, mine: Sequence[list[FlowLevel]], recorder: IterationRecorder) -> GradientFlow | None:
    """How the steps are made, from the levels of the parameters."""
    rates = find_common(mine)
    wholes = [[level for level in one if level.whole and level.used] for one in mine]
    first = find_first(wholes)
    # Of a single number it cannot be seen whether a step is in proportion to it.
    sized = [level for level, leaf in zip(first, smaller.start, strict=False) if leaf.size > 1] or first
    # One step that is not in proportion is an optimiser's or a clipping's; that of a gradient of nothing looks like it.
    adapts = len(first) == len(mine) and any(level.rate is None and level.decay is None for level in sized)
    if rates and not adapts:
        unclipped = find_unclipped(smaller, rates[0][1]) or find_unclipped(smaller, rates[-1][1])
        if unclipped is not None:
            return GradientFlow(smaller, (), unclipped)
        return GradientFlow(smaller, tuple(rates), None, numbers=list_numbers(smaller, recorder))
    if not adapts:
        return with_decay(smaller, mine, recorder)
    unclipped = find_unclipped(smaller, first) if len(first) == len(mine) else None
    if unclipped is not None:
        return GradientFlow(smaller, (), unclipped)
    before, shares = find_undecayed(smaller, first)
    return GradientFlow(smaller, (), before, decays=shares, behind=tuple(first) if shares else ())


def _has_grad(iteration: Iteration, leaf: NumberLeaf) -> bool:
    value = read(iteration.snapshot.names, leaf.places[0])
    return is_tensor(value) and bool(value.requires_grad)


def find_levels(measuring: Measuring, k: int, events: Sequence[MadeValue], plain: Sequence[Any]) -> list[FlowLevel]:
    shape = np.shape(plain[k])
    sites = measuring.iteration.program.rewritten.sites
    found: list[FlowLevel] = []
    own = [event for event in events if event.value.shape == shape and event.value.dtype.kind == "f"]
    own = _leave_out_turns(own, measuring.moved.keys())
    silent = parts = 0
    for event in own[: -max(LATEST, 4 * len(plain)) - 1 : -1]:
        level = _measure(measuring, k, event, plain, isinstance(sites[event.key[0]].node, USES))
        silent = silent + 1 if level is None else 0
        if level is not None:
            found.append(level)
            # Part of a sum: what stands before is part of it as well.
            part = level.rate is None and level.decay is None and not level.whole
            parts = parts + 1 if part else 0
        if found and (silent >= SILENT or parts >= MOST_PARTS):
            break
    return found


def _leave_out_turns(events: Sequence[MadeValue], known: Collection[Key]) -> list[MadeValue]:
    """Without the middle turns of long loops, as far as nothing is known of them: what
    is gathered there flows on after the last, or from the first."""
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
    some, change = draw_change(event.value)
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
        decay = find_decay(measuring.iteration.start[k], plain[k], half, rate or 0.0, event.value, room)
        rate = None
    # What is left of the step, where there is none of this value: nothing, or a share of the parameter.
    whole = bool(np.all(np.abs(without) <= room)) or is_share(measuring.iteration.start[k], without, room)
    down = float(np.sum(plain[k] * event.value))
    return FlowLevel(event.key, rate, whole, used, event.order, 1.0 if down <= 0 else -1.0, decay)
