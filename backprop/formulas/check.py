"""Is this formula right?  The road of one question: read, infer what is not declared, judge, mend, say."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from backprop.formulas.answer import Answer
from backprop.formulas.conventions.guessing import Guess, guess
from backprop.formulas.judging.claims import PrintedClaim, read_claim
from backprop.formulas.judging.coverage import find_gap
from backprop.formulas.judging.explained import differential, unconnected, unexplained
from backprop.formulas.judging.kinks import has_kinks
from backprop.formulas.judging.trials import FAILURES, Difference, Draw, find_difference, trials
from backprop.formulas.judging.variants import variants
from backprop.formulas.meaning.numbers import NoPoint, precise
from backprop.formulas.mending.blame import blame
from backprop.formulas.mending.search import find_mend
from backprop.formulas.text.tree import Deriv, NotUnderstood

__all__ = ["check_formula"]

Wrong = tuple[PrintedClaim, Difference, dict[str, Any]]
"""A reading under which a formula does not hold, where it fails, and how the reading is said."""
TRIALS = 12
MANY = 40
"""Trials where values decide which case applies: also far from 0, so that a wrong threshold is met."""
FEW = 4
READINGS = 10
SHORT = (60, 350)
"""Changes that are tried in each reading to see which one was meant: the smallest ones in all of them first."""


def check_formula(formula: str, conventions: Mapping[str, Any] | None = None, *, where: str = "") -> Answer:
    """Say whether a printed equation holds under its conventions.

    `conventions` are keys as in the README of this room; `where` is a short form: definitions and roles, semicolons.
    What neither says is inferred from the letters and reported.  Raises UsageError for conventions of the wrong kind.

    >>> check_formula("f'(z) = f(z) (1 - f(z))", {"activation": {"f": "logistic"}, "letters": {"z": "scalar"}}).holds
    True
    """
    declared = dict(conventions or {})
    try:
        with precise():
            return _answer(formula, guess(formula, declared, where))
    except NotUnderstood as error:
        position = error.position if error.position is not None and 0 <= error.position <= len(formula) else None
        return Answer(formula, reason=str(error), stopped_at=position, conventions=declared)
    except (RecursionError, NoPoint):
        return Answer(
            formula, reason="the definitions go round in a circle or leave every domain", conventions=declared
        )


def _answer(formula: str, guessed: Guess) -> Answer:
    """Judge under each way of reading what is not declared; the first under which it holds is the one that is meant."""
    wrong: list[Wrong] = []
    stopped: NotUnderstood | None = None
    for choice in guessed.readings:
        try:
            claim, difference = tried(formula, {**guessed.base, **choice.raw})
        except NotUnderstood as error:
            stopped = stopped or error
            continue
        if difference is None and (is_idle(claim) or unconnected(claim) is not None):
            stopped = stopped or NotUnderstood("the cost does not depend on what it is differentiated by", 0)
            continue
        if difference is None:
            return _held(formula, claim, guessed.declared, {**guessed.said, **choice.said})
        if not choice.tentative:
            wrong.append((claim, difference, choice.said))
        if guessed.base and unexplained(claim) is None:
            break
    if not wrong:
        raise stopped or NotUnderstood("nothing says what these letters are; declare them with --where", 0)
    return _refuted(formula, guessed, *nearest_reading(wrong))


def tried(formula: str, raw: dict[str, Any]) -> tuple[PrintedClaim, Difference | None]:
    """The claim under one reading, and where it fails.  NotUnderstood if it cannot be judged so."""
    try:
        claim = read_claim(formula, raw)
        return claim, refute(claim, MANY if has_kinks(claim) else TRIALS)
    except (RecursionError, NoPoint):
        raise NotUnderstood("the definitions go round in a circle or leave every domain") from None


def _held(formula: str, claim: PrintedClaim, declared: dict[str, Any], said: dict[str, Any]) -> Answer:
    """The answer where nothing differs: it holds, unless it leaves out a layer."""
    gap = find_gap(claim)
    if gap is None:
        return Answer(
            formula, True, True, "tested", MANY if has_kinks(claim) else TRIALS, conventions=declared, inferred=said
        )
    return Answer(formula, True, False, "derived", TRIALS, gap.differs, gap.nearest, declared, said)


def nearest_reading(
    wrong: list[tuple[PrintedClaim, Difference, dict[str, Any]]],
) -> tuple[PrintedClaim, Difference, dict[str, Any]]:
    """Of several readings under which it is wrong, one that gives every letter a meaning and is one step away."""
    clear = [one for one in wrong if unexplained(one[0]) is None]
    clear = [one for one in clear if not is_idle(one[0])] or clear
    if len(clear) > 1:
        for budget in SHORT:
            for one in clear[:READINGS]:
                if find_mend(one[0], list(trials(one[0], FEW)), budget) is not None:
                    return one
    return clear[0] if clear else wrong[0]


def is_idle(claim: PrintedClaim) -> bool:
    """Whether every derivative of the formula is 0 because nothing leads from the variable to the cost."""
    trial = next(iter(trials(claim, 1)))
    find_difference(trial, claim)
    slopes = [value for key, value in trial.meaning.memo.items() if isinstance(key[0], Deriv)]
    return bool(slopes) and all(x.is_zero() for value in slopes for x in value.reshape(-1))


def refute(claim: PrintedClaim, count: int) -> Difference | None:
    """The first difference in so many trials; of a trial whose balls are too wide nothing is said."""
    lost = 0
    for trial in trials(claim, count):
        try:
            found = find_difference(trial, claim)
        except NoPoint:
            lost += 1
            if 2 * lost > count:
                raise
            continue
        if found is not None:
            return found
    return None


def _refuted(formula: str, guessed: Guess, claim: PrintedClaim, difference: Difference, said: dict[str, Any]) -> Answer:
    loose = unexplained(claim)
    if loose is None and not any(str(role).endswith("/dX") for role in guessed.declared.get("letters", {}).values()):
        loose = differential(claim)
    if loose is not None:
        symbol, message = loose
        raise NotUnderstood(
            f"{message}; declare it with --where or --conventions", symbol.start if symbol.start >= 0 else None
        )
    few = list(trials(claim, FEW))
    if rests_on_shapes(guessed, difference, claim, few):
        raise NotUnderstood(f"{difference.shapes}, and nothing declares the shapes; declare them with --conventions")
    mend = find_mend(claim, few)
    differs = mend.differs if mend is not None else blame(claim, few)
    return Answer(
        formula, True, False, "certified", TRIALS, differs, mend.text if mend is not None else None, guessed.declared,
        {**guessed.said, **said}, would_hold(claim), counterexample(claim, difference, few),
    )  # fmt: skip


def rests_on_shapes(guessed: Guess, difference: Difference, claim: PrintedClaim, few: list[Draw]) -> bool:
    """Whether all that differs is shapes that nobody declared: with equal sizes there is still no number to show."""
    if guessed.base or not difference.shapes or "shapes" in guessed.declared:
        return False
    found = [find_difference(trial, claim) for trial in few if trial.equal]
    return all(d is None or d.shapes for d in found)


def would_hold(claim: PrintedClaim) -> list[str]:
    """Other conventions under which the formula holds."""
    found = []
    for name, other in variants(claim):
        try:
            if refute(other, FEW) is None:
                found.append(name)
        except FAILURES:
            continue
    return found


def counterexample(claim: PrintedClaim, difference: Difference, few: list[Draw]) -> dict[str, Any]:
    """The difference in numbers; where the shapes do not fit, numbers of equal sizes as well."""
    example: dict[str, Any] = {}
    if difference.shapes:
        example["shapes"] = difference.shapes
        found = (find_difference(trial, claim) for trial in few if trial.equal)
        difference = next((d for d in found if d is not None and not d.shapes), difference)
    if difference.left is not None:
        example |= {"at": difference.env, "left": _number(difference.left), "right": _number(difference.right)}
        example["values"] = {
            _label(key): _array(value) for key, value in list(difference.trial.scene.values.items())[:12]
        }
    return example


def _number(ball: Any) -> str:
    return str(ball.str(8, radius=False))


def _label(key: tuple[str, tuple[int, ...]]) -> str:
    name, places = key
    return name + "".join(f"[{p}]" for p in places)


def _array(value: Any) -> Any:
    return np.vectorize(float, otypes=[float])(value).tolist() if value.size else []
