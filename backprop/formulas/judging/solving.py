"""Formulas that follow from assumptions: the claim is put in for the unknown, and the assumption must come true."""

from __future__ import annotations

from dataclasses import replace

from backprop.formulas.conventions.keys import Stated
from backprop.formulas.conventions.lookup import Lookup
from backprop.formulas.judging.moments import solve_moments
from backprop.formulas.meaning.chance import Chance, is_statistic
from backprop.formulas.text.tree import Apply, Bracket, Compare, Infix, Num, Raised, Sym, Term, walk

__all__ = ["solve"]


def solve(lookup: Lookup, sides: list[tuple[Term, Term]]) -> tuple[Lookup, list[tuple[Term, Term]]] | None:
    """If the left side is an unknown of the assumptions: the claim that they hold with the right side in its place."""
    left, right = isolated(*sides[0])
    chance = Chance(lookup)
    constraints = [node for node in chance.constraints if isinstance(node, Compare)]
    unknown = left
    while isinstance(unknown, Bracket):
        unknown = unknown.value
    if isinstance(unknown, Sym) and is_free(lookup, unknown):
        if (found := solve_moments(lookup, unknown, right)) is not None:
            return found
        wanted = [c for c in constraints if mentions(c, unknown, lookup)]
        wanted += [c for c in settled(lookup, chance) if not wanted]
        return (defined(lookup, unknown, right), [(c.left, c.right) for c in wanted]) if wanted else None
    if isinstance(unknown, Apply) and len(unknown.args) == 1 and isinstance(unknown.args[0], Sym):
        return solve_variance(lookup, chance, unknown, right) or solve_moments(lookup, unknown, right)
    return None


def isolated(left: Term, right: Term) -> tuple[Term, Term]:
    """a Var[w] / b = c as Var[w] = c b / a, where Var[w] is the one statistic of the left side."""
    while isinstance(left, Bracket):
        left = left.value
    while isinstance(left, Infix) and left.sign not in ("+", "-"):
        mine, other = (left.left, left.right) if has_statistic(left.left) else (left.right, left.left)
        if has_statistic(other) or not has_statistic(mine) or (left.sign == "/" and mine is left.right):
            break
        sign = "*" if left.sign == "/" else "/"
        left, right = mine, Infix(sign, Bracket(right), Bracket(other))
        while isinstance(left, Bracket):
            left = left.value
    return left, right


def has_statistic(node: Term) -> bool:
    """Whether an expectation or a variance stands in a term."""
    return any(isinstance(n, Apply) and is_statistic(n.function.base) is not None for n in walk(node))


def is_free(lookup: Lookup, symbol: Sym) -> bool:
    """Whether no definition gives this quantity."""
    return lookup.naming.read(symbol).name not in lookup.entries


def mentions(node: Term, unknown: Sym, lookup: Lookup) -> bool:
    """Whether an equation speaks of a quantity, or of one that is distributed by it."""
    name = lookup.naming.read(unknown).name
    if any(isinstance(s, Sym) and lookup.naming.read(s).name == name for s in walk(node)):
        return True
    drawn = [a for a in lookup.conventions.assumptions if isinstance(a, Compare) and a.sign == "~"]
    families = [
        a.left for a in drawn if any(isinstance(s, Sym) and lookup.naming.read(s).name == name for s in walk(a.right))
    ]
    names = {lookup.naming.read(f).name for f in families if isinstance(f, Sym)}
    return any(isinstance(s, Sym) and lookup.naming.read(s).name in names for s in walk(node))


def settled(lookup: Lookup, chance: Chance) -> list[Compare]:
    """Equations that speak of quantities with a given distribution."""
    found = []
    for node in lookup.conventions.assumptions:
        if isinstance(node, Compare) and node.sign == "=" and isinstance(node.left, Apply):
            inner = node.left.args[0]
            if isinstance(inner, Sym) and (law := chance.laws.get(chance.family(inner))) and law.drawn_from is not None:
                found.append(node)
    return found


def defined(lookup: Lookup, unknown: Sym, right: Term) -> Lookup:
    """The same conventions with the claim as a definition."""
    conventions = replace(lookup.conventions, definitions=[*lookup.conventions.definitions, Stated(unknown, right)])
    lookup.naming.conventions = conventions
    return Lookup(conventions, lookup.naming)


def solve_variance(
    lookup: Lookup, chance: Chance, unknown: Apply, right: Term
) -> tuple[Lookup, list[tuple[Term, Term]]] | None:
    """Var[w] = … from an equation between the variances of two layers."""
    inner, kind = unknown.args[0], is_statistic(unknown.function.base)
    assert isinstance(inner, Sym)
    law = chance.laws.get(chance.family(inner))
    wanted = [c for c in chance.constraints if chance.touches(c)]
    if kind not in ("Var", "std") or law is None or not wanted or chance.is_defined(inner):
        return None
    if law.variance is not None or law.drawn_from is not None:
        return None
    value = Raised(Bracket(right), Num("2")) if kind == "std" else right
    assumption = Compare("=", Apply(Sym("Var"), (inner,)), value)
    kept = [a for a in lookup.conventions.assumptions if a not in wanted]
    conventions = replace(lookup.conventions, assumptions=[assumption, *kept])
    lookup.naming.conventions = conventions
    return Lookup(conventions, lookup.naming), [(c.left, c.right) for c in wanted]
