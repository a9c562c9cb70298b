"""Edits of a printed text: pieces with what stands there instead, and the terms that they change."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from backprop.formulas.text.tree import (
    Apply,
    Deriv,
    Sum,
    Sym,
    Term,
    children,
    walk,
)  # fmt: skip

__all__ = ["Change", "apply_edit", "said", "terms"]


Span = tuple[int, int, str]


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


def said(text: str, node: Term) -> str:
    """The text of a node."""
    return text[node.start : node.end]


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
