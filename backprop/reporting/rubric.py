"""Points for a verdict: what a report is worth by a small file of a teacher's.

    total = 10            # for a program that is verified
    [equations]           # what an equation is worth where another one is wrong
    BP1 = 2
    BP2 = 3
    BP3 = 1
    BP4 = 2
    [places]
    each = 1              # taken off for every place (equation and layer) that is wrong beyond the first
    [reasons]             # points where there is no verdict; "look" for somebody who has to look
    time = "look"
    package = "look"

>>> from backprop.examiner.saying.report import Finding
>>> rubric = Rubric(10.0, {"BP2": 4.0, "BP4": 3.0})
>>> print(rubric.score(Report("wrong", "net.py", (Finding("BP2", 1, ("W1",), ()),))))
3 of 10: BP4 holds 3, BP2 is wrong 0 of 4
"""

from __future__ import annotations

import math
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from backprop.errors import UsageError
from backprop.examiner.saying.report import Report

__all__ = ["EQUATIONS", "REASONS", "Rubric", "Score", "ScoreLine", "load_rubric"]

EQUATIONS = ("BP1", "BP2", "BP3", "BP4")
REASONS = ("crashed", "time", "package", "nothing", "syntax", "ambiguous", "undecided")
LOOK = "look"
NOT_OF_ONE = ("forward", "cost", None)
"""A finding of these says nothing of the four equations: none of them is credited."""


@dataclass(frozen=True)
class ScoreLine:
    """Points for one thing, of how many, and whether it holds."""

    what: str
    points: float
    most: float

    def __str__(self) -> str:
        of = "" if self.points == self.most else f" of {self.most:g}"
        return f"{self.what} {self.points:g}{of}"


@dataclass(frozen=True)
class Score:
    """Points of a subject; None where somebody has to look."""

    points: float | None
    most: float
    lines: tuple[ScoreLine, ...] = ()
    why: str = ""

    def __str__(self) -> str:
        said = ", ".join(map(str, self.lines)) or self.why
        points = "?" if self.points is None else f"{self.points:g}"
        return f"{points} of {self.most:g}" + (f": {said}" if said else "")


@dataclass(frozen=True)
class Rubric:
    """What is worth what; by itself one point for what is verified and none for anything else."""

    total: float = 1.0
    equations: Mapping[str, float] = field(default_factory=dict)
    each: float = 0.0
    reasons: Mapping[str, float | str] = field(default_factory=dict)

    def score(self, report: Report) -> Score:
        """The points of a report, never below 0.

        An equation is credited where the program was judged, something else is wrong, and nothing was found against it;
        a fault may hide another one behind it.
        """
        if report.ok:
            return Score(self.total, self.total, (ScoreLine("verified", self.total, self.total),))
        if report.verdict != "wrong":
            return self._score_reason(report)
        found = {finding.equation for finding in report.findings}
        unknown = not found or bool(found & set(NOT_OF_ONE))
        lines = [self._credit(name, worth, name not in found and not unknown) for name, worth in self.equations.items()]
        lines.sort(key=lambda line: -line.points)
        beyond = len({(finding.equation, finding.layer) for finding in report.findings}) - 1
        if beyond > 0 and self.each:
            lines.append(ScoreLine(f"{beyond} more place{'s' if beyond > 1 else ''} wrong", -beyond * self.each, 0.0))
        return Score(max(0.0, sum(line.points for line in lines)), self.total, tuple(lines), "the gradient is wrong")

    def _credit(self, name: str, worth: float, holds: bool) -> ScoreLine:
        return ScoreLine(f"{name} holds" if holds else f"{name} is wrong", worth if holds else 0.0, worth)

    def _score_reason(self, report: Report) -> Score:
        reason = report.reason or report.verdict
        points = self.reasons.get(reason, 0.0)
        return Score(None if isinstance(points, str) else points, self.total, why=reason)


def load_rubric(path: str | Path) -> Rubric:
    """Read a rubric.  Errors: UsageError for what is no TOML, an unknown key, a number that is none or negative."""
    try:
        data = tomllib.loads(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageError(f"cannot read the rubric {str(path)!r}: {error.strerror}; give a TOML file") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise UsageError(f"the rubric {str(path)!r} is no TOML: {error}; see backprop/reporting/README.md") from None
    _refuse_others(data, ("total", "equations", "places", "reasons"), "the rubric")
    equations, places, reasons = (_table(data, name) for name in ("equations", "places", "reasons"))
    _refuse_others(equations, EQUATIONS, "[equations]")
    _refuse_others(places, ("each",), "[places]")
    _refuse_others(reasons, REASONS, "[reasons]")
    total = _number("total", data.get("total", 1))
    worth = {name: _number(name, value) for name, value in equations.items()}
    if sum(worth.values()) > total:
        raise UsageError(
            f"the equations of the rubric are worth {sum(worth.values()):g} together, more than total = {total:g}"
        )
    known = {name: value if value == LOOK else _number(name, value) for name, value in reasons.items()}
    return Rubric(total, worth, _number("each", places.get("each", 0)), known)


def _table(data: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    table = data.get(name, {})
    if not isinstance(table, Mapping):
        raise UsageError(f"[{name}] of the rubric is a table, got {table!r:.40}")
    return table


def _refuse_others(table: Mapping[str, Any], known: tuple[str, ...], where: str) -> None:
    others = [name for name in table if name not in known]
    if others:
        raise UsageError(f"{where} has no {others[0]!r:.60}; choose from: {', '.join(known)}")


def _number(name: str, value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value) or value < 0:
        raise UsageError(f"{name} of the rubric needs a number that is not negative, got {value!r:.40}")
    return float(value)
