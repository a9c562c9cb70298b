"""What may stand on the left of a definition and is no single letter: a derivative, a fraction, a product.

Such a left side becomes one letter with the scripts of the first letter in it that has any, here and wherever the same
form stands in the formula or in another definition.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from backprop.formulas.text.lexicon import Lexicon
from backprop.formulas.text.parser import Parser
from backprop.formulas.text.tokens import Lexeme, tokenise
from backprop.formulas.text.tree import (
    Apply,
    Bracket,
    Concat,
    Deriv,
    Indexed,
    NotUnderstood,
    Rewriting,
    Sym,
    Term,
    Turned,
    rewrite,
    walk,
)

if TYPE_CHECKING:
    from backprop.formulas.conventions.keys import Conventions

__all__ = [
    "as_letters",
    "both",
    "is_any_derivative",
    "is_same_derivative",
    "one_letter",
    "parse_derivative",
    "with_hidden_places",
]

PLAIN = (Sym, Apply, Indexed, Concat, Turned)


def bare(node: Term) -> Term:
    """A left side without brackets."""
    while isinstance(node, Bracket):
        node = node.value
    return node


def is_same_derivative(left: Term, right: Term) -> bool:
    """Whether a letter's key is itself read as the derivative that it is called: \\nabla_w L: dL/dw.

    >>> w, cost = Sym("w"), Sym("L")
    >>> is_same_derivative(Deriv(cost, w), Deriv(cost, w))
    True
    """
    if not (isinstance(left, Deriv) and isinstance(right, Deriv)):
        return left == right
    top = left.top.function if isinstance(left.top, Apply) else left.top
    twice = (left.order == 2 or left.second is not None) == (right.order == 2 or right.second is not None)
    return twice and (top, left.below) == (right.top, right.below)


def is_any_derivative(key: str, text: str) -> bool:
    """dX: dL/dX, \\nabla_{X} J: dJ/dX, for any X.

    >>> is_any_derivative("dX", "dL/dX"), is_any_derivative("g", "dL/dx")
    (True, False)
    """
    return bool(re.search(r"/\s*d\s*X$", text.strip())) and any(t.text.endswith("X") for t in tokenise(key))


def parse_derivative(text: str, lexicon: Lexicon) -> Term:
    """dC/dz^l as it stands in `letters`, where d is always a differential."""
    tokens = tokenise(text)
    parser = Parser(
        [Lexeme("word", "\\partial", t.start, t.start + 1) if t.text == "d" else t for t in _cut(tokens)],
        lexicon,
        len(text),
    )
    node = parser.derivative()
    if parser.kind != "end" or not isinstance(node, Deriv):
        raise NotUnderstood(f"the derivative {text!r} is not clear", parser.at)
    return node


def _cut(tokens: list[Lexeme]) -> list[Lexeme]:
    """dL as d L, at the top and at the bottom."""
    out: list[Lexeme] = []
    for at, token in enumerate(tokens):
        opens = at == 0 or tokens[at - 1].text == "/"
        if opens and token.kind == "word" and token.text.startswith("d") and len(token.text) > 1:
            out.append(Lexeme("word", "d", token.start, token.start + 1))
            out.append(Lexeme("word", token.text[1:].lstrip("_"), token.start + 1, token.end))
        else:
            out.append(token)
    return out


def carrier(node: Term) -> Sym | None:
    """The letter whose scripts say which one a composite name is: of a derivative its variable."""
    inside = [s for s in walk(node.below if isinstance(node, Deriv) else node) if isinstance(s, Sym)]
    inside += [s for s in walk(node) if isinstance(s, Sym)]
    return next((s for s in inside if s.subs or s.sups), inside[0] if inside else None)


def one_letter(node: Term) -> tuple[Term, Sym] | None:
    """The form of a composite name (without the scripts of its carrier), and the letter that stands for it."""
    node = bare(node)
    owner = None if isinstance(node, PLAIN) else carrier(node)
    if owner is None:
        return None
    form: Term = rewrite(node, lambda one: replace(one, subs=(), sups=()) if one == owner else one)
    names = "".join(s.base for s in walk(form) if isinstance(s, Sym))
    kind = "d" if isinstance(node, Deriv) else "of "
    return form, Sym(kind + names, owner.subs, owner.sups, start=node.start, end=node.end)


def both(one: Rewriting, two: Rewriting) -> Rewriting:
    """One change after the other."""
    return lambda node: two(one(node))


def signature(letter: Sym) -> tuple[str, int, int]:
    """A name and how many scripts it has."""
    return letter.base, len(letter.subs), len(letter.sups)


def as_letters(conventions: Conventions) -> Rewriting:
    """Make the composite left sides letters in all definitions; the same change for the formula itself."""
    found = [one_letter(stated.left) for stated in [*conventions.definitions, *conventions.aliases]]
    known = {one[0]: signature(one[1]) for one in found if one is not None}

    def change(node: Term) -> Term:
        found = None if isinstance(node, PLAIN) or not known else one_letter(node)
        if found is None or found[0] not in known:
            return node
        return found[1] if known[found[0]] == signature(found[1]) else node

    def whole(node: Term) -> Term:
        changed: Term = rewrite(node, change)
        return changed

    if not known:
        return lambda node: node
    conventions.definitions = [
        replace(d, left=whole(bare(d.left)), right=whole(d.right)) for d in conventions.definitions
    ]
    conventions.aliases = [replace(d, left=whole(bare(d.left))) for d in conventions.aliases]
    conventions.cost = whole(conventions.cost) if conventions.cost is not None else None
    return whole


def at_one_step(conventions: Conventions) -> dict[str, Sym]:
    """Letters without scripts defined by an earlier step of what they define, and the symbol that has the step."""
    moved: dict[str, Sym] = {}
    for stated in conventions.definitions:
        left = stated.left
        if not isinstance(left, Sym) or left.subs or left.sups:
            continue
        inside = {s.base for s in walk(stated.right) if isinstance(s, Sym) and (s.subs or s.sups)}
        for other in conventions.definitions:
            user = other.left
            uses = any(isinstance(s, Sym) and s == left for s in walk(other.right))
            if isinstance(user, Sym) and uses and user.base in inside and len(user.subs) + len(user.sups) == 1:
                moved[left.base] = user
    return moved


def with_hidden_places(conventions: Conventions) -> Rewriting:
    """hraw = W x[t] + U h[t-1], h[t] = tanh(hraw): what is defined at one step and printed without it stands at it."""
    moved = at_one_step(conventions)

    def change(node: Term) -> Term:
        if isinstance(node, Sym) and node.base in moved and not node.subs and not node.sups:
            return replace(node, subs=moved[node.base].subs, sups=moved[node.base].sups)
        return node

    def whole(node: Term) -> Term:
        changed: Term = rewrite(node, change)
        return changed

    if not moved:
        return lambda node: node
    conventions.definitions = [replace(d, left=whole(d.left), right=whole(d.right)) for d in conventions.definitions]
    conventions.aliases = [replace(d, right=whole(d.right)) for d in conventions.aliases]
    return whole
