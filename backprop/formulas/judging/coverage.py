"""For which layers a step is made: an update for l = L-1, …, 1 never reaches the last layer, right as it is."""

from __future__ import annotations

from dataclasses import dataclass

from backprop.formulas.conventions.letters import key_of
from backprop.formulas.conventions.lookup import Limits
from backprop.formulas.judging.claims import PrintedClaim
from backprop.formulas.text.tree import Compare, Num, Sym, Term

__all__ = ["Gap", "find_gap"]

DOTS = Sym("...")


@dataclass(frozen=True)
class Gap:
    """A layer that a step leaves out, the text that leaves it out, and the text that does not."""

    layer: str
    differs: str
    nearest: str


def find_gap(claim: PrintedClaim) -> Gap | None:
    """The last layer, if an update is said to run from below it."""
    is_step = claim.is_step
    first = next((c for c in claim.conditions if is_step and is_range(claim, c)), None)
    if not isinstance(first, Compare) or not isinstance(first.left, Sym):
        return None
    start = claim.lookup.place_value(first.right, {}, "layer", Limits(), strict=False)
    if start is None or start >= Limits().layer or DOTS not in claim.conditions:
        return None
    wrong = claim.text[first.right.start : first.right.end]
    text = claim.text[: first.right.start] + "L" + claim.text[first.right.end :]
    return Gap("L", f"{key_of(first.left)} = {wrong}, the last layer is left out", text)


def is_range(claim: PrintedClaim, condition: Term) -> bool:
    """Whether a side condition says where the layers begin: l = L-1."""
    if not isinstance(condition, Compare) or condition.sign != "=" or not isinstance(condition.left, Sym):
        return False
    place = claim.places.get(key_of(condition.left))
    return place is not None and place[0] == "layer" and not isinstance(condition.right, Num)
