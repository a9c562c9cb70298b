"""After the verdict the source is read: the line that is wrong, and a mend that the judge has verified.

No mend is told that was not judged: each proposal is run by the whole judge, at points that nobody has seen before.
"""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from backprop.attaching.looking.protocol import is_subject
from backprop.attaching.words import OTHER_RULE, STEP_LEAVES_OUT, is_taken_alike, name_taken
from backprop.errors import UsageError
from backprop.examiner.apart.asking import examine_file
from backprop.examiner.saying.report import Report
from backprop.reading.beside import list_siblings
from backprop.reading.process import SECONDS, read_apart
from backprop.reading.source import Source
from backprop.verification.placing import place_by_mend
from backprop.verification.submission import verify_file

__all__ = ["annotate_lines", "read_lines"]

OPENER = "backprop.attaching.lines.premises:open_attached"
FRESH = 7_919
"""Added to the seed when a mended program is judged: neither the verdict nor the reading has seen these points."""
SUFFIXES = (".py", ".ipynb")
SILENT = ("time", "package", "nothing", "ambiguous")
"""Reasons for no verdict that no line of the file is at fault for."""
OF_STEPS = (OTHER_RULE.identifier, STEP_LEAVES_OUT.identifier)
MOST_JUDGED = 4
MOST_FIRST = 2
"""Mends after which another one is looked for, where none is enough by itself."""
BREAKS = 20.0
"""Seconds for the search of what breaks: where the judge had none, there may be no end to it."""


SIBLING, LOADER = "backprop.reading.running.siblings:open_sibling", "backprop.reading.running.siblings:load_beside"


@dataclass(frozen=True)
class AskedFile:
    """A file, how it is judged, and how it is run where it is read: as a subject, or as a program that was attached.

    With `beside` it is the module of that name, which the subject imports from its folder, that is read and mended.
    """

    path: Path
    seed: int
    timeout: float | None
    taken: tuple[str, ...]
    """What was taken for what, where it is no subject."""
    options: Mapping[str, Any]
    beside: str = ""

    @cached_property
    def is_program(self) -> bool:
        """Whether it is no subject: then it was attached, or would have been if it ran."""
        return bool(self.taken) or not is_subject(self.path)

    def read(self, what: str, **how: Any) -> dict[str, Any]:
        """What is found in its lines; Errors: UsageError."""
        if self.beside:
            how |= {"opener": SIBLING, "options": {"name": self.beside}}
        elif self.is_program:
            how |= {"opener": OPENER, "options": self.options}
        return read_apart(self.path, what, **how)

    def holds(self, text: str) -> bool:
        """Whether the whole judge verifies a text in its place, at points that nobody has seen, taken as before."""
        how: Any = {"seed": self.seed + FRESH, "timeout": self.timeout, "text": text}
        if self.beside:
            return examine_file(self.path, loader=LOADER, options={"name": self.beside}, **how).ok
        if not self.taken:
            return examine_file(self.path, **how).ok
        report = verify_file(self.path, options=self.options, **how)
        return report.ok and is_taken_alike(self.taken, name_taken(report))


def read_lines(
    report: Report,
    path: Path,
    *,
    seed: int = 0,
    timeout: float | None = None,
    seconds: float = SECONDS,
    options: Mapping[str, Any] | None = None,
) -> Report:
    """The report of a file that was judged wrong, or that breaks, with its line and a verified mend; else as it is.

    The verdict stands whatever is read; where nothing can be read within so many `seconds`, a note says why. `options`
    are those with which a file that is no subject was attached.
    """
    asked = AskedFile(path, seed, timeout, name_taken(report), dict(options or {}))
    if report.verdict == "verified" or report.limits or report.reason in SILENT or path.suffix not in SUFFIXES:
        return report
    if asked.is_program and report.verdict == "wrong" and _is_right_before_the_step(report):
        return report
    try:
        found = _read(report, asked, seconds)
    except (UsageError, OSError) as error:
        return replace(report, notes=(*report.notes, str(error))) if report.verdict == "wrong" else report
    if found["location"] is None and report.verdict != "wrong":
        return report
    return _tell_reading(report, *_find_mend(found, asked, seconds))


def _tell_reading(
    report: Report, found: dict[str, Any], chosen: dict[str, Any] | None, others: int, asked: AskedFile
) -> Report:
    """The report with what was read, where it stands, and the mend that was chosen."""
    lines = _cut(found["source"], found["location"])
    reading = {"location": found["location"], "labels": found["labels"], "lines": lines, "text": found["source"]}
    reading["broke"] = found["broke"]
    if chosen is not None:
        if not found["broke"]:
            reading["location"] = chosen["location"]
            reading["lines"] = _cut(found["source"], chosen["location"])
        reading |= {"mend": _tell(chosen, others), "mended": found["bom"] + chosen["text"]}
        reading["should_be"] = _name_value(asked, chosen)
        report = place_by_mend(report, chosen, reading["should_be"]) if report.findings else report
    return replace(report, reading=reading)


def _is_right_before_the_step(report: Report) -> bool:
    """Whether only the way in which a step uses right gradients is at fault."""
    tensors = report.evidence.get("tensors", {}).values()
    return bool(tensors) and all(t["verdict"] == "right" for t in tensors) and all(
        f.said and f.said[0].grounds.get("predicate") in OF_STEPS for f in report.findings
    )  # fmt: skip


def _find_mend(
    found: dict[str, Any], asked: AskedFile, seconds: float
) -> tuple[dict[str, Any], dict[str, Any] | None, int, AskedFile]:
    """The most natural verified mend, of the file or of a module beside it, with what was read where it stands.

    Where there is none, two are tried together: one of the gradients, one of the step.
    """
    readings = [(found, asked)]
    if not asked.is_program and not found["broke"]:
        readings = [*_read_siblings(asked, seconds), *readings]
    for one, place in sorted(readings, key=lambda pair: min((m["weight"] for m in pair[0]["mends"]), default=math.inf)):
        chosen, others = _choose(one["mends"], place)
        if chosen is not None:
            return one, chosen, others, place
    both = None if asked.is_program or found["broke"] else _mend_twice(found, asked, seconds)
    return found, both, 0, asked


def _read_siblings(asked: AskedFile, seconds: float) -> Iterator[tuple[dict[str, Any], AskedFile]]:
    """What is found in the modules beside a subject that can be read."""
    for name in list_siblings(asked.path):
        place = replace(asked, beside=name)
        with contextlib.suppress(UsageError, OSError):
            yield place.read("read", seconds=seconds), place


def _mend_twice(found: dict[str, Any], asked: AskedFile, seconds: float) -> dict[str, Any] | None:
    """A mend after which another one is found that the judge verifies: the two as one."""
    for first in found["mends"][:MOST_FIRST]:
        with contextlib.suppress(UsageError, OSError):
            more = asked.read("read", text=first["text"], seconds=seconds)
            second, _ = _choose(more["mends"], asked)
            if second is not None:
                return _join(Source(asked.path, found["source"]), first, second)
    return None


def _join(source: Source, first: Mapping[str, Any], second: Mapping[str, Any]) -> dict[str, Any]:
    """Two mends, the second of a text after the first, as one of the source."""
    edits = source.edits_to(second["text"])
    described = source.describe(edits)
    kinds = " and ".join(dict.fromkeys((first["kind"], second["kind"])))
    more = {"edits": described, "diff": source.diff(edits), "text": second["text"], "kind": kinds}
    return {**first, **more, "labels": second.get("labels"), "weight": first["weight"] + second["weight"]}


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


def _read(report: Report, asked: AskedFile, seconds: float) -> dict[str, Any]:
    if report.verdict == "wrong":
        return asked.read("read", seconds=seconds)
    return asked.read("broken", seconds=min(seconds, BREAKS))


def _choose(mends: list[dict[str, Any]], asked: AskedFile) -> tuple[dict[str, Any] | None, int]:
    """The most natural mend after which the whole judge says "verified", and how many others there are on other lines.

    Of the others the most natural of each line is judged as well, as many as `MOST_JUDGED` allows.
    """
    chosen, others, lines = None, 0, set[tuple[Any, int]]()
    for mend in mends[:MOST_JUDGED]:
        line = mend["location"]["cell"], mend["location"]["line"]
        if line in lines or not asked.holds(mend["text"]):
            continue
        others += chosen is not None
        chosen = chosen or mend
        lines.add(line)
    return chosen, others


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
