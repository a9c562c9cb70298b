"""A step that names a published rule: whether it is one of its variants, by its first turns from drawn memories.

With memories m, s of the file and a gradient g, a turn gives m', s' and the step d. Fits are exact, or say nothing:

    first moment     m' = a m + c g                  second moment    s' = b s + e g²
    adam             m' / d = A √s' + B              rmsprop, adagrad    g / d = A √s' + B
    momentum         d ~ m'                          nesterov         d ~ g + a m'  or  m' + a (m' − m)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from backprop.attaching.advising.corrections import Decays, check_corrections, find_broken_correction
from backprop.attaching.advising.later import list_turns
from backprop.attaching.advising.moments import EXACT, Remembered, Vector, fit_factors, list_memories, list_moments
from backprop.attaching.advising.naming import has_other_things
from backprop.attaching.costing.rates import GradientFlow

__all__ = ["RuleComparison", "compare_rule"]

TURNS = 3
UNTOLD = "?"
"""Of a step with other things in it: it is compared with nothing."""


@dataclass(frozen=True)
class RuleComparison:
    """What was found of a step that is named after a rule: `broken` is what is wrong with it, "" where nothing is;
    `turns` are those that are a variant of the rule, none where the step has other things in it."""

    broken: str
    turns: int


def compare_rule(flow: GradientFlow, rule: str) -> RuleComparison:
    """The first turns of a step beside all variants of the rule that it is named after."""
    flows = list_turns(flow, TURNS)
    owned = list_memories(flow)
    turns = [list_moments(one, owned) for one in flows]
    fitting = 0
    for moments in turns:
        said = {_check(each, rule) for each in moments if each is not None}
        broken = said.pop() if len(said) == 1 else UNTOLD
        if broken and broken != UNTOLD and not has_other_things(flow):
            return RuleComparison(broken, 0)
        fitting += not broken
    said = {_compare_corrections(each, flows) for each in zip(*turns, strict=True)} if rule == "adam" else set()
    told = fitting == len(flows) and (rule != "adam" or "" in said)
    said -= {UNTOLD, ""}
    return RuleComparison(said.pop() if len(said) == 1 else "", fitting if told else 0)


def _compare_corrections(turns: Sequence[Remembered | None], flows: Sequence[GradientFlow]) -> str:
    both = [(one, _find_moments(one)) for one in turns if one is not None]
    found = [(one, own) for one, own in both if own is not None]
    if len(found) < len(turns):
        return UNTOLD
    # A rate that changes is no correction: that is said where it is so at every turn.
    each = {check_corrections(one, own, flow) for (one, own), flow in zip(found, flows, strict=True)}
    broken = find_broken_correction(found)
    if broken or len(each) > 1:
        return broken or UNTOLD
    told = each.pop()
    return UNTOLD if told is None else told


def _find_moments(one: Remembered) -> Decays | None:
    """The memories of a gradient and of its squares, with their decays."""
    firsts, seconds = _fit_moments(one)
    s = next((k for k, second in enumerate(seconds) if second is not None), None)
    m = next((k for k, first in enumerate(firsts) if first is not None and k != s), None)
    if m is None or s is None:
        return None
    return (m, float(firsts[m][0])), (s, float(seconds[s][0]))  # type: ignore[index]


def _fit_moments(one: Remembered) -> tuple[list[Vector | None], list[Vector | None]]:
    firsts = [fit_factors(after, before, one.g) for before, after in zip(one.before, one.after, strict=True)]
    return firsts, [fit_factors(after, before, one.g**2) for before, after in zip(one.before, one.after, strict=True)]


def _check(one: Remembered, rule: str) -> str:
    if rule in ("momentum", "nesterov"):
        return _check_velocity(one, nesterov=rule == "nesterov")
    firsts, seconds = _fit_moments(one)
    if not one.before or any(first is None and second is None for first, second in zip(firsts, seconds, strict=True)):
        return UNTOLD
    s = next((k for k, second in enumerate(seconds) if second is not None), None)
    if s is None:
        return "no memory of it gathers squares of the gradient"
    b, e = seconds[s]  # type: ignore[misc]
    if rule == "adagrad":
        return _check_scaled(one.g, one, s) if abs(b - 1) < EXACT else "its memory of squares forgets, a sum does not"
    if rule == "rmsprop" and len(one.before) > 1:
        return UNTOLD
    if rule == "rmsprop":
        return _check_scaled(one.g, one, s) if abs(b + e - 1) < EXACT else _tell_decay("squares", b, e)
    return _check_adam(one, firsts, s, (float(b), float(e)))


def _check_adam(one: Remembered, firsts: Sequence[Vector | None], s: int, second: tuple[float, float]) -> str:
    m = next((k for k, first in enumerate(firsts) if first is not None and k != s), None)
    if m is None:
        return "no memory of it gathers the gradient"
    (a, c), (b, e) = firsts[m], second  # type: ignore[misc]
    share = c / (1 - a) if a != 1 else 0.0
    if 0 < share < 1 - EXACT and abs(share**2 * (1 - b) / e - 1) < EXACT:
        return UNTOLD  # a share of the gradient was taken: a clipping
    if abs(a + c - 1) > EXACT and abs(c) > EXACT:
        return _tell_decay("gradients", a, c)
    return _check_scaled(one.after[m], one, s) if abs(b + e - 1) <= EXACT else _tell_decay("squares", b, e)


def _tell_decay(what: str, decay: float, weight: float) -> str:
    return f"its memory of {what} keeps {decay:.6g} and takes {weight:.6g}, which is not one less that"


def _check_scaled(top: Vector, one: Remembered, s: int) -> str:
    """top / (√s' + ε), or top / √(s' + ε), times a rate."""
    if np.any(one.d == 0.0) or np.any(one.after[s] <= 0):
        return UNTOLD
    root, ones = np.sqrt(one.after[s]), np.ones_like(top)
    ratio = top / one.d
    outside = fit_factors(ratio, root, ones)
    inside = fit_factors(ratio**2, one.after[s], ones)
    if outside is None and inside is None:
        # With a share of the parameter beside: top = (A √s' + B) (d − C p).
        decays = fit_factors(top, root * one.d, one.d, root * one.start, one.start)
        if decays is not None:
            return UNTOLD
        return "the step is not in proportion to that over the root of the memory of squares"
    return "" if np.all(ratio > 0) or np.all(np.sign(top) == np.sign(one.d)) else "the step goes up"


def _check_velocity(one: Remembered, *, nesterov: bool) -> str:
    if len(one.before) != 1:
        return UNTOLD
    v, new = one.before[0], one.after[0]
    fitted = fit_factors(new, v, one.g)
    if fitted is None:
        return UNTOLD
    decay = float(fitted[0])
    if not EXACT < decay < 1 - EXACT:
        return f"its memory keeps {decay:.6g} of itself, which is no momentum"
    if fit_factors(one.d, new) is not None:
        return "the step is the memory itself, without a look ahead" if nesterov else ""
    if _has_share(one, new):
        return UNTOLD
    looks = _looks_ahead(one, decay, float(fitted[1]))
    if nesterov and not looks:
        return "the step is neither the gradient with the memory ahead of it nor the memory looked ahead"
    return "" if looks else "the step is not in proportion to its memory"


def _has_share(one: Remembered, new: Vector) -> bool:
    """Whether a step is made of its memory and a share of the parameter."""
    plain = fit_factors(one.d, new, one.start)
    more = fit_factors(one.d, one.g, new, one.start)
    return plain is not None or (more is not None and fit_factors(one.d, one.g, new) is None)


def _looks_ahead(one: Remembered, decay: float, weight: float) -> bool:
    v, new = one.before[0], one.after[0]
    ahead, back = fit_factors(one.d, one.g, new), fit_factors(one.d, new, v)
    pace = decay / weight if weight else 1.0
    return (ahead is not None and abs(float(ahead[1] / ahead[0]) / pace - 1) < EXACT) or (
        back is not None and abs(float(back[1] / back[0]) + decay / (1 + decay)) < EXACT
    )
