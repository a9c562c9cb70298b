"""A gradient before all of it was made shorter: a clipping by its whole length is told by running.

Every parameter's value behind it is one number times what it was before, the same number for all, and another one
where the parameters are others: so the step is not in proportion to the gradient, though it is to the value behind.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from backprop.attaching.costing.levels import FlowLevel
from backprop.attaching.running.repeating import Iteration
from backprop.attaching.running.replaying import Key

__all__ = ["find_unclipped"]

FEWEST = 3
"""Entries, in all: with fewer any two values are in proportion."""
BESIDE = (0.0, 0.3, 3.0)
"""Shares by which the parameters are moved: farther out gradients are longer."""
SAME, OTHER = 1e-9, 1e-6


def find_unclipped(iteration: Iteration, levels: Sequence[FlowLevel | None]) -> tuple[FlowLevel, ...] | None:
    """The levels before a clipping, one for each parameter; None where there is none."""
    known = [level for level in levels if level is not None]
    if len(known) < len(levels) or sum(leaf.size for leaf in iteration.start) < FEWEST:
        return None
    runs = [run for share in BESIDE if (run := _record(iteration, share)) is not None]
    if len(runs) < 2 or any(level.key not in run for level in known for run in runs):
        return None
    ratios = [_list_ratios(runs, level) for level in known]
    shared = set.intersection(*(set(one) for one in ratios))
    found = [pattern for pattern in shared if any(abs(r / pattern[0] - 1) > OTHER for r in pattern)]
    if not found:
        return None
    pattern = max(found, key=lambda one: max(one) / min(one))
    return tuple(
        FlowLevel(key, None, True, True, order, level.sign)
        for (key, order), level in zip((one[pattern] for one in ratios), known, strict=True)
    )


def _record(iteration: Iteration, share: float) -> dict[Key, tuple[Any, int]] | None:
    """Every value of one iteration beside its start, with its place in the order; None where it cannot be run there."""
    there = iteration.beside(share) if share else iteration
    recorder = there.freeze(wanted=None)
    try:
        with np.errstate(all="ignore"):
            there.run(None, recorder)
    except Exception:  # the program's own, at parameters that it did not choose
        return None
    return {event.key: (np.array(event.value), event.order) for event in recorder.events}


def _list_ratios(runs: Sequence[dict[Key, tuple[Any, int]]], level: FlowLevel) -> dict[tuple[float, ...], Any]:
    """What the level's value is times an earlier one, rounded, in each run; the latest such value, with its order."""
    after, order = runs[0][level.key]
    found: dict[tuple[float, ...], Any] = {}
    for key, (value, before) in sorted(runs[0].items(), key=lambda item: item[1][1]):
        if before >= order or np.shape(value) != np.shape(after) or any(key not in run for run in runs):
            continue
        pattern = tuple(_divide(run[level.key][0], run[key][0]) for run in runs)
        if all(np.isfinite(pattern)):
            found[pattern] = key, before
    return found


def _divide(after: Any, before: Any) -> float:
    """The number that the one is times the other, to some digits; NaN where it is none, or not between 0 and 1."""
    size = float(np.sum(np.abs(before) ** 2))
    if not size or not np.isfinite(size) or np.shape(after) != np.shape(before):
        return np.nan
    ratio = float(np.sum(after * before)) / size
    near = np.allclose(after, ratio * before, rtol=0, atol=SAME * float(np.max(np.abs(after), initial=0.0)))
    return float(f"{ratio:.9g}") if near and 0 < ratio <= 1 + SAME else np.nan
