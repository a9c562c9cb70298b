"""After the verdict the source is read: the line that is wrong, and a mend that the judge has verified.

No mend is told that was not judged: each proposal is run by the whole judge, at points that nobody has seen before.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from backprop.attaching.words import OTHER_RULE, STEP_LEAVES_OUT, name_taken
from backprop.errors import UsageError
from backprop.examiner.saying.report import Report
from backprop.reading.process import SECONDS
from backprop.verification.mends import AskedFile, Looked, LookingAhead, look
from backprop.verification.placing import place_by_mend

__all__ = ["annotate_lines", "begin_reading", "read_lines"]

SUFFIXES = (".py", ".ipynb")
SILENT = ("time", "package", "nothing", "ambiguous")
"""Reasons for no verdict that no line of the file is at fault for."""
OF_STEPS = (OTHER_RULE.identifier, STEP_LEAVES_OUT.identifier)


def begin_reading(
    report: Report,
    path: Path,
    *,
    seed: int = 0,
    timeout: float | None = None,
    options: Mapping[str, Any] | None = None,
) -> LookingAhead | None:
    """Begin what `read_lines` does while the cause is still looked for; None for what it would not read."""
    asked = AskedFile(path, seed, timeout, name_taken(report), dict(options or {}))
    return LookingAhead(asked, SECONDS) if report.verdict == "wrong" and _is_read(report, asked) else None


def read_lines(
    report: Report,
    path: Path,
    *,
    seed: int = 0,
    timeout: float | None = None,
    seconds: float = SECONDS,
    options: Mapping[str, Any] | None = None,
    begun: LookingAhead | None = None,
) -> Report:
    """The report of a file that was judged wrong, or that breaks, with its line and a verified mend; else as it is.

    The verdict stands whatever is read; where nothing can be read within so many `seconds`, a note says why. `options`
    are those with which a file that is no subject was attached; `begun` is what `begin_reading` gave.
    """
    asked = AskedFile(path, seed, timeout, name_taken(report), dict(options or {}))
    if not _is_read(report, asked):
        return report
    is_wrong = report.verdict == "wrong"
    looked = begun.finish(asked, seconds) if begun and is_wrong else look(asked, report.verdict, seconds)
    if looked.refused:
        return replace(report, notes=(*report.notes, looked.refused)) if is_wrong else report
    return _tell_reading(report, looked) if is_wrong or looked.found["location"] is not None else report


def _is_read(report: Report, asked: AskedFile) -> bool:
    """Whether a line of the file can be at fault for what was said."""
    if report.verdict == "verified" or report.limits or report.reason in SILENT or asked.path.suffix not in SUFFIXES:
        return False
    return not (asked.is_program and report.verdict == "wrong" and _is_right_before_the_step(report))


def _tell_reading(report: Report, looked: Looked) -> Report:
    """The report with what was read, where it stands, and the mend that was chosen."""
    found, chosen = looked.found, looked.chosen
    lines = _cut(found["source"], found["location"])
    reading = {"location": found["location"], "labels": found["labels"], "lines": lines, "text": found["source"]}
    reading["broke"] = found["broke"]
    if chosen is not None:
        if not found["broke"]:
            reading["location"] = chosen["location"]
            reading["lines"] = _cut(found["source"], chosen["location"])
        reading |= {"mend": _tell(chosen, looked.others), "mended": found["bom"] + chosen["text"]}
        reading["should_be"] = _name_value(looked.place, chosen)
        report = place_by_mend(report, chosen, reading["should_be"]) if report.findings else report
    return replace(report, reading=reading)


def _is_right_before_the_step(report: Report) -> bool:
    """Whether only the way in which a step uses right gradients is at fault."""
    tensors = report.evidence.get("tensors", {}).values()
    return bool(tensors) and all(t["verdict"] == "right" for t in tensors) and all(
        f.said and f.said[0].grounds.get("predicate") in OF_STEPS for f in report.findings
    )  # fmt: skip


def annotate_lines(report: Report, path: Path, options: Mapping[str, Any] | None = None) -> Report:
    """The report with the labels of every line, for a program that is right as well."""
    asked = AskedFile(path, 0, None, name_taken(report), dict(options or {}))
    if report.reading or report.verdict == "unusable" or path.suffix not in SUFFIXES:
        return report
    try:
        found = asked.read("annotate")
    except (UsageError, OSError) as error:
        return replace(report, notes=(*report.notes, str(error)))
    return replace(report, reading={"labels": found["labels"], "text": found["source"]})


def _name_value(asked: AskedFile, mend: Mapping[str, Any]) -> list[str]:
    """What the value of the mended line is, in the reader's names; nothing where it has none."""
    try:
        labels = mend.get("labels") or asked.read("annotate", text=mend["text"])["labels"]
    except UsageError:
        return []
    place = mend["location"]
    mine = [one for one in labels if (one.get("cell"), one["line"]) == (place["cell"], place["line"])]
    return [text for entry in mine for text in entry["labels"]]


def _tell(mend: Mapping[str, Any], others: int) -> dict[str, Any]:
    changed = mend.get("shown", mend["text"]).splitlines()
    numbers = _number_lines(mend["edits"])
    return {
        "edits": mend["edits"],
        "diff": mend["diff"],
        "verified": True,
        "alternatives": others,
        "kind": mend["kind"],
        "lines": [(number, changed[number - 1]) for number in numbers],
    }


def _number_lines(edits: list[dict[str, Any]]) -> list[int]:
    """The lines that the edits made, as the mended text counts them."""
    found, moved = set(), 0
    for edit in edits:
        first = edit["line"] + moved
        more = edit["replacement"].count("\n")
        is_new = edit["line"] == edit["end_line"] and edit["column"] == edit["end_column"]
        found |= set(range(first + is_new, first + more + 1))
        moved += more - (edit["end_line"] - edit["line"])
    return sorted(found)


def _cut(text: str, place: Mapping[str, Any] | None) -> dict[str, str]:
    """The lines around a place, by their numbers."""
    if place is None:
        return {}
    lines = text.splitlines()
    wanted = range(max(place["line"] - 1, 1), min(place["end_line"] + 1, len(lines)) + 1)
    return {str(number): lines[number - 1] for number in wanted}
