"""What differs when no small change is right: terms off a diagonal, or the whole right side."""

from __future__ import annotations

from backprop.formulas.conventions.lookup import Meant
from backprop.formulas.judging.claims import PrintedClaim
from backprop.formulas.judging.spans import said
from backprop.formulas.judging.trials import FAILURES, Draw, find_difference
from backprop.formulas.text.tree import Bracket, Deriv, Infix, Sym, walk

__all__ = ["blame"]


def blame(claim: PrintedClaim, trials: list[Draw]) -> str:
    """The term that differs, as far as it can be narrowed."""
    if uses_the_diagonal_only(claim, trials):
        return "off-diagonal terms missing"
    return said(claim.text, claim.right)


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
