"""Marks in a text: what stands alone or before a bracket, lines with d above and below, the places of scripts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from backprop.formulas.conventions.letters import letters_of
from backprop.formulas.text.tokens import Lexeme
from backprop.formulas.text.tree import Bracket, Infix, Num, Sym, Term

__all__ = ["bare_of", "closing", "elsewhere", "is_d", "is_index", "places_of", "shifted", "uses"]


def closing(words: list[str], opening: int) -> int:
    """Where a brace closes."""
    depth = 0
    for at in range(opening, len(words)):
        depth += (words[at] == "{") - (words[at] == "}")
        if depth == 0:
            return at
    return len(words)


def is_d(words: list[str], at: int) -> bool:
    """Whether a differential begins there."""
    return 0 <= at < len(words) and (words[at].startswith("d") or words[at] == "\\partial")


def bare_of(node: Term) -> Term:
    """A left side without brackets."""
    while isinstance(node, Bracket):
        node = node.value
    return node


def uses(tokens: list[Lexeme]) -> Iterator[tuple[str, bool]]:
    """Every letter, and whether it stands alone; what stands behind d or ∂ is no use."""
    for at, token in enumerate(tokens):
        if token.kind != "word":
            continue
        name, end = token.text.partition("_")[0] or token.text, at + 1
        before = tokens[at - 1].text if at else ""
        if before in ("_", "^", "\\partial", "d") or (before == "{" and at > 1 and tokens[at - 2].text in ("_", "^")):
            continue
        while end < len(tokens) and tokens[end].text in ("'", "_", "^"):
            end = skip_script(tokens, end)
        yield name, not (end < len(tokens) and tokens[end].text in ("(", "["))


def skip_script(tokens: list[Lexeme], at: int) -> int:
    """Behind a prime or a script."""
    if tokens[at].text == "'":
        return at + 1
    if at + 1 < len(tokens) and tokens[at + 1].text == "{":
        depth = 0
        for end in range(at + 1, len(tokens)):
            depth += (tokens[end].text == "{") - (tokens[end].text == "}")
            if depth == 0:
                return end + 1
        return len(tokens)
    return at + 2


def is_index(text: str) -> bool:
    """Whether a token is a small letter that mostly counts."""
    return text in ("i", "j", "k", "l", "m", "n")


def places_of(symbol: Sym) -> Iterable[tuple[str, str]]:
    """Single letters in scripts, with or without a shift: (subscript, t) of h_{t-1}."""
    scripts = [("subscript", s) for s in symbol.subs] + [("superscript", s.value) for s in symbol.sups]
    for place, node in scripts:
        letters = letters_of(node)
        if len(letters) == 1 and isinstance(node, (Sym, Infix)):
            yield place, letters[0].base


def elsewhere(symbol: Sym, other: Sym, letter: str, place: str) -> bool:
    """Whether a symbol stands at another step of that letter than the other one."""
    mine, theirs = steps_of(symbol, letter, place), steps_of(other, letter, place)
    return bool(mine) and bool(theirs) and mine != theirs


def steps_of(symbol: Sym, letter: str, place: str) -> list[Term]:
    """The scripts with that letter."""
    scripts: Iterable[Term] = symbol.subs if place == "subscript" else [s.value for s in symbol.sups]
    return [s for s in scripts if letters_of(s) == [Sym(letter)]]


def shifted(symbol: Sym, letter: str, place: str) -> bool:
    """Whether a symbol stands at a place one step off."""
    scripts: Iterable[Term] = symbol.subs if place == "subscript" else [s.value for s in symbol.sups]
    return any(
        isinstance(s, Infix) and s.sign in "+-" and isinstance(s.right, Num) and s.left == Sym(letter) for s in scripts
    )
