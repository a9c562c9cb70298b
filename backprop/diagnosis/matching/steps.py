"""A wrong update: what a step moved, over the rate, beside the gradient and beside the mutants."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from backprop.diagnosis.matching.match import find_matches
from backprop.diagnosis.matching.wording import describe_match, describe_pattern
from backprop.diagnosis.mistakes.catalogue import CAUSES
from backprop.diagnosis.model.grounds import STEP_PATTERN
from backprop.diagnosis.model.work import Work
from backprop.diagnosis.recognition.recognise import recognise
from backprop.diagnosis.signs.pattern import PatternMatch
from backprop.examiner.judging.factors import divide_out, find_factor, find_shared
from backprop.examiner.measuring.examination import Examination
from backprop.examiner.saying.report import Finding

__all__ = ["explain_step"]

RATE = 0.05
ROOM = 1e-6


def explain_step(examination: Examination, finding: Finding, work: Work) -> Finding:
    """The mistake that moves the parameters as the step does; the finding as it was if there is none.

    Raises `OutOfWork`.
    """
    pattern = find_step_pattern(examination)
    if pattern is not None:
        return describe_pattern([finding], pattern, examination.depth)[0]
    wrong = examination.wrong
    factor = (find_factor(examination, wrong) or find_shared(examination, wrong)) if wrong else None
    bare = examination if factor is None else divide_out(examination, factor)
    for recognised in recognise(bare, work):
        for scene, case in zip(recognised.scenes, recognised.cases, strict=True):
            share = 1.0 if factor is None else factor.at(case.rows)
            moved = [(old - new) / (RATE * share) for old, new in zip(case.values, case.step(RATE), strict=True)]
            scene.yours = recognised.layout.read_gradients(moved)
        updates = [cause for cause in CAUSES if cause.equation == "update"]
        matches = find_matches(recognised.net, recognised.scenes, updates, work)
        if matches:
            # The number is the rate of this step, and no part of the mistake.
            return describe_match([finding], recognised, [replace(matches[0], number=None)])
    return finding


def find_step_pattern(examination: Examination) -> PatternMatch | None:
    """One share of rate times gradient in what a step moves, in every tensor."""
    shares: list[float] = []
    rows: list[int] = []
    for found in examination.cases:
        moved = found.case.step(RATE)
        for old, new, gradient in zip(found.case.values, moved, found.yours, strict=True):
            if new is None or new.shape != old.shape or gradient is None or not np.any(gradient):
                return None
            implied, g = (old - new).ravel() / RATE, np.ravel(gradient)
            share = float(implied @ g / (g @ g))
            if np.max(np.abs(implied - share * g)) > ROOM * np.max(np.abs(g)):
                return None
            shares.append(share)
            rows.append(found.case.rows or 1)
    if not shares or max(abs(share - 1) for share in shares) < ROOM:
        return None  # at this rate it is the gradient's own step
    near = [min(abs(share), abs(share - 1)) for share in shares]
    if min(map(abs, shares)) < ROOM:
        return _match("step_leaves_parameters_out", max(near), shares)
    for scaled in (np.array(shares) * rows, np.array(shares) / rows):
        if max(rows) > min(rows) and np.ptp(scaled) <= ROOM * np.max(np.abs(scaled)):
            return _match("step_scaled", float(np.ptp(scaled) / np.max(np.abs(scaled))), shares)
    spread = float(np.ptp(shares)) / max(map(abs, shares))
    return _match("step_sign_flipped" if abs(shares[0] + 1) < ROOM else "step_scaled", spread, shares)


def _match(identifier: str, gap: float, shares: list[float]) -> PatternMatch | None:
    numbers = {"off": gap / ROOM, "shares": shares}
    return PatternMatch(identifier, None, STEP_PATTERN, numbers) if STEP_PATTERN.holds(**numbers) else None
