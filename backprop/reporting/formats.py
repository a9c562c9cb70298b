"""A report for programs: JSON, SARIF for editors, JUnit for graders, annotations for GitHub's pages."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any
from xml.etree import ElementTree

from backprop.errors import unknown_name
from backprop.examiner.saying.report import Report
from backprop.version import VERSION

__all__ = ["FORMATS", "render"]

SARIF = "https://json.schemastore.org/sarif-2.1.0.json"
LEVELS = {"wrong": "error", "undecided": "warning", "unusable": "warning"}
SUMMARY = 200
"""Characters of a message in a list."""


def render(report: Report, form: str) -> str:
    """The report in one of `FORMATS`.  Errors: UsageError for another name.

    >>> print(render(Report("verified", "net.py"), "github"))
    ::notice title=backprop::VERIFIED net.py
    """
    if form not in FORMATS:
        raise unknown_name("format", form, FORMATS)
    return FORMATS[form](report)


def _render_json(report: Report) -> str:
    return json.dumps(report.to_dict(), allow_nan=False)


def say(report: Report) -> str:
    """Verdict, place and what is known of it, in one line."""
    head = f"{report.verdict.upper()} {report.subject}"
    if report.findings:
        first = report.findings[0]
        layer = "" if first.layer is None else f", layer {first.layer}"
        head += f": {first.equation or 'no equation named'}{layer} ({', '.join(first.parameters)})"
        head += f" {first.explanation}" if first.explanation else ""
    elif report.notes and report.verdict != "verified":
        head += f": {report.notes[0]}"
    if report.location and not report.mend:
        head += " The line is a suspect: no mend of it was verified."
    if report.mend:
        head += f" Verified mend: {'; '.join(text.strip() for _, text in report.mend['lines'])}"
    return " ".join(head.split())


def _render_sarif(report: Report) -> str:
    results = []
    if report.verdict in LEVELS:
        result: dict[str, Any] = {
            "ruleId": report.findings[0].cause if report.findings else report.verdict,
            "level": LEVELS[report.verdict],
            "message": {"text": say(report)},
            "locations": [{"physicalLocation": _locate(report)}],
        }
        if report.mend:
            result["fixes"] = [_fix(report.mend)]
        results.append(result)
    driver = {"name": "backprop", "version": VERSION, "rules": [{"id": r["ruleId"]} for r in results]}
    run = {"tool": {"driver": driver}, "columnKind": "unicodeCodePoints", "results": results}
    return json.dumps({"$schema": SARIF, "version": "2.1.0", "runs": [run]})


def _locate(report: Report) -> dict[str, Any]:
    place = report.location
    if place is None:
        return {"artifactLocation": {"uri": report.subject}}
    return {"artifactLocation": {"uri": place["file"]}, "region": _region(place)}


def _region(place: Mapping[str, Any]) -> dict[str, int]:
    """Columns from 1, as SARIF counts."""
    start, end = place["column"] + 1, place["end_column"] + 1
    return {"startLine": place["line"], "startColumn": start, "endLine": place["end_line"], "endColumn": end}


def _fix(mend: Mapping[str, Any]) -> dict[str, Any]:
    by_file: dict[str, list[dict[str, Any]]] = {}
    for edit in mend["edits"]:
        change = {"deletedRegion": _region(edit), "insertedContent": {"text": edit["replacement"]}}
        by_file.setdefault(edit["file"], []).append(change)
    changes = [{"artifactLocation": {"uri": file}, "replacements": some} for file, some in by_file.items()]
    return {"description": {"text": "verified after this change"}, "artifactChanges": changes}


def _render_junit(report: Report) -> str:
    failed, broken = report.verdict == "wrong", report.verdict in ("unusable", "undecided")
    counts = {"tests": "1", "failures": str(int(failed)), "errors": str(int(broken))}
    suite = ElementTree.Element("testsuite", {"name": "backprop", **counts})
    case = ElementTree.SubElement(suite, "testcase", {"classname": "gradient", "name": report.subject})
    if failed or broken:
        place = report.location
        if place is not None:
            case.set("file", place["file"])
            case.set("line", str(place["line"]))
        kind = "failure" if failed else "error"
        cause = report.findings[0].cause if report.findings else report.verdict
        found = ElementTree.SubElement(case, kind, {"type": cause, "message": say(report)[:SUMMARY]})
        found.text = str(report)
    return ElementTree.tostring(suite, encoding="unicode")


def _render_github(report: Report) -> str:
    """One workflow command; what ends a property or a line is escaped."""
    level = {"wrong": "error", "verified": "notice"}.get(report.verdict, "warning")
    words = {"title": "backprop"}
    if report.location is not None:
        place = report.location
        words = {"file": place["file"], "line": str(place["line"]), "endLine": str(place["end_line"]), **words}
        words["col"] = str(place["column"] + 1)
    listed = ",".join(f"{name}={_escape(value, more=True)}" for name, value in words.items())
    return f"::{level} {listed}::{_escape(say(report))}"


def _escape(text: str, *, more: bool = False) -> str:
    pairs = [("%", "%25"), ("\r", "%0D"), ("\n", "%0A"), *([(":", "%3A"), (",", "%2C")] if more else [])]
    for plain, written in pairs:
        text = text.replace(plain, written)
    return text


FORMATS: Mapping[str, Callable[[Report], str]] = {
    "text": str,
    "json": _render_json,
    "sarif": _render_sarif,
    "junit": _render_junit,
    "github": _render_github,
}
