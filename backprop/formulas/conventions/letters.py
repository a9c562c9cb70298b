"""Index letters: as keys, inside an index expression, and a named script as text."""

from __future__ import annotations

from backprop.formulas.text.tree import Infix, Neg, Num, Sym, Term

__all__ = ["key_of", "letters_of", "words_of"]


def key_of(symbol: Sym) -> str:
    """An index letter as a key: j', n_l.

    >>> key_of(Sym("j", primes=1))
    "j'"
    """
    subs = "".join(
        "_" + key_of(sub) if isinstance(sub, Sym) else "_" + getattr(sub, "text", "?") for sub in symbol.subs
    )
    return symbol.base + subs + "'" * symbol.primes


def letters_of(node: Term) -> list[Sym]:
    """The letters of an index expression."""
    if isinstance(node, Sym):
        return [node]
    if isinstance(node, Infix):
        return letters_of(node.left) + letters_of(node.right)
    return letters_of(node.value) if isinstance(node, Neg) else []


def words_of(node: Term) -> str:
    """A named script as text."""
    if isinstance(node, Sym):
        return "_".join([node.base, *[words_of(sub) for sub in node.subs]])
    if isinstance(node, Num):
        return node.text
    if isinstance(node, Infix):
        return words_of(node.left) + node.sign + words_of(node.right)
    return "-" + words_of(node.value) if isinstance(node, Neg) else type(node).__name__
