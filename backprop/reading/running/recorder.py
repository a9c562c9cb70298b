"""What probes do: remember values while the code runs, change one on its way, count the work."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

__all__ = ["Event", "Exhausted", "Key", "ValueRecorder", "as_array", "is_number", "move"]

MOST_EVENTS = 200_000
LARGEST = 4_096
"""Entries of a value that is remembered; larger ones are only counted."""

Key: TypeAlias = tuple[int, int]
"""A site and which time it was met in this run, from 0."""
Change: TypeAlias = Callable[[Key, Any], Any]


class Exhausted(BaseException):
    """The code did more than it may: a loop without an end, most likely.  No `except Exception` of it stops this."""


@dataclass(frozen=True)
class Event:
    """A value at a probe: which, the value itself as it was then, and whether it is an array."""

    key: Key
    value: NDArray[Any]


@dataclass
class ValueRecorder:
    """The probe and scope functions of an instrumented module.

    Attributes: `log` (events of the run, None while nothing is remembered), `scopes` (names and values before each
    statement, the last time it was met, while `watch` says which), `change` (what is done to a value on its way).
    """

    log: list[Event] | None = None
    scopes: dict[int, list[dict[str, Any]]] = field(default_factory=dict)
    watch: frozenset[int] = frozenset()
    change: Mapping[int, Change] = field(default_factory=dict)
    count: int = 0
    seen: dict[int, int] = field(default_factory=dict)
    most: int = MOST_EVENTS

    def restart(self) -> None:
        """Before each run."""
        self.count = 0
        self.seen = {}

    def probe(self, site: int, value: Any) -> Any:
        """Hand a value through."""
        self.count += 1
        if self.count > self.most:
            raise Exhausted
        if self.log is None and site not in self.change:
            return value
        nth = self.seen.get(site, 0)
        self.seen[site] = nth + 1
        if site in self.change:
            value = self.change[site]((site, nth), value)
        if self.log is not None:
            seen = as_array(value)
            if seen is not None:
                self.log.append(Event((site, nth), seen))
        return value

    def scope(self, site: int, names: dict[str, Any]) -> None:
        """Look at the names before a statement."""
        self.count += 1
        if self.count > self.most:
            raise Exhausted
        if site in self.watch:
            self.scopes.setdefault(site, []).append({name: _keep(value) for name, value in names.items()})


def as_array(value: Any) -> NDArray[Any] | None:
    """A copy of a number or an array of numbers, a tensor of torch or jax as well; None for all else.

    >>> as_array([1.0]), as_array(2)
    (None, array(2))
    """
    if hasattr(value, "detach") and hasattr(value, "shape"):
        value = value.detach()
    if not is_number(value):
        return None
    return np.array(value)


def is_number(value: Any) -> bool:
    """A number or an array of numbers that is small enough to be remembered; what jax traces has no numbers yet."""
    jax = sys.modules.get("jax")
    if isinstance(value, type) or (jax is not None and isinstance(value, jax.core.Tracer)):
        return False
    if isinstance(value, np.ndarray):
        return value.dtype.kind in "fiub" and value.size <= LARGEST
    if hasattr(value, "shape") and hasattr(value, "dtype") and hasattr(value, "__array__"):
        return math.prod(value.shape) <= LARGEST and getattr(value.dtype, "kind", "f") in "fiub"
    return isinstance(value, float | int | np.generic) and not isinstance(value, str | bytes)


def move(value: Any, by: NDArray[Any]) -> Any:
    """A value and something added to it, of the value's own kind: a number, an array, a tensor."""
    if hasattr(value, "new_tensor"):
        return value + value.new_tensor(by)
    moved = value + by
    return float(moved) if type(value) is float else moved


def _keep(value: Any) -> Any:
    """A copy of arrays, in lists, tuples and dictionaries too: what the code writes later shall not show."""
    if isinstance(value, np.ndarray):
        return value.copy()
    if hasattr(value, "__array__") and is_number(value):
        return as_array(value)
    if type(value) in (list, tuple):
        return type(value)(_keep(item) for item in value)
    if type(value) is dict:
        return {name: _keep(item) for name, item in value.items()}
    return value
