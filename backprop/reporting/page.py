"""The page that ties the demo's files together: one HTML file, mathematics as MathML, nothing from the network."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from backprop.reporting.assurance import LEVELS, NOT_SHOWN
from theory.language.printing import math_ml

__all__ = [
    "Picture",
    "fold",
    "write_assurance",
    "write_equations",
    "write_page",
    "write_picture",
    "write_section",
    "write_sentence",
    "write_text",
]

STYLE = """
:root { --ink: #1d2733; --soft: #5b6b7c; --line: #dde3ea; --accent: #0b6fa4; --good: #2b7a4b; --paper: #ffffff; }
* { box-sizing: border-box; }
body { font: 16px/1.55 system-ui, "Segoe UI", Roboto, "Helvetica Neue", sans-serif; color: var(--ink);
  background: #f4f6f8; margin: 0; }
main { max-width: 64rem; margin: 0 auto; padding: 2rem 1.2rem 4rem; }
section { background: var(--paper); border: 1px solid var(--line); border-radius: 10px; padding: 1.2rem 1.6rem;
  margin: 1.2rem 0; }
h1 { font-size: 2rem; margin: .4rem 0; } h2 { font-size: 1.35rem; margin: .2rem 0 .6rem; }
h3 { font-size: 1.05rem; margin: 1.6rem 0 .3rem; }
.lead { color: var(--soft); font-size: 1.1rem; margin-top: 0; }
.facts { display: grid; grid-template-columns: repeat(auto-fit, minmax(11rem, 1fr)); gap: .8rem; margin: 1rem 0; }
.fact { background: var(--paper); border: 1px solid var(--line); border-radius: 10px; padding: .8rem 1rem; }
.fact b { display: block; font-size: 1.5rem; color: var(--accent); }
.label { background: var(--accent); color: white; border-radius: 5px; padding: .05rem .45rem; font-size: .9em; }
table { border-collapse: collapse; width: 100%; } td, th { padding: .35rem .6rem; text-align: left;
  border-bottom: 1px solid var(--line); vertical-align: top; }
.steps td:first-child { width: 13rem; color: var(--soft); font-size: .9rem; vertical-align: middle; }
.steps { overflow-x: auto; } .steps math { font-size: 1.08rem; text-align: left; }
math[display="block"] { margin: 0; text-align: left; }
.equations td:first-child { width: 4.5rem; vertical-align: middle; } .equations math { font-size: 1.2rem; }
pre { background: #f7f9fb; border: 1px solid var(--line); border-radius: 8px; padding: .9rem 1rem; overflow-x: auto;
  font: 13px/1.5 ui-monospace, "DejaVu Sans Mono", Menlo, Consolas, monospace; }
details > summary { cursor: pointer; color: var(--accent); font-weight: 600; margin: .6rem 0; }
img { max-width: 100%; height: auto; border: 1px solid var(--line); border-radius: 8px; }
small { color: var(--soft); } a { color: var(--accent); }
"""


def write_facts(facts: Sequence[tuple[str, str]]) -> str:
    """Figures in boxes."""
    boxes = "".join(f"<div class='fact'><b>{escape(figure)}</b>{escape(what)}</div>" for figure, what in facts)
    return f"<div class='facts'>{boxes}</div>"


def write_assurance() -> str:
    """The table of levels and what is not shown."""
    rows = "".join(
        f"<tr><td><b>{level.word}</b></td><td>{escape(level.means)}</td><td>{escape(level.how)}</td></tr>"
        for level in LEVELS
    )
    missing = "".join(f"<li>{escape(text)}</li>" for text in NOT_SHOWN)
    return f"<table><tr><th>word</th><th>means</th><th>how</th></tr>{rows}</table><h3>Not shown</h3><ul>{missing}</ul>"


@dataclass(frozen=True)
class Picture:
    """A picture of the folder, with its heading and what it shows."""

    heading: str
    file: str
    caption: str


def write_section(heading: str, *parts: str) -> str:
    """One box of the page."""
    return f"<section><h2>{escape(heading)}</h2>{''.join(parts)}</section>"


def fold(title: str, body: str) -> str:
    """Something long, folded away under a title."""
    return f"<details><summary>{escape(title)}</summary>{body}</details>"


def write_equations(equations: Sequence[tuple[str, str]]) -> str:
    """(label, MathML) in two columns."""
    rows = "".join(
        f"<tr><td><span class='label'>{escape(label)}</span></td><td>{math_ml(body, block=True)}</td></tr>"
        for label, body in equations
    )
    return f"<table class='equations'>{rows}</table>"


def write_page(title: str, lead: str, facts: Sequence[tuple[str, str]], sections: Sequence[str]) -> str:
    """The whole page from its sections (HTML); title and lead are text, facts are (figure, what)."""
    return f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>{escape(title)}</title><style>{STYLE}</style></head><body><main>
<h1>{escape(title)}</h1><p class="lead">{escape(lead)}</p>{write_facts(facts)}
{"".join(sections)}
</main></body></html>
"""


def write_picture(number: int, picture: Picture) -> str:
    """A section with a picture."""
    image = f"<img src='{escape(picture.file)}' alt='{escape(picture.heading)}'>"
    return write_section(f"{number}. {picture.heading}", f"<p>{escape(picture.caption)}</p>", image)


def write_text(text: str) -> str:
    """Plain text, spaced as it is."""
    return f"<pre>{escape(text)}</pre>"


def write_sentence(text: str, *files: str) -> str:
    """A sentence and links to files of the folder."""
    links = ", ".join(f'<a href="{escape(file)}">{escape(file)}</a>' for file in files)
    return f"<p>{escape(text)}{' As a file: ' + links + '.' if files else ''}</p>"
