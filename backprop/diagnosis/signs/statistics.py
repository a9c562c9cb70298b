"""Other statistics of a normalisation than the cost's: means and deviations fitted to what the subject normalised."""

from __future__ import annotations

import numpy as np

from backprop.diagnosis.model.evaluate import Array
from backprop.diagnosis.model.grounds import PATTERN
from backprop.diagnosis.signs.pattern import PatternMatch
from backprop.examiner.measuring.cases import slice_case
from backprop.examiner.measuring.examination import Examination
from backprop.examiner.subject.protocol.subjects import Unusable

__all__ = ["find_statistics"]

PLACES = 6
FEWEST = 4
"""Samples: two numbers are fitted for each unit."""
ROOM = 1e-6
APART = 1e-3


def find_statistics(examination: Examination) -> PatternMatch | None:
    """The subject's normalised values, sample by sample, are those of constant means and deviations, not the batch's.

    For one sample dγ = δ x̂ and dβ = δ, so x̂ = dγ / dβ; and u = F1 of the layer before is known in layer 1. Constant
    statistics make x̂ = (u − μ) / s with the same μ and s at every sample, also where it is the only one of its batch.
    """
    leaves = examination.leaves
    index = {leaf.name: i for i, leaf in enumerate(leaves)}
    if not {"W1", "b1", "gamma1", "beta1"} <= set(index):
        return None
    base = next((c.case for c in examination.cases if c.case.jittered and (c.case.rows or 0) >= FEWEST), None)
    if base is None or np.ndim(base.X) != 2 or base.columns:
        return None
    W, b = (np.asarray(base.values[index[name]]) for name in ("W1", "b1"))
    if W.shape != (np.shape(base.X)[1], b.size):
        return None
    inputs, normalised = [], []
    for first in range(PLACES):
        part = slice_case(base, first, 1)
        if part is None:
            continue
        try:
            given = part.gradients(part.values)
        except Unusable:
            return None
        d_gamma, d_beta = (np.ravel(given[index[name]]) for name in ("gamma1", "beta1"))
        inputs.append(np.ravel(np.asarray(part.X, dtype=float)) @ W + b.ravel())
        normalised.append(np.divide(d_gamma, d_beta, out=np.full(d_beta.shape, np.nan), where=d_beta != 0))
    return _fit(np.array(inputs), np.array(normalised), np.asarray(base.X, dtype=float) @ W + b.ravel())


def _fit(inputs: Array, normalised: Array, batch: Array) -> PatternMatch | None:
    """One μ and s for each unit; None where they do not fit, or are the batch's own."""
    if len(inputs) < FEWEST or not np.isfinite(normalised).all():
        return None
    off, away = 0.0, 0.0
    for u, x, whole in zip(inputs.T, normalised.T, batch.T, strict=True):
        matrix = np.stack([u, np.ones_like(u)], axis=1)
        (slope, shift), *_ = np.linalg.lstsq(matrix, x, rcond=None)
        off = max(off, float(np.max(np.abs(matrix @ (slope, shift) - x))) / (ROOM * float(np.max(np.abs(x))) or 1.0))
        own = (whole - whole.mean()) / whole.std()
        away = max(away, float(np.max(np.abs(slope * whole + shift - own))))
    numbers = {"off": off, "entries": inputs.size, "away": away}
    found = PatternMatch("other_statistics_in_forward", None, PATTERN, numbers)
    return found if PATTERN.holds(**numbers) and away > APART else None
