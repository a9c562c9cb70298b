"""Which statements change the parameters in one iteration."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from backprop.attaching.running.leaves import NumberLeaf, put, read, to_array
from backprop.attaching.running.program import Names, Old
from backprop.attaching.running.replaying import Iteration, IterationRecorder

__all__ = ["find_updates"]


class Tracer(IterationRecorder):
    """Finds the statements that change the parameters, by looking at them at every hook."""

    def __init__(self, leaves: Sequence[NumberLeaf]) -> None:
        super().__init__(leaves=leaves)
        self.before: list[bytes] = []
        self.latest: int | None = None
        self.updates: set[int] = set()
        self.lost = False

    def _state(self) -> list[bytes]:
        names = self.here()
        return [_print(read(names, leaf.places[0])) for leaf in self.leaves]

    def look(self) -> None:
        """What changed since the last look was changed by the latest statement."""
        if self.names is None:
            return
        now = self._state()
        if not self.before:
            self.before = now
        if now != self.before:
            if self.latest is None:
                self.lost = True
            else:
                self.updates.add(self.latest)
            self.before = now

    def probe(self, site: int, value: Any) -> Any:
        return value

    def scale(self, statement: int, old: Old, change: Any) -> Any:
        self.look()
        self.latest = statement
        return change

    def grow(self, statement: int, old: Old, times: Any, divides: bool) -> Any:
        self.look()
        self.latest = statement
        return times

    def blend(self, statement: int, old: Old, new: Any) -> Any:
        self.look()
        self.latest = statement
        return new

    def call(self, statement: int, function: Any, *args: Any, **keywords: Any) -> Any:
        self.look()
        self.latest = statement
        value = function(*args, **keywords)
        self.look()
        return value

    def loop(self, number: int, frame: Any) -> bool:
        self.look()
        return False

    def done(self, number: int, frame: Any) -> None:
        self.look()


def _print(value: Any) -> bytes:
    array = to_array(value)
    return b"" if array is None else array.tobytes()


def find_updates(iteration: Iteration) -> frozenset[int]:
    """The statements that change the parameters in one iteration."""
    tracer = Tracer(iteration.leaves)

    def prepare(names: Names) -> None:
        for leaf, value in zip(iteration.leaves, iteration.start, strict=True):
            put(names, leaf, value)
        tracer.names = names

    names = iteration.program.replay(iteration.snapshot, tracer, prepare)
    tracer.names = Names(names.local, names.shared)
    tracer.look()
    return frozenset(tracer.updates)
