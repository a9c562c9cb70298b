"""A report for programs: JSON, SARIF for editors, JUnit for graders, annotations for GitHub's pages."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any
from xml.etree import ElementTree

from backprop.errors import unknown_name
from backprop.examiner.saying.excerpt import name_place
from backprop.examiner.saying.report import Report
from backprop.reporting.rubric import Rubric, Score
from backprop.version import VERSION

__all__ = ["FORMATS", "render"]

SARIF = "https://json.schemastore.org/sarif-2.1.0.json"
JUNIT = {"wrong": "failure", "unusable": "error", "undecided": "error"}
LEVELS = {"wrong": "error", "undecided": "warning", "unusable": "warning"}
SUMMARY = 200
"""Characters of a message in a list."""


def render(report: Report | Sequence[Report], form: str, scores: Sequence[Score] | None = None) -> str:
    """The report, or those of a folder, in one of `FORMATS`, with points where there are some.

    Errors: UsageError for another name.

    >>> print(render(Report("verified", "net.py"), "github"))
    ::notice title=backprop::VERIFIED net.py
    """
    if form not in FORMATS:
        raise unknown_name("format", form, FORMATS)
    reports = [report] if isinstance(report, Report) else report
    return FORMATS[form](reports, scores)


Scores = Sequence[Score] | None


def _pair(reports: Sequence[Report], scores: Scores) -> list[tuple[Report, Score | None]]:
    given: Sequence[Score | None] = scores or [None] * len(reports)
    return list(zip(reports, given, strict=True))


def _render_json(reports: Sequence[Report], scores: Scores) -> str:
    points = [{"points": score.points, "of": score.most} for score in scores] if scores else [{} for _ in reports]
    return "\n".join(
        json.dumps(report.to_dict() | more, allow_nan=False) for report, more in zip(reports, points, strict=True)
    )


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
    if _in_cell(report):
        head += f" In {name_place(report.location or {})}."
    if report.location and not report.mend:
        head += " The line is a suspect: no mend of it was verified."
    if report.mend:
        head += f" Verified mend: {'; '.join(text.strip() for _, text in report.mend['lines'])}"
    return " ".join(head.split())


def _in_cell(report: Report) -> bool:
    """Whether the line is one of a cell: the file's own lines are those of its JSON, which nobody reads."""
    return report.location is not None and report.location.get("cell") is not None


def _render_sarif(reports: Sequence[Report], scores: Scores) -> str:
    results = [_result(report) for report in reports if report.verdict in LEVELS]
    rules = [{"id": name} for name in dict.fromkeys(result["ruleId"] for result in results)]
    driver = {"name": "backprop", "version": VERSION, "rules": rules}
    run = {"tool": {"driver": driver}, "columnKind": "unicodeCodePoints", "results": results}
    return json.dumps({"$schema": SARIF, "version": "2.1.0", "runs": [run]})


def _result(report: Report) -> dict[str, Any]:
    result: dict[str, Any] = {
        "ruleId": _rule(report),
        "level": LEVELS[report.verdict],
        "message": {"text": say(report)},
        "locations": [{"physicalLocation": _locate(report)}],
    }
    return result | ({"fixes": [_fix(report.mend)]} if report.mend and not _in_cell(report) else {})


def _rule(report: Report) -> str:
    return report.findings[0].cause if report.findings else report.verdict


def _locate(report: Report) -> dict[str, Any]:
    place = report.location
    if place is None or _in_cell(report):
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


def _render_junit(reports: Sequence[Report], scores: Scores) -> str:
    kinds = [JUNIT.get(report.verdict) for report in reports]
    counts = {"tests": len(kinds), "failures": kinds.count("failure"), "errors": kinds.count("error")}
    words = {name: str(count) for name, count in counts.items()}
    suite = ElementTree.Element("testsuite", {"name": "backprop", **words})
    for (report, score), kind in zip(_pair(reports, scores), kinds, strict=True):
        case = ElementTree.SubElement(suite, "testcase", {"classname": "gradient", "name": report.subject})
        if score is not None:
            _add_points(case, score)
        if kind is None:
            continue
        if report.location is not None:
            case.set("file", report.location["file"])
            if not _in_cell(report):
                case.set("line", str(report.location["line"]))
        found = ElementTree.SubElement(
            case, kind, {"type": report.reason or _rule(report), "message": say(report)[:SUMMARY]}
        )
        found.text = str(report)
    return ElementTree.tostring(suite, encoding="unicode")


def _add_points(case: ElementTree.Element, score: Score) -> None:
    listed = ElementTree.SubElement(case, "properties")
    for name, value in (("points", "" if score.points is None else f"{score.points:g}"), ("of", f"{score.most:g}")):
        ElementTree.SubElement(listed, "property", {"name": name, "value": value})


def _render_csv(reports: Sequence[Report], scores: Scores) -> str:
    """One row a subject: crashed, out of time, package missing and nothing to examine are different reasons."""
    stream = io.StringIO()
    table = csv.writer(stream, lineterminator="\n")
    head = ("subject", "verdict", "reason", "equation", "layer", "cause", "line", "said")
    table.writerow((*head, *(("points", "of", "why") if scores else ())))
    for report, score in _pair(reports, scores):
        first = report.findings[0] if report.findings else None
        place = (first.equation, first.layer, first.cause) if first else (None, None, None)
        line = report.location and report.location["line"]
        line = f"cell {report.location['cell']}, line {line}" if report.location and _in_cell(report) else line
        more = () if score is None else (score.points, score.most, ", ".join(map(str, score.lines)) or score.why)
        table.writerow((report.subject, report.verdict, report.reason, *place, line, say(report), *more))
    return stream.getvalue().rstrip("\n")


def _render_gradescope(reports: Sequence[Report], scores: Scores) -> str:
    """The results.json of an autograder: one test for the verdict and one for each equation that has points."""
    tests: list[dict[str, Any]] = []
    for report, score in zip(reports, scores or [Rubric().score(report) for report in reports], strict=True):
        head = f"{report.subject}: " if len(reports) > 1 else ""
        told = {"status": "passed" if report.ok else "failed", "output": str(report), "output_format": "text"}
        first: dict[str, Any] = {"name": f"{head}{report.verdict}", **told}
        if report.verdict != "wrong" or not score.lines:
            first |= {"score": score.points or 0.0, "max_score": score.most}
        tests.append(first)
        if report.verdict == "wrong":
            tests += [
                {"name": f"{head}{line.what}", "score": line.points, "max_score": line.most}
                | {"status": "passed" if line.points == line.most else "failed"}
                for line in score.lines
            ]
    points = sum(score.points or 0.0 for score in scores or [Rubric().score(report) for report in reports])
    return json.dumps({"score": points, "tests": tests, "visibility": "visible"}, allow_nan=False)


def _render_github(reports: Sequence[Report], scores: Scores) -> str:
    return "\n".join(map(_command, reports))


def _command(report: Report) -> str:
    """One workflow command; what ends a property or a line is escaped."""
    level = {"wrong": "error", "verified": "notice"}.get(report.verdict, "warning")
    words = {"title": "backprop"}
    place = report.location
    if place is not None and _in_cell(report):
        words = {"file": place["file"], **words}
    elif place is not None:
        words = {"file": place["file"], "line": str(place["line"]), "endLine": str(place["end_line"]), **words}
        words["col"] = str(place["column"] + 1)
    listed = ",".join(f"{name}={_escape(value, more=True)}" for name, value in words.items())
    return f"::{level} {listed}::{_escape(say(report))}"


def _escape(text: str, *, more: bool = False) -> str:
    pairs = [("%", "%25"), ("\r", "%0D"), ("\n", "%0A"), *([(":", "%3A"), (",", "%2C")] if more else [])]
    for plain, written in pairs:
        text = text.replace(plain, written)
    return text


def _render_text(reports: Sequence[Report], scores: Scores) -> str:
    texts = [str(report) for report in reports]
    if scores:
        texts = [f"{text}\n\nPoints: {score}" for text, score in zip(texts, scores, strict=True)]
    return "\n\n".join(texts)


FORMATS: Mapping[str, Callable[[Sequence[Report], Scores], str]] = {
    "text": _render_text,
    "json": _render_json,
    "sarif": _render_sarif,
    "junit": _render_junit,
    "github": _render_github,
    "csv": _render_csv,
    "gradescope": _render_gradescope,
}
