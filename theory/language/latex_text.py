"""Plain text as LaTeX that any engine reads: ASCII only, nothing lost; and the document around a fragment.

>>> escape_latex("Vallée-Poussin: 50 % of “δ” …")
"Vall\\\\'{e}e-Poussin: 50 \\\\% of ``$\\\\delta$'' \\\\ldots{}"
"""

from __future__ import annotations

import re
import unicodedata

__all__ = ["GREEK", "SIGNS", "escape_latex", "wrap_document"]

NAMES = """alpha beta gamma delta varepsilon zeta eta theta iota kappa lambda mu nu xi pi rho sigma tau upsilon varphi
chi psi omega Gamma Delta Theta Lambda Xi Pi Sigma Phi Psi Omega"""
GREEK = dict(zip("αβγδεζηθικλμνξπρστυφχψωΓΔΘΛΞΠΣΦΨΩ", re.split(r"\s+", NAMES), strict=True))
"""Greek letters and their commands."""

RAISED = dict(zip("ⁱᶠᵒʳᵘ", "iforu", strict=True))
"""Letters that mark a gate."""
SIGNS = {raised: rf"^{{\mathrm {letter}}}" for raised, letter in RAISED.items()} | {
    "≤": r"\le ", "≥": r"\ge ", "∂": r"\partial ", "∇": r"\nabla", "→": r"\to ", "±": r"\pm ", "−": "-", "·": r"\cdot ",
    "×": r"\times ", "∘": r"\circ ", "⊙": r"\odot ", "≠": r"\ne ", "≈": r"\approx ", "∞": r"\infty", "√": r"\surd ",
    "½": r"\tfrac12", "…": r"\ldots ", "‥": "..", "ᵀ": r"{}^{\top}", "∈": r"\in ", "Σ": r"\sum ", "ℝ": r"\mathbb{R}",
    "⟨": r"\langle ", "⟩": r"\rangle ", "²": "{}^2", "³": "{}^3", ":=": ":=",
    "⁻": "{}^{-}", "¹": "{}^1", "θ": r"\theta", "∫": r"\int ",
}  # fmt: skip
"""Signs in a formula and their commands."""

PLAIN = {
    "\\": r"\textbackslash{}", "&": r"\&", "%": r"\%", "$": r"\$", "#": r"\#", "_": r"\_", "{": r"\{", "}": r"\}",
    "^": r"\^{}", "~": r"\textasciitilde{}", "<": "$<$", ">": "$>$", "|": "$|$", "–": "--", "—": "---", "“": "``",
    "”": "''", "‘": "`", "’": "'", "«": "``", "»": "''", "…": r"\ldots{}", "\u00a0": "~", "ß": r"\ss{}", "ø": r"\o{}",
    "ł": r"\l{}", "æ": r"\ae{}",
}  # fmt: skip
ACCENTS = {"\u0301": "'", "\u0300": "`", "\u0302": "^", "\u0303": "~", "\u0308": '"', "\u030a": "r", "\u030c": "v",
           "\u0327": "c", "\u0304": "=", "\u0307": "."}  # fmt: skip
BASES = {"i": r"\i", "j": r"\j"}

PREAMBLE = r"""\documentclass[11pt,a4paper]{article}
\usepackage[T1]{fontenc}
\usepackage[a4paper,margin=25mm]{geometry}
\usepackage{amsmath,amssymb}
\title{%s}
\author{}
\date{}
\begin{document}
\maketitle
"""


def escape_latex(text: str) -> str:
    """Plain text inside LaTeX.  Errors: ValueError for a character that it has no sign for."""
    return "".join(_escape(character) for character in unicodedata.normalize("NFC", text))


def _escape(character: str) -> str:
    if character in PLAIN:
        return PLAIN[character]
    if character.isascii():
        return character
    if character in GREEK:
        return rf"$\{GREEK[character]}$"
    if character in SIGNS:
        return f"${SIGNS[character].strip()}$"
    base, *marks = list(unicodedata.normalize("NFD", character))
    if len(marks) == 1 and marks[0] in ACCENTS:
        return rf"\{ACCENTS[marks[0]]}{{{BASES.get(base, base)}}}"
    raise ValueError(f"no LaTeX for the character {character!r} (U+{ord(character):04X})")


def wrap_document(body: str, title: str) -> str:
    """A whole document around a fragment; it needs amsmath and amssymb, nothing else."""
    return PREAMBLE % escape_latex(title) + body + "\n\\end{document}\n"
