"""What one wrong weight gradient is made of, beside right ones: rows overwritten, one of two uses, other values."""

from __future__ import annotations

import numpy as np

from backprop.diagnosis.evaluate import Array
from backprop.examiner.cases import Case, slice_case
from backprop.examiner.examination import Examination
from backprop.examiner.probes import Probes, measure_entries
from backprop.examiner.subjects import Unusable

__all__ = ["name_use"]

PLACES = 4
MOST_ENTRIES = 200
NEGLIGIBLE = 1e-6


def name_use(examination: Examination) -> tuple[str, int | None] | None:
    """(cause, layer) where only multiplicative tensors of one layer are wrong, and they tell why."""
    wrong = [i for i in range(len(examination.leaves)) if examination.is_wrong(i)]
    leaves = [examination.leaves[i] for i in wrong]
    if not wrong or any(leaf.role != "W" or leaf.layer != leaves[0].layer for leaf in leaves):
        return None
    layer = leaves[0].layer
    if all(not leaf.dense for leaf in leaves):
        return ("slope_gradient_wrong", layer) if all("slope" in leaf.name for leaf in leaves) else None
    if len(wrong) != 1 or not leaves[0].dense or len(leaves[0].shape) != 2:
        return None
    probes = Probes(examination)
    beside = any(
        leaf.role == "b" and leaf.dense and leaf.layer == layer and examination.is_right(i)
        for i, leaf in enumerate(examination.leaves)
    )
    whole = all(np.asarray(c.case.X).dtype.kind in "iu" for c in examination.cases)
    if whole and probes.spares_inputs(wrong[0]):
        return "table_rows_overwritten", layer
    if beside and is_counted_once(examination, wrong[0]):
        return "shared_weights_counted_once", layer
    # A right W beside it was made from the same error, at every step.
    shared = any(
        leaf.role == "W" and leaf.dense and leaf.layer == layer and examination.is_right(i)
        for i, leaf in enumerate(examination.leaves)
    )
    if beside and (shared or probes.uses_right_activation(wrong[0]) is False):
        return "other_values_in_weight_gradient", layer
    return None


def is_counted_once(examination: Examination, tensor: int) -> bool:
    """Whether for single samples the true gradient is a sum of two outer products and the subject's is one of them."""
    leaf = examination.leaves[tensor]
    if leaf.size > MOST_ENTRIES or min(leaf.shape) < 3:
        return False
    base = next((c.case for c in examination.cases if c.case.jittered), examination.cases[0].case)
    parts = [part for first in range(PLACES) if (part := slice_case(base, first, 1)) is not None]
    answers = [answer for part in parts if (answer := _is_half(part, tensor)) is not None]
    return len(answers) > 1 and all(answers)


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
