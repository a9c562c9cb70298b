"""The forward pass: which hidden layers and output functions give the subject's outputs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import product

import numpy as np

from backprop.diagnosis.model.activations import CATALOGUE
from backprop.diagnosis.model.evaluate import Array
from backprop.diagnosis.model.layout import NetLayout
from backprop.diagnosis.recognition.answers import Answers
from backprop.diagnosis.recognition.hidden import (
    Point,
    Stack,
    list_mixtures,
    list_normalised,
    list_stacks,
    name_outputs,
)
from backprop.diagnosis.recognition.hidden_fits import fit_constants, fit_family, fit_units
from backprop.examiner.measuring.cases import Case

__all__ = ["CLOSE", "NOISES", "list_hidden", "list_masks"]

CLOSE = 1e-8
FORWARD_DRAWS = 5
NOISES = 300.0
KEPT = (0.5, 0.9, 0.8, 0.7, 0.6, 0.75, 0.4)
"""Probabilities with which people keep a unit."""


def read_outputs(answers: Answers, layout: NetLayout) -> list[Array | None]:
    """What forward gives at each point, as (n, M_L); None where there is no usable forward."""
    batch = layout.read_batch(answers.case)
    rows = 0 if batch is None else len(batch[0])
    return [
        None if out is None or not rows or out.size != rows * layout.sizes[-1] else layout.read_targets(out, rows)
        for out in answers.outputs(FORWARD_DRAWS)
    ]


def list_hidden(answers: Answers, layout: NetLayout, silent_bias: bool = False) -> Iterator[tuple[Stack, list[str]]]:
    """Hidden layers that fit, each with the output functions that fit; all of them where there is no forward."""
    case, work, hidden = answers.case, answers.work, layout.depth - 1
    batch = layout.read_batch(case)
    assert batch is not None
    room = max(CLOSE, NOISES * answers.relative_noise)
    draws = answers.points(FORWARD_DRAWS)
    outs = read_outputs(answers, layout)
    points: list[Point] = [(layout.read_parameters(draw), batch[0]) for draw in draws]
    normalised = [layer for layer in range(1, layout.depth + 1) if layout.scales[layer - 1] is not None]
    if normalised or any(shift is not None for shift in layout.shifts):
        for stack in list_normalised(hidden, normalised) if hidden and normalised[-1:] < [layout.depth] else ():
            work.spend(1, len(points))
            names = fit_outputs(stack, points, outs, room) if outs[0] is not None else ["identity", "sigmoid"]
            if names:
                yield stack, names
        return
    plans = list(enumerate(list_masks(case, layout)))
    for list_some, (plan, masks) in product((list_stacks, list_mixtures), reversed(plans)):
        for found in list_some(hidden, masks):
            work.spend(0.1, 1 if outs[0] is not None else 0)
            stack = replace(found, plan=plan)
            if outs[0] is None:
                yield stack, list(dict.fromkeys([*CATALOGUE[:4], *stack.names[-1:]]))
                continue
            names = fit_outputs(stack, points, outs, room)
            if names:
                yield stack, names
    known = [out for out in outs if out is not None]
    if hidden and len(known) == len(points):
        families = (
            replace(stack, plan=plan)
            for plan, masks in reversed(plans)
            for stack in fit_family(hidden, points, known, masks, work)
        )
        for stack in (*families, *fit_units(hidden, points, known, work)):
            names = fit_outputs(stack, points, outs, room)
            if names:
                yield stack, names
    if hidden == 1 and len(known) == len(points) and silent_bias:
        for stack in fit_constants(points, known, work):
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


def list_masks(case: Case, layout: NetLayout) -> Iterator[dict[int, Array]]:
    """No mask, or arrays of the context that fit a hidden layer or the input, with their usual scales."""
    yield {}
    numbers = [float(v) for v in case.context.values() if np.ndim(v) == 0 and isinstance(v, (int, float))]
    scales = {1.0, *(1 / p for p in (*KEPT, *numbers) if p), *(1 / (1 - p) for p in numbers if p != 1)}
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
    if array.shape == (width, rows) and (columns or array.shape != (rows, width)):
        array = array.T
    if array.shape == (rows, width):
        return array
    return array.reshape(1, width) if array.size == width else None
