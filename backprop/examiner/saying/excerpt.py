"""An excerpt of a subject's source, as a good compiler shows it: file, line, a mark under the very piece, what should
stand there, and every line with what its value is.

A line is called wrong only where a change of it was verified; without that it is a suspect, and said to be one.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from typing import Any

__all__ = ["SUSPECT", "describe_annotated", "describe_excerpt", "name_place"]

TAB = 4
SUSPECT = "suspect: nothing is shown, no mend of this line was verified"
MENDED = "← mended here, the program is verified"
BESIDE = 100
"""Columns after which a label stands on a line of its own."""


def describe_excerpt(reading: Mapping[str, Any]) -> str:
    """The suspect line, marked, and the mended line where one was verified; "" where no line was found.

    >>> place = {"file": "net.py", "line": 2, "column": 4, "end_line": 2, "end_column": 5, "text": "a"}
    >>> lines = {"1": "def f(a):", "2": "    a", "3": ""}
    >>> print(describe_excerpt({"location": place, "lines": lines, "mend": None}))
    net.py:2:5
        1 | def f(a):
        2 |     a
          |     ^
      suspect: nothing is shown, no mend of this line was verified
    """
    place, mend = reading.get("location"), reading.get("mend")
    if not place:
        return ""
    lines = reading.get("lines", {})
    rows = [name_place(place)]
    for number in range(place["line"] - 1, place["end_line"] + 1):
        text = lines.get(str(number))
        if text is None:
            continue
        rows.append(f"{number:5} | {text.expandtabs(TAB)}".rstrip())
        if place["line"] <= number <= place["end_line"]:
            rows.append("      | " + _mark(text, place, number))
    if reading.get("broke"):
        rows.append(f"  {reading['broke']}")
    elif not mend:
        rows.append(f"  {SUSPECT}")
    if reading.get("should_be"):
        rows.append(f"  this line should be {' = '.join(reading['should_be'])}")
    if mend:
        rows.append("  mend: " + mend["kind"])
        rows += [f"{number:5} + {text.expandtabs(TAB)}".rstrip() for number, text in mend["lines"]]
        rows.append("  verified after this change: the mended program was judged anew, at other points")
    return "\n".join(rows)


def name_place(place: Mapping[str, Any]) -> str:
    """Where a piece stands, as editors take it; in a notebook its cell, counted from 0, and the line there.

    >>> name_place({"file": "a.ipynb", "cell": 3, "line": 7, "column": 4})
    'a.ipynb: cell 3, line 7, column 5'
    """
    line, column = place["line"], place["column"] + 1
    if place.get("cell") is None:
        return f"{place['file']}:{line}:{column}"
    return f"{place['file']}: cell {place['cell']}, line {line}, column {column}"


def _mark(text: str, place: Mapping[str, Any], number: int) -> str:
    """Carets under the piece."""
    start = place["column"] if number == place["line"] else len(text) - len(text.lstrip())
    end = place["end_column"] if number == place["end_line"] else len(text.rstrip())
    before = _width(text[:start].expandtabs(TAB))
    return " " * before + "^" * max(_width(text[:end].expandtabs(TAB)) - before, 1)


def _width(text: str) -> int:
    """Columns on a terminal: wide characters take two, combining ones none."""
    return sum(0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)


def describe_annotated(reading: Mapping[str, Any], text: str) -> str:
    """The functions of the backward pass, line by line, each line with what its value is; the wrong one marked."""
    labels = {entry["line"]: " = ".join(("", *entry["labels"])).strip() for entry in reading.get("labels", ())}
    place = reading.get("location") or {"line": 0, "end_line": -1}
    found = MENDED if reading.get("mend") else f"← {SUSPECT}"
    wrong = range(place["line"], place["end_line"] + 1)
    shown = _shown_lines(text.splitlines(), [*labels, *wrong])
    rows = []
    for number, line in shown:
        mark = ">" if number in wrong else " "
        head = f"{mark}{number:4} | {line.expandtabs(TAB)}"
        label = "  ".join(part for part in (labels.get(number, ""), found if number in wrong else "") if part)
        rows.append(f"{head.ljust(BESIDE)}  {label}".rstrip())
    return "\n".join(rows)


def _shown_lines(lines: Sequence[str], marked: Sequence[int]) -> list[tuple[int, str]]:
    """From the head of the function of the first marked line to the last marked line."""
    if not marked:
        return []
    first, last = max(min(marked), 1), min(max(marked), len(lines))
    while first > 1 and not lines[first - 1].lstrip().startswith("def "):
        first -= 1
    return [(number, lines[number - 1]) for number in range(first, last + 1)]
