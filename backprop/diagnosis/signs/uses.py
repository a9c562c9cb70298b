"""What one wrong weight gradient is made of, beside right ones: rows overwritten, one of two uses, other values."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from backprop.diagnosis.model.evaluate import Array
from backprop.diagnosis.model.grounds import DIFFERS_ONLY_THERE, SHOWN
from backprop.diagnosis.signs.pattern import PatternMatch
from backprop.examiner.judging.probes import Probes, measure_entries
from backprop.examiner.measuring.cases import Case, slice_case
from backprop.examiner.measuring.examination import CaseExamination, Examination
from backprop.examiner.subject.protocol.subjects import Unusable

__all__ = ["detect_uses"]

PLACES = 4
MOST_ENTRIES = 200
NEGLIGIBLE = 1e-6


def detect_uses(examination: Examination, cases: list[CaseExamination]) -> Iterator[PatternMatch]:
    """Only weights of one layer are wrong, and they tell why: what their gradient is made of."""
    wrong = examination.wrong
    leaves = [examination.leaves[i] for i in wrong]
    if not wrong or any(leaf.role != "W" or leaf.layer != leaves[0].layer for leaf in leaves):
        return
    layer = leaves[0].layer
    right = [leaf.name for i, leaf in enumerate(examination.leaves) if leaf.layer == layer and examination.is_right(i)]
    numbers: dict[str, Any] = {"wrong": [leaf.name for leaf in leaves], "right": right}
    if all(not leaf.dense for leaf in leaves):
        if all("slope" in leaf.name for leaf in leaves):
            yield PatternMatch("slope_gradient_wrong", layer, DIFFERS_ONLY_THERE, numbers)
        return
    if len(wrong) != 1 or not leaves[0].dense or len(leaves[0].shape) != 2:
        return
    probes = Probes(examination)
    beside = any(
        leaf.role == "b" and leaf.dense and leaf.layer == layer and examination.is_right(i)
        for i, leaf in enumerate(examination.leaves)
    )
    whole = all(np.asarray(c.case.X).dtype.kind in "iu" for c in examination.cases)
    if whole and probes.spares_inputs(wrong[0]):
        # Rows that few samples look up are right.
        numbers["right"] = ["other rows", *right]
        yield PatternMatch("table_rows_overwritten", layer, DIFFERS_ONLY_THERE, numbers)
        return
    samples, seen = count_once(examination, wrong[0]) if beside else (0, 0)
    if samples > 1 and SHOWN.holds(samples=samples, seen=seen):
        yield PatternMatch("shared_weights_counted_once", layer, SHOWN, {"samples": samples, "seen": seen})
        return
    # A right W beside it was made from the same error, at every step.
    shared = any(
        leaf.role == "W" and leaf.dense and leaf.layer == layer and examination.is_right(i)
        for i, leaf in enumerate(examination.leaves)
    )
    # Where the cost reads more than the outputs, a right gradient of W is no product of its inputs and the error.
    alone = probes.felt_derivatives <= 1
    if beside and alone and (shared or probes.uses_right_activation(wrong[0]) is False):
        yield PatternMatch("other_values_in_weight_gradient", layer, DIFFERS_ONLY_THERE, numbers)


def count_once(examination: Examination, tensor: int) -> tuple[int, int]:
    """For how many single samples this could be asked, and at how many of them the true gradient is a sum of two outer
    products of which the subject's is one."""
    leaf = examination.leaves[tensor]
    if leaf.size > MOST_ENTRIES or min(leaf.shape) < 3:
        return 0, 0
    base = next((c.case for c in examination.cases if c.case.jittered), examination.cases[0].case)
    parts = [part for first in range(PLACES) if (part := slice_case(base, first, 1)) is not None]
    answers = [answer for part in parts if (answer := _is_half(part, tensor)) is not None]
    return len(answers), sum(answers)


def _is_half(part: Case, tensor: int) -> bool | None:
    shape = part.leaves[tensor].shape
    try:
        yours = np.asarray(part.gradients(part.values)[tensor]).reshape(shape)
        expected = measure_entries(part, tensor, list(np.ndindex(*shape))).reshape(shape)
    except Unusable:
        return None
    return (_rank(yours), _rank(expected - yours), _rank(expected)) == (1, 1, 2)


def _rank(matrix: Array) -> int:
    if not np.isfinite(matrix).all():
        return 0
    sizes = np.linalg.svd(matrix, compute_uv=False)
    return int(np.sum(sizes > NEGLIGIBLE * sizes[0])) if sizes[0] else 0
