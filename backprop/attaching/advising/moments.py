"""What a step remembers of each parameter, before and after one turn from memories that were drawn."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backprop.attaching.costing.fitting import gradient_reader
from backprop.attaching.costing.rates import GradientFlow
from backprop.attaching.running.leaves import NumberLeaf, read, to_array
from backprop.attaching.running.replaying import IterationRecorder, Key

__all__ = ["Remembered", "fit_factors", "list_memories", "list_moments"]

EXACT = 1e-7
LEAST = 4
"""Entries of a parameter by which a fit is made."""

Vector = NDArray[np.float64]


@dataclass(frozen=True)
class Remembered:
    """One parameter: its gradient, its step, itself, its memories before and after, as vectors; what the turn made, by
    place."""

    g: Vector
    d: Vector
    start: Vector
    before: tuple[Vector, ...]
    after: tuple[Vector, ...]
    made: dict[Key, tuple[ast.AST, Vector]]


def list_memories(flow: GradientFlow) -> list[tuple[int, ...]]:
    """For each parameter the memories that it depends on, by index in `flow.iteration.emptied`."""
    placed = _draw_all(flow)
    return [
        tuple(i for i, (memory, value) in enumerate(placed) if _belongs(flow, memory, leaf, value))
        for leaf in flow.leaves
    ]


def list_moments(flow: GradientFlow, owned: Sequence[tuple[int, ...]]) -> list[Remembered | None]:
    """Each parameter with memories that were drawn; None where nothing could be told of one."""
    iteration = flow.iteration.like(flow.leaves)
    gradients = gradient_reader(flow)(iteration.start)
    iteration.placed = placed = tuple(_draw_all(flow))
    recorder = IterationRecorder(wanted=None)
    names = iteration.run_names(None, recorder)
    after = [to_array(read(names, leaf.places[0])) for leaf in flow.leaves]
    now: list[Any] = [to_array(read(names, memory.places[0])) for memory, _ in placed]
    sites, out = iteration.program.rewritten.sites, list[Remembered | None]()
    for k, mine in enumerate(owned):
        g, d = gradients[k], None if after[k] is None else iteration.start[k] - after[k]
        if g is None or d is None or g.size < LEAST or not np.any(g) or any(now[i] is None for i in mine):
            out.append(None)
            continue
        made = {
            event.key: (sites[event.key[0]].node, event.value.real.ravel()) for event in recorder.events
            if event.value.shape == g.shape or event.value.size == 1
        }  # fmt: skip
        old, new = ([value.ravel() for value in values] for values in (
            [placed[i][1] for i in mine], [now[i] for i in mine]))  # fmt: skip
        out.append(Remembered(g.ravel(), d.ravel(), iteration.start[k].ravel(), tuple(old), tuple(new), made))
    return out


def _draw_all(flow: GradientFlow) -> list[tuple[NumberLeaf, Any]]:
    iteration = flow.iteration
    memories = [leaf for leaf in iteration.emptied if to_array(leaf.value) is not None]
    gradients = gradient_reader(flow)(iteration.start)
    return [_draw(leaf, k, gradients) for k, leaf in enumerate(memories)]


def _draw(leaf: NumberLeaf, k: int, gradients: Sequence[Any]) -> tuple[NumberLeaf, Any]:
    """Positive numbers of the size of a squared gradient: good for both moments."""
    shape = np.shape(_read(leaf))
    sizes = [float(np.max(np.abs(g), initial=0.0)) for g in gradients if g is not None and g.shape == shape]
    size = max(sizes, default=0.0) or 1.0
    return leaf, size**2 * np.random.default_rng(k + 1).uniform(0.5, 1.5, shape)


def _read(leaf: NumberLeaf) -> Any:
    return to_array(leaf.value)


def _belongs(flow: GradientFlow, memory: NumberLeaf, leaf: NumberLeaf, value: Any) -> bool:
    """Whether a change of a memory changes the parameter."""
    if np.shape(value) != np.shape(_read(leaf)):
        return False
    ends = []
    for factor in (1.0, 1.5):
        iteration = flow.iteration.like(flow.leaves)
        iteration.placed = ((memory, factor * value),)
        names = iteration.run_names(None, None)
        ends.append(to_array(read(names, leaf.places[0])))
    return ends[0] is not None and ends[1] is not None and not np.array_equal(ends[0], ends[1])


def fit_factors(target: Vector, *columns: Vector) -> Vector | None:
    """The factors with which the columns make the target; None where they do not."""
    table = np.stack(columns, axis=1)
    if len(target) <= table.shape[1]:
        return None
    scale = np.max(np.abs(table), axis=0)
    if not np.all(scale > 0):
        return None
    found = np.linalg.lstsq(table / scale, target, rcond=None)[0]
    off = float(np.max(np.abs(table / scale @ found - target), initial=0.0))
    return found / scale if off <= EXACT * float(np.max(np.abs(target), initial=0.0)) else None
