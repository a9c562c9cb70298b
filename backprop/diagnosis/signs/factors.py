"""Patterns over tensors: one factor on all or on some, one array for several layers. No network need be known."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from backprop.diagnosis.model.grounds import PATTERN
from backprop.diagnosis.signs.beside import read_case
from backprop.diagnosis.signs.pattern import PatternMatch
from backprop.examiner.judging.factors import find_factor
from backprop.examiner.measuring.examination import CaseExamination, Examination
from backprop.examiner.measuring.laws import Factor

__all__ = ["detect_factors", "detect_shared", "name_factor_on", "name_law"]

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


def detect_factors(examination: Examination, cases: list[CaseExamination]) -> Iterator[PatternMatch]:
    """Every wrong tensor is the right one times one factor c·n^p, the others being right."""
    wrong = examination.wrong
    found = name_factor_on(examination, wrong) if wrong else None
    if found is not None:
        identifier, factor = found
        layer = max(examination.leaves[i].layer or 0 for i in wrong) or None
        numbers = {"off": factor.off, "entries": factor.entries, "number": factor.number, "power": factor.power}
        yield PatternMatch(identifier, layer, PATTERN, numbers, f"the factor is {factor}")


def name_factor_on(examination: Examination, wrong: Sequence[int]) -> tuple[str, Factor] | None:
    """The cause that one factor on some tensors means, by where they stand; None where there is no such factor."""
    factor, tensors = find_factor(examination, wrong), range(len(examination.leaves))
    if factor is None or not factor.number:
        return None
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
    return None if not kind or kind not in NAMES else (name_law(kind, factor), factor)


def name_law(kind: str, factor: Factor) -> str:
    """The cause that a factor c·n^p on the cost, an error, biases or weights means."""
    table: dict[tuple[float, int] | None, str] = NAMES[kind]
    return table.get((round(factor.number, 4), factor.power), table[None])


def shares_error(examination: Examination, wrong: Sequence[int]) -> bool:
    """Whether several weights of one layer, none of them with a bias, are off together: by the error they share."""
    layers = {examination.leaves[i].layer for i in wrong}
    biased = any(leaf.layer in layers and leaf.role == "b" for leaf in examination.leaves)
    return len(wrong) > 1 and len(layers) == 1 and not biased


def detect_shared(examination: Examination, cases: list[CaseExamination]) -> Iterator[PatternMatch]:
    """Tensors of one shape all hold the sum of their gradients: one array for several of them."""
    wrong = examination.wrong
    for shape in {examination.leaves[i].shape for i in wrong}:
        alike = [i for i in wrong if examination.leaves[i].shape == shape]
        if len(alike) == len(wrong) > 1:
            off = max(_miss_sum(case, alike) for case in cases)
            layer = max(examination.leaves[i].layer or 0 for i in alike) or None
            if off <= 1:
                numbers = {"off": off, "entries": len(cases) * len(alike)}
                yield PatternMatch("accumulator_shared", layer, PATTERN, numbers)


def _miss_sum(case: CaseExamination, alike: Sequence[int]) -> float:
    """How far tensors are from holding the sum of all their gradients, in units of the room."""
    read = [t for t in read_case(case) if t.index in alike]
    total = np.sum([t.expected for t in read], axis=0)
    known = np.isfinite(total)
    if len(read) < len(alike) or not known.any():
        return np.inf
    return max(float(np.max(np.abs(t.yours - total)[known])) / (len(read) * t.room) for t in read)
