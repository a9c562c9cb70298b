"""A gradient before something was made of all of it: a clipping by its whole length, a decay that an optimiser adds.

Every parameter's value behind it is one number times what it was before, the same number for all, and another one
where the parameters are others: so the step is not in proportion to the gradient, though it is to the value behind. A
decay is a share of each parameter, the same wherever they are, that the update's function adds to what others made.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from backprop.attaching.costing.levels import FlowLevel
from backprop.attaching.running.repeating import Iteration
from backprop.attaching.running.replaying import Key

__all__ = ["find_unclipped", "find_undecayed"]

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


def find_undecayed(
    iteration: Iteration, levels: Sequence[FlowLevel]
) -> tuple[tuple[FlowLevel, ...], tuple[float, ...]]:
    """(levels, shares): those before a decay that the function of the update adds, and its shares; the same levels and
    no shares where there is none."""
    inside = _list_functions(iteration)
    sites = iteration.program.rewritten.sites
    runs = [run for share in BESIDE if (run := _record(iteration, share)) is not None]
    if len(runs) < 2 or any(level.key not in run or sites[level.key[0]].around not in inside for level in levels
                            for run in runs):  # fmt: skip
        return tuple(levels), ()
    starts = [(iteration.beside(share) if share else iteration).start for share in BESIDE[: len(runs)]]
    found = [_find_sum(runs, [start[k] for start in starts], level, lambda key: sites[key[0]].around in inside)
             for k, level in enumerate(levels)]  # fmt: skip
    if not any(one is not None for one in found):
        return tuple(levels), ()
    return (
        tuple(
            level if one is None else FlowLevel(one[0], None, True, True, one[1], level.sign)
            for one, level in zip(found, levels, strict=True)
        ),
        tuple(0.0 if one is None else one[2] for one in found),
    )


def _list_functions(iteration: Iteration) -> set[str]:
    """Functions in which the update stands."""
    lines = [iteration.program.rewritten.statements[number].lineno for number in iteration.held]
    return {
        node.name
        for node in ast.walk(iteration.program.document.tree)
        if isinstance(node, ast.FunctionDef) and any(node.lineno <= one <= (node.end_lineno or 0) for one in lines)
    }


def _find_sum(
    runs: Sequence[dict[Key, tuple[Any, int]]],
    starts: Sequence[Any],
    level: FlowLevel,
    is_inside: Callable[[Key], bool],
) -> tuple[Key, int, float] | None:
    """The latest earlier value of the update's function with which the level's is a sum with a share of the parameter,
    if it was made in another function: (its key, its order, the share)."""
    after, order = runs[0][level.key]
    for key, (value, before) in sorted(runs[0].items(), key=lambda item: -item[1][1]):
        if before >= order or not is_inside(key) or not np.any(value) or any(
                np.shape(run.get(key, (None,))[0]) != np.shape(run[level.key][0]) for run in runs):  # fmt: skip
            continue
        lefts = [run[level.key][0] - run[key][0] for run in runs]
        shares = [float(np.sum(left * start)) / (float(np.sum(start**2)) or 1.0) for left, start in zip(
            lefts, starts, strict=True)]  # fmt: skip
        same = shares[0] != 0.0 and abs(shares[0]) < 0.5 and all(
            abs(share / shares[0] - 1) < OTHER and np.allclose(left, share * start, rtol=0.0, atol=SAME * float(
                np.max(np.abs(after)))) for share, left, start in zip(shares, lefts, starts, strict=True))  # fmt: skip
        elsewhere = any(
            not is_inside(other) and np.array_equal(own, value) for other, (own, place) in runs[0].items()
            if place < before
        )  # fmt: skip
        if same and elsewhere and not np.array_equal(value, starts[0]):
            return key, before, shares[0]
    return None
