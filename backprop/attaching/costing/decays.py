"""A gradient before an optimiser adds a decay to it: a share of each parameter, the same wherever the parameters are,
that the update's function adds to what others made."""

from __future__ import annotations

import ast
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from backprop.attaching.costing.clipping import BESIDE, OTHER, SAME, Values, record_beside
from backprop.attaching.costing.levels import FlowLevel
from backprop.attaching.running.repeating import Iteration
from backprop.attaching.running.replaying import Key

__all__ = ["find_undecayed"]


def find_undecayed(
    iteration: Iteration, levels: Sequence[FlowLevel]
) -> tuple[tuple[FlowLevel, ...], tuple[float, ...]]:
    """(levels, shares): those before a decay that the function of the update adds, and its shares; the same levels and
    no shares where there is none."""
    inside = _list_functions(iteration)
    sites = iteration.program.rewritten.sites
    runs = record_beside(iteration)
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
    runs: Sequence[Values],
    starts: Sequence[Any],
    level: FlowLevel,
    is_inside: Callable[[Key], bool],
) -> tuple[Key, int, float] | None:
    """The latest earlier value of the update's function with which the level's is a sum with a share of the parameter,
    if it was made in another function: (its key, its order, the share)."""
    after, order = runs[0][level.key]
    for key, (value, before) in sorted(runs[0].items(), key=lambda item: -item[1][1]):
        if before >= order or np.shape(value) != np.shape(after) or not is_inside(key) or not np.any(value):
            continue
        if any(key not in run or run[key][0].shape != run[level.key][0].shape for run in runs):
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
