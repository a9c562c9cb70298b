"""What an iteration changes, the cost depends on, and no gradient was seen of."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from backprop.attaching.costing.costs import CostCandidate
from backprop.attaching.costing.rates import GradientFlow
from backprop.attaching.nesting import tidy
from backprop.attaching.running.leaves import NumberLeaf, find_leaves, read, size_of, to_array
from backprop.attaching.running.repeating import Iteration
from backprop.attaching.running.replaying import IterationRecorder

__all__ = ["evaluate", "is_sum", "list_lost", "matters"]

ROUNDING = 1e-11
MOST_LOST = 40
KEPT = 0.5
"""Of a small change of what is trained, the part that may be lost in one iteration."""


def list_lost(iteration: Iteration, flow: GradientFlow, candidate: CostCandidate) -> tuple[list[str], list[str]]:
    """Arrays and numbers that the iteration changes, on which the cost depends, and which are none of the parameters:
    (those that were not examined though they may be parameters, those that are statistics or schedules of their own).

    A state is replaced: nothing of a small change of it is left. What follows a rule of its own keeps a fixed share of
    it, or feels no parameter. Everything else was trained, and was read wrongly.
    """
    moved, lost, apart = _list_moved(iteration, flow), [], []
    wider = Iteration(iteration.program, iteration.snapshot, [*flow.leaves, *moved])
    wider.held, wider.emptied = iteration.held, flow.iteration.emptied
    replaced = _list_replaced(wider, len(flow.leaves)) if moved else set()
    for k, leaf in enumerate(moved, len(flow.leaves)):
        if k in replaced:
            continue
        start, values = wider.start[k], list(wider.start)
        size = size_of(start)
        values[k] = start + size * np.random.default_rng(k).uniform(0.01, 0.1, start.shape)
        if not matters(wider, candidate, values) or is_sum(wider, candidate, values, k):
            continue
        kept, feels = _ask_rule(wider, k, len(flow.leaves))
        if kept and feels:
            lost.append(tidy(leaf))
        elif kept:
            apart.append(tidy(leaf))
    return lost, apart


def _list_moved(iteration: Iteration, flow: GradientFlow) -> list[NumberLeaf]:
    known = {place for leaf in (*flow.leaves, *flow.iteration.emptied) for place in leaf.places}
    after = iteration.run_names()
    return [
        leaf for leaf in find_leaves(iteration.snapshot.names)
        if not known & set(leaf.places) and (start := to_array(leaf.value)) is not None
        and (end := to_array(read(after, leaf.places[0]))) is not None
        and start.shape == end.shape and not np.array_equal(start, end, equal_nan=True)
    ][:MOST_LOST]  # fmt: skip


def _list_replaced(iteration: Iteration, count: int) -> set[int]:
    """The leaves from `count` on of which nothing is left that a small change of all of them could be seen by."""
    plain = iteration.run()
    changes = {
        k: np.where(plain[k] != start, 1e-4 * (np.abs(start) + float(np.max(np.abs(start), initial=0.0)) + 1e-3), 0.0)
        for k, start in enumerate(iteration.start) if k >= count
    }  # fmt: skip
    after = iteration.run([v + changes[k] if k >= count else v for k, v in enumerate(iteration.start)])
    return {k for k, change in changes.items() if np.all(np.abs(after[k] - plain[k]) <= 1e-9 * np.abs(change))}


def is_sum(iteration: Iteration, candidate: CostCandidate, values: Sequence[Any], k: int) -> bool:
    """Whether the cost is what was in a leaf plus something: a sum over samples, which no step feels."""
    twice = list(values)
    twice[k] = 2 * values[k] - iteration.start[k]
    a, b, c = (evaluate(iteration, candidate, one) for one in (list(iteration.start), values, twice))
    if abs((c - b) - (b - a)) > 1e-9 * (abs(a) + abs(c)):
        return False
    plain, moved = iteration.run(), iteration.run(values)
    return all(np.array_equal(p, m) for j, (p, m) in enumerate(zip(plain, moved, strict=True)) if j != k)


def _ask_rule(iteration: Iteration, k: int, count: int) -> tuple[bool, bool]:
    """Whether a small change of a leaf is still there after the iteration, and whether what is added to it is another
    at other parameters (the first `count` leaves), or could be a gradient that is the same everywhere."""
    start = iteration.start[k]
    plain = iteration.run()[k]
    changed = plain != start
    change = np.where(changed, np.random.default_rng(k).standard_normal(start.shape), 0.0)
    change *= 1e-4 * size_of(start)
    values = list(iteration.start)
    values[k] = start + change
    gap = iteration.run(values)[k] - plain
    kept = float(np.linalg.norm(gap - change)) <= KEPT * float(np.linalg.norm(change))
    if not kept:
        return False, False
    rng = np.random.default_rng(k + 1)
    there = [v + 0.05 * (np.abs(v) + 0.1) * rng.standard_normal(v.shape) for v in iteration.start[:count]]
    slight = IterationRecorder(held=iteration.held, factor=0.0)
    moved = iteration.run([*there, *iteration.start[count:]], slight)[k]
    still = iteration.run(None, IterationRecorder(held=iteration.held, factor=0.0))[k]
    held = np.array_equal(still, start)
    if held:
        # Its own statement was held back with the parameters': asked with the whole of the update.
        moved, still = iteration.run([*there, *iteration.start[count:]])[k], plain
    feels = bool(np.max(np.abs(moved - still), initial=0.0) > ROUNDING * float(np.max(np.abs(plain), initial=1e-300)))
    share = gap[changed] / change[changed]
    return True, feels or bool(np.all(np.abs(share - 1) < 1e-9))


def matters(iteration: Iteration, candidate: CostCandidate, values: Sequence[Any]) -> bool:
    """Whether the cost is another at these values, by more than its own rounding."""
    here, there = (evaluate(iteration, candidate, one) for one in (list(iteration.start), values))
    return not abs(there - here) <= ROUNDING * max(abs(here), abs(there))


def evaluate(iteration: Iteration, candidate: CostCandidate, values: Sequence[Any]) -> Any:
    """A candidate at some values of the leaves, with the update held back."""
    recorder = iteration.freeze(wanted=candidate.sites)
    names = iteration.run_names(values, recorder)
    return candidate.evaluate(recorder.made(), names)
