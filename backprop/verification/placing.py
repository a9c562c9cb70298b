"""The place of a fault where a verified mend says more than the numbers did."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from backprop.attaching.words import name_taken
from backprop.examiner.saying.grounds import Predicate, say
from backprop.examiner.saying.report import Finding, Report

__all__ = ["place_by_mend"]

FORWARD_MENDED = Predicate(
    "forward_mended",
    lambda parameters, **more: bool(parameters),
    lambda parameters, **more: (
        "The backward pass belongs to another forward pass than the file's: a change of the forward pass alone makes "
        f"the gradient of {', '.join(parameters)} right."
    ),
)
OWN_GRADIENT = Predicate(
    "own_gradient",
    lambda parameter, **more: bool(parameter),
    lambda parameter, **more: (
        f"The gradient of {parameter} is wrong, and what is above it is right. It is the only tensor of its layer, so "
        "that its numbers do not tell a wrong error from a wrong gradient; the line that makes the gradient was mended."
    ),
)
STEP_USES_OTHER = Predicate(
    "step_uses_other",
    lambda parameters, line, **more: bool(parameters) and line > 0,
    lambda parameters, line, **more: (
        f"The gradients are right; the step at line {line} takes another value than the gradient of "
        f"{', '.join(parameters)}."
    ),
)


def place_by_mend(report: Report, mend: Mapping[str, Any], labels: list[str]) -> Report:
    """Where the line says more than the numbers did, its words win."""
    if mend.get("forward"):
        return _place_forward(report)
    return _place_update(report, mend) or _place_own(report, labels)


def _place_own(report: Report, labels: list[str]) -> Report:
    """Where a layer has one tensor, a wrong error and a wrong gradient of it look alike: the line tells them apart.

    What the mended line makes is the gradient of the tensor itself, not the error before it.
    """
    first, *rest = report.findings
    own = f"∂C/∂{first.parameters[0]}" if len(first.parameters) == 1 else ""
    if first.equation != "BP2" or not own or not any(f"{own} " in f"{text} " for text in labels):
        return report
    said = say(OWN_GRADIENT, parameter=first.parameters[0])
    return replace(report, findings=(replace(first, equation="BP4", said=said), *rest))


def _place_update(report: Report, mend: Mapping[str, Any]) -> Report | None:
    """A statement that steps a parameter itself, and names another value than its gradient: the place is the step."""
    first, *rest = report.findings
    if mend["kind"] != "name" or rest or first.equation not in ("BP3", "BP4") or len(first.parameters) != 1:
        return None
    line = mend["location"]["line"]
    tree = ast.parse(mend["text"]) if not mend["location"]["cell"] else ast.Module([], [])
    stored = {
        ast.unparse(target)
        for node in ast.walk(tree)
        if isinstance(node, ast.AugAssign | ast.Assign) and node.lineno == line
        for target in ([node.target] if isinstance(node, ast.AugAssign) else node.targets)
    }
    taken = {name for said in name_taken(report)[:1] for name in said.removeprefix("parameters ").split(", ")}
    if not stored & taken:
        return None
    said = say(STEP_USES_OTHER, parameters=list(first.parameters), line=line)
    return replace(report, findings=(replace(first, equation="update", said=said, cause="unknown"),))


def _place_forward(report: Report) -> Report:
    """A change of the forward pass alone was verified: the backward pass is right, for that."""
    first = report.findings[0]
    if first.equation in ("forward", "cost"):
        return report
    names = tuple(dict.fromkeys(name for finding in report.findings for name in finding.parameters))
    said = say(FORWARD_MENDED, parameters=list(names))
    return replace(report, findings=(Finding("forward", None, names, said, entries=first.entries),))
