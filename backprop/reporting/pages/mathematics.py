"""Formulas as MathML: those of the book by its own printer, with what a step has changed marked; LaTeX by a library.

>>> str(set_latex("x^2"))[:32]
'<math displaystyle="true"><mrow>'
"""

from __future__ import annotations

import re

from latex2mathml.converter import convert
from markupsafe import Markup
from sympy import Expr

from theory.language.alphabets import ALPHABETS
from theory.language.notation import Index, Variable, Width, nodes
from theory.language.printing import SUM, Printer, math_ml, show

__all__ = ["set_change", "set_expression", "set_latex", "set_row"]

LEAVES = (Variable, Index, Width)


class _Marking(Printer):
    """Prints MathML with the smallest new pieces marked."""

    def __init__(self, new: frozenset[Expr]) -> None:
        super().__init__(ALPHABETS["mathml"])
        self.new = new

    def show(self, expr: Expr, tightness: int = SUM) -> str:
        text = super().show(expr, tightness)
        return f'<mrow class="new">{text}</mrow>' if expr in self.new else text


def find_new(before: Expr, after: Expr) -> frozenset[Expr]:
    """What stands in one formula and not in the other, the smallest pieces of it."""
    old = frozenset(nodes(before))
    fresh = {node for node in nodes(after) if node not in old and not isinstance(node, Index | Width)}
    inner = {node for node in fresh if isinstance(node, LEAVES) or not any(part in fresh for part in node.args)}
    return frozenset(inner)


def set_expression(expr: Expr) -> Markup:
    """A formula of the book."""
    return Markup(math_ml(show(expr, "mathml"), block=True))


def set_row(*parts: str) -> Markup:
    """Pieces of MathML in one formula."""
    return Markup(math_ml("".join(parts), block=True))


def set_change(before: Expr, after: Expr) -> Markup:
    """= after, with what is new in it marked."""
    return Markup(math_ml("<mo>=</mo>" + _Marking(find_new(before, after)).show(after), block=True))


def set_latex(latex: str) -> Markup:
    """LaTeX as MathML, the primes and the signs of operators as the book sets them."""
    text = convert(latex)
    text = re.sub(r'<math xmlns="[^"]*" display="inline">', '<math displaystyle="true">', text)
    text = text.replace("<mi>&#x02032;</mi>", "<mo>′</mo>").replace("&#x02218;", "∘")
    return Markup(text)
