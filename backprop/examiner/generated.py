"""Judge a subject and, where it is a generated module, run the exact check on its source as well."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

from backprop.errors import UsageError
from backprop.examiner.exact import ExactResult, check_exact
from backprop.examiner.judge import Explain, judge
from backprop.examiner.report import Finding, Report

__all__ = ["add_exact", "judge_with_exact"]

MARKS = ("\nSIZES = (", "\nTARGETS = ", "\nTABLE = {", "\ndef forward_pass(params, X")
"""A generated module states its sizes, its targets and the table of its functions; anybody else's does not."""


def judge_with_exact(target: Any, *, seed: int = 0, explain: Explain | None = None) -> Report:
    """`judge`, and for the path of a generated module the exact check of the text in that file.

    Errors: none for a bad subject (its verdict is then "unusable").
    """
    report = judge(target, seed=seed, explain=explain)
    if isinstance(target, str | Path) and report.verdict in ("verified", "wrong"):
        source = read_generated(Path(target))
        if source is not None:
            return add_exact(report, source, seed)
    return report


def read_generated(path: Path) -> str | None:
    """The text of a generated module, or None for anything else."""
    try:
        source = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return None
    return source if all(mark in source for mark in MARKS) else None


def add_exact(report: Report, source: str | ModuleType, seed: int) -> Report:
    """The report with the exact check's result as evidence; a failure there makes the verdict "wrong"."""
    try:
        result = check_exact(str(source), seed=seed)
    except UsageError as error:
        return replace(report, notes=(*report.notes, f"no exact check: {error}"))
    evidence = {**report.evidence, "exact": result.to_dict()}
    if result.ok:
        return replace(report, evidence=evidence)
    findings = report.findings or (exact_finding(result),)
    return replace(report, verdict="wrong", findings=findings, evidence=evidence)


def exact_finding(result: ExactResult) -> Finding:
    """What the exact check says where the numerical one saw nothing."""
    explanation = f"the wiring of the source is wrong for arbitrary activations: {result.reason}"
    return Finding(None, None, result.failed, explanation)
