"""The report: verdict, findings, evidence and notes, as JSON and as plain text for a reader."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from backprop.examiner.saying.excerpt import describe_annotated, describe_excerpt
from backprop.examiner.saying.grounds import Note, Said, gather
from backprop.shown import ShownAsText

__all__ = ["HINTS", "SHOWN_ENTRIES", "VERDICTS", "Entry", "Finding", "Report"]

VERDICTS = ("verified", "wrong", "undecided", "unusable")
HINTS = ("verdict", "place", "line", "mend")
"""How much is told: only the verdict, the equation and layer as well, the line, or how it could be mended."""
SHOWN_ENTRIES = 5


@dataclass(frozen=True)
class Entry:
    """One wrong entry: what the code gave, what the oracle expects, and how sure the oracle is."""

    parameter: str
    index: tuple[int, ...]
    yours: float
    expected: float
    uncertainty: float

    def to_dict(self) -> dict[str, Any]:
        """Give it as plain JSON types; a number that is not finite becomes null."""
        numbers = {"yours": self.yours, "expected": self.expected, "uncertainty": self.uncertainty}
        out: dict[str, Any] = {"parameter": self.parameter, "index": list(self.index)}
        return out | {k: (float(v) if math.isfinite(v) else None) for k, v in numbers.items()}


@dataclass(frozen=True)
class Finding:
    """A fault: the equation, the topmost layer it shows in, the parameters, what is said to the author and why.

    The explanation consists of sentences that were said with their grounds; there is no other way to put words in.
    """

    equation: str | None
    layer: int | None
    parameters: tuple[str, ...]
    said: tuple[Said, ...]
    cause: str = "unknown"
    entries: tuple[Entry, ...] = ()

    @property
    def explanation(self) -> str:
        """All sentences."""
        return " ".join(one.text for one in self.said)

    @property
    def place(self) -> str:
        """Equation, layer and parameters in words."""
        where = "the whole network" if self.layer is None else f"layer {self.layer}"
        return f"{self.equation or 'no equation named'}, {where} ({', '.join(self.parameters)})"

    def to_place(self) -> Finding:
        """Where it is, and no more."""
        return replace(self, said=(), cause="unknown", entries=())

    def to_dict(self) -> dict[str, Any]:
        """Give it as plain JSON types."""
        out: dict[str, Any] = {
            "equation": self.equation,
            "layer": self.layer,
            "parameters": list(self.parameters),
        }
        out |= {"cause": self.cause, "explanation": self.explanation, "grounds": gather(self.said)}
        return out | {"entries": [entry.to_dict() for entry in self.entries]}


@dataclass(frozen=True)
class Report(ShownAsText):
    """The verdict on a subject with its evidence. `ok` is true for "verified" only; `limits` says what was cut short.

    >>> report = Report("unusable", "net.py", notes=("no function 'cost'",))
    >>> report.ok, report.to_dict()["verdict"]
    (False, 'unusable')
    """

    verdict: str
    subject: str
    findings: tuple[Finding, ...] = ()
    evidence: Mapping[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    reproduce: str = ""
    limits: tuple[str, ...] = ()
    reason: str = ""
    """Why there is no verdict, in one word: crashed, time, package, nothing, syntax, ambiguous; "" where none fits."""
    reading: Mapping[str, Any] = field(default_factory=dict)
    """What a reading of the source found, as plain data: `location`, `labels`, `mend`, `lines`, `text`."""

    @property
    def location(self) -> Mapping[str, Any] | None:
        """Where the wrong line stands: file, line from 1, column from 0 in characters, and the text of the piece."""
        return self.reading.get("location")

    @property
    def mend(self) -> Mapping[str, Any] | None:
        """Edits after which the program was verified, with their unified diff; None if none was."""
        return self.reading.get("mend")

    def annotated(self) -> str:
        """The backward pass line by line, each with what its value is; "" if the source was not read."""
        return describe_annotated(self.reading, self.reading.get("text", ""))

    def tell(self, hint: str) -> Report:
        """The same report with no more than this said; see `HINTS`."""
        level = HINTS.index(hint)
        findings = self.findings if level >= HINTS.index("line") else tuple(f.to_place() for f in self.findings)
        reading = {
            **self.reading,
            **({} if level >= HINTS.index("mend") else {"mend": None, "mended": None, "should_be": []}),
        }
        kept = level >= HINTS.index("place")
        return replace(
            self,
            findings=findings if kept else (),
            evidence=self.evidence if level >= HINTS.index("line") else {"step_alone": True} if self.step_alone else {},
            reading=reading if level >= HINTS.index("line") else {},
            notes=self.notes if kept else (),
        )

    @property
    def ok(self) -> bool:
        """Whether the gradient was verified."""
        return self.verdict == "verified"

    def to_dict(self) -> dict[str, Any]:
        """Give the report as plain JSON types."""
        out: dict[str, Any] = {"verdict": self.verdict, "findings": [f.to_dict() for f in self.findings]}
        grounds = [dict(note.grounds) if isinstance(note, Note) else None for note in self.notes]
        evidence = dict(self.evidence) | {"notes": list(map(str, self.notes)), "grounds": grounds}
        for finding, read in zip(out["findings"], [self.reading, *({} for _ in self.findings)], strict=False):
            finding |= {"location": read.get("location"), "labels": read.get("labels", []), "mend": _plain(read)}
        if not self.findings and self.reading:
            out["location"] = self.location
        out["mend"] = _plain(self.reading)
        if self.reason:
            out["reason"] = self.reason
        return out | {"limits": list(self.limits), "evidence": evidence, "reproduce": self.reproduce}

    def cut_short(self, *limits: str) -> Report:
        """The report of an examination that ended before it was through: what it found till then decides nothing.

        >>> Report("wrong", "net.py").cut_short("there was no time to look for a guard").verdict
        'undecided'
        """
        return replace(self, verdict="undecided", findings=(), limits=(*self.limits, *limits))

    @classmethod
    def from_dict(cls, data: Mapping[str, Any], subject: str) -> Report:
        """Read a report back from what `to_dict` gave."""
        evidence = dict(data["evidence"])
        texts = evidence.pop("notes", ())
        grounds = evidence.pop("grounds", None) or [None] * len(texts)
        pairs = zip(texts, grounds, strict=True)
        notes = tuple(text if known is None else Note.of(Said(text, known)) for text, known in pairs)
        findings = tuple(_read_finding(f) for f in data["findings"])
        limits = tuple(str(limit) for limit in data.get("limits", ()))
        return cls(
            data["verdict"], subject, findings, evidence, notes, data["reproduce"], limits, str(data.get("reason", ""))
        )

    @property
    def step_alone(self) -> bool:
        """Whether every gradient is right, and only the step that is made of it is wrong."""
        seen = [f.equation for f in self.findings] + [t["verdict"] for t in self.evidence.get("tensors", {}).values()]
        known = bool(self.evidence.get("step_alone"))
        return self.verdict == "wrong" and (known or set(seen) == {"right", "update"})

    @property
    def headline(self) -> str:
        """The verdict in one line, with which its text begins."""
        level = "exact in its wiring, tested in its values" if "exact" in self.evidence else "tested"
        said = "step" if self.step_alone else self.verdict
        said = "cut" if self.verdict == "undecided" and self.limits else said
        return _HEADLINES[said].format(subject=self.subject, level=level)

    def __str__(self) -> str:
        parts = [self.headline]
        parts += [_describe_finding(i, f) for i, f in enumerate(self.findings, start=1)]
        parts += [text] if (text := describe_excerpt(self.reading)) else []
        parts += [_describe_evidence(self.evidence)] if self.evidence.get("tensors") else []
        parts += [_describe_exact(self.evidence["exact"])] if "exact" in self.evidence else []
        parts += ["\n".join(f"cut short: {limit}" for limit in self.limits)] if self.limits else []
        parts += ["\n".join(f"note: {note}" for note in self.notes)] if self.notes else []
        parts += [f"To reproduce: {self.reproduce}"] if self.reproduce else []
        return "\n\n".join(parts)


_HEADLINES = {
    "verified": "VERIFIED  {subject}: the gradient is the derivative of the cost (level: {level}).",
    "wrong": "WRONG  {subject}: the gradient is not the derivative of the cost.",
    "step": "WRONG  {subject}: the gradient is the derivative of the cost, but the step is not made of it.",
    "undecided": "UNDECIDED  {subject}: the oracle could not measure the derivative sharply enough.",
    "unusable": "UNUSABLE  {subject}: it could not be examined.",
    "cut": "UNDECIDED  {subject}: the examination was cut short.",
}


def _plain(reading: Mapping[str, Any]) -> dict[str, Any] | None:
    """The mend as it is told to programs."""
    mend = reading.get("mend")
    return None if not mend else {name: mend[name] for name in ("edits", "diff", "verified", "alternatives")}


def _read_finding(data: Mapping[str, Any]) -> Finding:
    entries = tuple(
        Entry(e["parameter"], tuple(e["index"]), *(_number(e[k]) for k in ("yours", "expected", "uncertainty")))
        for e in data["entries"]
    )
    parameters = tuple(data["parameters"])
    said = (Said(data["explanation"], data["grounds"]),)
    return Finding(data["equation"], data["layer"], parameters, said, data["cause"], entries)


def _number(value: float | None) -> float:
    return math.nan if value is None else value


def _describe_finding(number: int, finding: Finding) -> str:
    role = "Root cause" if number == 1 else f"Also ({number})"
    lines = [f"{role}: {finding.place}"]
    lines += [f"  {finding.explanation}"] if finding.explanation else []
    if finding.entries:
        lines += _tabulate_entries(finding.entries[:SHOWN_ENTRIES])
    hidden = len(finding.entries) - SHOWN_ENTRIES
    return "\n".join(lines + ([f"  … and {hidden} more"] if hidden > 0 else []))


def _tabulate_entries(entries: tuple[Entry, ...]) -> list[str]:
    rows = [("entry", "yours", "expected", "± uncertainty")]
    for e in entries:
        index = f"[{', '.join(map(str, e.index))}]"
        sharp = "below rounding" if e.uncertainty == 0 else f"{e.uncertainty:.1e}"
        rows.append((f"{e.parameter}{index}", f"{e.yours:.9g}", f"{e.expected:.9g}", sharp))
    return _tabulate(rows)


def _describe_evidence(evidence: Mapping[str, Any]) -> str:
    rows = [("tensor", "verdict", "compared", "± uncertainty", "what would escape")]
    for name, t in evidence["tensors"].items():
        compared = " + ".join(
            text
            for text in (
                _count(t["entries"], "entry", "entries"),
                _count(t["directions"], "direction", "directions"),
            )
            if text
        )
        rows.append((name, t["verdict"], compared or "nothing", _show(t["uncertainty"]), t["escapes"]))
    cases = "; ".join(evidence["cases"])
    lines = [f"Evidence at {len(evidence['cases'])} cases ({cases}):", *_tabulate(rows)]
    if evidence.get("oracles"):
        declined = "; no ".join(f"{name}: {why}" for name, why in evidence.get("declined", {}).items())
        lines.append(f"Expected by {' and '.join(evidence['oracles'])}" + (f"; no {declined}." if declined else "."))
    return "\n".join(lines)


def _describe_exact(exact: Mapping[str, Any]) -> str:
    if not exact["ok"]:
        return f"Exact check: FAILED in {', '.join(exact['failed']) or 'the source'}: {exact['reason']}."
    return (
        f"Exact check of the source, unchanged, over GF(2^61 - 1), batch of {exact['rows']}: the wiring of all "
        f"{exact['parameters']:,} parameters is right\n"
        f"  for arbitrary functions in its table; a wrong one would pass with probability <= "
        f"{exact['false_pass_bound']:.1e} (degree {exact['degree']} + {exact['collisions']:,} collisions, over p)."
    )


def _show(uncertainty: float | None) -> str:
    return "unknown" if uncertainty is None else f"{uncertainty:.1e}" if uncertainty else "below rounding"


def _count(number: int, one: str, many: str) -> str:
    return f"{number} {one if number == 1 else many}" if number else ""


def _tabulate(rows: Sequence[tuple[str, ...]]) -> list[str]:
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    return ["  " + "  ".join(cell.ljust(w) for cell, w in zip(row, widths, strict=True)).rstrip() for row in rows]
