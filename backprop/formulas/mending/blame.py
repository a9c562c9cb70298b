"""What differs when no small change is right: terms off a diagonal, ways that are left out, or the whole right side."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import replace

from backprop.formulas.conventions.lookup import Meant
from backprop.formulas.judging.claims import PrintedClaim, claim_of
from backprop.formulas.judging.explained import reached
from backprop.formulas.judging.trials import FAILURES, Draw, find_difference, trials
from backprop.formulas.mending.spans import said
from backprop.formulas.text.tree import Bracket, Deriv, Infix, Num, Sym, walk

__all__ = ["blame"]

MOST_WAYS = 5
"""Quantities between the variable and the cost of which some may have been taken as constant."""
FEW = 4


def blame(claim: PrintedClaim, few: list[Draw]) -> str:
    """The term that differs, as far as it can be narrowed."""
    if uses_the_diagonal_only(claim, few):
        return "off-diagonal terms missing"
    held = next((names for names in ways(claim) if holds_with(claim, names)), None)
    if held is not None:
        return f"terms missing: those through {' and '.join(held)}, taken as constant"
    return said(claim.text, claim.right)


def ways(claim: PrintedClaim) -> Iterator[tuple[str, ...]]:
    """Quantities that lead from the variable to the cost, and sets of them; a definition that is no direct way."""
    node = None if claim.printed else derivative_of(claim)
    if node is None or not isinstance(node.below, Sym):
        return
    below = claim.lookup.naming.read(node.below).name
    lookup, top = claim.lookup, {name for name, _ in reached(claim, node.top)}
    between = [
        name
        for name, entries in lookup.entries.items()
        if name in top and name != below and not lookup.is_cost(name) and any(e.kind == "definition" for e in entries)
        if below in {n for n, _ in reached(claim, entries[0].body)}
    ]
    for count in range(1, min(len(between), 3) + 1):
        yield from itertools.combinations(between[:MOST_WAYS], count)


def holds_with(claim: PrintedClaim, names: tuple[str, ...]) -> bool:
    """Whether the right side is the derivative with some quantities kept constant, and no such derivative is 0."""
    conventions = replace(claim.conventions, fixed=[(Num("0"), [Sym(name) for name in names])])
    try:
        other = claim_of(claim.text, conventions, claim.sides, claim.conditions)
        draws = list(trials(other, FEW))
        return all(find_difference(trial, other) is None for trial in draws) and any(map(says_something, draws))
    except FAILURES:
        return False


def says_something(trial: Draw) -> bool:
    """Whether the left side is anything but 0."""
    return any(not x.is_zero() for value in trial.lefts.values() for x in value.reshape(-1))


def derivative_of(claim: PrintedClaim) -> Deriv | None:
    """The derivative that the left side is, or is short for."""
    left = claim.sides[-1][0]
    while isinstance(left, Bracket):
        left = left.value
    if isinstance(left, Sym):
        name = claim.lookup.naming.read(left).name
        entry = next(iter(claim.lookup.entries.get(name, [])), None)
        left = entry.body if entry is not None else left
    return left if isinstance(left, Deriv) else None


def uses_the_diagonal_only(claim: PrintedClaim, trials: list[Draw]) -> bool:
    """Whether the right side is dC/dy_i · dy_i/dx_i for a y that is defined by all of x."""
    node = derivative_of(claim)
    if node is None or not isinstance(node.below, Sym) or not isinstance(node.top, Sym):
        return False
    below = claim.lookup.naming.read(node.below)
    if not below.comps:
        return False
    return any(_is_diagonal(claim, trials, node, entry) for entry in users(claim, below.name))


def users(claim: PrintedClaim, name: str) -> list[Meant]:
    """Definitions with components that use a quantity."""
    entries = [e for listed in claim.lookup.entries.values() for e in listed if e.kind == "definition" and e.ref.comps]
    naming = claim.lookup.naming
    return [e for e in entries if any(isinstance(s, Sym) and naming.read(s).name == name for s in walk(e.body))]


def _is_diagonal(claim: PrintedClaim, trials: list[Draw], node: Deriv, entry: Meant) -> bool:
    assert isinstance(node.below, Sym)
    below = claim.lookup.naming.read(node.below)
    if len(entry.ref.comps) != len(below.comps):
        return False
    middle = Sym(entry.ref.name, below.comps)
    diagonal = Infix("*", Deriv(node.top, middle), Deriv(middle, node.below))
    return _holds(claim.with_left(diagonal), trials)


def _holds(claim: PrintedClaim, trials: list[Draw]) -> bool:
    try:
        return all(find_difference(trial.renewed(claim), claim) is None for trial in trials)
    except FAILURES:
        return False
