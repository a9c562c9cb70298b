"""Judge a subject and, where it is a generated module, run the exact check on its source as well."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from backprop.errors import UsageError
from backprop.examiner.apart.remote import RemoteSubject
from backprop.examiner.judging.judge import Early, Explain, judge
from backprop.examiner.pace import Pace
from backprop.examiner.saying.grounds import say
from backprop.examiner.saying.report import Finding, Report
from backprop.examiner.saying.sentences import WIRING
from backprop.examiner.wiring.result import ExactResult

__all__ = ["add_exact", "exact_finding", "judge_with_exact"]

EXACT = "backprop.examiner.wiring.exact"
MARKS = ("\nSIZES = (", "\nTARGETS = ", "\nTABLE = {", "\ndef forward_pass(params, X")
"""A generated module states its sizes, its targets and the table of its functions; anybody else's does not."""


def judge_with_exact(
    target: Any, *, seed: int = 0, explain: Explain | None = None, pace: Pace | None = None, early: Early | None = None
) -> Report:
    """`judge`, and for the path (or the remote subject) of a generated module the exact check of the text in that file.

    Errors: none for a bad subject (its verdict is then "unusable").
    """
    report = judge(target, seed=seed, explain=explain, pace=pace, early=early)
    if report.verdict not in ("verified", "wrong"):
        return report
    if isinstance(target, RemoteSubject):
        source = read_generated(Path(target.label))
        return report if source is None else add_exact(report, source, seed, target.check_exact)
    source = read_generated(Path(target)) if isinstance(target, str | Path) else None
    return report if source is None else add_exact(report, source, seed)


def read_generated(path: Path) -> str | None:
    """The text of a generated module, or None for anything else."""
    try:
        source = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return None
    return source if all(mark in source for mark in MARKS) else None


def add_exact(report: Report, source: str, seed: int, check: Callable[[str, int], ExactResult] | None = None) -> Report:
    """The report with the exact check's result as evidence; a failure there makes the verdict "wrong".

    `check` runs the source in the subject's process; else it is run here, its arithmetic loaded for that.
    """
    try:
        result = check(source, seed) if check else importlib.import_module(EXACT).check_exact(source, seed=seed)
    except UsageError as error:
        return replace(report, notes=(*report.notes, f"no exact check: {error}"))
    evidence = {**report.evidence, "exact": result.to_dict()}
    if result.ok:
        return replace(report, evidence=evidence)
    findings = report.findings or (exact_finding(result),)
    return replace(report, verdict="wrong", findings=findings, evidence=evidence)


def exact_finding(result: ExactResult) -> Finding:
    """What the exact check says where the numerical one saw nothing."""
    return Finding(None, None, result.failed, say(WIRING, failed=result.failed, reason=result.reason))
