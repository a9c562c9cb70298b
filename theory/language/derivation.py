"""A derivation is a list of steps; a step is a rule with what stood before and what stands after.

Nothing is believed because it was printed: `Derivation.check` hands every step to the witness
(`theory.witnesses.witness`), which evaluates both sides on random networks over a prime field and knows no rule.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from sympy import Expr

from theory.language.printing import Style, math_ml, show
from theory.language.prose import typeset
from theory.language.statement import System

__all__ = ["Derivation", "Step", "loosen"]

STEPS = (
    r"{\raggedright\begin{list}{}{\setlength{\leftmargin}{2em}\setlength{\labelwidth}{1.4em}"
    r"\setlength{\itemsep}{2pt}\setlength{\rightmargin}{0pt}}"
)
RULE = r"\hspace*{{1.5em}}\penalty50\hspace*{{0pt}}\hfill{{\footnotesize\itshape {}}}"


@dataclass(frozen=True)
class Step:
    """One application of one named rule."""

    rule: str
    before: Expr
    after: Expr
    note: str = ""


@dataclass(frozen=True)
class Derivation:
    """From a quantity (`subject`, for instance δ_j^l) to its formula, in steps.

    `label` is the equation's name in the lecture (BP1 … BP4) or a short name of our own;
    `system` holds the forward definitions that the steps may use; `real` says that the steps use laws
    that hold for real numbers only (log of a product), so the witness must not use a finite field.
    """

    label: str
    title: str
    subject: Expr
    steps: tuple[Step, ...]
    system: System = field(repr=False)
    real: bool = False

    @property
    def result(self) -> Expr:
        """The right-hand side that was derived."""
        return self.steps[-1].after

    def check(self, agree: Callable[[System, Expr, Expr], bool]) -> list[Step]:
        """The steps whose two sides differ (none, if the derivation is right).

        `agree` is normally `theory.witnesses.witness.agree`; the first side of the first step must be the subject.
        """
        chained = zip(self.steps, (self.subject, *(step.after for step in self.steps)), strict=False)
        return [s for s, before in chained if s.before != before or not agree(self.system, s.before, s.after)]

    def equation(self, style: Style = "text") -> str:
        """The result as one equation: subject = formula."""
        return f"{show(self.subject, style)} = {show(self.result, style)}"

    def extended(self, *steps: Step) -> Derivation:
        """The same derivation with more steps; those that change nothing are left out."""
        return replace(self, steps=(*self.steps, *(step for step in steps if step.before != step.after)))

    def then(self, rule: str, after: Expr, note: str = "") -> Derivation:
        """One more step."""
        return self.extended(Step(rule, self.result, after, note))

    def _repr_html_(self) -> str:
        return self.to_html()

    def _repr_markdown_(self) -> str:
        return self.to_markdown()

    def _repr_latex_(self) -> str:
        return f"${self.equation('latex')}$"

    def to_text(self) -> str:
        """As a student would read it on a terminal."""
        lines = [f"{self.label}  {self.title}", "", f"  {show(self.subject)}"]
        for step in self.steps:
            lines.append(f"    = {show(step.after):<66}  [{step.rule}]" + (f"  {step.note}" if step.note else ""))
        return "\n".join(lines)

    def to_latex(self) -> str:
        """A numbered subsection; each step a line that may be broken between factors and terms, its rule at the right.

        A fragment for a document with amsmath.
        """
        lines = [rf"\subsection{{{typeset(f'{self.label}: {self.title}', 'latex')}}}", STEPS]
        lines.append(rf"  \item[] $\displaystyle {show(self.subject, 'latex')}$")
        for step in self.steps:
            said = typeset(step.rule + (f": {step.note}" if step.note else ""), "latex")
            lines.append(rf"  \item[$=$] $\displaystyle {loosen(show(step.after, 'latex'))}$" + RULE.format(said))
        return "\n".join([*lines, r"\end{list}}"])

    def to_markdown(self) -> str:
        """A heading, a table of steps in LaTeX, and the result by itself."""
        lines = [f"### {self.label}: {self.title}", "", f"Start: ${show(self.subject, 'latex')}$", ""]
        lines += ["| rule | becomes |", "|---|---|"]
        for step in self.steps:
            lines.append(f"| {step.rule}{': ' + step.note if step.note else ''} | ${show(step.after, 'latex')}$ |")
        return "\n".join([*lines, "", f"$${self.equation('latex')}$$", ""])

    def to_html(self) -> str:
        """A table of steps with the mathematics as MathML (any browser, no script, no network)."""
        rows = "".join(
            f"<tr><td>{typeset(step.rule, 'mathml')}"
            f"{'<br><small>' + typeset(step.note, 'mathml') + '</small>' if step.note else ''}</td>"
            f"<td>{math_ml('<mo>=</mo>' + show(step.after, 'mathml'), block=True)}</td></tr>"
            for step in self.steps
        )
        start = math_ml(show(self.subject, "mathml"), block=True)
        title, label = typeset(self.title, "mathml"), typeset(self.label, "mathml")
        head = f"<h3><span class='label'>{label}</span> {title}</h3>"
        return f"{head}<table class='steps'><tr><td>start</td><td>{start}</td></tr>{rows}</table>"


def loosen(latex: str) -> str:
    """A formula that a line may be broken in between any two factors."""
    return latex.replace(r"\,", r"\,\allowbreak ")
