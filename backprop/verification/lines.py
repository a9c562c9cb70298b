"""After the verdict the source is read: the line that is wrong, and a mend that the judge has verified.

No mend is told that was not judged: each proposal is run by the whole judge, at points that nobody has seen before.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from backprop.attaching.words import was_attached
from backprop.errors import UsageError
from backprop.examiner.apart.child import examine_file
from backprop.examiner.saying.report import Report
from backprop.reading.process import read_apart

__all__ = ["annotate_lines", "read_lines"]

FRESH = 7_919
"""Added to the seed when a mended program is judged: neither the verdict nor the reading has seen these points."""
MOST_JUDGED = 4


def read_lines(report: Report, path: Path, *, seed: int = 0, timeout: float | None = None) -> Report:
    """The report of a file that was judged wrong, with its line and a verified mend; else the report as it is.

    The verdict stands whatever is read; where nothing can be read, a note says why.
    """
    if report.verdict != "wrong" or path.suffix != ".py" or was_attached(report):
        return report
    try:
        found = read_apart(path)
    except (UsageError, OSError) as error:
        return replace(report, notes=(*report.notes, str(error)))
    chosen = _choose(found["mends"], path, seed, timeout)
    lines = _cut(found["source"], found["location"])
    reading = {"location": found["location"], "labels": found["labels"], "lines": lines, "text": found["source"]}
    if chosen is not None:
        reading["location"] = chosen["location"]
        reading["lines"] = _cut(found["source"], chosen["location"])
        reading |= {"mend": _tell(chosen), "mended": found["bom"] + chosen["text"]}
        reading["should_be"] = _name_value(path, chosen)
    return replace(report, reading=reading)


def annotate_lines(report: Report, path: Path) -> Report:
    """The report with the labels of every line, for a program that is right as well."""
    if report.reading or report.verdict == "unusable" or path.suffix != ".py" or was_attached(report):
        return report
    try:
        found = read_apart(path, "annotate")
    except (UsageError, OSError) as error:
        return replace(report, notes=(*report.notes, str(error)))
    return replace(report, reading={"labels": found["labels"], "text": found["source"]})


def _choose(mends: list[dict[str, Any]], path: Path, seed: int, timeout: float | None) -> dict[str, Any] | None:
    """The most natural mend after which the whole judge says "verified"."""
    for mend in mends[:MOST_JUDGED]:
        if examine_file(path, seed=seed + FRESH, timeout=timeout, text=mend["text"]).ok:
            return mend
    return None


def _name_value(path: Path, mend: Mapping[str, Any]) -> list[str]:
    """What the value of the mended line is, in the reader's names; nothing where it has none."""
    try:
        found = read_apart(path, "annotate", text=mend["text"])
    except UsageError:
        return []
    line = mend["location"]["line"]
    return [text for entry in found["labels"] if entry["line"] == line for text in entry["labels"]]


def _tell(mend: Mapping[str, Any]) -> dict[str, Any]:
    changed = mend["text"].splitlines()
    numbers = sorted({edit["line"] for edit in mend["edits"]})
    return {
        "edits": mend["edits"],
        "diff": mend["diff"],
        "verified": True,
        "alternatives": 0,
        "kind": mend["kind"],
        "lines": [(number, changed[number - 1]) for number in numbers],
    }


def _cut(text: str, place: Mapping[str, Any] | None) -> dict[str, str]:
    """The lines around a place, by their numbers."""
    if place is None:
        return {}
    lines = text.splitlines()
    wanted = range(max(place["line"] - 1, 1), min(place["end_line"] + 1, len(lines)) + 1)
    return {str(number): lines[number - 1] for number in wanted}
