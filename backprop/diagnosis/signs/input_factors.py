"""Factors of inputs: a weight gradient made from inputs that are not those of the forward pass."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from backprop.diagnosis.model.evaluate import Array
from backprop.diagnosis.signs.beside import Compared, read_case
from backprop.examiner.measuring.examination import CaseExamination, Examination

__all__ = ["find_scaled_inputs"]

EQUATIONS = 2
"""For each number that is fitted."""
SAME = 1e-3


def find_scaled_inputs(
    examination: Examination, cases: Sequence[CaseExamination]
) -> tuple[int, list[tuple[float, float]]] | None:
    """The layer and (s_i, m_i) with yours_ij = s_i dW_ij + m_i db_j, the same at every case, its bias being right.

    For one wrong weight matrix beside a right bias: with inputs s_i x_i + m_i instead of x_i that is its gradient.
    None if no such numbers fit, or all are alike (then it is one factor).
    """
    wrong = examination.wrong
    if len(wrong) != 1 or len(examination.leaves[wrong[0]].shape) != 2:
        return None
    layer = examination.leaves[wrong[0]].layer or 0
    beside = [
        i for i, leaf in enumerate(examination.leaves)
        if leaf.layer == layer and leaf.role == "b" and leaf.dense and examination.is_right(i)
    ]  # fmt: skip
    if len(beside) != 1:
        return None
    read = [{t.index: t for t in read_case(case)} for case in cases]
    pairs = [(found[wrong[0]], found[beside[0]]) for found in read if wrong[0] in found and beside[0] in found]
    for axis in (0, 1):
        numbers = _fit_rows(pairs, axis) if pairs else None
        if numbers is not None and np.ptp(numbers, axis=0).max() > SAME:
            return layer, [(float(s), float(m)) for s, m in numbers]
    return None


def _fit_rows(pairs: Sequence[tuple[Compared, Compared]], axis: int) -> Array | None:
    """(s_i, m_i) for each row along an axis; None where a row has none, or too few entries to tell."""
    size = pairs[0][0].yours.shape[axis]
    other = pairs[0][0].yours.shape[1 - axis]
    if any(b.expected.size != other for _, b in pairs) or other * len(pairs) < 2 * EQUATIONS or size < 2:
        return None
    found = []
    for i in range(size):
        rows = [(np.take(W.yours, i, axis), np.take(W.expected, i, axis), b.expected.ravel()) for W, b in pairs]
        mine, true, delta = (np.concatenate([row[k] for row in rows]) for k in range(3))
        room = np.concatenate([np.full(other, max(W.room, b.room)) for W, b in pairs])
        if not (np.isfinite(true).all() and np.isfinite(delta).all()):
            return None
        matrix = np.stack([true, delta], axis=1)
        numbers = np.linalg.lstsq(matrix, mine, rcond=None)[0]
        if np.any(np.abs(mine - matrix @ numbers) > (1 + np.abs(numbers).sum()) * room):
            return None
        found.append(numbers)
    return np.array(found)
