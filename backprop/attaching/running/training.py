"""The iteration that trains: the innermost loop whose every pass moves the same arrays, by a change that depends on
them."""

from __future__ import annotations

import ast
import time
import types
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from backprop.attaching.looking.refusals import Refused
from backprop.attaching.running.leaves import NumberLeaf, Place, find_leaves, put, read, to_array
from backprop.attaching.running.program import HookedProgram, Hooks, Names, StateSnapshot
from backprop.attaching.running.replaying import Iteration
from backprop.attaching.running.tracing import find_updates

__all__ = ["Training", "adds", "find_training", "is_level"]

SECONDS = 25.0
MORE_EVENTS, MORE_SECONDS = 1_500, 5.0
"""Loop iterations that are watched after a training iteration was found, for one around it that moves more, and for
another training; seconds are a guard."""
MOST_MOVED = 60
MOST_TAKEN = 8
MOST_PASSES = 4
SMALL = 1e-4
TINY = 1e-9
LEVEL = 1.01
KEPT = 0.5
"""Of a small change of a parameter, the part that may be lost in one iteration."""


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
    events: int = 0
    since: int = 0
    seconds: float = 0.0
    began: float = field(default_factory=time.monotonic)
    failed: list[str] = field(default_factory=list)

    def loop(self, number: int, frame: types.FrameType) -> bool:
        """An iteration begins, and with it the one before may end; a loop that is known to train is left."""
        self.events += 1
        self._hurry()
        if number not in self.settled and (self.only is None or number in self.only):
            self._look(number, frame)
        key = (id(frame), number)
        self.active[key] = self.active.get(key, 0) + 1
        return self._is_enough(key)

    def _is_enough(self, key: tuple[int, int]) -> bool:
        """Whether a loop trains, stands in no other, and was seen often: what comes behind it may train as well."""
        trains = any(key[1] == one.snapshot.loop or key[1] in one.around for one in self.found)
        return trains and self.active[key] > MOST_TAKEN and next(iter(self.active)) == key and key not in self.passes

    def _look(self, number: int, frame: types.FrameType) -> None:
        key = (id(frame), number)
        if key in self.passes:
            self._end(key, frame)
            if number in self.settled:
                return
        if self.taken.get(number, 0) >= MOST_TAKEN:
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
        late = time.monotonic() - self.began > self.seconds + MORE_SECONDS
        if self.found and (late or self.events - self.since > MORE_EVENTS):
            raise Stop
        if time.monotonic() - self.began > SECONDS:
            if self.found:
                raise Stop
            raise Refused(f"{self.program.document.path}: no training iteration began within {SECONDS:g} s; mark the "
                          "piece by comments '# backprop: begin' and '# backprop: end'", "time")  # fmt: skip

    def _end(self, key: tuple[int, int], frame: types.FrameType, *, last: bool = False) -> None:
        done = self.passes.pop(key)
        at_top = done.snapshot.local is None
        names = Names(None if at_top else dict(frame.f_locals), vars(self.program.module))
        moved = [leaf for leaf, value in done.leaves if _is_moved(value, read(names, leaf.places[0]))]
        here = frozenset(place for leaf in moved for place in leaf.places)
        before = self.earlier.get(key)
        self.earlier[key] = here
        if not here or len(moved) > 40 * MOST_MOVED:
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
        if both and not self._try(started.snapshot, both, started.snapshot):
            # The first step of some optimisers has the same size whatever the gradient.
            again = [leaf for leaf in moved if last or (before or frozenset()).intersection(leaf.places)]
            self._try(done.snapshot, again, started.snapshot)
        self.settled.add(key[1])

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
            same = tuple(leaf for leaf in find_leaves(first.names) if places.intersection(leaf.places))
            self.found.append(Training(first, same, frozenset(number for _, number in self.passes)))
            self.since, self.seconds = self.events, time.monotonic() - self.began
        return bool(own)


def _is_moved(before: Any, now: Any) -> bool:
    value = to_array(now)
    return value is not None and value.shape == before.shape and not np.array_equal(value, before, equal_nan=True)


def find_dependent(program: HookedProgram, snapshot: StateSnapshot, moved: list[NumberLeaf]) -> list[NumberLeaf]:
    """The leaves that an iteration moves and on which something depends; none where it does not train.

    It trains where a small change of a leaf is still there afterwards, nearly as it was, and changes what is added to
    such leaves. Counters, sums, buffers that are filled and states that are replaced do not do both.
    """
    leaves = moved[:MOST_MOVED]
    before: list[Any] = [to_array(read(snapshot.names, leaf.places[0])) for leaf in leaves]
    plain = _run(program, snapshot, leaves, None, None)
    if any(a is None or b is None or a.shape != b.shape for a, b in zip(plain, before, strict=True)):
        return []
    really = {i for i, (a, b) in enumerate(zip(plain, before, strict=True)) if not np.array_equal(a, b)}
    stays, states, touched = set(), set(), {}
    for i in sorted(really):
        kept, forgets, touched[i] = _shake(program, snapshot, leaves, i, before[i], plain)
        stays |= {i} if kept else set()
        states |= {i} if forgets else set()
    if not any(touched[i] & stays for i in stays):
        # Large steps keep little of a change; what is written as a sum with itself is one.
        stays |= {i for i in really if touched[i] and _is_added_to(program, snapshot, leaves[i])}
    trains = any(touched[i] & stays for i in stays)
    steps = [a - b for a, b in zip(plain, before, strict=True)]
    own = [i for i in touched if i not in states and (touched[i] & really or (i in stays and is_level(steps[i])))]
    return [leaf for i, leaf in enumerate(leaves) if i in own] if trains else []


def is_level(step: Any) -> bool:
    """Whether a step is as long in every entry, as the first of Adam's is: such a step follows nothing."""
    sizes = np.abs(step)
    return step.size > 1 and bool(sizes.any()) and bool(np.max(sizes) <= LEVEL * np.median(sizes))


def _shake(
    program: HookedProgram,
    snapshot: StateSnapshot,
    leaves: list[NumberLeaf],
    i: int,
    value: Any,
    plain: list[Any],
) -> tuple[bool, bool, set[int]]:
    """After a small change of one leaf: whether most of it is still there, whether all that moves forgets it, and which
    leaves move otherwise."""
    rng = np.random.default_rng(i)
    change = rng.standard_normal(value.shape) * SMALL * (float(np.max(np.abs(value), initial=0.0)) or 1.0)
    after = _run(program, snapshot, leaves, leaves[i], value + change)
    gaps = [_gap(a, b) for a, b in zip(after, plain, strict=True)]
    # What is overwritten keeps nothing of a change, and depends on nothing for that.
    gone = np.abs(gaps[i]) <= TINY * np.abs(change)
    forgets = bool(np.all(gone[plain[i] != value]))
    gaps[i] = np.where(gone, 0.0, gaps[i] - change)
    kept = float(np.linalg.norm(gaps[i])) <= KEPT * float(np.linalg.norm(change)) and not gone.all()
    floor = [1e-11 * (float(np.max(np.abs(p), initial=0.0)) + 1e-3) for p in plain]
    return kept, forgets, {j for j, g in enumerate(gaps) if float(np.max(np.abs(g), initial=0.0)) > floor[j]}


def _is_added_to(program: HookedProgram, snapshot: StateSnapshot, leaf: NumberLeaf) -> bool:
    """Whether every statement that changes a leaf adds to it, or takes from it."""
    numbers = find_updates(Iteration(program, snapshot, [leaf]))
    return bool(numbers) and all(adds(program.rewritten.statements[number]) for number in numbers)


def adds(statement: ast.stmt) -> bool:
    """Whether a statement stores the sum, or the difference, of what stood there and something."""
    if isinstance(statement, ast.AugAssign):
        return True
    if not isinstance(statement, ast.Assign) or not isinstance(statement.value, ast.BinOp):
        return False
    value, target = statement.value, ast.unparse(statement.targets[0])
    sides = [value.left] if isinstance(value.op, ast.Sub) else [value.left, value.right]
    return isinstance(value.op, ast.Add | ast.Sub) and target in map(ast.unparse, sides)


def _gap(a: Any, b: Any) -> Any:
    return np.full(b.shape, np.inf) if a is None or a.shape != b.shape else a - b


def _run(
    program: HookedProgram, snapshot: StateSnapshot, leaves: list[NumberLeaf], leaf: NumberLeaf | None, value: Any
) -> list[Any]:
    def prepare(names: Names) -> None:
        if leaf is not None:
            put(names, leaf, value)

    names = program.replay(snapshot, Hooks(), prepare)
    return [to_array(read(names, one.places[0])) for one in leaves]


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
