"""Judge first, explanation second: what `verify` calls for anybody's code, in this process."""

from __future__ import annotations

import importlib
import textwrap
from typing import Any

from backprop.attaching.words import name_training_faults
from backprop.examiner.apart.generated import judge_with_exact
from backprop.examiner.judging.judge import Early
from backprop.examiner.measuring.examination import Examination
from backprop.examiner.pace import CutShort, Pace
from backprop.examiner.saying.grounds import tell
from backprop.examiner.saying.remarks import NO_DIAGNOSIS
from backprop.examiner.saying.report import Finding, Report
from backprop.examiner.subject.protocol.subjects import Subject

__all__ = ["explain_findings", "judge_alone", "judge_and_explain"]

DIAGNOSIS = "backprop.diagnosis.matching.explain"


def judge_and_explain(target: Any, *, seed: int = 0, pace: Pace | None = None, early: Early | None = None) -> Report:
    """The verdict, with the likely mistake named where it is "wrong".

    `pace` may end it before it is through; `early` hears after each step how far it came.

    Errors: none for a bad subject (its verdict is then "unusable").

    >>> import numpy as np
    >>> cube = {
    ...     "theta0": lambda rng: rng.normal(size=3),
    ...     "fun": lambda theta: float(np.sum(theta**3)),
    ...     "grad": lambda theta: np.zeros(3),
    ... }
    >>> judge_and_explain(cube).findings[0].cause
    'gradient_never_computed'
    """
    report = judge_with_exact(target, seed=seed, explain=explain_findings, pace=pace, early=early)
    return name_training_faults(report)


def judge_alone(target: Any, *, seed: int = 0, pace: Pace | None = None, early: Early | None = None) -> Report:
    """The verdict of `judge_and_explain`, with no cause looked for."""
    return name_training_faults(judge_with_exact(target, seed=seed, pace=pace, early=early))


def explain_findings(subject: Subject, examination: Examination, findings: list[Finding]) -> list[Finding]:
    """The findings with their causes; as they were, with a note, where the diagnosis fails.

    The diagnosis knows the theory, whose import takes as long as a whole verdict: it is loaded when something is wrong.
    """
    try:
        return list(importlib.import_module(DIAGNOSIS).explain(subject, examination, findings))
    except (MemoryError, CutShort):
        raise
    except Exception as error:
        # The verdict stands; objects of a subject can fail in any way when they are computed with.
        said = textwrap.shorten(f"{type(error).__name__}: {error}", 200, placeholder=" …")
        tell(examination.notes, NO_DIAGNOSIS, error=said)
        return findings
