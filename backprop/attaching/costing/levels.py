"""Values on their way into a parameter, and which of the moved arrays are parameters."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from backprop.attaching.running.leaves import NumberLeaf, find_leaves, read, size_of, to_array
from backprop.attaching.running.repeating import Iteration
from backprop.attaching.running.replaying import IterationRecorder, Key
from backprop.attaching.running.shaking import is_level
from backprop.attaching.running.tracing import find_updates

__all__ = [
    "ASIDE", "CROSS", "MANY", "SLIGHT", "FlowLevel", "drop_idle", "drop_memories", "drop_states", "find_memories",
    "group", "keep_dependent", "keep_effective", "keep_unshown",
]  # fmt: skip

SLIGHT = 1e-4
"""How much of the update is made while flows are measured: what an update does to later values is second order."""
CROSS = 1e-2
FAINT, FAINT_CROSS = 1e-6, 1e-4
"""The same where a bias that hardly reaches a weight is told from a memory that does so by the update alone."""
MOST_MEMORIES = 40
MANY, GROUPS = 30, 12
"""More leaves than that (the numbers of a small engine) are asked for in groups, not one by one."""
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
    decay: tuple[float, float] | None = None
    """(rate, share) where the step is this rate times the value and a share of the parameter itself: weight decay."""


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
    out.emptied += tuple(leaf for leaf in iteration.leaves if all(leaf is not one for one in stay))
    out.held = find_updates(out)
    return out


def find_memories(iteration: Iteration) -> tuple[NumberLeaf, ...]:
    """Arrays beside the leaves, of their shapes, which the iteration changes and which reach a leaf entry by entry."""
    known = {place for leaf in (*iteration.leaves, *iteration.emptied) for place in leaf.places}
    shapes = {value.shape for value in iteration.start if value.size > 1}
    others = [
        (leaf, value) for leaf in find_leaves(iteration.snapshot.names)
        if not known & set(leaf.places) and (value := to_array(leaf.value)) is not None and value.shape in shapes
    ]  # fmt: skip
    after = iteration.run_names()
    moved = [leaf for leaf, value in others if not _is_same(to_array(read(after, leaf.places[0])), value)]
    if not moved:
        return ()
    wider = iteration.like([*iteration.leaves, *moved[:MOST_MEMORIES]])
    plain, count, found = _displace(wider, None, FAINT), len(iteration.leaves), []
    rng = np.random.default_rng(6)
    for k, leaf in enumerate(wider.leaves[count:], count):
        some = rng.random(wider.start[k].shape) < 0.5
        some.flat[0], some.flat[-1] = True, False
        values = list(wider.start)
        size = size_of(values[k])
        values[k] = np.where(some, values[k] + size * rng.uniform(0.2, 0.5, some.shape), values[k])
        gaps = _displace(wider, values, FAINT)[:count]
        felt = any(a is not None and b is not None and _differs(a, b) for a, b in zip(gaps, plain, strict=False))
        if felt and not _reaches(gaps, plain[:count], some, wider.start):
            found.append(leaf)
    return tuple(found)


def _list_spreading(iteration: Iteration) -> set[int]:
    """The leaves of which a change of some entries reaches other entries.

    Asked with little of the update made, so that what a memory does to a parameter is not seen through that parameter
    in whatever is computed after it; where a call makes the update, with all of it and with none.
    """
    statements = iteration.program.rewritten.statements
    calls = any(isinstance(statements[number], ast.Expr) for number in iteration.held)
    plain = _displace(iteration, None, 1.0 if calls else FAINT)
    rng = np.random.default_rng(5)
    found = set()
    if len(iteration.start) > MANY and not calls:
        return _list_spreading_groups(iteration, plain)
    for k, value in enumerate(iteration.start):
        some = _draw_some(rng, value)
        size = size_of(value)
        values = list(iteration.start)
        values[k] = np.where(some, value + size * rng.uniform(0.2, 0.5, value.shape), value)
        after = _displace(iteration, values, 1.0 if calls else FAINT)
        # A first step of Adam is as long in every entry: nothing is told by it.
        level = plain[k] is not None and is_level(plain[k])
        if calls:
            spreads = level or any(_spreads(a, b, some) for a, b in zip(after, plain, strict=True))
            spreads = spreads and _is_felt(iteration, values, some)
        else:
            spreads = _reaches(after, plain, some, iteration.start)
            spreads = spreads or (level and _is_felt(iteration, values, some))
        if spreads:
            found.add(k)
    return found


def _draw_some(rng: np.random.Generator, value: Any) -> Any:
    """Some entries: where all are changed there are no others that could be reached."""
    some = np.asarray(rng.random(value.shape) < 0.5)
    some.flat[0] = True
    if some.size > 1 and some.all():
        some.flat[-1] = False
    return some


def _list_spreading_groups(iteration: Iteration, plain: Sequence[Any]) -> set[int]:
    """The same of very many leaves: those of a group are changed together, and reach others than themselves."""
    found = set()
    floor = 1e-8 * max((float(np.max(np.abs(v), initial=0.0)) for v in iteration.start), default=0.0)
    for together in group(len(plain)):
        values = list(iteration.start)
        for k in together:
            values[k] = values[k] + 0.3 * size_of(values[k])
        gaps = [
            np.inf if a is None or b is None else float(np.max(np.abs(a - b), initial=0.0))
            for a, b in zip(_displace(iteration, values, FAINT), plain, strict=True)
        ]
        # A memory reaches one parameter for each of its own.
        reached = sorted(gaps, reverse=True)[: 2 * len(together) + 1]
        if len(reached) > 2 * len(together) and reached[-1] > max(FAINT_CROSS * reached[0], floor):
            found.update(together)
    return found


def _displace(iteration: Iteration, values: Sequence[Any] | None, factor: float) -> list[Any]:
    """How far each leaf goes for the whole of the update, measured with a part of it."""
    after = iteration.run(values, IterationRecorder(held=iteration.held, factor=factor))
    start = iteration.start if values is None else values
    return [None if a is None or a.shape != b.shape else (a - b) / factor for a, b in zip(after, start, strict=True)]


def _reaches(after: Sequence[Any], before: Sequence[Any], some: Any, start: Sequence[Any]) -> bool:
    """Whether what a leaf's entries do to other entries is no mere second order of what they do to their own."""
    if any(a is None or b is None for a, b in zip(after, before, strict=True)):
        return True
    gaps = [np.abs(a - b) for a, b in zip(after, before, strict=True)]
    own = max((float(np.max(g[some], initial=0.0)) for g in gaps if g.shape == some.shape), default=0.0)
    floor = 1e-8 * max((float(np.max(np.abs(b), initial=0.0)) for b in start), default=0.0)
    others = [float(np.max(g if g.shape != some.shape else g[~some], initial=0.0)) for g in gaps]
    return max(others, default=0.0) > max(FAINT_CROSS * own, floor)


def _is_felt(iteration: Iteration, values: Sequence[Any], some: Any) -> bool:
    """Whether, with the update held back, what was changed in a leaf reaches any value but entry by entry."""
    plain, moved = iteration.freeze(wanted=None), iteration.freeze(wanted=None)
    iteration.run(None, plain)
    iteration.run(values, moved)
    before, after = (one.made() for one in (plain, moved))
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


def group(count: int) -> list[list[int]]:
    """Leaves that are asked for together: each alone, or as many as make few groups.

    >>> group(3), [len(one) for one in group(60)][:3]
    ([[0], [1], [2]], [5, 5, 5])
    """
    size = 1 if count <= MANY else -(-count // GROUPS)
    return [list(range(i, min(i + size, count))) for i in range(0, count, size)]


def keep_effective(iteration: Iteration, levels: Sequence[list[FlowLevel]]) -> list[int]:
    """Of the leaves that have a gradient, those of which some gradient is a function: parameters, no optimiser's
    memory."""
    has = [k for k, one in enumerate(levels) if one]
    earliest = {k: min(levels[k], key=lambda level: (not level.whole, level.order)).key for k in has}
    base = iteration.freeze(wanted=frozenset(key[0] for key in earliest.values()))
    iteration.run(None, base)
    values = base.made()
    reached: dict[int, set[int]] = {}
    for together in group(len(levels)):
        start = list(iteration.start)
        for k in together:
            rng = np.random.default_rng(k)
            size = size_of(start[k])
            start[k] = start[k] + 1e-3 * size * rng.uniform(0.5, 1.0, start[k].shape)
        again = iteration.freeze(wanted=frozenset(key[0] for key in earliest.values()))
        iteration.run(start, again)
        now = again.made()
        changed = {j for j, key in earliest.items() if key in now and key in values and _differs(now[key], values[key])}
        reached |= {k: changed for k in together if k in has or len(levels) <= MANY}
    # A step that is as long in every entry feels nothing, whatever it is a step of.
    level = {k for k, key in earliest.items() if key in values and is_level(values[key])}
    return [k for k in reached if k in level or (reached[k] and not _is_statistic(iteration, reached, k))]


def drop_states(iteration: Iteration, levels: Sequence[list[FlowLevel]]) -> list[int]:
    """Without leaves of which no value shows a gradient and of which nothing is left: a state is replaced."""
    shown = [any(x.rate is not None or x.whole or x.decay is not None for x in one) for one in levels]
    if all(shown) or not any(shown):
        return list(range(len(levels)))
    plain, stay = iteration.run(), []
    for k, value in enumerate(iteration.start):
        change = 1e-4 * size_of(value) * np.random.default_rng(k).uniform(
            0.5, 1.0, value.shape)  # fmt: skip
        after = iteration.run([v + change if i == k else v for i, v in enumerate(iteration.start)])[k]
        left = np.linalg.norm(after - plain[k]) / np.linalg.norm(change)
        if shown[k] or left > 0.5:
            stay.append(k)
    return stay


def keep_unshown(iteration: Iteration, levels: Sequence[list[FlowLevel]], kept: Sequence[int]) -> list[int]:
    """Leaves of which no value shows the gradient (some rows of a table), and whose step feels another parameter while
    all that was in them stays: their step shows it."""
    silent = [k for k, one in enumerate(levels) if not one]
    if not silent:
        return []
    plain = _displace(iteration, None, SLIGHT)
    values = list(iteration.start)
    for k in kept:
        size = size_of(values[k])
        values[k] = values[k] + 1e-2 * size * np.random.default_rng(k).uniform(0.5, 1.0, values[k].shape)
    there = _displace(iteration, values, SLIGHT)
    found = []
    for k in silent:
        before, after = plain[k], there[k]
        if before is None or after is None or np.max(np.abs(after - before), initial=0.0) <= 1e-6 * np.max(
                np.abs(before), initial=1e-300):  # fmt: skip
            continue
        own = list(iteration.start)
        own[k] = own[k] + 1e-3 * size_of(own[k])
        again = iteration.run(own, IterationRecorder(held=iteration.held, factor=SLIGHT))[k]
        still = iteration.run(None, IterationRecorder(held=iteration.held, factor=SLIGHT))[k]
        if np.all(np.abs((again - still) / (own[k] - iteration.start[k]) - 1) < CROSS):
            found.append(k)
    return found


def _is_statistic(iteration: Iteration, reached: dict[int, set[int]], k: int) -> bool:
    """Whether gradients feel a leaf which feels no parameter itself, and which keeps a fixed share of what it was.

    Second derivatives are symmetric: of two parameters of one cost each feels the other, or neither does.
    """
    felt_by = reached[k] - {k}
    if not felt_by or any(k in there for j, there in reached.items() if j != k):
        return False
    values = list(iteration.start)
    values[k] = values[k] + 1e-3 * size_of(values[k])
    gap = iteration.run(values)[k] - iteration.run()[k]
    share = gap / (values[k] - iteration.start[k])
    return bool(np.all(np.abs(share - np.median(share)) < 1e-6) and np.all(np.abs(share - 1) > 1e-9))


def keep_dependent(iteration: Iteration, levels: Sequence[list[FlowLevel]]) -> list[list[FlowLevel]]:
    """Without values that are the same at all parameters, where there are others: a rate for each entry flows into its
    parameter as a gradient does, and is none."""
    sites = frozenset(level.key[0] for one in levels for level in one)
    here, there = iteration.freeze(wanted=sites), iteration.freeze(wanted=sites)
    iteration.run(None, here)
    iteration.run(iteration.beside(ASIDE).start, there)
    now = there.made()
    same = {e.key for e in here.events if e.key in now and not _differs(now[e.key], e.value)}
    return [[level for level in one if level.key not in same] or one for one in levels]


def _is_same(a: Any, b: Any) -> bool:
    return a is not None and np.array_equal(a, b)


def _differs(a: Any, b: Any) -> bool:
    return a.shape != b.shape or bool(np.any(np.abs(a - b) > 1e-9 * (np.max(np.abs(b), initial=0.0) + 1e-300)))
