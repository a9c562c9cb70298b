"""Guards seen sample by sample, where a subject gives no outputs: which samples a mismatch comes from."""

from __future__ import annotations

import numpy as np

from backprop.examiner.cases import Case, slice_case
from backprop.examiner.noise import draw_relative, measure_noise
from backprop.examiner.oracles import Oracle
from backprop.examiner.pace import Pace
from backprop.examiner.subjects import Unusable
from backprop.examiner.tolerance import RELATIVE_SLACK

__all__ = ["is_guarded_by_sample"]

FREE = (0.02, 0.98)
"""exp(−cost) of a sample whose output is not saturated."""
MOST_ROWS, DIRECTIONS = 40, 2


def is_guarded_by_sample(case: Case, pace: Pace, rng: np.random.Generator) -> bool:
    """Whether the gradient of each sample alone is right, but for samples whose output is saturated, where a guard of
    the logarithm takes from the derivative of the cost what the gradient still has.

    Nothing else makes the derivative smaller than the gradient in just those samples: what is cut off is smaller than
    the derivative, what is wrong is wrong in the other samples as well, or at a point that does not saturate.
    """
    if case.subject.has("forward") or case.subject.flat or not 0 < (case.rows or 0) <= MOST_ROWS:
        return False
    for row in range(case.rows or 0):
        part = None if pace.is_over() else slice_case(case, row, 1)
        if part is None:
            return False
        try:
            saturated = not FREE[0] <= np.exp(-float(np.real(part.cost(part.values)))) <= FREE[1]
            if not _fits(part, rng, saturated=saturated):
                return False
        except Unusable:
            return False
    return True


def _fits(part: Case, rng: np.random.Generator, *, saturated: bool) -> bool:
    """Along random lines through all parameters: the derivative, or less of it in the same direction."""
    oracle = Oracle(part, measure_noise(part, rng))
    yours = part.gradients(part.values)
    for _ in range(DIRECTIONS):
        line = draw_relative(part, rng)
        claimed = sum(float(np.sum(np.reshape(g, d.shape) * d)) for g, d in zip(yours, line, strict=True))
        found = oracle.differentiate_along(line, claimed)
        room = found.uncertainty + RELATIVE_SLACK * max(abs(claimed), abs(found.value))
        less = abs(found.value) <= abs(claimed) + room and found.value * claimed >= -room * abs(claimed)
        if not (abs(claimed - found.value) <= room or (saturated and less)):
            return False
    return True
