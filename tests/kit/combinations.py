"""Combinations of values for a parametrised test: half of them in every run, all with the thorough profile."""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterable
from typing import Any

THOROUGH = os.environ.get("HYPOTHESIS_PROFILE") == "thorough"


def combine(*lists: Iterable[Any]) -> list[tuple[Any, ...]]:
    """Every second combination, as the squares of one colour of a chessboard, so that every two values still meet.

    With the thorough profile every combination. Three lists or more, or two values may never meet.

    >>> [case for case in combine("ab", "cd", "ef") if case in (("a", "c", "e"), ("b", "d", "e"))]
    [('a', 'c', 'e'), ('b', 'd', 'e')]
    """
    numbered = itertools.product(*(list(enumerate(values)) for values in lists))
    chosen = [case for case in numbered if THOROUGH or sum(number for number, _ in case) % 2 == 0]
    return [tuple(value for _, value in case) for case in chosen]
