"""The grades of a folder as a table for a terminal or a file."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import IO

from rich.console import Console
from rich.table import Table
from rich.text import Text

from backprop.examiner.saying.report import Report
from backprop.reporting.rubric import Score
from backprop.verification.grading import Grades

__all__ = ["print_grades"]

COLOURS = {"verified": "green", "wrong": "red", "undecided": "yellow", "unusable": "magenta"}
PLAIN_WIDTH = 160
HEADINGS = ("file", "verdict", "reason", "equation", "layer", "parameters", "likely mistake, or the reason")


def print_grades(grades: Grades, file: IO[str] | None = None, scores: Mapping[str, Score] | None = None) -> None:
    """Print one row for each subject, with points where there are some; the counts, the mistakes, what was left out."""
    console = Console(file=file, highlight=False)
    if not console.is_terminal:
        console = Console(file=file, highlight=False, width=PLAIN_WIDTH)
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in (*HEADINGS[:2], *(("points",) if scores else ()), *HEADINGS[2:]):
        table.add_column(
            heading, overflow="fold", no_wrap=heading in ("verdict", "reason", "points", "equation", "layer")
        )
    for name, report in grades.reports.items():
        verdict = Text(report.verdict, COLOURS[report.verdict])
        points = [str(scores[name]).partition(":")[0]] if scores else []
        table.add_row(Text(name), verdict, *(Text(cell) for cell in (*points, *describe(report))))
    console.print(table)
    console.print()
    console.print(Text(count(grades)), soft_wrap=True)
    for name, reason in grades.helpers.items():
        console.print(Text(f"not graded: {name} ({reason})"), soft_wrap=True)


def describe(report: Report) -> tuple[str, str, str, str, str]:
    """Reason, equation, layer, parameters, and what to say about it."""
    cut = [f"Cut short: {'; '.join(report.limits)}."] if report.limits else []
    if report.findings:
        first = report.findings[0]
        said = first.explanation if first.cause == "unknown" else f"{first.cause}: {first.explanation}"
        if report.location:
            said += f" Line {report.location['line']}: {report.location['text']}"
        layer = "all" if first.layer is None else str(first.layer)
        return "", first.equation or "?", layer, ", ".join(first.parameters), " ".join([said, *cut])
    reason = report.notes[:1] if report.verdict in ("unusable", "undecided") and not cut else ()
    return report.reason, "", "", "", " ".join([*reason, *cut])


def count(grades: Grades) -> str:
    """The summary in one or two lines."""
    counts = grades.counts
    subjects = f"{len(grades.reports)} subject{'s' if len(grades.reports) != 1 else ''}"
    lines = [f"{subjects}: " + ", ".join(f"{number} {verdict}" for verdict, number in counts.items() if number)]
    why = Counter(report.reason for report in grades.reports.values() if report.reason)
    lines += (
        [f"without a verdict: {', '.join(f'{reason} ×{number}' for reason, number in why.most_common())}"]
        if why
        else []
    )
    named = [f"{cause} ×{number}" for cause, number in grades.causes.items()]
    return "\n".join(lines + ([f"mistakes: {', '.join(named)}"] if named else []))
