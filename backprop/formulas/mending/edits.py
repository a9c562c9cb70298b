"""Small changes of a printed formula: factors left out or added, signs turned, each with a name for what differs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from backprop.formulas.conventions.letters import key_of, letters_of
from backprop.formulas.judging.claims import PrintedClaim
from backprop.formulas.mending.pools import product_signs
from backprop.formulas.mending.spans import Change, factors_of, said, terms
from backprop.formulas.text.tree import (
    Apply,
    Bracket,
    Deriv,
    Infix,
    Neg,
    Num,
    Raised,
    Sum,
    Sym,
    Term,
    Turned,
    walk,
)  # fmt: skip

__all__ = ["drop_edits", "times_edits"]


WIDE = 90
"""Characters of a right side that is still said as a whole."""
NUMBERS = ("1", "2", "3", "4", "0.5")


def drop_edits(text: str, right: Term) -> Iterator[Change]:
    """Leave out a factor, a summand, a sign, a bracket's function; turn signs round."""
    yield turn_sign(text, right)
    for node in terms(right):
        yield from _drop_at(text, right, node)


def turn_sign(text: str, right: Term) -> Change:
    """The whole right side with the other sign."""
    whole, alone = said(text, right), not isinstance(right, Infix) or right.sign not in ("+", "-")
    name = "sign of the sum" if isinstance(right, Sum) else "sign of the right side"
    differences = [n for n in terms(right) if isinstance(n, Infix) and n.sign == "-" and n is not right]
    differences = [n for n in differences if not isinstance(n.left, Num)] or differences
    if len(differences) == 1 and alone:
        name += f", or the order of {said(text, differences[0])}"
    elif whole.startswith("-"):
        first = factors_of(right.value if isinstance(right, Neg) else right)[0]
        name += f", {text[right.start : first.end]}"
    elif len(whole) <= WIDE:
        name += f", {whole}"
    return Change(((right.start, right.end, turned_round(whole) if alone else f"-({whole})"),), name, 0)


def turned_round(whole: str) -> str:
    """A product or a term with the other sign.

    >>> turned_round("-a b"), turned_round("a b")
    ('a b', '-a b')
    """
    return whole[1:].lstrip() if whole.startswith("-") else f"-{whole}"


def _drop_at(text: str, right: Term, node: Term) -> Iterator[Change]:
    """What can be left out of one term."""
    whole = said(text, node)
    if isinstance(node, Infix):
        yield from _drop_operand(text, node)
    elif isinstance(node, Neg):
        yield Change(((node.start, node.end, said(text, node.value)),), f"sign of {said(text, node.value)}")
    elif isinstance(node, Turned):
        yield Change(((node.start, node.end, said(text, node.value)),), whole)
    elif isinstance(node, Apply) and len(node.args) == 1:
        yield Change(((node.start, node.end, "(" + said(text, node.args[0]) + ")"),), whole, 2)
        yield from _drop_everywhere(text, right, node)
    elif isinstance(node, Raised):
        yield Change(((node.start, node.end, said(text, node.base)),), whole, 2)
    elif isinstance(node, Num):
        power = exponent_round(right, node)
        name = f"the power {said(text, power)}" if power is not None else whole + inside(text, right, node)
        yield from (Change(((node.start, node.end, n),), name) for n in NUMBERS if n != node.text)


def _drop_everywhere(text: str, right: Term, node: Apply) -> Iterator[Change]:
    """f(y) is y wherever it stands."""
    same = [n for n in terms(right) if n == node]
    if len(same) > 1 and same[0] is node:
        spans = tuple((n.start, n.end, said(text, node.args[0])) for n in same)
        inner = sum(n.end - n.start for n in same)
        yield Change(spans, said(text, node), 1 + int(inner > 60))


def _drop_operand(text: str, node: Infix) -> Iterator[Change]:
    left, right = said(text, node.left), said(text, node.right)
    if node.sign in ("+", "-"):
        turned = f" {'-' if node.sign == '+' else '+'} "
        yield Change(((node.left.end, node.right.start, turned),), f"sign of {right} in {said(text, node)}")
        yield Change(((node.start, node.end, left),), f"{right} in {said(text, node)}", 2)
        kept = right if node.sign == "+" else "-" + right
        yield Change(((node.start, node.end, kept),), f"{left} in {said(text, node)}", 2)
        return
    yield Change(((node.start, node.end, left),), right)
    yield Change(((node.start, node.end, right if node.sign != "/" else f"1 / {right}"),), left)
    if node.left.end < node.right.start or node.sign == "":
        shown = node.sign or "juxtaposition"
        yield Change(((node.left.end, node.right.start, " + "),), shown)
        yield Change(((node.left.end, node.right.start, " - "),), shown, 2)


def times_edits(text: str, right: Term, claim: PrintedClaim, pool: Iterable[str]) -> Iterator[Change]:
    """A factor that is missing: before or behind a term."""
    signs = product_signs(text, claim)
    sites = [
        n
        for n in terms(right)
        if n.start >= 0 and (n is right or isinstance(n, (Sum, Infix, Sym, Apply, Deriv, Bracket)))
    ]
    factors = list(pool)
    latex = "\\" in text
    for factor in factors[:30]:
        below = f"\\frac{{1}}{{{factor}}}" if latex else f"(1/{factor})"
        if "frac" not in factor and "/" not in factor:
            yield Change(((right.start, right.end, f"{below} ({said(text, right)})"),), f"missing {below}", 2)
    yield from sum_edits(text, right, claim)
    for node in sites:
        yield from _times_at(text, right, node, factors, signs)


def _times_at(text: str, right: Term, node: Term, factors: list[str], signs: list[str]) -> Iterator[Change]:
    """A factor before or behind one term; numbers and fractions before it only."""
    whole = said(text, node)
    inner = f"({whole})" if isinstance(node, (Infix, Neg)) and getattr(node, "sign", "+") in ("+", "-") else whole
    near = 1 if node is right else 2
    at = "" if node is right else f" at {whole}{inside(text, right, node)}"
    for factor in factors:
        scalar = factor[0].isdigit() or factor.startswith(("\\frac{", "(1/", "(2/"))
        for sign in signs:
            yield Change(((node.start, node.end, f"{factor}{sign}{inner}"),), f"missing {factor}{at}", near)
            if not scalar:
                yield Change(((node.start, node.end, f"{inner}{sign}{factor}"),), f"missing {factor}{at}", near)


def exponent_round(right: Term, node: Num) -> Term | None:
    """The power that a number is a part of: -1/2 for the 2 of a^{-1/2}."""
    for one in terms(right):
        if isinstance(one, Raised) and one.exponent is not node and any(x is node for x in walk(one.exponent)):
            return one.exponent
    return None


def inside(text: str, right: Term, node: Term) -> str:
    """The smallest part of a formula that a short term stands in, in words."""
    around = [n for n in terms(right) if n.start >= 0 and n is not node and any(x is node for x in walk(n))]
    wider = [n for n in around if n.end - n.start > node.end - node.start]
    parent = min(wider, key=lambda n: n.end - n.start, default=None)
    return f" in {said(text, parent)}" if parent is not None and node.end - node.start <= 3 else ""


def sum_edits(text: str, right: Term, claim: PrintedClaim) -> Iterator[Change]:
    """A sum that is missing, over an index that the left side does not have."""
    naming = claim.lookup.naming
    symbols = [n for n in walk(claim.sides[-1][0]) if isinstance(n, Sym)]
    there = {key_of(x) for s in symbols for c in naming.read(s).comps for x in letters_of(c)}
    for letter in (key for key in claim.letters if key not in there):
        sign = f"\\sum_{letter}" if "\\" in text else f"sum_{letter}"
        yield Change(((right.start, right.end, f"{sign} ({said(text, right)})"),), f"missing {sign}")
