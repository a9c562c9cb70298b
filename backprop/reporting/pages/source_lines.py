"""Source for a page: coloured, numbered, each line of the backward pass with the equation that it is.

>>> [line.label for line in list_lines("z1 = X @ W1 + b1   # F1   (n, 3)")]
['F1']
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from markupsafe import Markup, escape
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import PythonLexer

__all__ = ["ShownLine", "colour", "list_lines", "pick"]

LABEL = re.compile(r"#\s+(F1|F2|BP[1-4])\b")


@dataclass(frozen=True)
class ShownLine:
    """One line: its number, its HTML, its equation, what is said of it, and how it is marked (bad, mend)."""

    number: int | str
    html: Markup
    label: str = ""
    anchor: str = ""
    said: str = ""
    kind: str = ""


def colour(source: str) -> list[Markup]:
    """The lines of Python source as HTML."""
    lexer = PythonLexer(stripnl=False, ensurenl=False)
    made = highlight(source, lexer, HtmlFormatter(nowrap=True))
    return [Markup(line) for line in made.split("\n")]


def list_lines(source: str, said: Mapping[int, str] | None = None, marked: Iterable[int] = ()) -> list[ShownLine]:
    """Every line with its equation (from the comment behind it) and with what is `said` of it; `marked` are wrong."""
    texts, bad = source.split("\n"), set(marked)
    lines = []
    for number, (text, html) in enumerate(zip(texts, colour(source), strict=False), start=1):
        found = LABEL.search(text)
        label = found[1] if found else ""
        note = (said or {}).get(number, "")
        lines.append(ShownLine(number, html or escape(text), label, label, note, "bad" if number in bad else ""))
    return lines


def pick(lines: list[ShownLine], source: str, names: Iterable[str]) -> list[ShownLine]:
    """The lines of some functions.

    >>> source = "def f():\\n    pass\\n\\n\\ndef g():\\n    return 1"
    >>> [line.number for line in pick(list_lines(source), source, ["g"])]
    [5, 6]
    """
    texts, inside = source.split("\n"), False
    chosen: list[ShownLine] = []
    for line, text in zip(lines, texts, strict=True):
        if text and not text[0].isspace():
            inside = any(text.startswith(f"def {name}(") for name in names)
        if inside and (text or (chosen and chosen[-1] is not line)):
            chosen.append(line)
    while chosen and not texts[int(chosen[-1].number) - 1].strip():
        chosen.pop()
    return chosen
