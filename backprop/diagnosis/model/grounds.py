"""What the diagnosis can say: a cause's sentence, beside the predicate that has to hold of the numbers."""

from __future__ import annotations

from backprop.examiner.saying.grounds import Predicate
from backprop.examiner.saying.sentences import explains
from backprop.examiner.tolerance import SAME

__all__ = [
    "BEHAVIOUR",
    "BESIDE_FACTOR",
    "DIFFERS_ONLY_THERE",
    "MENTIONED",
    "MUTANT",
    "NO_NUMBERS",
    "OTHER_SHAPE",
    "PATTERN",
    "SHOWN",
    "STEP_PATTERN",
    "ZERO",
]


def give_text(text: str, **numbers: object) -> str:
    """The words that belong to the cause."""
    return text


MUTANT = Predicate(
    "mutant_gives_every_number",
    lambda off, entries, right_off, **more: explains(off, entries) and right_off > 1,
    give_text,
)
"""The right program with one mistake in it gives the subject's numbers, and without it does not."""

MENTIONED = Predicate(
    "other_mutant_gives_every_number",
    lambda off, entries, right_off, **more: explains(off, entries) and right_off > 1,
    give_text,
)
BESIDE_FACTOR = Predicate(
    "factor_beside_a_mutant",
    lambda off, entries, number, **more: explains(off, entries) and number not in (0, 1),
    give_text,
)
PATTERN = Predicate("pattern_gives_every_number", lambda off, entries, **more: explains(off, entries), give_text)
ZERO = Predicate("only_zeros", lambda largest, expected, **more: largest == 0 < expected, give_text)
OTHER_SHAPE = Predicate("other_shape", lambda got, expected, **more: got != expected, give_text)
NO_NUMBERS = Predicate("not_finite", lambda bad, **more: bad > 0, give_text)
SHOWN = Predicate("shown_by_samples", lambda samples, seen, **more: samples == seen > 0, give_text)
"""Something is seen at every sample that was looked at."""
DIFFERS_ONLY_THERE = Predicate("wrong_only_there", lambda wrong, right, **more: bool(wrong) and bool(right), give_text)
BEHAVIOUR = Predicate("answer_changes", lambda change, **more: change > SAME, give_text)
STEP_PATTERN = Predicate("step_follows_pattern", lambda off, shares, **more: bool(shares) and off <= 1, give_text)
