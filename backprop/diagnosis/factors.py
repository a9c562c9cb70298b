"""Patterns over tensors: one factor on all or on some, one array for several layers. No network need be known."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from backprop.diagnosis.beside import Beside, fits, read_case
from backprop.diagnosis.laws import find_law
from backprop.examiner.examination import CaseExamination, Examination

__all__ = ["list_factors", "list_shared"]

SAME = 1e-4
NAMES = {
    "cost": {(1.0, 1): "gradient_not_averaged", (1.0, -1): "gradient_averaged_twice", (2.0, 0): "cost_factor_two",
             (0.5, 0): "cost_factor_two", (-1.0, 0): "output_error_sign_flipped", None: "cost_factor_wrong"},
    "delta": {(-1.0, 0): "hidden_error_sign_flipped", (1.0, 1): "averaged_again_in_every_layer",
              (1.0, -1): "averaged_again_in_every_layer", None: "derivative_factor_wrong"},
    "b": {(1.0, 1): "bias_gradient_sum_instead_of_mean", (1.0, -1): "bias_gradient_mean_instead_of_sum",
          (-1.0, 0): "bias_gradient_sign_flipped", None: "bias_gradient_factor_wrong"},
    "W": {(1.0, 1): "weight_gradient_sum_instead_of_mean", (1.0, -1): "weight_gradient_mean_instead_of_sum",
          (-1.0, 0): "weight_gradient_sign_flipped", None: "weight_gradient_factor_wrong"},
}  # fmt: skip
"""Which cause a factor c·n^p means, by what it stands on."""


def list_factors(examination: Examination, cases: Sequence[CaseExamination]) -> Iterator[tuple[str, int | None]]:
    """(cause, layer) where every wrong tensor is the right one times one factor c·n^p, the others being right."""
    tensors = range(len(examination.leaves))
    wrong = [i for i in tensors if examination.is_wrong(i)]
    found = find_factor(cases, wrong)
    if found is None or not wrong:
        return
    top = max(examination.leaves[i].layer or 0 for i in wrong)
    silent = [i for i in tensors if examination.is_silent(i)]
    below = [i for i in tensors if (examination.leaves[i].layer or 0) <= top]
    roles = {examination.leaves[i].role for i in wrong}
    if len(wrong) + len(silent) == len(examination.leaves):
        kind = "cost"
    elif all(i in wrong or i in silent for i in below) or shares_error(examination, wrong):
        kind = "delta"
    else:
        kind = roles.pop() if len(roles) == 1 else ""
    table: dict[tuple[float, int] | None, str] = NAMES.get(kind, {})
    if table:
        rounded = (round(found[0], 4), found[1])
        yield table.get(rounded, table[None]), top or None


def shares_error(examination: Examination, wrong: Sequence[int]) -> bool:
    """Whether several weights of one layer, none of them with a bias, are off together: by the error they share."""
    layers = {examination.leaves[i].layer for i in wrong}
    biased = any(leaf.layer in layers and leaf.role == "b" for leaf in examination.leaves)
    return len(wrong) > 1 and len(layers) == 1 and not biased


def find_factor(cases: Sequence[CaseExamination], wrong: Sequence[int]) -> tuple[float, int] | None:
    """c and p with yours = c·n^p · expected in all of some tensors at every case; None if there are none, or zero."""
    numbers = []
    for case in cases:
        pairs = [t for t in read_case(case) if t.index in wrong]
        if len(pairs) < len(wrong):
            return None
        best = max(pairs, key=lambda t: float(np.max(np.abs(t.expected[t.known]), initial=0.0)))
        square = float(np.sum(best.expected[best.known] ** 2))
        factor = float(np.sum((best.yours * best.expected)[best.known])) / square if square else 0.0
        if not factor or not all(_is_multiple(t, factor) for t in pairs):
            return None
        numbers.append((factor, case.case.rows or 1))
    return find_law(numbers, SAME) if numbers else None


def _is_multiple(t: Beside, factor: float) -> bool:
    gap = np.abs(t.yours - factor * t.expected)[t.known]
    return bool(np.all(gap <= max(1.0, abs(factor)) * t.room))


def list_shared(examination: Examination, cases: Sequence[CaseExamination]) -> Iterator[tuple[str, int | None]]:
    """(cause, layer) where tensors of one shape all hold the sum of their gradients."""
    wrong = [i for i in range(len(examination.leaves)) if examination.is_wrong(i)]
    for shape in {examination.leaves[i].shape for i in wrong}:
        alike = [i for i in wrong if examination.leaves[i].shape == shape]
        if len(alike) == len(wrong) > 1 and all(_hold_sum(case, alike) for case in cases):
            yield "accumulator_shared", max(examination.leaves[i].layer or 0 for i in alike) or None


def _hold_sum(case: CaseExamination, alike: Sequence[int]) -> bool:
    read = [t for t in read_case(case) if t.index in alike]
    if len(read) < len(alike):
        return False
    total = np.sum([t.expected for t in read], axis=0)
    known = np.isfinite(total)
    return bool(known.any()) and all(fits(Beside(t.index, t.yours, total, len(read) * t.room), total) for t in read)
