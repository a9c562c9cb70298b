"""Changes of a product: turned round, two factors left out, the slope of another function, where a root ends."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

from backprop.formulas.judging.claims import PrintedClaim
from backprop.formulas.mending.pools import power_of, transpose_sign
from backprop.formulas.mending.spans import Change, factors_of, said
from backprop.formulas.text.tree import (
    Apply,
    Bracket,
    Deriv,
    Infix,
    Num,
    Raised,
    Sym,
    Term,
    Turned,
)  # fmt: skip

__all__ = ["of_derivative", "of_product"]


def of_derivative(text: str, node: Deriv, claim: PrintedClaim) -> Iterator[Change]:
    """dS turned, where it is a matrix."""
    whole, turned = said(text, node), transpose_sign(text, claim)
    below = node.below
    if isinstance(below, Sym) and not claim.lookup.naming.read(below).comps:
        if turned == ".T" and whole.isidentifier():
            yield Change(((node.start, node.end, whole + turned),), whole)
        inner = f"\\left({whole}\\right)" if "\\frac" in whole else whole if whole.isalnum() else f"({whole})"
        yield Change(((node.start, node.end, inner + turned),), whole)


def of_product(text: str, node: Infix, claim: PrintedClaim) -> Iterator[Change]:
    """b aᵀ for a bᵀ; two factors left out at once; brackets of a function or a root that end too early or too late."""
    if node.sign in ("+", "-"):
        yield from _of_reach(text, node)
        return
    factors = factors_of(node)
    if len(factors) == 2 and node.sign != "/":
        one, two = (turn(text, f, claim) for f in factors)
        if one and two:
            sign = text[node.left.end : node.right.start]
            yield Change(((node.start, node.end, f"{two}{sign}{one}"),), said(text, node), 1)
    yield from _of_slopes(text, factors)
    if node.sign != "/" and node.left.end <= node.right.start:
        one, two = said(text, node.left), said(text, node.right)
        new = f"\\frac{{{one}}}{{{two}}}" if "\\" in text else f"{one} / ({two})"
        yield Change(((node.start, node.end, new),), two, 1)
    for at in range(len(factors) - 1):
        first, second = factors[at], factors[at + 1]
        if len(factors) > 2 and node.end == factors[-1].end and first.end <= second.start:
            cut = (
                (first.start, factors[at + 2].start, "")
                if at + 2 < len(factors)
                else (factors[at - 1].end, second.end, "")
            )
            yield Change((cut,), text[first.start : second.end], 1)


def _of_slopes(text: str, factors: list[Term]) -> Iterator[Change]:
    """1 - a^2, the slope of tanh, for a (1 - a), that of the logistic function, and the other way round."""
    for one, two in itertools.pairwise(factors):
        if isinstance(two, Bracket) and two.value == Infix("-", Num("1"), one) and one.end <= two.start:
            inner = f"({text[two.value.start : two.value.right.start]}{power_of(text, one, '2')})"
            yield Change(((one.start, two.end, inner),), text[one.start : two.end], 1)
    for factor in factors:
        value = factor.value if isinstance(factor, Bracket) else factor
        if isinstance(factor, Bracket) and isinstance(value, Infix) and value.sign == "-" and value.left == Num("1"):
            root = rooted(text, value.right)
            if root is not None:
                kept = f"{root} ({text[value.start : value.right.start]}{root})"
                yield Change(((factor.start, factor.end, kept),), said(text, factor), 1)


def rooted(text: str, node: Term) -> str | None:
    """The text of a in a^2."""
    if isinstance(node, Raised) and node.exponent == Num("2"):
        return said(text, node.base)
    if isinstance(node, Sym) and node.sups and node.sups[-1].value == Num("2") and node.sups[-1].value.start >= 0:
        return text[node.start : node.sups[-1].value.start].rstrip("{^(")
    return None


def turn(text: str, node: Term, claim: PrintedClaim) -> str | None:
    """The text of a factor with its transpose put on, or taken off."""
    whole, turned = said(text, node), transpose_sign(text, claim)
    if isinstance(node, Turned):
        return said(text, node.value)
    if isinstance(node, Sym):
        ref = claim.lookup.naming.read_here(node)
        if ref.comps:
            return None
        if ref.transposed:
            marks = [
                s.value for s in node.sups if isinstance(s.value, Sym) and all(s.value != p for _, p in ref.places)
            ]
            if len(node.sups) == 1 and len(marks) == 1 and marks[0].start >= 0:
                return text[node.start : marks[0].start].rstrip("^{ ")
            return None
        return f"({whole}){turned}" if node.sups else whole + turned
    if isinstance(node, Deriv):
        return next((c.spans[0][2] for c in of_derivative(text, node, claim)), None)
    return f"{whole}{turned}" if isinstance(node, Bracket) else None


def _of_reach(text: str, node: Infix) -> Iterator[Change]:
    """f(a) + b for f(a + b)."""
    left = node.left
    if isinstance(left, Apply) and len(left.args) == 1 and left.end <= node.right.start and text[left.end - 1] in ")}":
        tail = text[left.end : node.end]
        yield Change(
            ((left.end - 1, node.end, tail + text[left.end - 1]),), f"{said(text, node.right)} in {said(text, node)}", 1
        )
