"""Conventions that nobody declared, inferred from the letters in use; every inference is said."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

__all__ = ["Guess", "Reading", "guess"]


@dataclass(frozen=True)
class Reading:
    """One way of reading what is not declared."""

    raw: dict[str, Any] = field(default_factory=dict)
    said: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Guess:
    """What is declared, what is inferred for certain, and the readings that remain, the most usual first."""

    base: dict[str, Any]
    declared: dict[str, Any]
    said: dict[str, Any]
    readings: list[Reading]


def guess(formula: str, declared: Mapping[str, Any], where: str) -> Guess:
    """The ways in which a formula can be read."""
    return Guess(dict(declared), dict(declared), {}, [Reading()])
