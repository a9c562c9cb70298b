"""Other conventions: each is a change of what a formula is judged against, with the words that name it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from backprop.formulas.conventions.keys import Conventions, Stated
from backprop.formulas.conventions.letters import key_of, letters_of
from backprop.formulas.conventions.naming import Naming
from backprop.formulas.judging.claims import PrintedClaim, claim_of
from backprop.formulas.text.tree import (
    Bracket,
    Deriv,
    Infix,
    Neg,
    Num,
    Rewriting,
    Script,
    Sum,
    Sym,
    Term,
    Turned,
    rewrite,
    walk,
)

__all__ = ["variants"]

LAYOUTS = ("numerator", "denominator", "gradient has the shape of its variable")


def variants(claim: PrintedClaim) -> Iterator[tuple[str, PrintedClaim]]:
    """The claim under other conventions, one change at a time."""
    if claim.printed:
        return
    yield from _weights(claim)
    yield from _layouts(claim)
    yield from _products(claim)
    yield from _costs(claim)
    yield from _summed(claim)


def under(claim: PrintedClaim, **changes: Any) -> PrintedClaim:
    """The same two sides under changed conventions."""
    conventions = replace(claim.conventions, **changes)
    return claim_of(claim.text, conventions, claim.sides, claim.conditions)


def _redefined(claim: PrintedClaim, change: Rewriting) -> list[Stated]:
    return [Stated(d.left, rewrite(d.right, change)) for d in claim.conventions.definitions]


def weights_of(conventions: Conventions) -> set[str]:
    """Letters of weights."""
    named = {key.base for key, role in conventions.roles.items() if role == "weight"}
    return named | {k for k in conventions.raw.get("layers", {}) if len(k) == 1}


def _weights(claim: PrintedClaim) -> Iterator[tuple[str, PrintedClaim]]:
    """Rows and columns of the weights exchanged; weights named by the layer that they leave (or reach)."""
    bases, naming = weights_of(claim.conventions), claim.lookup.naming
    if not bases:
        return

    def turn(node: Term) -> Term:
        if not isinstance(node, Sym) or node.base not in bases:
            return node
        comps = naming.read(node).comps
        if len(comps) == 2 and all(c in node.subs for c in comps):
            order = {comps[0]: comps[1], comps[1]: comps[0]}
            return replace(node, subs=tuple(order.get(s, s) for s in node.subs))
        return Turned(node) if not comps else node

    shapes = {s: dims[::-1] if s.base in bases else dims for s, dims in claim.conventions.shapes.items()}
    name = "with the other order of the indices (rows and columns) of the weights"
    yield name, under(claim, definitions=_redefined(claim, turn), shapes=shapes)
    for shift, words in ((-1, "named by the layer they leave"), (1, "named by the layer they reach")):
        change = _shifted(naming, bases, shift)
        yield f"with weights {words}", under(claim, definitions=_redefined(claim, change))


def _shifted(naming: Naming, bases: set[str], shift: int) -> Rewriting:
    def change(node: Term) -> Term:
        if not isinstance(node, Sym) or node.base not in bases:
            return node
        places = [p for kind, p in naming.read(node).places if kind == "layer"]
        if not places:
            return node
        moved = Infix("+" if shift > 0 else "-", places[0], Num("1"))
        sups = tuple(Script(moved, s.bracket) if s.value == places[0] else s for s in node.sups)
        return replace(node, sups=sups, subs=tuple(moved if s == places[0] else s for s in node.subs))

    return change


def _layouts(claim: PrintedClaim) -> Iterator[tuple[str, PrintedClaim]]:
    """The derivative of a vector written the other way."""
    current = claim.conventions.word("layout")
    for layout in LAYOUTS:
        if layout != current and current is not None:
            raw = {**claim.conventions.raw, "layout": layout}
            yield f"in the layout: {layout}", under(claim, raw=raw)


def _products(claim: PrintedClaim) -> Iterator[tuple[str, PrintedClaim]]:
    """A sign of a product read as the other product."""
    used = {n.sign for side in claim.sides for n in walk(side[1]) if isinstance(n, Infix)} - {"+", "-", "/"}
    for sign in used:
        for kind in ("elementwise", "matrix"):
            if claim.conventions.products.get(sign) not in (kind, None):
                products = {**claim.conventions.products, sign: kind}
                shown = sign or "juxtaposition"
                yield f"with {shown} as the {kind} product", under(claim, products=products, operand_products=[])


def _costs(claim: PrintedClaim) -> Iterator[tuple[str, PrintedClaim]]:
    """The cost, or the error, with another factor."""
    conventions = claim.conventions
    counts = [key for key, role in conventions.roles.items() if role == "number of samples"]
    factors: list[tuple[str, Term]] = [("twice as large", Num("2")), ("half as large", Infix("/", Num("1"), Num("2")))]
    factors += [("summed over the samples instead of averaged", count) for count in counts]
    factors += [("averaged over the samples instead of summed", Infix("/", Num("1"), count)) for count in counts]
    factors.append(("with the other sign", Neg(Num("1"))))
    costs = {d.left for d in conventions.definitions if claim.lookup.is_cost(getattr(d.left, "base", ""))}
    for name, factor in factors:
        if costs and not isinstance(factor, Neg):
            scaled = [
                Stated(d.left, _times(factor, d.right) if d.left in costs else d.right) for d in conventions.definitions
            ]
            yield f"with a cost {name}", under(claim, definitions=scaled)
        errors = [Stated(d.left, _times(factor, d.right) if _is_error(d) else d.right) for d in conventions.aliases]
        if isinstance(factor, Neg) and errors != conventions.aliases:
            yield "with errors (delta) of the other sign", under(claim, aliases=errors)


def _is_error(definition: Stated) -> bool:
    return isinstance(definition.right, Deriv) and getattr(definition.left, "base", "") in ("\\delta", "delta")


def _times(factor: Term, node: Term) -> Term:
    return Infix("*", Bracket(factor), Bracket(node))


def _summed(claim: PrintedClaim) -> Iterator[tuple[str, PrintedClaim]]:
    """Repeated indices summed."""
    left, right = claim.sides[-1]
    naming = claim.lookup.naming
    there = {key_of(x) for s in walk(left) if isinstance(s, Sym) for c in naming.read(s).comps for x in letters_of(c)}
    loose = [key for key in claim.letters if key not in there]
    if loose:
        summed = Sum("sum", tuple(Sym(key) for key in loose), None, None, right)
        other = claim_of(claim.text, claim.conventions, [*claim.sides[:-1], (left, summed)], claim.conditions)
        yield f"with a sum over the repeated index {', '.join(loose)}", other
