"""The forward pass: which hidden layers and output functions give the subject's outputs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np

from backprop.diagnosis.evaluate import Array
from backprop.diagnosis.hidden import (
    Point,
    Stack,
    fit_constants,
    fit_family,
    fit_units,
    list_normalised,
    list_stacks,
    name_outputs,
)
from backprop.diagnosis.layout import Layout
from backprop.examiner.cases import Case, seed_globals
from backprop.examiner.oracles import measure_noise
from backprop.examiner.subjects import Unusable

__all__ = ["CLOSE", "draw_points", "list_hidden"]

CLOSE = 1e-8
DRAW = 0.1
FORWARD_DRAWS = 5
NOISES = 300.0


def draw_points(case: Case, layout: Layout, count: int) -> list[list[Array]]:
    """The case's own parameters and others near them."""
    rng = np.random.default_rng(count)
    sizes = [float(np.sqrt(np.mean(v**2))) or DRAW if v.size else 0.0 for v in case.values]
    return [
        [v + DRAW * s * (k > 0) * rng.standard_normal(v.shape) for v, s in zip(case.values, sizes, strict=True)]
        for k in range(count)
    ]


def read_outputs(case: Case, layout: Layout, values: list[Array]) -> Array | None:
    """What forward gives, as (n, M_L); None if there is no usable forward."""
    if not case.subject.has("forward"):
        return None
    if case.reseed:
        seed_globals()
    try:
        out = case.subject.call("forward", case.pack(values), np.array(case.X), **case.context)
        array = np.asarray(out, dtype=float)
    except (Unusable, TypeError, ValueError):
        return None
    batch = layout.read_batch(case)
    if batch is None or array.size != len(batch[0]) * layout.sizes[-1]:
        return None
    return layout.read_targets(array, len(batch[0]))


def measure_relative_noise(case: Case) -> float:
    """The rounding noise of the cost, relative to it: it tells whether float32 is inside."""
    try:
        size = abs(float(np.real(case.cost(case.values))))
        return measure_noise(case, np.random.default_rng(0)) / size if size else 0.0
    except Unusable:
        return 0.0


def list_hidden(cases: Sequence[Case], layout: Layout, silent_bias: bool = False) -> Iterator[tuple[Stack, list[str]]]:
    """Hidden layers that fit, each with the output functions that fit; all of them where there is no forward."""
    case, hidden = cases[0], layout.depth - 1
    batch = layout.read_batch(case)
    assert batch is not None
    room = max(CLOSE, NOISES * measure_relative_noise(case))
    draws = draw_points(case, layout, FORWARD_DRAWS)
    outs = [read_outputs(case, layout, draw) for draw in draws]
    points: list[Point] = [(layout.read_parameters(draw), batch[0]) for draw in draws]
    normalised = [layer for layer in range(1, layout.depth + 1) if layout.scales[layer - 1] is not None]
    if normalised or any(shift is not None for shift in layout.shifts):
        for stack in list_normalised(hidden, normalised) if hidden and normalised[-1:] < [layout.depth] else ():
            names = fit_outputs(stack, points, outs, room) if outs[0] is not None else ["identity", "sigmoid"]
            if names:
                yield stack, names
        return
    plans = list(enumerate(list_masks(case, layout)))
    for plan, masks in reversed(plans):
        for found in list_stacks(hidden, masks):
            stack = replace(found, plan=plan)
            if outs[0] is None:
                yield stack, ["identity", "sigmoid", "tanh", "relu"]
                continue
            names = fit_outputs(stack, points, outs, room)
            if names:
                yield stack, names
    known = [out for out in outs if out is not None]
    if hidden and len(known) == len(points):
        for stack in (*fit_family(hidden, points, known, {}), *fit_units(hidden, points, known)):
            names = fit_outputs(stack, points, outs, room)
            if names:
                yield stack, names
    if hidden == 1 and len(known) == len(points) and silent_bias:
        for stack in fit_constants(points, known):
            names = fit_outputs(stack, points, outs, room)
            if names:
                yield stack, names


def fit_outputs(stack: Stack, points: Sequence[Point], outs: Sequence[Array | None], room: float) -> list[str]:
    """The output functions with which a stack gives the subject's outputs at every draw."""
    names: list[str] = []
    for k, ((values, X), out) in enumerate(zip(points[:3], outs, strict=False)):
        assert out is not None
        found = name_outputs(stack.run(values, X), out, room * max(1.0, float(np.max(np.abs(out)))))
        names = found if k == 0 else [name for name in names if name in found]
        if not names:
            return []
    return names


def list_masks(case: Case, layout: Layout) -> Iterator[dict[int, Array]]:
    """No mask, or arrays of the context that fit a hidden layer or the input, with their usual scales."""
    yield {}
    numbers = [float(v) for v in case.context.values() if np.ndim(v) == 0 and isinstance(v, (int, float))]
    scales = {1.0, 2.0, *(1 / p for p in numbers if p), *(1 / (1 - p) for p in numbers if p != 1)}
    arrays = [np.asarray(v, dtype=float) for v in list_arrays(case.context)]
    rows = case.rows or 0
    if not arrays:
        return
    for scale in sorted(scales):
        masks: dict[int, Array] = {}
        for array in arrays:
            for layer in range(layout.depth):
                shaped = shape_mask(array, rows, layout.sizes[layer], layout.columns)
                if shaped is not None and layer not in masks and (layer or len(arrays) >= layout.depth):
                    masks[layer] = scale * shaped
                    break
        if masks:
            yield masks


def list_arrays(context: object) -> Iterator[object]:
    """The arrays of a nested context."""
    if isinstance(context, Mapping):
        for value in context.values():
            yield from list_arrays(value)
    elif isinstance(context, (list, tuple)):
        for value in context:
            yield from list_arrays(value)
    elif isinstance(context, np.ndarray) and context.dtype.kind in "fiub":
        yield context


def shape_mask(array: Array, rows: int, width: int, columns: bool) -> Array | None:
    """A mask as (n, M) or (1, M)."""
    if columns and array.ndim == 2:
        array = array.T
    if array.shape == (rows, width):
        return array
    return array.reshape(1, width) if array.size == width else None
