"""Assumptions that are equations between means and variances: each of these is a number, and the claim is one more.

Var[y_l] = n_l Var[w_l] E[x_l^2] says nothing of the law of y, w or x.  So Var[y_l] and the others are read as
quantities of their own; the first equation of each gives it, the next ones must come true with the claim put in.
"""

from __future__ import annotations

from dataclasses import replace

from backprop.formulas.conventions.keys import Conventions, Stated
from backprop.formulas.conventions.lookup import Lookup
from backprop.formulas.conventions.naming import Naming
from backprop.formulas.meaning.chance import is_statistic
from backprop.formulas.text.tree import Apply, Bracket, Compare, Num, Sym, Term, rewrite, walk

__all__ = ["solve_moments"]

Sides = list[tuple[Term, Term]]


def solve_moments(lookup: Lookup, left: Term, right: Term) -> tuple[Lookup, Sides] | None:
    """The claim that the equations come true with the right side for the left one; None if there are none."""
    conventions = lookup.conventions
    equations = [node for node in conventions.assumptions if isinstance(node, Compare) and node.sign == "="]
    rest = [node for node in conventions.assumptions if node not in equations]
    if not equations or not all(is_positive(node) for node in rest):
        return None
    plain = [as_quantities(node, lookup) for node in [left, right, *equations, *rest]]
    if any(node is None for node in plain):
        return None
    unknown, value, *wanted = (node for node in plain[: 2 + len(equations)] if node is not None)
    if not isinstance(unknown, Sym):
        return None
    given, open_ones = divided(lookup, [Stated(unknown, value)], wanted)
    return (with_definitions(conventions, lookup, given), open_ones) if open_ones else None


def divided(lookup: Lookup, given: list[Stated], wanted: list[Term]) -> tuple[list[Stated], Sides]:
    """The equations that give a quantity which nothing gave before, and those that must come true."""
    open_ones: Sides = []
    for node in wanted:
        assert isinstance(node, Compare)
        known = {name_of(one.left, lookup) for one in given}
        if isinstance(node.left, Sym) and name_of(node.left, lookup) not in known:
            given = [*given, Stated(node.left, node.right)]
        else:
            open_ones.append((node.left, node.right))
    return given, open_ones


def is_positive(node: Term) -> bool:
    """Whether an assumption only says that something is positive, as all these quantities are."""
    return isinstance(node, Compare) and node.sign in (">", ">=", "!=") and node.right == Num("0")


def name_of(node: Term, lookup: Lookup) -> str:
    """The name of a quantity."""
    return str(lookup.naming.read(node).name) if isinstance(node, Sym) else ""


def as_quantities(node: Term, lookup: Lookup) -> Term | None:
    """A term with every mean and variance as a letter; None if one of them is not of a single letter that is free."""
    outside: list[Term] = []

    def change(one: Term) -> Term:
        if not (isinstance(one, Apply) and is_statistic(one.function.base) and not one.function.primes):
            return one
        inner = one.args[0] if len(one.args) == 1 else one
        while isinstance(inner, Bracket):
            inner = inner.value
        if not isinstance(inner, Sym) or lookup.naming.read(inner).name in lookup.entries or one.function.subs:
            outside.append(one)
            return one
        ref = lookup.naming.read(inner)
        power = "" if ref.power is None else "^" + getattr(ref.power, "text", "?")
        kept = tuple(script for script in inner.sups if script.value != ref.power)
        base = f"{is_statistic(one.function.base)}[{ref.name}{power}]"
        return Sym(base, inner.subs, kept, start=one.start, end=one.end)

    changed: Term = rewrite(node, change)
    return None if outside else changed


def with_definitions(conventions: Conventions, lookup: Lookup, given: list[Stated]) -> Lookup:
    """The conventions with the equations as definitions and nothing random in them."""
    trees = [*lookup.naming.trees, *(node for one in given for node in (one.left, one.right))]
    letters = {Sym(s.base): "parameter" for tree in trees for s in walk(tree) if isinstance(s, Sym) and "[" in s.base}
    roles = {**conventions.roles, **letters}
    changed = replace(
        conventions, assumptions=[], roles=roles, definitions=[*conventions.definitions, *given]
    )  # fmt: skip
    return Lookup(changed, Naming(changed, trees))
