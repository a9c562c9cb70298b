"""Causal sufficiency: could a change of this one value alone make every gradient right that it reaches?

A value v of the run is moved entry by entry; J is the Jacobian of the returned gradients by it.  If J c = (what is
needed) has one solution, then v + c is the value that should have been there.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Sequence, Set
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from backprop.examiner.measuring.cases import Array
from backprop.examiner.subject.protocol.subjects import Unusable
from backprop.reading.running.bench import Bench, Point
from backprop.reading.running.recorder import Event, Key, as_array, move

__all__ = ["Sufficient", "find_sufficient", "replay"]

STEP = 1e-5
TURNS = 5
MOST_ENTRIES = 96
"""Entries of a value, over all the times that its line runs, that are moved one by one."""
MOST_VALUES = 3_000_000
"""Values that all the runs of one search may make."""
NOTHING = 1e-9
RANK = 1e-7
BETTER = 0.1

Mask: TypeAlias = NDArray[np.bool_]
Moved: TypeAlias = Callable[[Array], "Array | None"]


@dataclass(frozen=True)
class Sufficient:
    """A site whose value alone is at fault for some tensors, and disturbs no other.

    Attributes: `needed`, what the value should have been each time, NaN where that has no effect; `mends`, the tensors
    that are right then; `spare`, how many more equations agree than there are unknowns; `disturbs`, how many tensors it
    reaches that were right before.
    """

    site: int
    node: ast.AST
    needed: dict[Key, Array]
    mends: frozenset[int]
    spare: int
    disturbs: int = 0


@dataclass(frozen=True)
class _Aim:
    """The returned gradients as one vector: what they are, what is needed, what is nothing, and whose they are."""

    base: Array
    needed: Array
    scale: Array
    owner: NDArray[np.int_]
    wrong: frozenset[int]

    def covers(self, touched: Mask) -> frozenset[int]:
        """The wrong tensors that are moved."""
        return self.wrong & {int(k) for k in np.unique(self.owner[touched])}


def find_sufficient(
    bench: Bench, point: Point, untouched: Set[ast.stmt], only: Set[int] | None = None
) -> list[Sufficient]:
    """Sites whose change alone makes right what it moves, those that mend most first.

    Only sites with one solution count: where several would do, innocent lines look guilty.  Those of the `untouched`
    statements are left out, and all that are not among `only`.
    """
    events, given = bench.record(point.case)
    aim = _take_aim(point, given)
    if aim is None or not aim.wrong:
        return []
    found, values = [], 0
    for site, mine in reversed(_by_site(events).items()):
        size = sum(event.value.size for event in mine)
        if (only is not None and site not in only) or any(e.value.dtype.kind != "f" for e in mine):
            continue
        if bench.source.statement_of(bench.instrumented.sites[site]) in untouched:
            continue
        if not 0 < size <= MOST_ENTRIES or values > MOST_VALUES:
            continue
        values += (size + 2) * len(events)
        one = _Site(bench, point, aim, mine).examine()
        if one is not None:
            found.append(one)
    return sorted(found, key=lambda one: (-len(one.mends), one.disturbs, -one.site))


def replay(bench: Bench, point: Point, one: Sufficient) -> dict[Key, Any]:
    """Run the gradients with the needed values in place; what stood there before, by each time it was met.

    What is watched or remembered meanwhile is as it would be in a right program.
    """
    before: dict[Key, Any] = {}

    def change(key: Key, value: Any) -> Any:
        needed = one.needed.get(key)
        if needed is None or np.shape(value) != needed.shape:
            return value
        seen = as_array(value)
        assert seen is not None
        before[key] = seen
        return move(value, np.nan_to_num(needed - seen))

    bench.recorder.change = {one.site: change}
    try:
        bench.run(point.case)
    finally:
        bench.recorder.change = {}
    return before


def _by_site(events: Sequence[Event]) -> dict[int, list[Event]]:
    sites: dict[int, list[Event]] = {}
    for event in events:
        sites.setdefault(event.key[0], []).append(event)
    return sites


def _take_aim(point: Point, given: Sequence[Any]) -> _Aim | None:
    """Tensors of a wrong shape take no part; None where nothing is left."""
    bases, needed, scales, owners = [], [], [], []
    for k, (leaf, picked) in enumerate(zip(point.case.leaves, point.truth.pick(given), strict=True)):
        if picked is None or given[k].shape != leaf.shape or not np.isfinite(picked).all():
            continue
        bases.append(picked)
        needed.append(point.truth.values[k] - picked)
        scales.append(np.full(len(picked), max(point.truth.tolerance[k], 1e-300)))
        owners.append(np.full(len(picked), k))
    if not bases:
        return None
    base, need, scale, owner = (np.concatenate(part) for part in (bases, needed, scales, owners))
    return _Aim(base, need, scale, owner, frozenset(int(k) for k in np.unique(owner[np.abs(need) > scale])))


class _Site:
    """Newton's method in the values of one site."""

    def __init__(self, bench: Bench, point: Point, aim: _Aim, events: Sequence[Event]) -> None:
        self.bench, self.point, self.aim, self.events = bench, point, aim, events
        self.number = events[0].key[0]
        self.values = np.concatenate([event.value.ravel() for event in events]).astype(float)
        self.step = STEP * max(float(np.max(np.abs(self.values), initial=0.0)), 1e-3)

    def examine(self) -> Sufficient | None:
        """What this site mends, if it does."""
        rng = np.random.default_rng(self.number)
        probe = self.move(self.step * rng.uniform(0.5, 1, self.values.size))
        if probe is None:
            return None
        aim = self.aim
        touched = np.abs(probe - aim.base) > NOTHING * STEP * (np.abs(aim.base) + 1e6 * aim.scale)
        mends = aim.covers(touched)
        if not mends:
            return None
        # Of the tensors that it reaches, all that is needed must be within its reach.
        rows = touched | np.isin(aim.owner, sorted(mends))
        if np.any(rows & ~touched & (np.abs(aim.needed) > aim.scale)):
            return None
        c, active = self._solve(rows)
        if c is None:
            return None
        # What an earlier turn hands on has changed the later ones: the values are taken from the run that is right.
        before: dict[Key, Array] = {}
        self.move(c, before)
        c[~active] = np.nan
        moves = zip(self.events, self._split(c), strict=True)
        wanted = {event.key: before.get(event.key, event.value) + part for event, part in moves}
        node = self.bench.instrumented.sites[self.number]
        reached = len(np.unique(aim.owner[touched])) - len(mends)
        return Sufficient(self.number, node, wanted, mends, int(touched.sum() - active.sum()), reached)

    def _solve(self, rows: Mask) -> tuple[Array | None, Mask]:
        aim = self.aim
        c, residual = np.zeros(self.values.size), aim.needed[rows]
        J = self._differentiate(c, aim.base, rows)
        active = np.zeros(self.values.size, bool)
        for _ in range(TURNS):
            if J is None:
                return None, active
            active = np.abs(J).max(axis=0) > NOTHING * max(float(np.abs(J).max()), 1e-300)
            if (
                not active.any()
                or np.linalg.matrix_rank(J[:, active], tol=RANK * float(np.abs(J).max())) < active.sum()
            ):
                return None, active
            update, *_ = np.linalg.lstsq(J[:, active], residual, rcond=None)
            c[active] += update
            reached = self.move(c)
            if reached is None:
                return None, active
            before, residual = float(np.linalg.norm(residual)), (aim.base + aim.needed - reached)[rows]
            if np.all(np.abs(residual) <= aim.scale[rows]):
                # Once more: what is left over is as large as the tolerance, the needed value shall be sharper.
                c[active] += np.linalg.lstsq(J[:, active], residual, rcond=None)[0]
                return c, active
            after = float(np.linalg.norm(residual))
            if after >= before:
                return None, active
            if after > BETTER * before:
                J = self._differentiate(c, reached, rows)
        return None, active

    def _differentiate(self, c: Array, at: Array, rows: Mask) -> NDArray[Any] | None:
        columns = []
        for k in range(self.values.size):
            moved = c.copy()
            moved[k] += self.step
            reached = self.move(moved)
            if reached is None:
                return None
            columns.append((reached - at)[rows] / self.step)
        return np.stack(columns, axis=1)

    def _split(self, flat: Array) -> list[Array]:
        bounds = np.cumsum([event.value.size for event in self.events])[:-1]
        parts = np.split(flat, bounds)
        return [part.reshape(event.value.shape) for event, part in zip(self.events, parts, strict=True)]

    def move(self, c: Array, before: dict[Key, Array] | None = None) -> Array | None:
        """The gradients with the values moved by c; what stood there `before` is noted."""
        moves = {event.key: part for event, part in zip(self.events, self._split(c), strict=True)}

        def change(key: Key, value: Any) -> Any:
            by, seen = moves.get(key), as_array(value)
            if by is None or seen is None or seen.shape != by.shape:
                return value
            if before is not None:
                before[key] = seen
            return move(value, by)

        self.bench.recorder.change = {self.number: change}
        try:
            given = self.bench.run(self.point.case)
        except Unusable:
            return None
        finally:
            self.bench.recorder.change = {}
        aim = _take_aim(self.point, given)
        return None if aim is None or aim.base.shape != self.aim.base.shape else aim.base
