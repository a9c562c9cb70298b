"""Guards seen sample by sample, where a subject gives no outputs: which samples a mismatch comes from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property

import numpy as np

from backprop.examiner.judging.guarded_targets import read_by_targets
from backprop.examiner.measuring.cases import Array, Case, seed_globals, slice_case
from backprop.examiner.measuring.noise import draw_relative, measure_noise
from backprop.examiner.measuring.oracles import Oracle
from backprop.examiner.subject.protocol.subjects import Unusable
from backprop.examiner.tolerance import RELATIVE_SLACK

__all__ = ["MOST_SAMPLES", "SIZES", "Outputs", "is_guarded_by_sample"]

FREE = (0.02, 0.98)
"""exp(−cost) of a sample whose output is not saturated."""
MOST_SAMPLES, DIRECTIONS = 256, 2
MOST_ROWS, ADDS_UP = 64, 1e-3
SIZES = (*(digit * 10.0**-k for k in range(3, 17) for digit in (1, 0.7, 0.5, 0.3, 0.2, 0.15)), 2.0**-52, 2.0**-23)
"""Guards that people write."""


class Outputs:
    """Probabilities at a case: what forward gives, exp(−cost) of each sample alone (of some only if `sampled`), or what
    other targets tell."""

    def __init__(self, case: Case, *, sampled: bool = False) -> None:
        self.case, self.sampled = case, sampled

    @cached_property
    def _samples(self) -> list[Case]:
        """Each sample alone; none where there are too many, or the subject does not take one."""
        rows = _spread(self.case.rows or 0)
        if not self.sampled and (self.case.rows or 0) > MOST_ROWS:
            return []
        parts = [slice_case(self.case, row, 1) for row in rows]
        found = [part for part in parts if part is not None]
        return found if len(found) == len(rows) else []

    def read(self, values: Sequence[Array]) -> Array | None:
        """The outputs at a point; None if there are none."""
        case = self.case
        if case.subject.has("forward"):
            if case.reseed:
                seed_globals()
            given = case.subject.call("forward", case.pack(values), np.array(case.X), **case.context)
            out = np.asarray(given, dtype=float)
        else:
            parts = [replace(part, values=list(values)) for part in self._samples]
            costs = np.array([float(np.real(part.cost(values))) for part in parts])
            out = np.exp(-costs) if len(costs) < (case.rows or 0) or _adds_up(case, values, costs) else np.zeros(0)
            if not out.size:
                found = read_by_targets(case, values)
                return None if found is None else np.clip(found, np.finfo(float).tiny, 1.0)
        # What is read from a guarded cost may be above 1, by the guard.
        fits = out.size and np.all((out > 0) & (out <= 1 + SIZES[0]))
        return np.minimum(out, 1.0) if fits else None


def _adds_up(case: Case, values: Sequence[Array], costs: Array) -> bool:
    """Whether the cost of a batch is the sum or the mean of its samples' costs: then each is −log of an output."""
    whole = float(np.real(case.cost(values)))
    return any(abs(whole - total) <= ADDS_UP * abs(whole) for total in (costs.sum(), costs.mean()))


def is_guarded_by_sample(case: Case, rng: np.random.Generator) -> bool:
    """Whether the gradient of each sample alone is right, but for samples whose output is saturated, where a guard of
    the logarithm takes from the derivative of the cost what the gradient still has.

    Nothing else makes the derivative smaller than the gradient in just those samples: what is cut off is smaller than
    the derivative, what is wrong is wrong in the other samples as well, or at a point that does not saturate. Of a
    larger batch so many samples as `MOST_SAMPLES` are looked at, from the first to the last.
    """
    if case.subject.has("forward") or case.subject.flat or not case.rows:
        return False
    for row in _spread(case.rows):
        part = slice_case(case, row, 1)
        if part is None:
            return False
        try:
            saturated = not FREE[0] <= np.exp(-float(np.real(part.cost(part.values)))) <= FREE[1]
            if not _fits(part, rng, saturated=saturated):
                return False
        except Unusable:
            return False
    return True


def _spread(rows: int) -> list[int]:
    """All rows of a batch, or so many from the first to the last.

    >>> _spread(3), len(_spread(1000)), _spread(1000)[-1]
    ([0, 1, 2], 256, 999)
    """
    return [int(row) for row in np.linspace(0, rows - 1, min(rows, MOST_SAMPLES))]


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
