"""The choices that a notation makes, and the notations that have a name."""

from __future__ import annotations

import difflib
from dataclasses import dataclass, field

from theory.language.notation import Index

__all__ = ["LECTURE", "NOTATIONS", "NotationChoice", "NotationError", "find_notation"]


class NotationError(ValueError):
    """A notation that has no name here."""


@dataclass(frozen=True)
class NotationChoice:
    """Which index of a weight comes first, how one sample and a batch lie, which signs are used.

    Attributes
    ----------
    own_first : w_ji: the unit of the weight's own layer first, so that W has the shape (M_l, M_{l-1}).
    row_vectors : one sample is a row, so that it stands left of a matrix.
    sample_columns : a batch has a sample in each column, so that A has the shape (M_l, n).
    signs : what is printed instead of the book's signs, sign by sign: f, ∘.
    """

    name: str
    source: str
    own_first: bool = False
    row_vectors: bool = False
    sample_columns: bool = False
    signs: tuple[tuple[str, str], ...] = field(default=())

    def exchanges(self, indices: tuple[Index, ...]) -> bool:
        """Do two indices stand the other way round than in the book?

        >>> from theory.language.notation import l, sample, unit
        >>> NOTATIONS["nielsen"].exchanges((sample(), unit("j", l)))
        True
        """
        if len(indices) != 2:
            return False
        return self.sample_columns if any(index.is_sample for index in indices) else self.own_first


LECTURE = NotationChoice("lecture", "this book and the lecture")
NOTATIONS: dict[str, NotationChoice] = {
    choice.name: choice
    for choice in (
        LECTURE,
        NotationChoice(
            "nielsen", "Nielsen's book", own_first=True, sample_columns=True, signs=(("f", "σ"), ("∘", "⊙"))
        ),
        NotationChoice("rows", "CS231n and of NumPy code: a sample is always a row", row_vectors=True),
        NotationChoice(
            "columns", "gradient (denominator) layout: a sample is always a column", own_first=True, sample_columns=True
        ),
    )
}


def find_notation(name: str) -> NotationChoice:
    """A notation by its name.  Errors: NotationError with the choices and the nearest spelling.

    >>> find_notation("neilsen")
    Traceback (most recent call last):
    theory.notations.choices.NotationError: unknown notation 'neilsen' (did you mean 'nielsen'?); choose from: \
lecture, nielsen, rows, columns
    """
    if name.lower() not in NOTATIONS:
        near = difflib.get_close_matches(name.lower(), NOTATIONS, n=1)
        guess = f" (did you mean '{near[0]}'?)" if near else ""
        raise NotationError(f"unknown notation {name[:60]!r}{guess}; choose from: {', '.join(NOTATIONS)}")
    return NOTATIONS[name.lower()]
