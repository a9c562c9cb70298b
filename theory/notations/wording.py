"""The few words of the book that depend on a notation; everything else that is said is the same in all of them."""

from __future__ import annotations

import re
from collections.abc import Callable

from theory.notations.choices import NotationChoice

__all__ = ["PHRASES", "reworded"]

PHRASES: dict[str, dict[str, str]] = {
    "own_first": {
        "The first index of a weight is the unit of the previous layer, the second the unit of its own.":
            "The first index of a weight is the unit of its own layer, the second the unit of the previous one.",
        "layer l-1 (first index) to unit j": "layer l-1 (second index) to unit j",
        "(M_{l-1}, M_l)": "(M_l, M_{l-1})",
        "(M_0, M_1)": "(M_1, M_0)",
    },
    "sample_columns": {
        "(n, M_l)": "(M_l, n)",
        "(n, M_L)": "(M_L, n)",
        "(n, 1)": "(1, n)",
        "A batch of n samples, one a row:": "A batch of n samples, one a column:",
        "gets a row index s;": "gets a column index s;",
    },
}  # fmt: skip
"""What is said where the weight's own unit comes first, and where a sample is a column."""
FUNCTION = re.compile(r"(?<![A-Za-z])f('*_[lL])\b")


def reworded(text: str, choice: NotationChoice) -> str:
    """A paragraph of the book under a choice.

    >>> from theory.notations.choices import NOTATIONS
    >>> reworded("z: batch shape (n, M_l), in code z; an arbitrary f_l", NOTATIONS["nielsen"])
    'z: batch shape (M_l, n), in code z; an arbitrary σ_l'
    """
    for attribute, phrases in PHRASES.items():
        if getattr(choice, attribute):
            wanted = re.compile("|".join(re.escape(phrase) for phrase in phrases))
            text = wanted.sub(exchange(phrases), text)
    letter = dict(choice.signs).get("f")
    return FUNCTION.sub(rf"{letter}\1", text) if letter else text


def exchange(phrases: dict[str, str]) -> Callable[[re.Match[str]], str]:
    """What stands instead of a phrase."""
    return lambda found: phrases[found.group()]
