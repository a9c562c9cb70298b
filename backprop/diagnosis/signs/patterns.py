"""Mistakes known by a pattern: numbers beside the oracle's tell them, without knowing the network."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator

import numpy as np

from backprop.diagnosis.model.grounds import NO_NUMBERS, OTHER_SHAPE, PATTERN, ZERO
from backprop.diagnosis.signs.beside import fits, read_case
from backprop.diagnosis.signs.cut_off import detect_clipping, detect_integers, detect_length
from backprop.diagnosis.signs.factors import detect_factors, detect_shared
from backprop.diagnosis.signs.pattern import PatternMatch
from backprop.diagnosis.signs.units import detect_inputs, detect_mean_path, detect_units
from backprop.diagnosis.signs.uses import detect_uses
from backprop.examiner.measuring.examination import CaseExamination, Examination

__all__ = ["find_patterns"]


def find_patterns(examination: Examination) -> list[PatternMatch]:
    """All patterns that hold at every case where something is wrong, the plainest first."""
    cases = [c for c in examination.cases if any(t.faulty for t in c.tensors)]
    if not cases:
        return []
    return [match for detect in DETECTORS for match in detect(examination, cases)]


def detect_refusals(examination: Examination, cases: list[CaseExamination]) -> Iterator[PatternMatch]:
    """Shape and NaN."""
    turned = find_turned_list(examination, cases)
    if turned is not None:
        shapes = [list(leaf.shape) for leaf in examination.leaves]
        given = [list(np.shape(g)) for g in cases[0].yours]
        yield PatternMatch("gradients_of_layers_exchanged", turned, OTHER_SHAPE, {"got": given, "expected": shapes})
    for i, leaf in enumerate(examination.leaves):
        states = {case.tensors[i].status for case in cases}
        if states == {"nan"}:
            yield PatternMatch("gradient_not_finite", None, NO_NUMBERS, {"tensor": leaf.name, "bad": len(cases)})
        if "shape" in states:
            got = next(c.tensors[i].got_shape for c in cases if c.tensors[i].status == "shape")
            rows = next(c.case.rows for c in cases if c.tensors[i].status == "shape")
            numbers = {"tensor": leaf.name, "got": list(got or ()), "expected": list(leaf.shape), "rows": rows}
            if leaf.role == "b" and got and rows in got and math.prod(got) == leaf.size * (rows or 0):
                top = _top(examination, "shape", "b")
                yield PatternMatch("bias_gradient_not_reduced", top, OTHER_SHAPE, numbers)
            elif leaf.role == "b" and got in ((), (1,), (1, 1)):
                yield PatternMatch("bias_gradient_scalar_sum", _top(examination, "shape", "b"), OTHER_SHAPE, numbers)
            else:
                yield PatternMatch("gradient_has_wrong_shape", leaf.layer, OTHER_SHAPE, numbers)


def find_turned_list(examination: Examination, cases: list[CaseExamination]) -> int | None:
    """The topmost layer, if the gradients have the shapes of the layers from the last to the first."""
    leaves = examination.leaves
    layers = sorted({leaf.layer or 0 for leaf in leaves})
    if len(layers) < 2 or 0 in layers:
        return None
    by_place = [[leaf.shape for leaf in leaves if leaf.layer == layer] for layer in layers]
    for case in cases:
        given: list[list[tuple[int, ...]]] = [[] for _ in layers]
        for leaf, verdict, yours in zip(leaves, case.tensors, case.yours, strict=True):
            shape = verdict.got_shape if verdict.status == "shape" else np.shape(yours)
            given[layers.index(leaf.layer or 0)].append(shape or ())
        if given != by_place[::-1] or given == by_place:
            return None
    return layers[-1]


def _top(examination: Examination, status: str, role: str) -> int | None:
    layers = [
        leaf.layer or 0
        for i, leaf in enumerate(examination.leaves)
        if leaf.role == role and any(c.tensors[i].status == status for c in examination.cases)
    ]
    return max(layers, default=0) or None


def detect_zeros(examination: Examination, cases: list[CaseExamination]) -> Iterator[PatternMatch]:
    """Nothing but zeros, everywhere or in layers."""
    silent = {i for i in range(len(examination.leaves)) if examination.is_silent(i)}
    wrong = set(examination.wrong)
    zero = {i for i in wrong if all(c.yours[i] is None or not np.any(c.yours[i]) for c in cases)}
    if not zero:
        return
    numbers = {
        "largest": max((float(np.max(np.abs(c.yours[i]))) for c in cases for i in zero if np.size(c.yours[i])
                        and c.yours[i] is not None), default=0.0),
        "expected": max(c.tensors[i].scale or float(c.tensors[i].status == "missing") for c in cases for i in zero),
    }  # fmt: skip
    if zero | silent == set(range(len(examination.leaves))):
        yield PatternMatch("gradient_never_computed", None, ZERO, numbers)
        return
    layers = sorted({examination.leaves[i].layer or 0 for i in zero}, reverse=True)
    mine = {i for i, leaf in enumerate(examination.leaves) if leaf.layer == layers[0]}
    if mine <= zero | silent and wrong == zero:
        yield PatternMatch("layer_never_updated", layers[0], ZERO, numbers)
    elif wrong == zero:
        role = {examination.leaves[i].role for i in zero}
        identifier = "bias_gradient_zero" if role == {"b"} else "weight_gradient_zero"
        yield PatternMatch(identifier, layers[0], ZERO, numbers)


def detect_exchange(examination: Examination, cases: list[CaseExamination]) -> Iterator[PatternMatch]:
    """Tensors of equal shape that hold each other's gradient."""
    wrong = examination.wrong
    for i in wrong:
        partners = [j for j in wrong if j > i and examination.leaves[j].shape == examination.leaves[i].shape]
        for j in partners:
            numbers = {"off": max(_exchanged(case, i, j) for case in cases),
                       "entries": examination.leaves[i].size * len(cases)}  # fmt: skip
            if PATTERN.holds(**numbers):
                layers = [examination.leaves[k].layer or 0 for k in (i, j)]
                yield PatternMatch("gradients_of_layers_exchanged", max(layers) or None, PATTERN, numbers)
                return


def _exchanged(case: CaseExamination, i: int, j: int) -> float:
    """How far two tensors are from holding each other's gradient, in units of the room."""
    read = {t.index: t for t in read_case(case)}
    if i not in read or j not in read:
        return math.inf
    a, b = read[i], read[j]
    room = max(a.room, b.room)
    one, two = np.abs(a.yours - b.expected), np.abs(b.yours - a.expected)
    known = np.isfinite(one) & np.isfinite(two)
    if not known.any() or fits(a, a.expected):
        return math.inf
    return float(max(np.max(one[known]), np.max(two[known]))) / room


Detector = Callable[[Examination, list[CaseExamination]], Iterator[PatternMatch]]
DETECTORS: tuple[Detector, ...] = (
    detect_refusals, detect_zeros, detect_clipping, detect_integers, detect_length, detect_exchange, detect_inputs,
    detect_units, detect_mean_path, detect_shared, detect_factors, detect_uses,
)  # fmt: skip
