"""Whether every letter of a formula has a meaning: a difference in what nobody declared would say nothing."""

from __future__ import annotations

from collections.abc import Iterator

from backprop.formulas.conventions.letters import key_of, letters_of
from backprop.formulas.judging.claims import PrintedClaim
from backprop.formulas.meaning.arguments import KEYWORDS
from backprop.formulas.meaning.chance import Chance
from backprop.formulas.text.tree import (
    Apply,
    Deriv,
    Sum,
    Sym,
    Term,
    children,
    walk,
)  # fmt: skip

__all__ = ["differential", "unconnected", "unexplained"]

SIGNS = ("diagonal matrix", "transpose", "derivative", "second derivative", "concatenation", "brackets", "function")
"""Roles of letters that are no quantities."""


def unexplained(claim: PrintedClaim) -> tuple[Sym, str] | None:
    """A letter of the formula that nothing gives a meaning, so that a difference would say nothing."""
    naming, lookup = claim.lookup.naming, claim.lookup
    left = (claim.printed or claim.sides)[0][0]
    if isinstance(left, Sym) and not claim.printed and not is_known(claim, left, as_value=True):
        return left, f"nothing says what {said_of(claim, left)} equals"
    for symbol in (s for side in claim.sides for node in side for s in symbols_of(node)):
        roles = claim.conventions.roles
        sign = roles.get(symbol) in SIGNS or roles.get(Sym(symbol.base)) == "diagonal matrix"
        if sign and naming.read(symbol).name not in lookup.entries:
            return symbol, f"{said_of(claim, symbol)} is declared as a sign and stands here as a quantity"
    indices = {key_of(x) for s in naming.symbols for c in naming.read(s).comps for x in letters_of(c)}
    for symbol in (s for side in claim.sides for node in side for s in symbols_of(node)):
        if (
            key_of(symbol) in indices
            or key_of(symbol) in claim.places
            or symbol.base in ("e", "\\pi", "...", "\\infty", "1", "True", "False", *KEYWORDS)
        ):
            continue
        if not is_known(claim, symbol) and not lookup.is_kronecker(symbol):
            return symbol, f"nothing says what {said_of(claim, symbol)} is"
    return unconnected(claim) or unused(claim)


def differential(claim: PrintedClaim) -> tuple[Sym, str] | None:
    """dA by dS where A comes from S: as gradients they run the wrong way, as differentials they may not."""
    left, right = claim.sides[-1]
    if not (isinstance(left, Deriv) and isinstance(left.below, Sym) and is_short(claim, left)):
        return None
    names = reached(claim, left.below)
    for node in walk(right):
        if (
            isinstance(node, Deriv)
            and isinstance(node.below, Sym)
            and is_short(claim, node)
            and node.below != left.below
        ):
            ref = claim.lookup.naming.read(node.below)
            if not ref.places and (ref.name, 0) in names:
                return left.below, f"whether the d of {said_of(claim, left.below)} is a gradient or a differential"
    return None


def is_short(claim: PrintedClaim, node: Term) -> bool:
    """Whether a derivative is written as dX."""
    text = claim.text[node.start : node.end] if node.start >= 0 else "/"
    return "/" not in text and "frac" not in text and "nabla" not in text


def unused(claim: PrintedClaim) -> tuple[Sym, str] | None:
    """An assumption that says nothing of a law by itself, and that nothing was solved by."""
    constraints = [] if claim.printed else Chance(claim.lookup).constraints
    return (Sym("E"), "how one of the assumptions is met is not clear") if constraints else None


def unconnected(claim: PrintedClaim) -> tuple[Sym, str] | None:
    """A derivative by something that nothing leads from to what is differentiated."""
    for node in (d for side in claim.sides for tree in side for d in walk(tree) if isinstance(d, Deriv)):
        below = node.below
        if not isinstance(below, Sym):
            continue
        ref = claim.lookup.naming.read(below)
        if (ref.name, len(ref.places)) not in reached(claim, node.top):
            return below, f"nothing says how it depends on {said_of(claim, below)}"
    return None


def reached(claim: PrintedClaim, top: Term) -> set[tuple[str, int]]:
    """The names (and numbers of places) of all that a term depends on, through the definitions; any cost on all."""
    lookup, found, todo = claim.lookup, set[tuple[str, int]](), [top]
    while todo:
        for symbol in (s for s in walk(todo.pop()) if isinstance(s, Sym)):
            ref = lookup.naming.read(symbol)
            name = ref.name
            if (name, len(ref.places)) in found:
                continue
            found.add((name, len(ref.places)))
            todo += [entry.body for entry in lookup.entries.get(name, [])]
            todo += [entry.body for entry in lookup.functions.get(lookup.function_name(symbol), [])]
            role = claim.conventions.role(symbol) or ""
            if lookup.is_cost(name) or role.endswith("cost"):
                todo += claim.conventions.any_arguments or ()
                todo += [claim.conventions.cost] if claim.conventions.cost is not None else []
                free = not lookup.entries.get(name) and claim.conventions.any_arguments is None
                todo += [d.right for d in claim.conventions.definitions] if free else []
                todo += [d.left for d in claim.conventions.definitions] if free else []
                todo += list(lookup.naming.symbols) if role == "any cost" else []
    return found


def said_of(claim: PrintedClaim, symbol: Sym) -> str:
    """A symbol as it is printed."""
    return claim.text[symbol.start : symbol.end] if symbol.start >= 0 else symbol.base


def symbols_of(node: Term) -> Iterator[Sym]:
    """The symbols that are values: no indices, no names of functions."""
    if isinstance(node, Sym):
        yield node
        return
    skipped = [*node.index, node.lower, node.upper] if isinstance(node, Sum) else []
    skipped += [node.function] if isinstance(node, Apply) else []
    for child in children(node):
        if not any(child is s for s in skipped):
            yield from symbols_of(child)


def is_known(claim: PrintedClaim, symbol: Sym, as_value: bool = False) -> bool:
    """Whether the conventions speak of a symbol (as_value: whether they give its value)."""
    lookup, conventions = claim.lookup, claim.conventions
    name = lookup.naming.read(symbol).name
    if name in lookup.entries or name in lookup.functions or lookup.is_cost(name):
        return True
    if as_value:
        return False
    named = conventions.role(symbol) is not None or any(lookup.naming.read(s).name == name for s in conventions.shapes)
    used = {lookup.naming.read(s).name for d in conventions.definitions for s in walk(d.right) if isinstance(s, Sym)}
    counted = any(name == word for words in conventions.shapes.values() for word in words)
    return named or counted or name in used or symbol.base in conventions.raw.get("layers", {})
