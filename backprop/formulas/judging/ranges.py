"""Where single letters are drawn from: all of what the domain allows, both signs and far from its ends."""

from __future__ import annotations

from fractions import Fraction

from backprop.formulas.judging.claims import PrintedClaim
from backprop.formulas.meaning.scene import Reach
from backprop.formulas.text.tree import Bracket, Compare, Concat, Infix, Neg, Num, Sym, Term

__all__ = ["ranges"]

NEAR = 2.0
FAR = 8.0
"""How far a letter with one limit goes from it, in most trials and in one of four."""
SIGNED = ("scale", "penalty", "one number")
"""Roles that are drawn positive until the domain says that only 0 is left out."""
WHOLE_NUMBERS = ("N", "Z")


def ranges(claim: PrintedClaim, seed: int) -> dict[str, Reach]:
    """For each letter that the domain limits by numbers: from where to where, and whether whole numbers only."""
    found: dict[str, Reach] = {}
    for node in claim.conventions.domain:
        if (values := values_of(node)) is not None:
            found[claim.lookup.naming.read(values[0]).name] = Reach(among=values[1])
            continue
        for letter, sign, number in limits_of(node):
            name = claim.lookup.naming.read(letter).name
            before = found.get(name, Reach())
            if sign == "!=":
                if number == 0 and claim.conventions.role(letter) in SIGNED:
                    found.setdefault(name, Reach(-NEAR, NEAR))
                continue
            found[name] = narrowed(before, sign, number)
    span = FAR if seed % 4 == 3 else NEAR
    return {name: one.closed(span) for name, one in found.items()}


def values_of(node: Term) -> tuple[Sym, tuple[float, ...]] | None:
    """A letter and the values that it may have: y = 1 or y = -1."""
    if not isinstance(node, Compare):
        return None
    if node.sign == "or":
        one, two = values_of(node.left), values_of(node.right)
        return (one[0], one[1] + two[1]) if one and two and one[0] == two[0] else None
    value = constant(node.right) if node.sign == "=" else None
    return (node.left, (value,)) if isinstance(node.left, Sym) and value is not None else None


def narrowed(before: Reach, sign: str, number: float | None) -> Reach:
    """A range with one more limit."""
    low, high, whole = before.low, before.high, before.whole
    if number is None:
        return Reach(max(low, 0.0) if sign == "N" else low, high, True)
    if sign in ("<", "<="):
        return Reach(low, min(high, number), whole)
    return Reach(max(low, number), high, whole)


def limits_of(node: Term) -> list[tuple[Sym, str, float | None]]:
    """letter, sign, number for every comparison of a letter with a number: 0 < y < 1, x in (0, 1), n in N."""
    found: list[tuple[Sym, str, float | None]] = []
    while isinstance(node, Compare):
        right = node.right.left if isinstance(node.right, Compare) else node.right
        found += _of_pair(node.left, node.sign, right)
        node = node.right
    return found


def _of_pair(left: Term, sign: str, right: Term) -> list[tuple[Sym, str, float | None]]:
    turned = {"<": ">", ">": "<", "<=": ">=", ">=": "<=", "!=": "!="}
    if isinstance(left, Sym) and sign == "\\in":
        if isinstance(right, Sym) and right.base in WHOLE_NUMBERS:
            return [(left, right.base, None)]
        ends = [constant(item) for item in right.items] if isinstance(right, Concat) else []
        if len(ends) != 2:
            return []
        return [(left, s, end) for s, end in zip((">", "<"), ends, strict=True) if end is not None]
    if sign not in turned:
        return []
    one, other = constant(left), constant(right)
    if isinstance(left, Sym) and other is not None:
        return [(left, sign, other)]
    return [(right, turned[sign], one)] if isinstance(right, Sym) and one is not None else []


def constant(node: Term) -> float | None:
    """A number, with its sign, or a fraction of numbers.

    >>> constant(Neg(Infix("/", Num("1"), Num("2"))))
    -0.5
    """
    if isinstance(node, Num):
        return float(Fraction(node.text))
    if isinstance(node, (Neg, Bracket)):
        inner = constant(node.value)
        return inner if inner is None or isinstance(node, Bracket) else -inner
    if isinstance(node, Infix) and node.sign == "/":
        above, below = constant(node.left), constant(node.right)
        return above / below if above is not None and below else None
    return None
