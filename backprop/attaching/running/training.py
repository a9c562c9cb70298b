"""The iteration that trains: the innermost loop whose every pass moves the same arrays, by a change that depends on
them."""

from __future__ import annotations

import time
import types
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from backprop.attaching.looking.refusals import Refused
from backprop.attaching.running.leaves import NumberLeaf, Place, find_leaves, read, to_array
from backprop.attaching.running.program import HookedProgram
from backprop.attaching.running.shaking import MOST_MOVED, find_dependent
from backprop.attaching.running.states import Hooks, Names, StateSnapshot

__all__ = ["Training", "find_training"]

SECONDS = 25.0
MORE_EVENTS, MORE_SECONDS = 1_500, 5.0
"""Loop iterations that are watched after a training iteration was found, for one around it that moves more, and for
another training; seconds are a guard."""
MOST_TAKEN = 8
LONG = 400
"""Passes of a loop that trains and stands in no other, after which what comes behind it is looked at."""
MOST_PASSES = 4
MOST_FRUITLESS, FRUITLESS_SECONDS, DEEPEST = 400, 1.0, 3
"""Passes of a loop that are looked at beyond the first ones where nothing was found to train yet, since a first reward
may be zero; how long in all; and in how many loops it may stand."""


class Stop(BaseException):
    """The program is not needed any further."""


@dataclass(frozen=True)
class Training:
    """One iteration that trains: its state, and the leaves that it moves by a change that depends on them."""

    snapshot: StateSnapshot
    moved: tuple[NumberLeaf, ...]
    around: frozenset[int] = frozenset()
    """The loops that were under way as well: all of them are ways to read one training."""


@dataclass
class Pass:
    """An iteration under way."""

    snapshot: StateSnapshot
    leaves: list[tuple[NumberLeaf, Any]]
    moved: frozenset[Place] | None = None


@dataclass
class TrainingWatch(Hooks):
    """Looks at loops while the program runs."""

    program: HookedProgram
    only: frozenset[int] | None = None
    found: list[Training] = field(default_factory=list)
    passes: dict[tuple[int, int], Pass] = field(default_factory=dict)
    earlier: dict[tuple[int, int], frozenset[Place]] = field(default_factory=dict)
    first: dict[tuple[int, int], tuple[Pass, list[NumberLeaf]]] = field(default_factory=dict)
    counted: dict[tuple[int, int], int] = field(default_factory=dict)
    taken: dict[int, int] = field(default_factory=dict)
    active: dict[tuple[int, int], int] = field(default_factory=dict)
    """Loops under way, the outermost first, and how many passes each had."""
    settled: set[int] = field(default_factory=set)
    tried: dict[int, frozenset[Place]] = field(default_factory=dict)
    """What moved in passes of a loop that were found not to train."""
    fruitless: float = 0.0
    """Seconds that were spent on passes beyond the first ones."""
    events: int = 0
    since: int = 0
    seconds: float = 0.0
    began: float = field(default_factory=time.process_time)
    failed: list[str] = field(default_factory=list)

    def loop(self, number: int, frame: types.FrameType) -> bool:
        """An iteration begins, and with it the one before may end; a loop that is known to train is left."""
        self.events += 1
        self._hurry()
        if number not in self.settled and (self.only is None or number in self.only):
            self._look_as_long_as_worth(number, frame)
        key = (id(frame), number)
        self.active[key] = self.active.get(key, 0) + 1
        return self._is_enough(key)

    def _is_enough(self, key: tuple[int, int]) -> bool:
        """Whether a loop trains, stands in no other, and was seen often: what comes behind it may train as well."""
        trains = any(key[1] == one.snapshot.loop or key[1] in one.around for one in self.found)
        return trains and self.active[key] > LONG and next(iter(self.active)) == key and key not in self.passes

    def _look_as_long_as_worth(self, number: int, frame: types.FrameType) -> None:
        taken = self.taken.get(number, 0)
        began = time.process_time()
        self._look(number, frame, more=self._may_yet_train(number, taken))
        self.fruitless += time.process_time() - began if taken >= MOST_TAKEN or number in self.tried else 0.0

    def _may_yet_train(self, number: int, taken: int) -> bool:
        """Whether passes beyond the first ones are worth a look: nothing was found so far, and there is time."""
        near = len(self.active) <= DEEPEST and taken < MOST_FRUITLESS
        return near and not self.found and self.fruitless < FRUITLESS_SECONDS

    def _look(self, number: int, frame: types.FrameType, *, more: bool) -> None:
        key = (id(frame), number)
        if key in self.passes:
            self._end(key, frame)
            if number in self.settled:
                return
        if not more and (self.taken.get(number, 0) >= MOST_TAKEN or number in self.tried):
            self.settled.add(number)
            return
        self.taken[number] = self.taken.get(number, 0) + 1
        snapshot = self.program.take(number, frame)
        names = snapshot.names
        # Named as in the first pass: later ones have more names for the same things.
        leaves = [leaf for leaf, _ in self.first[key][0].leaves] if key in self.first else find_leaves(names)
        values = [(leaf, to_array(read(names, leaf.places[0]))) for leaf in leaves]
        self.passes[key] = Pass(snapshot, [(leaf, value) for leaf, value in values if value is not None])

    def done(self, number: int, frame: types.FrameType) -> None:
        """A loop is over; one that had a single iteration is looked at now."""
        key = (id(frame), number)
        self.active.pop(key, None)
        if key in self.passes:
            self._end(key, frame, last=key not in self.earlier)
            self.passes.pop(key, None)
            self.earlier.pop(key, None)

    def _hurry(self) -> None:
        late = time.process_time() - self.began > self.seconds + MORE_SECONDS
        if self.found and (late or self.events - self.since > MORE_EVENTS):
            raise Stop
        if time.process_time() - self.began > SECONDS:
            if self.found:
                raise Stop
            raise Refused(f"{self.program.document.path}: no training iteration began within {SECONDS:g} s; mark the "
                          "piece by comments '# backprop: begin' and '# backprop: end'", "time")  # fmt: skip

    def _end(self, key: tuple[int, int], frame: types.FrameType, *, last: bool = False) -> None:
        done = self.passes.pop(key)
        at_top = done.snapshot.local is None
        names = Names(None if at_top else dict(frame.f_locals), vars(self.program.module))
        moved = [found for leaf, value in done.leaves if (found := _keep_moved(leaf, value, names)) is not None]
        here = frozenset(place for leaf in moved for place in leaf.places)
        before = self.earlier.get(key)
        self.earlier[key] = here
        if not here or len(moved) > 40 * MOST_MOVED:
            return
        if key[1] in self.tried:
            self._try_again(key[1], done, moved)
            return
        passes = self.counted[key] = self.counted.get(key, 0) + 1
        if not last and (before is None or (here != before and passes < MOST_PASSES)):
            # A sample of zeros moves no weights: what all passes move is seen where two move the same.
            self.first[key] = done, moved
            return
        self._settle(key, done, moved, (here, before, last))

    def _settle(self, key: tuple[int, int], done: Pass, moved: list[NumberLeaf], seen: Any) -> None:
        """Try what two passes move; the first of them, or the second where the first shows nothing."""
        here, before, last = seen
        started, ours = self.first.get(key, (done, moved))
        both = [leaf for leaf in ours if last or here.intersection(leaf.places)]
        trains = bool(both) and self._try(started.snapshot, both, started.snapshot)
        if both and not trains:
            # The first step of some optimisers has the same size whatever the gradient.
            again = [leaf for leaf in moved if last or (before or frozenset()).intersection(leaf.places)]
            trains = self._try(done.snapshot, again, started.snapshot)
        if trains:
            self.settled.add(key[1])
        else:
            self.tried[key[1]] = here | (before or frozenset())

    def _try_again(self, number: int, done: Pass, moved: list[NumberLeaf]) -> None:
        """A later pass of a loop that did not train, where something else moves than did before."""
        here = frozenset(place for leaf in moved for place in leaf.places)
        if here <= self.tried[number]:
            return
        self.tried[number] |= here
        if self._try(done.snapshot, moved, done.snapshot):
            self.settled.add(number)

    def _try(self, snapshot: StateSnapshot, moved: list[NumberLeaf], first: StateSnapshot) -> bool:
        kept = self.program.aside()
        try:
            own = find_dependent(self.program, snapshot, moved)
        except Exception as error:
            self.failed.append(f"{type(error).__name__}: {error}")
            return False
        finally:
            self.program.resume(kept)
        places = {place for leaf in own for place in leaf.places}
        if own:
            same = tuple(
                NumberLeaf(tuple(place for place in leaf.places if place in places), leaf.value)
                for leaf in find_leaves(first.names) if places.intersection(leaf.places)
            )  # fmt: skip
            self.found.append(Training(first, same, frozenset(number for _, number in self.passes)))
            self.since, self.seconds = self.events, time.process_time() - self.began
        return bool(own)


def _keep_moved(leaf: NumberLeaf, before: Any, names: Names) -> NumberLeaf | None:
    """A leaf by those of its places where something else stands now: one that had two names may have one from now on;
    None where nothing does."""
    places = tuple(place for place in leaf.places if _is_moved(before, read(names, place)))
    return NumberLeaf(places, leaf.value) if places else None


def _is_moved(before: Any, now: Any) -> bool:
    value = to_array(now)
    return value is not None and value.shape == before.shape and not np.array_equal(value, before, equal_nan=True)


def find_training(program: HookedProgram, only: frozenset[int] | None = None) -> list[list[Training]]:
    """Run the program until it trains; the trainings found, each in all ways in which it can be read: loops in each
    other, the one that moves the most first.

    Errors: `Refused` where it crashed first, or took too long, or never trained.
    """
    watch = TrainingWatch(program, only)
    program.hooks = watch
    crash: BaseException | None = None
    try:
        program.run()
    except Stop:
        pass
    except Refused:
        raise
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # whatever a program raises, SystemExit too
        crash = error
    program.hooks = Hooks()
    if not watch.found and crash is not None:
        raise crash
    groups: list[list[Training]] = []
    for one in watch.found:
        mine = [group for group in groups if any(_are_nested(one, other) for other in group)]
        groups = [group for group in groups if group not in mine] + [[*(x for group in mine for x in group), one]]
    groups = [sorted(group, key=lambda one: -len(one.moved)) for group in groups]
    return sorted(groups, key=lambda group: -len(group[0].moved))


def _are_nested(one: Training, other: Training) -> bool:
    return one.snapshot.loop in other.around or other.snapshot.loop in one.around
