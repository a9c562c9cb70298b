"""The page of somebody's program, marked: what is wrong, on which line, the mend, the step to read again, the evidence.

It tells no more than the report does: a report that was cut to a hint makes a page of that hint.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from markupsafe import Markup

from backprop.errors import unknown_name
from backprop.examiner.saying.excerpt import SUSPECT
from backprop.examiner.saying.report import HINTS, SHOWN_ENTRIES, Finding, Report
from backprop.reporting.pages.evidence import list_evidence, write_verdict
from backprop.reporting.pages.figures import draw_entries
from backprop.reporting.pages.source_lines import ShownLine, colour, list_lines
from backprop.reporting.pages.stories_shown import write_example, write_story
from backprop.reporting.pages.template import PagePart, fill, write_assurance, write_page
from backprop.reporting.rubric import Score
from backprop.stories.story import tell
from backprop.verification.lines import annotate_lines, read_lines
from backprop.verification.submission import verify_file
from theory.chapters.networks.four_equations import TITLES, derive_matrix_form

__all__ = ["mark_file", "write_homework_page"]

STEP = re.compile(r"step '([^']*(?:'[^']*)?)'")
SAID = {
    "verified": "The gradient is the derivative of the cost.",
    "wrong": "The gradient is not the derivative of the cost.",
    "step": "The gradient is the derivative of the cost, but the step is not made of it.",
    "undecided": "It could not be decided.",
    "unusable": "It could not be examined.",
}


def write_homework_page(report: Report, source: str = "", score: Score | None = None) -> str:
    """The page of a report; `source` is the text that was examined, as far as there is one; with points if given."""
    join = Markup("").join
    parts = [
        PagePart("verdict", "What is wrong" if report.findings else "The verdict", join(write_findings(report, score)))
    ]
    source = report.reading.get("text", "") or source
    if source:
        parts.append(PagePart("source", "Your program", join(write_source(report, source))))
    if report.mend:
        parts.append(PagePart("mend", "The mend", join(write_mend(report))))
    step = write_step(report)
    if step:
        parts.append(PagePart("read", "Read again", step))
    shown = list_evidence(report)
    if shown["tensors"] or shown["notes"]:
        parts.append(PagePart("evidence", "Evidence", fill("evidence", shown)))
    parts.append(PagePart("assurance", "What each word claims", write_assurance()))
    return write_page(
        f"{Path(report.subject).name}: {report.verdict}",
        SAID["step" if report.step_alone else report.verdict],
        [],
        parts,
        report.reproduce,
    )


def write_findings(report: Report, score: Score | None) -> list[Markup]:
    """The verdict, then each finding with its largest entries."""
    said = [write_verdict(report)]
    said += [fill("score", score)] if score is not None else []
    said += [Markup("<p>{}</p>").format(text) for text in report.limits]
    if not report.findings and report.notes:
        said.append(Markup("<p>{}</p>").format(str(report.notes[0])))
    for number, finding in enumerate(report.findings):
        said.append(fill("finding", list_finding(finding), first=number == 0))
        picture = draw_entries(finding.entries[:SHOWN_ENTRIES]) if number == 0 else None
        if picture is not None:
            said.append(fill("picture", picture))
    return said


def list_finding(finding: Finding) -> dict[str, Any]:
    """A finding, ready for the template."""
    entries = [
        {
            "name": f"{e.parameter}[{', '.join(map(str, e.index))}]", "yours": f"{e.yours:.9g}",
            "expected": f"{e.expected:.9g}",
            "uncertainty": "below rounding" if e.uncertainty == 0 else f"{e.uncertainty:.1e}",
        }
        for e in finding.entries[:SHOWN_ENTRIES]
    ]  # fmt: skip
    where = "the whole network" if finding.layer is None else f"layer {finding.layer}"
    equation = finding.equation or "no equation named"
    told = {"equation": equation, "where": where, "parameters": ", ".join(finding.parameters)}
    return told | {"explanation": finding.explanation, "entries": entries}


def write_source(report: Report, source: str) -> list[Markup]:
    """The program with what every line is; the wrong one marked, the mended one below it."""
    place = report.location
    marked = range(place["line"], place["end_line"] + 1) if place else range(0)
    said = {entry["line"]: " = ".join(("", *entry["labels"])).strip() for entry in report.reading.get("labels", ())}
    for number in marked:
        said[number] = f"← {'this line' if report.mend else SUSPECT}"
    lines = list_lines(source.replace("\r\n", "\n").rstrip("\n"), said, marked)
    if place and report.mend:
        lines = insert_mend(lines, report.mend["lines"], place["end_line"])
    told = []
    if place:
        head = Markup("<p>Line {}: <code>{}</code>").format(place["line"], place["text"])
        should = report.reading.get("should_be")
        told.append(
            head + (Markup(" should be <code>{}</code>").format(" = ".join(should)) if should else "") + Markup("</p>")
        )
    elif report.verdict == "wrong":
        told.append(Markup("<p>No single line was found to blame; the equation above says where to look.</p>"))
    return [*told, fill("code", lines, "your program", linked=True)]


def insert_mend(lines: list[ShownLine], mended: list[tuple[int, str]], after: int) -> list[ShownLine]:
    """The mended lines below the wrong ones."""
    new = [ShownLine("+", html, said="verified after this change", kind="mend")
           for html in (colour(text)[0] for _, text in mended)]  # fmt: skip
    at = next((k for k, line in enumerate(lines, start=1) if line.number == after), len(lines))
    return [*lines[:at], *new, *lines[at:]]


def write_mend(report: Report) -> list[Markup]:
    """What to change, and what is known of the change."""
    assert report.mend is not None
    words = Markup(
        "<p>Kind of change: {}. After it the whole program was judged anew, at other points, and is verified.</p>"
    )
    others = report.mend["alternatives"]
    more = Markup("<p>{} other line{} could be changed instead.</p>").format(others, "s" if others != 1 else "")
    return [words.format(report.mend["kind"]), fill("diff", report.mend["diff"].rstrip("\n").split("\n")),
            more if others else Markup("")]  # fmt: skip


def write_step(report: Report) -> Markup:
    """The derivation of the equation in question, with a link to the step that the finding names."""
    finding = next(iter(report.findings), None)
    if finding is None or finding.equation not in TITLES:
        return Markup("")
    label = str(finding.equation)
    story = tell(derive_matrix_form(label))
    named = STEP.search(finding.explanation)
    number = next((step.number for step in story.steps if named and step.rule.name == named[1]), None)
    link = Markup("<p>{}, {}.").format(label, TITLES[label])
    if number is not None:
        link += Markup(" <a href='#{}-step-{}'>Step {}, {}</a>.").format(
            label, number, number, story.steps[number].rule.name
        )
    return Markup("").join([link + Markup("</p>"), write_example(story), write_story(story, opened=True, name=label)])


def mark_file(path: Path, *, hint: str = "mend", timeout: float | None = None, seed: int = 0) -> tuple[str, Report]:
    """Judge a file, read it where it is wrong, and write its page; `hint` says how much is told.

    Errors: UsageError for an unknown hint.
    """
    if hint not in HINTS:
        raise unknown_name("hint", hint, HINTS)
    report = verify_file(path, seed=seed, timeout=timeout)
    if path.suffix == ".py" and hint in HINTS[2:]:
        report = annotate_lines(read_lines(report, path, seed=seed, timeout=timeout), path)
    told = report.tell(hint)
    return write_homework_page(told, read_source(path)), told


def read_source(path: Path) -> str:
    """The text of a .py file; "" of anything else, and of what is no text."""
    try:
        return path.read_text(encoding="utf-8-sig") if path.suffix == ".py" else ""
    except (OSError, UnicodeDecodeError):
        return ""
