"""Outputs of a classifier read from its cost alone, by other targets: where samples cannot be taken apart."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from backprop.examiner.measuring.cases import Array, Case
from backprop.examiner.subject.protocol.subjects import Unusable

__all__ = ["read_by_targets"]

MOST_COSTS = 200
SAME = 1e-3


def read_by_targets(case: Case, values: Sequence[Array]) -> Array | None:
    """The probability of each class for each sample, a row a sample; None where the cost does not tell.

    A cost w Σ −log(a at the target) changes by w (log a_y − log a_c) where the target of one sample is c instead of y,
    whatever else is added to it and however the samples hang together. The weight w, 1 or 1/n, is the one with which
    the gradient of the output biases is w Σ (a − y), as behind a softmax.
    """
    Y = _read_one_hot(case)
    top = max((leaf.layer or 0 for leaf in case.leaves), default=0)
    biases = [i for i, leaf in enumerate(case.leaves) if leaf.layer == top and leaf.role == "b" and leaf.dense]
    if Y is None or len(biases) != 1 or case.leaves[biases[0]].size != Y.shape[1] or Y.size > MOST_COSTS:
        return None
    moved = replace(case, values=list(values))
    rises = _measure_rises(moved, Y)
    given = moved.gradients(moved.values)[biases[0]]
    if rises is None or given is None or np.size(given) != Y.shape[1]:
        return None
    for weight in (1 / len(Y), 1.0):
        lifted = np.exp(-(rises - rises.min(axis=1, keepdims=True)) / weight)
        outputs = lifted / lifted.sum(axis=1, keepdims=True)
        expected = weight * (outputs - Y).sum(axis=0)
        if np.max(np.abs(np.ravel(given) - expected)) <= SAME * max(np.max(np.abs(expected)), SAME * weight):
            return np.asarray(outputs)
    return None


def _read_one_hot(case: Case) -> Array | None:
    """The targets as rows of zeros and a one."""
    if not isinstance(case.Y, np.ndarray) or case.Y.ndim != 2 or 1 in case.Y.shape:
        return None
    Y = np.asarray(case.Y.T if case.columns else case.Y, dtype=float)
    plain = np.all((Y == 0) | (Y == 1)) and np.all(Y.sum(axis=1) == 1)
    return Y if plain else None


def _measure_rises(case: Case, Y: Array) -> Array | None:
    """By how much the cost rises where the target of one sample is another class."""
    start = float(np.real(case.cost(case.values)))
    rises = np.zeros(Y.shape)
    for row, column in np.argwhere(Y == 0):
        other: Any = np.array(Y)
        other[row] = 0.0
        other[row, column] = 1.0
        turned = np.asarray(other.T if case.columns else other, dtype=case.Y.dtype)
        try:
            rises[row, column] = float(np.real(replace(case, Y=turned).cost(case.values))) - start
        except Unusable:
            return None
    return rises if np.isfinite(rises).all() else None
