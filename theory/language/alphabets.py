"""Alphabets: the few ways in which symbols are put together, as terminal text, LaTeX or MathML."""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy
from html import escape

from theory.language.glossary import GATES, GLOSSARY
from theory.language.latex_text import GREEK, SIGNS

__all__ = ["ALPHABETS", "Alphabet", "Latex", "MathML"]


MATRICES = {letter: letter.upper() for letter in "azwyxhvgumre"} | {"a_x": "Ȧ", "z_x": "Ż", "a_xx": "Ǎ", "z_xx": "Ž"}
MATRICES |= {"p": "P", "q": "Q"} | {
    name: letter.text[0].upper() + letter.text[1:]
    for name, letter in GLOSSARY.items()
    if name.partition("_")[2] in GATES and letter.name[0] != "b"
}
"""A matrix is written with the capital of its entries' letter."""


LONG_PIECE = 400
"""Characters of MathML above a fraction line."""
LONG_NUMERATOR = 120
"""Characters of LaTeX above a fraction line."""


class Alphabet:
    """The few ways in which symbols are put together; this one writes plain text for a terminal."""

    times, minus, hadamard, equals = " ", "-", " ∘ ", " = "
    infinity, function = "∞", "f"

    def with_signs(self, signs: Sequence[tuple[str, str]]) -> Alphabet:
        """The same with another letter for the activation, another sign for the entrywise product."""
        other, chosen = copy(self), dict(signs)
        other.function = chosen.get("f", self.function)
        if "∘" in chosen:
            spaces = (" ", " ") if self.hadamard.startswith(" ") else ("", "")
            other.hadamard = self.operator(chosen["∘"]).strip().join(spaces)
        return other

    def letter(self, name: str) -> str:
        return GLOSSARY[name].text if name in GLOSSARY else name

    def word(self, name: str) -> str:
        return name

    def number(self, value: str) -> str:
        return value

    def group(self, body: str) -> str:
        return f"({body})"

    def row(self, parts: Sequence[str]) -> str:
        return "".join(parts)

    def operator(self, name: str) -> str:
        return name

    def scripts(self, base: str, sub: str, sup: str) -> str:
        return base + (f"_{self.braced(sub)}" if sub else "") + (f"^{self.braced(sup)}" if sup else "")

    def braced(self, body: str) -> str:
        return body if body.isalnum() or len(body) == 1 or body.startswith("(") else f"({body})"

    def indices(self, names: Sequence[str]) -> str:
        return "".join(names) if all(len(name) == 1 for name in names) else ",".join(names)

    def fraction(self, above: str, below: str) -> str:
        return f"{above}/{below}"

    def derivative(self, u: str, x: str, held: bool) -> str:
        return f"∂{u}/∂{x}" + ("|held" if held else "")

    def same(self, left: str, right: str) -> str:
        """The Kronecker delta: 1 where both are the same, else 0."""
        return f"[{left}={right}]"

    def sum(self, index: str, size: str) -> str:
        return f"Σ_{index} "

    def prime(self, base: str, order: int) -> str:
        return base + ("'" * order if order < 4 else f"^({order})")

    def root(self, body: str) -> str:
        return f"√({body})"

    def transposed(self, base: str) -> str:
        return base + "ᵀ"

    def matrix(self, name: str) -> str:
        return {**MATRICES, "delta": "Δ"}.get(name, name)

    def ones(self) -> str:
        return "1"


class Latex(Alphabet):
    """LaTeX."""

    times, minus, hadamard, infinity = r"\,", "-", r" \circ ", r"\infty"

    def letter(self, name: str) -> str:
        if name in GREEK:
            return f"\\{GREEK[name]}"
        return GLOSSARY[name].latex if name in GLOSSARY else SIGNS.get(name, name)

    def word(self, name: str) -> str:
        escaped = name.replace("_", r"\_")
        return rf"\operatorname{{{escaped}}}"

    def operator(self, name: str) -> str:
        return SIGNS.get(name, name)

    def group(self, body: str) -> str:
        """Brackets that a line may be broken between, as \\left and \\right may not."""
        tall = any(command in body for command in (r"\frac", r"\sum"))
        return rf"\bigl({body}\bigr)" if tall else f"({body})"

    def root(self, body: str) -> str:
        return rf"\sqrt{{{body}}}"

    def scripts(self, base: str, sub: str, sup: str) -> str:
        return base + (f"_{{{sub}}}" if sub else "") + (f"^{{{sup}}}" if sup else "")

    def fraction(self, above: str, below: str) -> str:
        if len(above) > LONG_NUMERATOR:  # no line can be broken above a fraction line
            return rf"\frac{{1}}{{{below}}}\,\bigl({above}\bigr)"
        return rf"\frac{{{above}}}{{{below}}}"

    def derivative(self, u: str, x: str, held: bool) -> str:
        short = len(u) < 40
        numerator, rest = (u, "") if short else ("", u)
        body = rf"\frac{{\partial {numerator}}}{{\partial {x}}}{rest}"
        return rf"{body}\Big|_{{\mathrm{{held}}}}" if held else body

    def sum(self, index: str, size: str) -> str:
        return rf"\sum_{{{index}=1}}^{{{size}}} "

    def prime(self, base: str, order: int) -> str:
        return base + "'" * order

    def transposed(self, base: str) -> str:
        return f"{{{base}}}^{{\\!\\top}}"

    def matrix(self, name: str) -> str:
        dotted = {x: GLOSSARY[x].latex.replace(x[0], x[0].upper(), 1) for x in MATRICES if "_" in x}
        return {**MATRICES, **dotted, "delta": r"\Delta"}.get(name, self.letter(name))

    def ones(self) -> str:
        return r"\mathbf{1}"


class MathML(Alphabet):
    """MathML Core, which browsers draw without any script."""

    times, hadamard, equals = "<mo>&#x2062;</mo>", "<mo>∘</mo>", "<mo>=</mo>"
    minus, infinity = "<mo>−</mo>", "<mi>∞</mi>"

    def letter(self, name: str) -> str:
        return f"<mi>{escape(GLOSSARY[name].text if name in GLOSSARY else name)}</mi>"

    def word(self, name: str) -> str:
        return f'<mrow><mspace width="0.17em"></mspace>{self.letter(name)}</mrow>'

    def number(self, value: str) -> str:
        return f"<mn>{value}</mn>"

    def operator(self, name: str) -> str:
        return f"<mo>{escape(name)}</mo>"

    def group(self, body: str) -> str:
        return f"<mrow><mo>(</mo>{body}<mo>)</mo></mrow>"

    def row(self, parts: Sequence[str]) -> str:
        return f"<mrow>{''.join(parts)}</mrow>"

    def indices(self, names: Sequence[str]) -> str:
        return "".join(names)

    def scripts(self, base: str, sub: str, sup: str) -> str:
        if sub and sup:
            return f"<msubsup>{base}<mrow>{sub}</mrow><mrow>{sup}</mrow></msubsup>"
        if sub:
            return f"<msub>{base}<mrow>{sub}</mrow></msub>"
        return f"<msup>{base}<mrow>{sup}</mrow></msup>" if sup else base

    def fraction(self, above: str, below: str) -> str:
        return f"<mfrac><mrow>{above}</mrow><mrow>{below}</mrow></mfrac>"

    def derivative(self, u: str, x: str, held: bool) -> str:
        short = "<munderover>" not in u and len(u) < LONG_PIECE
        body = self.fraction(f"<mo>∂</mo>{u if short else ''}", f"<mo>∂</mo>{x}") + ("" if short else u)
        body = body if short else f"<mrow>{body}</mrow>"
        return f"<msub>{body}<mtext>held</mtext></msub>" if held else body

    def same(self, left: str, right: str) -> str:
        return f"<mrow><mo>[</mo>{left}<mo>=</mo>{right}<mo>]</mo></mrow>"

    def sum(self, index: str, size: str) -> str:
        below = f"<mrow>{index}<mo>=</mo><mn>1</mn></mrow>"
        return f'<munderover><mo movablelimits="false">∑</mo>{below}<mrow>{size}</mrow></munderover>'

    def prime(self, base: str, order: int) -> str:
        return f"<mrow>{base}{self.primes(order)}</mrow>" if order else base

    def primes(self, order: int) -> str:
        return f'<mo lspace="0" rspace="0">{"′" * order}</mo>'

    def root(self, body: str) -> str:
        return f"<msqrt>{body}</msqrt>"

    def transposed(self, base: str) -> str:
        return f"<msup>{self.group(base) if base.startswith('<ms') else f'<mrow>{base}</mrow>'}<mo>⊤</mo></msup>"

    def matrix(self, name: str) -> str:
        return f"<mi>{super().matrix(name)}</mi>"

    def ones(self) -> str:
        return '<mi mathvariant="normal">𝟏</mi>'

    def prime_scripts(self, base: str, order: int, sub: str) -> str:
        return self.scripts(self.prime(base, order), sub, "")


ALPHABETS: dict[str, Alphabet] = {"text": Alphabet(), "latex": Latex(), "mathml": MathML()}
