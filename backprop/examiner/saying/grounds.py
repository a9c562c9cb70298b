"""Grounds: no sentence of a report without the predicate that it rests on and the numbers that were measured."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

__all__ = ["Note", "Predicate", "Said", "gather", "say", "tell"]

Numbers: TypeAlias = dict[str, Any]


@dataclass(frozen=True)
class Predicate:
    """What has to hold of measured numbers for a sentence to be said, and the sentence.

    `holds` and `words` take the numbers by their names. There is no other way to a sentence than `say`.
    """

    identifier: str
    holds: Callable[..., bool]
    words: Callable[..., str]


@dataclass(frozen=True)
class Said:
    """A sentence with its grounds: the identifier of its predicate and the numbers, as plain JSON types."""

    text: str
    grounds: Mapping[str, Any]


class Note(str):
    """A note of a report, a string with its grounds."""

    __slots__ = ("grounds",)
    grounds: Mapping[str, Any]

    @classmethod
    def of(cls, said: Said) -> Note:
        """The sentence as a note."""
        note = cls(said.text)
        note.grounds = said.grounds
        return note


def say(predicate: Predicate, **numbers: Any) -> tuple[Said, ...]:
    """The one sentence where the predicate holds of the numbers, else nothing.

    >>> small = Predicate("small", lambda size: size < 1, lambda size: f"It is small: {size}.")
    >>> say(small, size=0.5)[0].text, say(small, size=2.0)
    ('It is small: 0.5.', ())
    """
    if not predicate.holds(**numbers):
        return ()
    words = predicate.words(**numbers)
    measured = {name: number for name, number in numbers.items() if name != "text"}
    return (Said(words, {"predicate": predicate.identifier} | _plain(measured)),)


def tell(notes: list[str], predicate: Predicate, **numbers: Any) -> None:
    """Add the sentence to some notes, where it holds."""
    notes += map(Note.of, say(predicate, **numbers))


def gather(said: Sequence[Said]) -> dict[str, Any]:
    """The grounds of several sentences that are read as one: those of the first, the others under `also`."""
    if not said:
        return {}
    also = [dict(one.grounds) for one in said[1:]]
    return dict(said[0].grounds) | ({"also": also} if also else {})


def _plain(value: Any) -> Any:
    """Plain JSON types; what is not finite becomes null."""
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if hasattr(value, "tolist"):  # of NumPy, whose import who only reads a report does without
        return _plain(value.tolist())
    if isinstance(value, (list, tuple, set, frozenset)):
        return [_plain(item) for item in value]
    if value is None or isinstance(value, (bool, str)):
        return value
    if isinstance(value, int):
        return value
    number = float(value)
    return number if math.isfinite(number) else None
