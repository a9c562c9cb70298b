"""The answer to a question about a formula, as an object, as text, as JSON."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from backprop.shown import ShownAsText

__all__ = ["Answer", "caret"]

LEVELS = {
    "tested": "no counterexample in {trials} random trials in ball arithmetic (different and equal sizes, 160 bits)",
    "certified": "for certain: at the numbers shown the two sides are disjoint balls, or their shapes do not fit",
    "derived": "the step itself is right, but the layers that it is made for are not all there are",
    "": "",
}


@dataclass(frozen=True)
class Answer(ShownAsText):
    """Whether a formula holds; if not, where it differs and what would be right.

    >>> print(Answer("a = a", understood=True, holds=True, level="tested", trials=3))
    holds: a = a
    tested: no counterexample in 3 random trials in ball arithmetic (different and equal sizes, 160 bits)
    """

    formula: str
    understood: bool = False
    holds: bool | None = None
    level: str = ""
    trials: int = 0
    differs: str | None = None
    nearest: str | None = None
    conventions: dict[str, Any] = field(default_factory=dict)
    inferred: dict[str, Any] = field(default_factory=dict)
    would_hold: list[str] = field(default_factory=list)
    counterexample: dict[str, Any] | None = None
    stopped_at: int | None = None
    reason: str | None = None

    def to_dict(self) -> dict[str, Any]:
        """For --json."""
        return {
            "formula": self.formula, "understood": self.understood, "holds": self.holds, "level": self.level,
            "differs": self.differs, "nearest": self.nearest, "conventions": {**self.inferred, **self.conventions},
            "would_hold": self.would_hold, "counterexample": self.counterexample, "stopped_at": self.stopped_at,
            "reason": self.reason,
        }  # fmt: skip

    def __str__(self) -> str:
        if not self.understood:
            return "\n".join(["not understood: " + (self.reason or ""), *caret(self.formula, self.stopped_at)])
        lines = [("holds: " if self.holds else "does not hold: ") + self.formula]
        if self.differs is not None:
            lines.append(f"  differs      {self.differs}")
        if self.nearest is not None:
            lines.append(f"  right form   {self.nearest}")
        lines += [f"  would hold   {text}" for text in self.would_hold]
        if self.counterexample is not None:
            lines += _show(self.counterexample)
        lines += [f"  taken as     {key}: {value}" for key, value in self.inferred.items()]
        lines.append(f"{self.level}: {LEVELS[self.level].format(trials=self.trials)}")
        return "\n".join(lines)


def _show(example: dict[str, Any]) -> list[str]:
    lines = []
    if "shapes" in example:
        lines.append(f"  shapes       {example['shapes']}")
    if "left" in example:
        where = ", ".join(f"{k} = {v}" for k, v in example["at"].items())
        lines.append(f"  {'at ' + where if where else 'here'}: left {example['left']}, right {example['right']}")
    for name, value in list(example.get("values", {}).items())[:8]:
        lines.append(f"    {name} = {value}")
    return lines


def caret(text: str, position: int | None) -> list[str]:
    """The text with a mark under the place where understanding stopped.

    >>> caret("a ? b", 2)
    ['  a ? b', '    ^']
    """
    if position is None or "\n" in text:
        return []
    start = max(0, position - 90)
    return ["  " + text[start : start + 120], "  " + " " * (position - start) + "^"]
