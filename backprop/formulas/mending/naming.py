"""The name of what differs: a letter with the factor or fraction that holds it, a term with its sign."""

from __future__ import annotations

from backprop.formulas.mending.spans import Change, said, terms
from backprop.formulas.text.tree import Apply, Bracket, Infix, Neg, Num, Sym, Term, walk

__all__ = ["name_of"]

WIDE = 40
"""Characters of a difference that is said as a whole."""


def name_of(text: str, right: Term, change: Change) -> str:
    """What is circled of a change: what it names, unless that is one term that says little where it stands alone."""
    if len(change.spans) != 1:
        return change.differs
    start, end, _ = change.spans[0]
    named = [n for n in terms(right) if 0 <= n.start <= start and end <= n.end and said(text, n) == change.differs]
    return said_with_its_sign(text, right, widened(right, named[-1])) if named else change.differs


def around(right: Term, node: Term) -> Term | None:
    """The smallest printed term that a term is a part of."""
    holding = [n for n in terms(right) if n.start >= 0 and n is not node and any(x is node for x in walk(n))]
    return min(holding, key=lambda n: n.end - n.start, default=None)


def widened(right: Term, node: Term) -> Term:
    """A letter or number with the bracket of the sum, the denominator, or the fraction 1/a that it is a part of."""
    if not isinstance(node, (Sym, Num)):
        return node
    holder = around(right, node)
    if not isinstance(holder, Infix):
        return node
    outer = around(right, holder)
    if holder.sign in ("+", "-"):
        return outer if isinstance(outer, Bracket) and not isinstance(around(right, outer), Apply) else node
    if holder.sign == "/":
        return holder if isinstance(holder.left, Num) and holder.right is node else node
    below, fraction = (outer, around(right, outer)) if isinstance(outer, Bracket) else (holder, outer)
    return holder if isinstance(fraction, Infix) and fraction.sign == "/" and fraction.right is below else node


def said_with_its_sign(text: str, right: Term, node: Term) -> str:
    """The text of a term, with the minus before it; of a letter, with the difference that it stands in."""
    holder = around(right, node)
    subtracted = isinstance(holder, Infix) and holder.sign == "-" and holder.right is node
    if subtracted and isinstance(node, (Sym, Num)) and holder is not None and holder.end - holder.start <= WIDE:
        return f"{said(text, node)} in {said(text, holder)}"
    turned = isinstance(holder, Neg) and holder.value is node
    return f"{'- ' if subtracted else '-' if turned else ''}{said(text, node)}"
