"""The frame of every page: templates filled with everything escaped, style, script and font inside the file.

>>> write_page("A < B", "with δ_j", [], [PagePart("one", "One", Markup("<p>1</p>"))]).count("<section")
1
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from backprop.reporting.assurance import LEVELS, NOT_SHOWN
from backprop.version import VERSION
from theory.language.prose import typeset

__all__ = ["PagePart", "fill", "write_assurance", "write_page"]

TEMPLATES = Path(__file__).parent / "templates"


@dataclass(frozen=True)
class PagePart:
    """One box of a page: its anchor, its heading, its HTML."""

    id: str
    heading: str
    body: Markup


def set_prose(text: str) -> Markup:
    """A sentence, escaped, its letters and formulas as MathML."""
    return Markup(typeset(str(text), "mathml"))


@cache
def environment() -> Environment:
    """The templates; what is put in is escaped."""
    made = Environment(loader=FileSystemLoader(TEMPLATES), autoescape=True, undefined=StrictUndefined, trim_blocks=True)
    made.filters["prose"] = set_prose
    return made


def fill(macro: str, *values: Any, **named: Any) -> Markup:
    """One of the parts in parts.html, filled."""
    module: Any = environment().get_template("parts.html").module
    return Markup(getattr(module, macro)(*values, **named))


@cache
def assets() -> dict[str, Markup]:
    """Style with the font in it, and the script."""
    font = base64.b64encode((TEMPLATES / "backprop-math.woff2").read_bytes()).decode("ascii")
    style = environment().get_template("style.css").render(font=Markup(font))
    return {"style": Markup(style), "script": Markup((TEMPLATES / "page.js").read_text(encoding="utf-8"))}


def write_page(
    title: str, lead: str, facts: Sequence[tuple[str, str]], parts: Sequence[PagePart], reproduce: str = ""
) -> str:
    """The whole page: title and lead are text, facts are (figure, what)."""
    values = {"title": title, "lead": lead, "facts": facts, "parts": parts, "reproduce": reproduce, "version": VERSION}
    return environment().get_template("base.html").render(**values, **assets())


def write_assurance() -> Markup:
    """The table of levels and what is not shown."""
    return fill("assurance", LEVELS, NOT_SHOWN)
