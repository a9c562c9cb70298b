"""Where values decide what is said: cases, conditions, max, min, |x|; such a claim is tried near every limit."""

from __future__ import annotations

from backprop.formulas.judging.claims import PrintedClaim
from backprop.formulas.text.tree import Apply, Bars, Cases, Compare, Num, walk

__all__ = ["has_kinks", "limits"]

CHOOSING = ("max", "min", "maximum", "minimum", "abs", "sgn", "sign", "relu", "clip", "heaviside")


def has_kinks(claim: PrintedClaim) -> bool:
    """Whether values decide which part of a claim applies."""
    nodes = [n for tree in [*claim.known(), *(t for side in claim.sides for t in side)] for n in walk(tree)]
    calls = (n.function.base.lstrip("\\").lower() for n in nodes if isinstance(n, Apply))
    return any(isinstance(n, (Cases, Compare, Bars)) for n in nodes) or any(name in CHOOSING for name in calls)


def limits(claim: PrintedClaim) -> list[str]:
    """The numbers at which another case begins: in conditions, and beside what max and min compare."""
    nodes = [n for side in claim.sides for node in side for n in walk(node)]
    deciding = [n for n in nodes if isinstance(n, Compare) or (isinstance(n, Apply) and len(n.args) > 1)]
    return sorted({n.text for node in deciding for n in walk(node) if isinstance(n, Num)})
