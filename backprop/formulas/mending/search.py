"""The nearest right form: small changes, tried on the first trial and confirmed on others."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass

from backprop.formulas.judging.claims import PrintedClaim
from backprop.formulas.judging.kinks import has_kinks
from backprop.formulas.judging.trials import FAILURES, Draw, find_difference, trials
from backprop.formulas.meaning.numbers import NoPoint
from backprop.formulas.mending.edits import drop_edits, times_edits
from backprop.formulas.mending.exchanges import exchange_edits
from backprop.formulas.mending.naming import name_of
from backprop.formulas.mending.pools import factor_pool, symbol_pool
from backprop.formulas.mending.rewrites import rewrite_edits
from backprop.formulas.mending.spans import Change, apply_edit, size_of
from backprop.formulas.text.parser import parse_formula
from backprop.formulas.text.tree import Compare, NotUnderstood, Term, walk

__all__ = ["RightForm", "find_mend"]

SINGLE = 2600
PAIRS = 2200
SOME, MANY = 8, 40
"""Trials that confirm a right form; many where values decide which case applies."""
MOST_EFFORT = 500_000
"""Steps of evaluation for the whole search: some seconds."""


@dataclass(frozen=True)
class RightForm:
    """A right form, and what of the printed one it changes."""

    text: str
    differs: str
    steps: int


class Attempts:
    """Tries right sides on trials that are set up once."""

    def __init__(self, claim: PrintedClaim, trials: list[Draw]) -> None:
        self.claim = claim
        self.trials = trials
        self.seen: set[str] = set()
        self.effort = 0
        there = list(walk(claim.right))
        self.lefts = [left for left, _ in claim.printed or claim.sides if left not in there]
        self.kinds = {type(left) for left in self.lefts}

    def right_of(self, text: str) -> Term | None:
        """The right side of an edited text."""
        try:
            node = parse_formula(text, self.claim.conventions.lexicon)[0]
        except (NotUnderstood, RecursionError):
            return None
        while isinstance(node, Compare):
            node = node.right
        return node

    def holds(self, text: str) -> bool:
        """Whether an edited text holds in all the trials."""
        if text in self.seen or self.effort > MOST_EFFORT:
            return False
        self.seen.add(text)
        right = self.right_of(text)
        if right is None or self.repeats_left(right):
            return False
        try:
            claim = self.claim.with_right(right)
            return all(self._agrees(trial, claim) for trial in self.trials) and confirmed(claim)
        except FAILURES:
            return False

    def repeats_left(self, right: Term) -> bool:
        """Whether the right side says the left one again."""
        return any(type(node) in self.kinds and node in self.lefts for node in walk(right))

    def _agrees(self, trial: Draw, claim: PrintedClaim) -> bool:
        if self.claim.printed:
            trial = Draw(claim, trial.seed, trial.equal)
        found = find_difference(trial, claim)
        self.effort += trial.scene.effort + 150
        return found is None


def confirmed(claim: PrintedClaim) -> bool:
    """Whether a form that a few trials allow holds in many new ones."""
    lost, count = 0, MANY if has_kinks(claim) else SOME
    for trial in trials(claim, count):
        try:
            if find_difference(trial, claim) is not None:
                return False
        except NoPoint:
            lost += 1
    return 5 * lost < count


def find_mend(claim: PrintedClaim, few_trials: list[Draw], budget: int | None = None) -> RightForm | None:
    """One change, else two (one within a budget); None if nothing that was tried is right."""
    text, right = claim.text, claim.right
    if right.start < 0:
        return None
    bench = Attempts(claim, few_trials)
    few = budget is not None
    symbols = symbol_pool(text, claim)
    factors = factor_pool(text, claim, symbols)
    first = sorted(one_change(text, right, claim, symbols, factors), key=lambda edit: rank(text, edit))
    chance = bool(claim.conventions.assumptions)
    changed: dict[str, Change] = {}
    for edit in first:
        changed.setdefault(apply_edit(text, edit), edit)
    for new in itertools.islice(changed, budget or (SINGLE // 8 if chance else SINGLE)):
        if bench.holds(new):
            return RightForm(new, name_of(text, right, changed[new]), 1)
    if chance or few:
        return None
    return two_changes(bench, text, right, claim, symbols, factors)


def rank(text: str, edit: Change) -> tuple[int, float, int]:
    """The least far-fetched first, of these the smallest, of these what is done to the shortest term."""
    return edit.cost, size_of(text, edit), sum(end - start for start, end, _ in edit.spans)


def one_change(text: str, right: Term, claim: PrintedClaim, symbols: list[str], factors: list[str]) -> Iterator[Change]:
    """All single edits."""
    yield from drop_edits(text, right)
    yield from exchange_edits(text, right, claim)
    yield from rewrite_edits(text, right, claim, symbols)
    yield from times_edits(text, right, claim, factors)


def two_changes(
    bench: Attempts, text: str, right: Term, claim: PrintedClaim, symbols: list[str], factors: list[str]
) -> RightForm | None:
    """A cheap edit, then another one."""
    cheap = [*drop_edits(text, right), *rewrite_edits(text, right, claim, [])]
    unused = [s for s in symbols if s not in text][:12]
    tried = 0
    for edit in sorted(cheap, key=lambda e: e.cost)[:70]:
        once = apply_edit(text, edit)
        node = bench.right_of(once)
        if node is None:
            continue
        second = [
            *drop_edits(once, node),
            *whole_times(once, node, claim, unused),
            *rewrite_edits(once, node, claim, unused[:4]),
        ]
        for other in sorted(second, key=lambda e: e.cost)[:140]:
            tried += 1
            if tried > PAIRS:
                return None
            new = apply_edit(once, other)
            if new != text and bench.holds(new):
                return RightForm(new, join_names(edit.differs, other.differs), 2)
    return None


def whole_times(text: str, right: Term, claim: PrintedClaim, pool: list[str]) -> Iterator[Change]:
    """Factors of the whole right side, or behind its first factors."""
    for edit in times_edits(text, right, claim, pool):
        if edit.cost == 1 or edit.spans[0][0] == right.start:
            yield edit


def join_names(one: str, two: str) -> str:
    """Both terms that differ."""
    return one if one == two else f"{one}, {two}"
