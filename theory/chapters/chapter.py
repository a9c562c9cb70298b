"""A chapter of the book: paragraphs and derivations in order, printed as text, LaTeX, Markdown or HTML."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape
from typing import Literal

from theory.language.derivation import Derivation, loosen
from theory.language.prose import typeset
from theory.notations.choices import LECTURE, NotationChoice
from theory.notations.rewriting import printed_in, with_notes
from theory.notations.wording import reworded

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


KEEPS = "This chapter quotes the lecture, so it keeps the notation of the lecture."
Section = str | Derivation | Formula


@dataclass(frozen=True)
class Chapter:
    """`sections` is called when the chapter is printed; paragraphs are plain text without mathematics markup."""

    name: str
    title: str
    sections: Callable[[], Sequence[Section]]
    quotes: bool = False
    """It quotes others, so that it keeps the book's notation."""

    def render(self, form: Format = "text", choice: NotationChoice = LECTURE) -> str:
        """The whole chapter in one format and one notation."""
        with printed_in(LECTURE if self.quotes else choice):
            return self.render_sections(form, self.told_in(choice))

    def told_in(self, choice: NotationChoice) -> Sequence[Section]:
        """The sections with the words and notes of a notation; what quotes others keeps the book's, and says so."""
        with printed_in(LECTURE if self.quotes else choice):
            sections = list(self.sections())
        if choice == LECTURE:
            return sections
        return [KEEPS, *sections] if self.quotes else [translate(section, choice) for section in sections]

    def render_sections(self, form: Format, sections: Sequence[Section]) -> str:
        """Heading and sections, as `show` prints them now."""
        head = {
            "text": f"{self.title}\n{'=' * len(self.title)}",
            "latex": rf"\section{{{typeset(self.title, 'latex')}}}",
            "markdown": f"## {self.title}",
            "html": f"<h2 id='{self.name}'>{typeset(self.title, 'mathml')}</h2>",
        }[form]
        return "\n\n".join([head, *(render_section(section, form) for section in sections)]) + "\n"

    def _repr_html_(self) -> str:
        return self.render("html")

    def _repr_latex_(self) -> str:
        return self.render("latex")

    def _repr_markdown_(self) -> str:
        return self.render("markdown")


def translate(section: Section, choice: NotationChoice) -> Section:
    """What `show` does not reach: the words, and the notes of the steps."""
    if isinstance(section, str):
        return reworded(section, choice)
    return with_notes(section, choice) if isinstance(section, Derivation) else section


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
    """<p>, and <ul> for a list; letters and formulas in the sentences are set as mathematics."""
    lead, items = split_items(text)
    rows = [typeset(item, "mathml") for item in items]
    listed = f"<ul>{''.join(f'<li>{row}</li>' for row in rows)}</ul>" if items else ""
    return f"<p>{typeset(lead, 'mathml')}</p>{listed}"


def latex_paragraph(text: str) -> str:
    """A paragraph, and itemize for a list."""
    lead, items = split_items(text)
    listed = "\n".join(rf"  \item {typeset(item, 'latex')}" for item in items)
    return typeset(lead, "latex") + (f"\n\\begin{{itemize}}\n{listed}\n\\end{{itemize}}" if items else "")


def render_formula(formula: Formula, form: Format) -> str:
    """A named formula and its remarks."""
    if form == "text":
        return "\n".join([f"{formula.label}: {formula.text}", *(f"    {remark}" for remark in formula.remarks)])
    if form == "latex":
        remarks = "".join(f" \\\\\n  {{\\small {typeset(remark, 'latex')}}}" for remark in formula.remarks)
        label = typeset(formula.label, "latex")
        body = loosen(formula.latex)
        return f"{{\\raggedright\\smallskip\\noindent\\textbf{{{label}}}: $\\displaystyle {body}${remarks}\\par}}"
    if form == "markdown":
        return "\n".join([f"- **{formula.label}**: ${formula.latex}$", *(f"  - {r}" for r in formula.remarks)])
    remarks = "".join(f"<br><small>{typeset(remark, 'mathml')}</small>" for remark in formula.remarks)
    return f"<p><b>{typeset(formula.label, 'mathml')}</b>: \\({escape(formula.latex)}\\){remarks}</p>"


def write(text: str) -> None:
    """To standard output; a terminal that has no ∂ shows a replacement, not a traceback."""
    if hasattr(sys.stdout, "reconfigure"):
        sys.stdout.reconfigure(errors="replace")
    print(text, end="", flush=True)
