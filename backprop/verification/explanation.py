"""Judge first, explanation second: what `verify` calls for anybody's code, here or in a process of its own."""

from __future__ import annotations

import importlib
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from backprop.attaching.loading import LOADER
from backprop.attaching.words import name_other_cost
from backprop.examiner.apart.child import examine_file
from backprop.examiner.apart.generated import judge_with_exact
from backprop.examiner.judging.judge import Early
from backprop.examiner.measuring.examination import Examination
from backprop.examiner.pace import CutShort, Pace
from backprop.examiner.saying.grounds import tell
from backprop.examiner.saying.remarks import NO_DIAGNOSIS
from backprop.examiner.saying.report import Finding, Report
from backprop.examiner.subject.protocol.subjects import Subject

__all__ = ["explain_findings", "judge_and_explain", "verify_file"]

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
    return name_other_cost(report)


def verify_file(
    target: str | Path,
    *,
    seed: int = 0,
    timeout: float | None = None,
    abandon: threading.Event | None = None,
    options: Mapping[str, Any] | None = None,
) -> Report:
    """A file or package.module[:object], in a process of its own; the parameters are those of `examine_file`.

    A file that is no subject is taken as it is (`backprop.attaching`); `options` are those of its `attach_file`.
    """
    judge = f"{__name__}:judge_and_explain"
    return examine_file(
        target, seed=seed, timeout=timeout, judge=judge, abandon=abandon, loader=LOADER, options=options
    )


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
        tell(examination.notes, NO_DIAGNOSIS, error=f"{type(error).__name__}: {str(error)[:200]}")
        return findings
