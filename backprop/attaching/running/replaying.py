"""One iteration again: with parameters of our choice, with values recorded or changed, with the update held back."""

from __future__ import annotations

import copy
import sys
from collections import Counter
from collections.abc import Callable, Mapping, Sequence, Set
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from backprop.attaching.looking.refusals import Refused
from backprop.attaching.running.leaves import NumberLeaf, is_number, is_number_list, is_tensor, put, read, to_array
from backprop.attaching.running.states import Hooks, Names, Old

__all__ = ["Enough", "IterationRecorder", "Key", "MadeValue", "read_numbers"]

Key = tuple[int, int]
"""A site and its how-manieth value in this iteration."""
MOST_EVENTS = 60_000


class Enough(BaseException):
    """What was wanted of this iteration is there."""


@dataclass(frozen=True)
class MadeValue:
    """A value that one iteration made: where, and the numbers."""

    key: Key
    value: Any
    order: int


@dataclass
class IterationRecorder(Hooks):
    """Records values, puts others in their place, and holds the update back.

    Attributes: `held` are statements that update parameters: what they add to them counts `factor` times;
    `wanted` are the sites whose values are kept (all if None); `changes` says what a value becomes; after `last` (a
    site and occurrence) the iteration is not needed any further; `calls` are the sites of calls whose arguments are
    kept.
    """

    leaves: Sequence[NumberLeaf] = ()
    held: frozenset[int] = frozenset()
    factor: float = 1.0
    wanted: frozenset[int] | None = frozenset()
    changes: Mapping[Key, Callable[[Any], Any]] = field(default_factory=dict)
    last: Key | None = None
    counting: bool = False
    """Whether every site is counted, though its values are not kept."""
    shape: Callable[[tuple[int, ...]], bool] = lambda shape: True
    events: list[MadeValue] = field(default_factory=list)
    objects: dict[int, Any] = field(default_factory=dict)
    counts: dict[int, int] = field(default_factory=dict)
    seen: int = 0
    current: dict[int, Any] = field(default_factory=dict)
    """The objects that hold the parameters now, by identity."""
    names: Names | None = None
    latest: int = 0
    """How many values had been seen when a parameter was changed last."""
    numeric: set[int] = field(default_factory=set)
    """Statements that were seen to change parameters which are single numbers."""

    draws: Set[int] = frozenset()
    drawn: dict[Key, Any] = field(default_factory=dict)
    """Sites that choose at random, and what they chose first: with other parameters they choose the same, since it is
    data from there on."""
    chosen: Counter[int] = field(default_factory=Counter)
    interest: frozenset[int] | None = field(init=False, default=None)
    """The only sites whose values matter; all if None."""

    def __post_init__(self) -> None:
        if self.wanted is not None and not self.counting:
            last = () if self.last is None else self.last[:1]
            self.interest = self.wanted.union((key[0] for key in self.changes), last)

    def made(self) -> dict[Key, Any]:
        """What was kept, by site and occurrence."""
        return {event.key: event.value for event in self.events}

    def watch(self, value: Any) -> None:
        """A parameter is held by this object from now on."""
        self.current[id(value)] = value

    def probe(self, site: int, value: Any) -> Any:
        """Count, keep, change."""
        if self.draws and site in self.draws:
            value = self._choose_again(site, value)
        if self.interest is not None and site not in self.interest:
            return value
        number = self.counts.get(site, 0)
        self.counts[site] = number + 1
        self.seen += 1
        key = site, number
        if key in self.changes:
            value = self.changes[key](value)
        if self.wanted is None or site in self.wanted:
            self._keep(key, value)
        if key == self.last:
            raise Enough
        return value

    def _choose_again(self, site: int, value: Any) -> Any:
        if str(getattr(value, "dtype", type(value).__name__)).startswith(("float", "torch.float", "complex")):
            return value
        key = site, self.chosen[site]
        self.chosen[site] += 1
        return copy.deepcopy(self.drawn.setdefault(key, copy.deepcopy(value)))

    def wants(self, site: int) -> bool:
        """Whether a value of this site is kept."""
        return self.wanted is None or site in self.wanted

    def _keep(self, key: Key, value: Any) -> None:
        shape = () if is_number(value) else getattr(value, "shape", None)
        if shape is None and is_number_list(value):
            shape = np.shape(value)
        if not isinstance(shape, tuple) or not self.shape(tuple(shape)) or id(value) in self.current:
            return
        array = read_numbers(value)
        if array is not None and len(self.events) < MOST_EVENTS:
            self.events.append(MadeValue(key, array, self.seen))
            self.objects[len(self.events) - 1] = value

    # --- the update --------------------------------------------------------------------------------------------
    def scale(self, statement: int, old: Old, change: Any) -> Any:
        """What is added to a parameter counts `factor` times."""
        before = _look(old)
        self._note(statement)
        change = _keep_kind(before, change)
        if statement not in self.held or self.factor == 1.0 or not self._is_held(statement, old, before):
            return change
        return _times(change, self.factor)

    def grow(self, statement: int, old: Old, times: Any, divides: bool) -> Any:
        """What a parameter is multiplied by: `factor` of the way from one."""
        self._note(statement)
        if statement not in self.held or self.factor == 1.0 or not self._is_held(statement, old, _look(old)):
            return times
        return 1 / (1 + self.factor * (1 / times - 1)) if divides else 1 + self.factor * (times - 1)

    def blend(self, statement: int, old: Old, new: Any) -> Any:
        """What a parameter becomes: `factor` of the way."""
        self._note(statement)
        if statement not in self.held:
            return new
        before = _look(old)
        if not self._is_held(statement, old, before):
            return new
        if self.factor == 1.0:
            self._follow(before, new)
            return new
        if is_number(before):
            return before + self.factor * (new - before) if self.factor else before
        return self._mix(before, new, old)

    def call(self, statement: int, function: Any, *args: Any, **keywords: Any) -> Any:
        """A call that does nothing but update is left out where the update is held; of another, `factor` of what it
        changed stays, so that lines behind it read what they would read after such a step."""
        if statement not in self.held or self.factor == 1.0:
            value = function(*args, **keywords)
            self._note(statement)
            return value
        if self.factor == 0.0:
            return None
        before = [to_array(read(self.here(), leaf.places[0])) for leaf in self.leaves]
        value = function(*args, **keywords)
        self._note(statement)
        for leaf, old in zip(self.leaves, before, strict=True):
            now = self.here()
            new = to_array(read(now, leaf.places[0]))
            if old is None or new is None or new.shape != old.shape:
                raise Refused("a step made by a call has no rate that could be set", "nothing")
            if not np.array_equal(new, old, equal_nan=True):
                self.watch(put(now, leaf, old + self.factor * (new - old)))
        return value

    def here(self) -> Names:
        """The names as they are now, those of the iteration too."""
        assert self.names is not None
        if self.names.local is None:
            return self.names
        frame: Any = sys._getframe(1)
        while frame is not None and frame.f_code.co_name != "hook_piece":
            frame = frame.f_back
        return self.names if frame is None else Names(dict(frame.f_locals), self.names.shared)

    def _note(self, statement: int) -> None:
        if statement in self.held:
            self.latest = self.seen

    def _is_held(self, statement: int, old: Old, before: Any) -> bool:
        """Whether a parameter stands there, or a part of one: rows chosen by a list are copies, and a number is
        another object after each change."""
        held = self._holds(before) or self._owns(old) or (is_number(before) and statement in self.numeric)
        if held and is_number(before):
            self.numeric.add(statement)
        return held

    def _owns(self, old: Old) -> bool:
        """Whether it is an item of what holds a parameter's numbers."""
        if isinstance(old, tuple):
            return any(map(self._owns, old))
        if not isinstance(old, list):
            return False
        owner = _read(old[1])
        return id(owner) in self.current or any(_share(owner, one) for one in self.current.values())

    def _holds(self, value: Any, depth: int = 0) -> bool:
        if id(value) in self.current or any(_share(value, one) for one in self.current.values()):
            return True
        return depth < 3 and any(self._holds(child, depth + 1) for child in _parts(value))

    def _follow(self, before: Any, new: Any) -> None:
        if id(before) in self.current:
            self.watch(new)
        for child, other in zip(_parts(before), _parts(new), strict=False):
            self._follow(child, other)

    def _mix(self, before: Any, new: Any, old: Old | None = None) -> Any:
        if isinstance(old, tuple) and isinstance(new, list | tuple) and len(old) == len(new):
            mixed = [self._mix(*each) for each in zip(before, new, old, strict=True)]
            return type(new)(mixed)
        if isinstance(before, dict) and isinstance(new, dict):
            return {key: self._mix(before[key], new[key]) if key in before else new[key] for key in new}
        if isinstance(before, list | tuple) and isinstance(new, list | tuple) and len(before) == len(new):
            mixed = [self._mix(a, b) for a, b in zip(before, new, strict=True)]
            return new._make(mixed) if hasattr(new, "_make") else type(new)(mixed)
        if not self._holds(before) and not (old is not None and self._owns(old)):
            return new
        if self.factor == 0.0:
            return before
        out = before + self.factor * (new - before)
        self.watch(out)
        return out


def read_numbers(value: Any) -> Any:
    """An array of floats or complex numbers, whole ones too; None if there is none."""
    array = to_array(value)
    return _whole_numbers(value) if array is None else array


def _whole_numbers(value: Any) -> Any:
    """Labels as floats: what an output is compared with is often whole."""
    kind = str(getattr(value, "dtype", ""))
    if ("int" not in kind and "bool" not in kind) or not np.ndim(value) or not hasattr(value, "__array__"):
        return None
    try:
        return np.array(value, dtype=float)
    except Exception:  # a tensor of another device, a value that stands for others
        return None


def _keep_kind(before: Any, change: Any) -> Any:
    """A buffer of real numbers holds no complex ones. What the cost is made of is never kept in one where it shall be
    differentiated by complex steps; gradients are."""
    real = isinstance(before, np.ndarray) and before.dtype.kind == "f"
    return np.real(change) if real and getattr(change, "dtype", np.dtype(float)).kind == "c" else change


def _look(old: Old) -> Any:
    if isinstance(old, tuple):
        return tuple(map(_look, old))
    return _read(old[0] if isinstance(old, list) else old)


def _read(thunk: Callable[[], Any]) -> Any:
    try:
        return thunk()
    except Exception:  # not bound yet, no such key: then nothing is updated
        return None


def _parts(value: Any) -> Sequence[Any]:
    if isinstance(value, dict):
        return list(value.values())[:64]
    return value[:64] if isinstance(value, list | tuple) else ()


def _share(value: Any, one: Any) -> bool:
    """Whether two arrays or tensors are the same memory, wholly or in part."""
    if isinstance(value, np.ndarray) and isinstance(one, np.ndarray):
        return np.may_share_memory(value, one)
    if is_tensor(value) and is_tensor(one):
        return bool(value.untyped_storage().data_ptr() == one.untyped_storage().data_ptr())
    return False


def _times(change: Any, factor: float) -> Any:
    if isinstance(change, list):
        return [_times(one, factor) for one in change]
    return change * factor
