"""A gradient before it was clipped, by its whole length or each array by its own.

Every value behind a clipping is one number times what it was before, and another one where the parameters are others:
so the step is not in proportion to the gradient, though it is to the value behind. That number is a clipping's where it
is a function of the gradient's own length: a gradient that is made much longer comes out as it came before. A factor
that is made of something else, of the batch or the loss, comes out longer, and is no clipping.
"""

from __future__ import annotations

import ast
from collections.abc import Sequence
from typing import Any

import numpy as np

from backprop.attaching.costing.levels import FlowLevel
from backprop.attaching.running.repeating import Iteration
from backprop.attaching.running.replaying import Key

__all__ = ["OTHER", "SAME", "Values", "find_unclipped", "record_beside"]

FEWEST = 3
"""Entries, in all: with fewer any two values are in proportion."""
BESIDE = (0.0, 0.3, 3.0)
"""Shares by which the parameters are moved: farther out gradients are longer."""
SAME, OTHER = 1e-9, 1e-6
LONGER, AS_LONG = (1e4, 2e4), 1e-3
"""How much longer gradients are made to see whether that is felt, and by how much it may be."""

Values = dict[Key, tuple[Any, int]]
"""What one iteration made, with its place in the order."""
Ratios = tuple[float, ...]


def find_unclipped(iteration: Iteration, levels: Sequence[FlowLevel | None]) -> tuple[FlowLevel, ...] | None:
    """The levels before a clipping, one for each parameter; None where there is none."""
    known = [level for level in levels if level is not None]
    if len(known) < len(levels) or sum(leaf.size for leaf in iteration.start) < FEWEST:
        return None
    runs = record_beside(iteration)
    if len(runs) < 2 or any(level.key not in run for level in known for run in runs):
        return None
    before = _find_shared(iteration, runs, known) or _find_each(iteration, runs, known)
    if before is None or not _is_own_length(iteration, runs[0], known, before):
        return None
    used = [_find_used(iteration, keys) for keys in before]
    return tuple(
        FlowLevel(key, None, True, True, runs[0][key][1], level.sign) for key, level in zip(used, known, strict=True)
    )


def record_beside(iteration: Iteration) -> list[Values]:
    """Every value of one iteration, at its start and beside it; without starts where it cannot be run."""
    return [run for share in BESIDE if (run := _record(iteration, share)) is not None]


def _record(iteration: Iteration, share: float) -> Values | None:
    there = iteration.beside(share) if share else iteration
    recorder = there.freeze(wanted=None)
    try:
        with np.errstate(all="ignore"):
            there.run(None, recorder)
    except Exception:  # the program's own, at parameters that it did not choose
        return None
    return {event.key: (np.array(event.value), event.order) for event in recorder.events}


def _find_shared(iteration: Iteration, runs: Sequence[Values], levels: Sequence[FlowLevel]) -> list[list[Key]] | None:
    """Values that every level is the same changing number times, the earliest first: clipped by their whole length."""
    ratios = [_list_ratios(runs, level) for level in levels]
    shared = [pattern for pattern in set.intersection(*map(set, ratios)) if _varies(pattern)]
    if not shared:
        return None
    # The value is read from a name before it is multiplied by the limit.
    pattern = max(shared, key=lambda one: (all(_find_used(iteration, each[one], strict=True) for each in ratios),
                                           max(one) / min(one)))  # fmt: skip
    return [each[pattern] for each in ratios]


def _find_each(iteration: Iteration, runs: Sequence[Values], levels: Sequence[FlowLevel]) -> list[list[Key]] | None:
    """The same where each level has a number of its own, or none; of a single number everything is a multiple, so that
    what it is made of is known only where others are made there too."""
    found: list[list[Key]] = []
    for level in levels:
        varying = {one: keys for one, keys in _list_ratios(runs, level).items() if _varies(one)}
        whole = runs[0][level.key][0].size > 1
        used = {one: keys for one, keys in varying.items() if _find_used(iteration, keys, strict=True)} or varying
        found.append(max(used.values(), key=lambda keys: runs[0][keys[-1]][1]) if whole and used else [])
    if not any(found):
        return None
    sites = {key[0] for keys in found for key in keys}
    for k, level in enumerate(levels):
        if not found[k] and runs[0][level.key][0].size == 1:
            own = [keys for one, keys in _list_ratios(runs, level).items() if _varies(one)]
            found[k] = next((keys for keys in own if any(key[0] in sites for key in keys)), [])
    return [keys or [level.key] for keys, level in zip(found, levels, strict=True)]


def _varies(pattern: Ratios) -> bool:
    return any(abs(ratio / pattern[0] - 1) > OTHER for ratio in pattern)


def _find_used(iteration: Iteration, keys: Sequence[Key], *, strict: bool = False) -> Any:
    """The latest value that is read from a name; the latest of all where none is, or None if `strict`."""
    sites = iteration.program.rewritten.sites
    used = [key for key in keys if _is_read(sites[key[0]].node)]
    return used[-1] if used else None if strict else keys[-1]


def _is_read(node: ast.AST) -> bool:
    called = isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "getattr"
    return called or isinstance(node, ast.Name | ast.Attribute | ast.Subscript)


def _list_ratios(runs: Sequence[Values], level: FlowLevel) -> dict[Ratios, list[Key]]:
    """What the level's value is times earlier ones, rounded, in each run; with those values, the earliest first."""
    after, order = runs[0][level.key]
    found: dict[Ratios, list[Key]] = {}
    for key, (value, before) in sorted(runs[0].items(), key=lambda item: item[1][1]):
        if before >= order or np.shape(value) != np.shape(after) or any(key not in run for run in runs):
            continue
        pattern = tuple(_divide(run[level.key][0], run[key][0]) for run in runs)
        if all(np.isfinite(pattern)):
            found.setdefault(pattern, []).append(key)
    return found


def _divide(after: Any, before: Any) -> float:
    """The number above zero that the one is times the other, to some digits; NaN where it is none."""
    size = float(np.sum(np.abs(before) ** 2))
    if not size or not np.isfinite(size) or np.shape(after) != np.shape(before):
        return np.nan
    ratio = float(np.sum(after * before)) / size
    near = np.allclose(after, ratio * before, rtol=0, atol=SAME * float(np.max(np.abs(after), initial=0.0)))
    return float(f"{ratio:.9g}") if near and ratio > 0 else np.nan


def _is_own_length(
    iteration: Iteration, run: Values, levels: Sequence[FlowLevel], before: Sequence[Sequence[Key]]
) -> bool:
    """Whether what comes behind is as long however much longer the values before are made: when they are made, when all
    are there, or when they are used last."""
    there = max(run[keys[0]][1] for keys in before)
    when = (
        [keys[0] for keys in before],
        [next((key for key in keys if run[key][1] >= there), keys[-1]) for keys in before],
        [keys[-1] for keys in before],
    )
    clipped = [level.key for level, keys in zip(levels, before, strict=True) if keys[-1] != level.key]
    return any(_is_as_long(iteration, clipped, keys) for keys in dict.fromkeys(map(tuple, when)))


def _is_as_long(iteration: Iteration, clipped: Sequence[Key], keys: Sequence[Key]) -> bool:
    ends = []
    for times in LONGER:
        changes = {key: lambda value, times=times: _lengthen(value, times) for key in keys}
        recorder = iteration.freeze(wanted=frozenset(key[0] for key in clipped), changes=changes)
        try:
            with np.errstate(all="ignore"):
                iteration.run(None, recorder)
        except Exception:  # as above
            return False
        ends.append(recorder.made())
    far, farther = ends
    return all(
        key in far and key in farther and far[key].shape == farther[key].shape
        and np.allclose(farther[key], far[key], rtol=0.0, atol=AS_LONG * float(np.max(np.abs(far[key]), initial=0.0)))
        for key in clipped
    )  # fmt: skip


def _lengthen(value: Any, times: float) -> Any:
    """In place, so that whoever holds it sees it."""
    if isinstance(value, np.ndarray) and value.flags.writeable and value.dtype.kind == "f":
        value *= times
        return value
    return value * times
