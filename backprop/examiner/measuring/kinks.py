"""Kinks: where the cost is not smooth along a line, a disagreement there proves nothing."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from backprop.examiner.measuring.cases import Array, Case
from backprop.examiner.measuring.noise import draw_relative
from backprop.examiner.measuring.oracles import FINE_STEP, Estimate, Oracle

__all__ = ["confirm_mismatch", "is_smooth", "seems_bent"]

SMALL_GAP = 0.25
SHRINKS = 0.5
LEFT_OVER = 0.5
LEVELS_NEEDED = 2
SEEN = 2.0
BETWEEN = 0.37
LINES = 8
WIDE = (1e-2, 1e-4)
"""Two distances along a line, relative to the parameters."""
KEEPS = 0.1
"""From the first to the second a smooth cost keeps a hundredth of its bend, a kink all of it."""
FLOOR = 8.0


def is_smooth(estimate: Estimate, mismatch: float) -> bool:
    """Whether the one-sided derivatives meet so closely that a kink cannot explain the mismatch.

    At a kink the gap |D₊(h) − D₋(h)| stays as h → 0; where the cost is smooth it shrinks like h. Either it
    falls well below the mismatch, on two levels, or it is seen to shrink from level to level, towards a small part of
    the mismatch: a kink much smaller than the curvature shows only in what is left at h = 0.

    >>> is_smooth(Estimate(1.0, 0.0, ((0.16, 0.2, 0.0), (0.04, 0.05, 0.0), (0.01, 0.0125, 0.0))), 1e-3)
    True
    >>> is_smooth(Estimate(1.0, 0.0, ((0.16, 0.5, 0.0), (0.04, 0.5, 0.0), (0.01, 0.5, 0.0))), 0.5)
    False
    """
    small = [gap + noise < SMALL_GAP * abs(mismatch) for _, gap, noise in estimate.gaps]
    if sum(small) >= LEVELS_NEEDED:
        return True
    clear = [(h, gap) for h, gap, noise in estimate.gaps if gap > noise]
    shrinking = [b[1] < SHRINKS * a[1] for a, b in pairwise(clear)]
    if sum(shrinking[-LEVELS_NEEDED:]) < LEVELS_NEEDED:
        return False
    # The gap is c h + jump: what is left of the last two at h = 0 must not be what the mismatch is made of.
    (wide, first), (narrow, last) = clear[-2:]
    return abs(wide * last - narrow * first) / (wide - narrow) < LEFT_OVER * abs(mismatch)


def confirm_mismatch(
    oracle: Oracle, tensor: int, direction: Array, size: float, claimed: float, first: Estimate
) -> bool:
    """Whether a mismatch survives a second measurement at much smaller steps, at a smooth place.

    The second ladder shares no step with the first. A kink nearby spoils the larger steps only, so the two
    agree within their uncertainties or nothing is claimed.
    """
    second = oracle.extrapolate(tensor, direction, size, claimed, first=FINE_STEP)
    if not abs(second.value - first.value) <= first.uncertainty + second.uncertainty:
        return False
    # Where the cost is noisy small steps may see nothing, and so confirm nothing: then larger ones must.
    if not abs(claimed - second.value) > SEEN * second.uncertainty:
        third = oracle.extrapolate(tensor, direction, size, claimed, first=BETWEEN * oracle.first_step)
        if not abs(third.value - first.value) <= first.uncertainty + third.uncertainty:
            return False
        if not abs(claimed - third.value) > SEEN * third.uncertainty:
            return False
    mismatch = abs(claimed - first.value)
    gaps = tuple(sorted({*first.gaps, *second.gaps}, reverse=True))
    if not is_smooth(Estimate(first.value, first.uncertainty, gaps), mismatch):
        return False
    inside = find_inside(gaps, mismatch)
    if inside is None:
        return True
    last = oracle.extrapolate(tensor, direction, size, claimed, first=inside / size)
    return abs(claimed - last.value) > SEEN * last.uncertainty


def find_inside(gaps: Sequence[tuple[float, float, float]], mismatch: float) -> float | None:
    """The step below which no kink is met, if one that could be the mismatch is met above it; else None.

    A kink close by keeps the gap at its jump down to its own distance; steps beyond agree with each other on the mean
    of both slopes.

    >>> find_inside([(0.1, 2.0, 0.0), (0.05, 2.0, 0.0), (0.02, 0.0, 0.0), (0.01, 0.0, 0.0)], 1.0)
    0.02
    >>> find_inside([(0.1, 2.0, 0.0), (0.05, 1.0, 0.0), (0.02, 0.4, 0.0)], 1.0) is None
    True
    """
    stays = [
        narrow
        for (wide, first, _), (narrow, last, noise) in pairwise(gaps)
        if last > first * math.sqrt(narrow / wide) and last > max(LEFT_OVER * abs(mismatch), FLOOR * noise)
    ]
    if not stays:
        return None
    below = [h for h, gap, noise in gaps if h < min(stays) and gap + noise < SMALL_GAP * abs(mismatch)]
    return max(below, default=min(stays))


def seems_bent(case: Case, noise: float, rng: np.random.Generator) -> bool:
    """Whether the cost bends at a point along some line of random direction through all parameters together.

    (C(h) − 2 C(0) + C(−h)) / h tends to 0 like h where the cost is smooth and stays where it bends. True as well where
    rounding hides which of the two it is.
    """
    start = float(np.real(case.cost(case.values)))
    for _ in range(LINES):
        line = draw_relative(case, rng)
        bends = []
        for h in WIDE:
            sides = [case.cost([v + t * d for v, d in zip(case.values, line, strict=True)]) for t in (h, -h)]
            bend = abs(float(np.real(sides[0])) - 2 * start + float(np.real(sides[1])))
            bends.append((bend / h, FLOOR * noise / h))
        (first, _), (last, floor) = bends
        if not last <= max(KEEPS * first, floor):
            return True
        if not first > floor / KEEPS and not last <= floor:
            return True
    return False
