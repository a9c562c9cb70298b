"""Edits of a printed text: pieces with what stands there instead, and the terms that they change."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from backprop.formulas.text.tree import (
    Apply,
    Deriv,
    Infix,
    Sum,
    Sym,
    Term,
    children,
    walk,
)  # fmt: skip

__all__ = ["Change", "apply_edit", "factors_of", "said", "size_of", "terms"]


Span = tuple[int, int, str]
LEFT_OUT = 0.1
"""What a character that is left out counts, against one that is put in."""


@dataclass(frozen=True)
class Change:
    """Pieces of text with what stands there instead; `differs` names the term, `cost` says how far it is."""

    spans: tuple[Span, ...]
    differs: str
    cost: int = 1


def apply_edit(text: str, edit: Change) -> str:
    """The text after an edit.

    >>> apply_edit("a b", Change(((2, 3, "c"),), "b"))
    'a c'
    """
    for start, end, new in sorted(edit.spans, reverse=True):
        text = text[:start] + new + text[end:]
    return text


def size_of(text: str, edit: Change) -> float:
    """How many characters an edit takes away and puts in, what stays in one piece set aside; leaving out is the least.

    >>> size_of("a (b - c)", Change(((2, 9, "(b + c)"),), "b - c"))
    2.0
    """
    total = 0.0
    for start, end, new in edit.spans:
        old, at = text[start:end], 0
        if old in new:
            total += len(new) - len(old)
            continue
        if new in old:
            total += max(1.0, (len(old) - len(new)) * LEFT_OUT)
            continue
        while at < min(len(old), len(new)) and old[at] == new[at]:
            at += 1
        behind = 0
        while behind < min(len(old), len(new)) - at and old[-1 - behind] == new[-1 - behind]:
            behind += 1
        total += len(old) + len(new) - 2 * (at + behind)
    return total


def said(text: str, node: Term) -> str:
    """The text of a node."""
    return text[node.start : node.end]


def factors_of(node: Term) -> list[Term]:
    """The factors of a product of one sign, in the order in which they are printed."""
    if not isinstance(node, Infix) or node.sign in ("+", "-", "/"):
        return [node]
    left = factors_of(node.left) if isinstance(node.left, Infix) and node.left.sign == node.sign else [node.left]
    return [*left, node.right]


def placed(node: Term) -> Iterator[Term]:
    """Every node that stands in the text."""
    return (n for n in walk(node) if n.start >= 0)


def terms(node: Term) -> Iterator[Term]:
    """Nodes that are values: not scripts, not the letters of a derivative."""
    yield node
    if isinstance(node, Sym):
        return
    skip: list[Term] = []
    if isinstance(node, Deriv):
        return
    if isinstance(node, Apply):
        skip = [node.function]
    if isinstance(node, Sum):
        skip = [*node.index, *(x for x in (node.lower, node.upper, node.condition) if x is not None)]
    for child in children(node):
        if not any(child is s for s in skip):
            yield from terms(child)
