"""A chapter of the book: paragraphs and derivations in order, printed as text, LaTeX, Markdown or HTML."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape
from typing import Literal

from theory.language.derivation import Derivation

__all__ = ["FORMATS", "Chapter", "Format", "Formula", "write"]

Format = Literal["text", "latex", "markdown", "html"]
FORMATS: tuple[Format, ...] = ("text", "latex", "markdown", "html")


@dataclass(frozen=True)
class Formula:
    """A statement that is not derived in steps, with its name and remarks, in every alphabet."""

    label: str
    text: str
    latex: str
    remarks: tuple[str, ...] = ()


Section = str | Derivation | Formula


@dataclass(frozen=True)
class Chapter:
    """`sections` is called when the chapter is printed; paragraphs are plain text without mathematics markup."""

    name: str
    title: str
    sections: Callable[[], Sequence[Section]]

    def render(self, form: Format = "text") -> str:
        """The whole chapter in one format."""
        head = {
            "text": f"{self.title}\n{'=' * len(self.title)}",
            "latex": rf"\section{{{escape_latex(self.title)}}}",
            "markdown": f"## {self.title}",
            "html": f"<h2 id='{self.name}'>{escape(self.title)}</h2>",
        }[form]
        return "\n\n".join([head, *(render_section(section, form) for section in self.sections())]) + "\n"

    def _repr_html_(self) -> str:
        return self.render("html")

    def _repr_markdown_(self) -> str:
        return self.render("markdown")


def render_section(section: Section, form: Format) -> str:
    """A paragraph, a formula or a derivation."""
    if isinstance(section, Derivation):
        printers = {
            "text": section.to_text, "latex": section.to_latex,
            "markdown": section.to_markdown, "html": section.to_html,
        }  # fmt: skip
        return printers[form]()
    if isinstance(section, Formula):
        return render_formula(section, form)
    return {"latex": latex_paragraph, "html": html_paragraph}.get(form, str)(section)


def split_items(text: str) -> tuple[str, list[str]]:
    """A paragraph and the list under it (lines that begin with a dash)."""
    lines = text.splitlines()
    return " ".join(x for x in lines if not x.startswith("- ")), [x[2:] for x in lines if x.startswith("- ")]


def html_paragraph(text: str) -> str:
    """<p>, and <ul> for a list."""
    lead, items = split_items(text)
    listed = f"<ul>{''.join(f'<li>{escape(item)}</li>' for item in items)}</ul>" if items else ""
    return f"<p>{escape(lead)}</p>{listed}"


def latex_paragraph(text: str) -> str:
    """A paragraph, and itemize for a list."""
    lead, items = split_items(text)
    listed = "".join(rf"\item {escape_latex(item)}" for item in items)
    return escape_latex(lead) + (rf"\begin{{itemize}}{listed}\end{{itemize}}" if items else "")


def render_formula(formula: Formula, form: Format) -> str:
    """A named formula and its remarks."""
    if form == "text":
        return "\n".join([f"{formula.label}: {formula.text}", *(f"    {remark}" for remark in formula.remarks)])
    if form == "latex":
        remarks = "".join(f"\n{escape_latex(remark)}\\\\" for remark in formula.remarks)
        return rf"\paragraph{{{escape_latex(formula.label)}}} $\displaystyle {formula.latex}$\\{remarks}"
    if form == "markdown":
        return "\n".join([f"- **{formula.label}**: ${formula.latex}$", *(f"  - {r}" for r in formula.remarks)])
    remarks = "".join(f"<br><small>{escape(remark)}</small>" for remark in formula.remarks)
    return f"<p><b>{escape(formula.label)}</b>: <code>{escape(formula.text)}</code>{remarks}</p>"


def escape_latex(text: str) -> str:
    """Plain text inside LaTeX."""
    for character in "\\&%$#_{}":
        text = text.replace(character, "\\textbackslash{}" if character == "\\" else f"\\{character}")
    return text.replace("^", r"\^{}")


def write(text: str) -> None:
    """To standard output; a terminal that has no ∂ shows a replacement, not a traceback."""
    if hasattr(sys.stdout, "reconfigure"):
        sys.stdout.reconfigure(errors="replace")
    print(text, end="", flush=True)
