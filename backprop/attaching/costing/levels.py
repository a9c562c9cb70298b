"""Values on their way into a parameter, and which of the moved arrays are parameters."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from backprop.attaching.running.replaying import Iteration, Key
from backprop.attaching.running.tracing import find_updates
from backprop.attaching.running.training import is_level

__all__ = ["FlowLevel", "drop_idle", "drop_memories", "keep_dependent", "keep_effective"]

ASIDE = 0.05
"""How far from the program's own parameters, in shares of their size, it is asked again."""


@dataclass(frozen=True)
class FlowLevel:
    """A value that flows into one parameter. `rate`: what it is multiplied by on its way (None: it is no product);
    `whole`: without it the parameter stays where it is; `used`: read from a name, not only made."""

    key: Key
    rate: float | None
    whole: bool
    used: bool
    order: int
    sign: float = 1.0


def drop_memories(iteration: Iteration) -> Iteration:
    """Without the leaves that belong to one parameter entry by entry: an optimiser's memory of it, or a mean of it.

    Where weights change while the error is still going back, a memory reaches other parameters through those weights;
    with the update held back it does not.
    """
    spread = _list_spreading(iteration)
    if len(spread) < len(iteration.leaves):
        # At zero weights on centred data a bias reaches nothing but itself: asked beside them as well.
        spread |= _list_spreading(iteration.beside(ASIDE))
    stay = [iteration.leaves[k] for k in sorted(spread)]
    if not stay or len(stay) == len(iteration.leaves):
        return iteration
    out = iteration.like(stay)
    out.emptied = tuple(leaf for leaf in iteration.leaves if all(leaf is not one for one in stay))
    out.held = find_updates(out)
    return out


def _list_spreading(iteration: Iteration) -> set[int]:
    """The leaves of which a change of some entries reaches other entries."""
    plain = iteration.run()
    rng = np.random.default_rng(5)
    found = set()
    for k, value in enumerate(iteration.start):
        some = np.asarray(rng.random(value.shape) < 0.5)
        some.flat[0] = True
        if some.size > 1 and some.all():
            # Where all entries are changed there are no others that could be reached.
            some.flat[-1] = False
        size = float(np.max(np.abs(value), initial=0.0)) or 1.0
        values = list(iteration.start)
        values[k] = np.where(some, value + size * rng.uniform(0.2, 0.5, value.shape), value)
        after = iteration.run(values)
        spreads = any(_spreads(a, b, some) for a, b in zip(after, plain, strict=True))
        # A first step of Adam is as long in every entry: nothing is told by it.
        spreads = spreads or (plain[k] is not None and is_level(plain[k] - value))
        if spreads and _is_felt(iteration, values, some):
            found.add(k)
    return found


def _is_felt(iteration: Iteration, values: Sequence[Any], some: Any) -> bool:
    """Whether, with the update held back, what was changed in a leaf reaches any value but entry by entry."""
    plain, moved = iteration.freeze(wanted=None), iteration.freeze(wanted=None)
    iteration.run(None, plain)
    iteration.run(values, moved)
    before, after = ({event.key: event.value for event in one.events} for one in (plain, moved))
    return before.keys() != after.keys() or any(
        not np.array_equal(value, after[key], equal_nan=True)
        and (value.shape != some.shape or _spreads(after[key], value, some))
        for key, value in before.items()
    )


def _spreads(after: Any, before: Any, some: Any) -> bool:
    """Whether a change of some entries of one leaf reaches other entries of another, or of itself."""
    if after is None or before is None or after.shape != before.shape:
        return True
    change = np.abs(after - before) > 1e-12 * (np.max(np.abs(before), initial=0.0) + 1e-300)
    if after.shape != some.shape or after.size == 1:
        return bool(np.any(change)) and after.shape != some.shape
    return bool(np.any(change & ~some))


def drop_idle(iteration: Iteration) -> Iteration:
    """Without the leaves that go on moving while the update is held back: they are states, not parameters."""
    frozen = iteration.run(None, iteration.freeze())
    stay = [
        leaf
        for leaf, after, start in zip(iteration.leaves, frozen, iteration.start, strict=True)
        if after is not None and np.array_equal(after, start)
    ]
    return iteration.like(stay)


def keep_effective(iteration: Iteration, levels: Sequence[list[FlowLevel]]) -> list[int]:
    """Of the leaves that have a gradient, those of which some gradient is a function: parameters, no optimiser's
    memory."""
    has = [k for k, one in enumerate(levels) if one]
    earliest = {k: min(levels[k], key=lambda level: (not level.whole, level.order)).key for k in has}
    base = iteration.freeze(wanted=frozenset(key[0] for key in earliest.values()))
    iteration.run(None, base)
    values = {event.key: event.value for event in base.events}
    kept = []
    for k in range(len(levels)):
        start = list(iteration.start)
        rng = np.random.default_rng(k)
        size = float(np.max(np.abs(start[k]), initial=0.0)) or 1.0
        start[k] = start[k] + 1e-3 * size * rng.uniform(0.5, 1.0, start[k].shape)
        again = iteration.freeze(wanted=frozenset(key[0] for key in earliest.values()))
        iteration.run(start, again)
        now = {event.key: event.value for event in again.events}
        if any(key in now and key in values and _differs(now[key], values[key]) for key in earliest.values()):
            kept.append(k)
    return kept


def keep_dependent(iteration: Iteration, levels: Sequence[list[FlowLevel]]) -> list[list[FlowLevel]]:
    """Without values that are the same at all parameters, where there are others: a rate for each entry flows into its
    parameter as a gradient does, and is none."""
    sites = frozenset(level.key[0] for one in levels for level in one)
    here, there = iteration.freeze(wanted=sites), iteration.freeze(wanted=sites)
    iteration.run(None, here)
    iteration.run(iteration.beside(ASIDE).start, there)
    now = {event.key: event.value for event in there.events}
    same = {e.key for e in here.events if e.key in now and not _differs(now[e.key], e.value)}
    return [[level for level in one if level.key not in same] or one for one in levels]


def _differs(a: Any, b: Any) -> bool:
    return a.shape != b.shape or bool(np.any(np.abs(a - b) > 1e-9 * (np.max(np.abs(b), initial=0.0) + 1e-300)))
