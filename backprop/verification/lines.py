"""After the verdict the source is read: the line that is wrong, and a mend that the judge has verified.

No mend is told that was not judged: each proposal is run by the whole judge, at points that nobody has seen before.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from backprop.attaching.looking.protocol import is_subject
from backprop.attaching.words import OTHER_RULE, STEP_LEAVES_OUT, is_taken_alike, name_taken
from backprop.errors import UsageError
from backprop.examiner.apart.asking import examine_file
from backprop.examiner.saying.grounds import Predicate, say
from backprop.examiner.saying.report import Finding, Report
from backprop.reading.process import SECONDS, read_apart
from backprop.verification.submission import verify_file

__all__ = ["annotate_lines", "read_lines"]

OPENER = "backprop.attaching.lines.premises:open_attached"
FRESH = 7_919
"""Added to the seed when a mended program is judged: neither the verdict nor the reading has seen these points."""
SUFFIXES = (".py", ".ipynb")
SILENT = ("time", "package", "nothing", "ambiguous")
"""Reasons for no verdict that no line of the file is at fault for."""
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
OF_STEPS = (OTHER_RULE.identifier, STEP_LEAVES_OUT.identifier)
MOST_JUDGED = 4
BREAKS = 20.0
"""Seconds for the search of what breaks: where the judge had none, there may be no end to it."""


@dataclass(frozen=True)
class AskedFile:
    """A file, how it is judged, and how it is run where it is read: as a subject, or as a program that was attached."""

    path: Path
    seed: int
    timeout: float | None
    taken: tuple[str, ...]
    """What was taken for what, where it is no subject."""
    options: Mapping[str, Any]

    @cached_property
    def is_program(self) -> bool:
        """Whether it is no subject: then it was attached, or would have been if it ran."""
        return bool(self.taken) or not is_subject(self.path)

    def read(self, what: str, **how: Any) -> dict[str, Any]:
        """What is found in its lines; Errors: UsageError."""
        if self.is_program:
            how |= {"opener": OPENER, "options": self.options}
        return read_apart(self.path, what, **how)

    def holds(self, text: str) -> bool:
        """Whether the whole judge verifies a text in its place, at points that nobody has seen, taken as before."""
        how: Any = {"seed": self.seed + FRESH, "timeout": self.timeout, "text": text}
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
    chosen, others = _choose(found["mends"], asked)
    lines = _cut(found["source"], found["location"])
    reading = {"location": found["location"], "labels": found["labels"], "lines": lines, "text": found["source"]}
    reading["broke"] = found["broke"]
    if chosen is not None:
        if not found["broke"]:
            reading["location"] = chosen["location"]
            reading["lines"] = _cut(found["source"], chosen["location"])
        reading |= {"mend": _tell(chosen, others), "mended": found["bom"] + chosen["text"]}
        reading["should_be"] = _name_value(asked, chosen)
        report = _place_forward(report) if chosen.get("forward") else _place_own(report, reading["should_be"])
    return replace(report, reading=reading)


def _place_own(report: Report, labels: list[str]) -> Report:
    """Where a layer has one tensor, a wrong error and a wrong gradient of it look alike: the line tells them apart.

    What the mended line makes is the gradient of the tensor itself, not the error before it.
    """
    first, *rest = report.findings
    alone = first.equation == "BP2" and len(first.parameters) == 1
    if not (
        alone
        and any(text.endswith(f"∂C/∂{first.parameters[0]}") or f"∂C/∂{first.parameters[0]} " in text for text in labels)
    ):
        return report
    said = say(OWN_GRADIENT, parameter=first.parameters[0])
    return replace(report, findings=(replace(first, equation="BP4", said=said), *rest))


def _place_forward(report: Report) -> Report:
    """A change of the forward pass alone was verified: the backward pass is right, for that."""
    first = report.findings[0]
    if first.equation in ("forward", "cost"):
        return report
    names = tuple(dict.fromkeys(name for finding in report.findings for name in finding.parameters))
    said = say(FORWARD_MENDED, parameters=list(names))
    return replace(report, findings=(Finding("forward", None, names, said, entries=first.entries),))


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
        found = asked.read("annotate", text=mend["text"])
    except UsageError:
        return []
    place = mend["location"]
    mine = [one for one in found["labels"] if (one.get("cell"), one["line"]) == (place["cell"], place["line"])]
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
