"""Which statements change the parameters in one iteration."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from typing import Any

from backprop.attaching.running.leaves import NumberLeaf, is_number, put, read, to_array
from backprop.attaching.running.program import HookedProgram
from backprop.attaching.running.repeating import Iteration
from backprop.attaching.running.replaying import IterationRecorder
from backprop.attaching.running.states import Names, Old

__all__ = ["find_updates"]


class Tracer(IterationRecorder):
    """Finds the statements that change the parameters, by looking at them at every hook."""

    def __init__(self, leaves: Sequence[NumberLeaf], program: HookedProgram) -> None:
        super().__init__(leaves=leaves)
        self.statements, self.file = program.rewritten.statements, program.module.__file__
        numbers = all(is_number(leaf.value) for leaf in leaves)
        ends = {leaf.places[0][-1] for leaf in leaves}
        self.attributes = {name for kind, name in ends if kind == "attr"} if numbers else set()
        """Where all are numbers held by objects: the attributes that a statement has to store to change one."""
        if any(kind != "attr" for kind, _ in ends):
            self.attributes = set()
        self.pending = True
        self.before: list[bytes] = []
        self.statement: int | None = None
        self.updates: set[int] = set()
        self.lost = False

    def _state(self) -> list[bytes]:
        names = self.here()
        return [_print(read(names, leaf.places[0])) for leaf in self.leaves]

    def look(self) -> None:
        """What changed since the last look was changed by the latest statement."""
        if self.names is None or not self.pending:
            return
        self.pending = not self.attributes
        now = self._state()
        if not self.before:
            self.before = now
        if now != self.before:
            if self.statement is None:
                self.lost = True
            else:
                self.updates.add(self.statement)
            self.before = now

    def _pass(self, statement: int) -> None:
        self.look()
        target: Any = self.statements[statement]
        target = target.target if isinstance(target, ast.AugAssign) else getattr(target, "targets", [None])[0]
        if self.attributes and isinstance(target, ast.Attribute) and target.attr not in self.attributes:
            return
        self.statement, self.pending = statement, True

    def probe(self, site: int, value: Any) -> Any:
        return value

    def scale(self, statement: int, old: Old, change: Any) -> Any:
        self._pass(statement)
        return change

    def grow(self, statement: int, old: Old, times: Any, divides: bool) -> Any:
        self._pass(statement)
        return times

    def blend(self, statement: int, old: Old, new: Any) -> Any:
        self._pass(statement)
        return new

    def call(self, statement: int, function: Any, *args: Any, **keywords: Any) -> Any:
        self.look()
        value = self._call(function, statement, args, keywords)
        self.look()
        return value

    def _call(self, function: Any, statement: int, args: Any, keywords: Any) -> Any:
        code = getattr(function, "__code__", None)
        if self.attributes and code is not None and code.co_filename == self.file:
            # What it changes, its own statements change.
            return function(*args, **keywords)
        self.statement, self.pending = statement, True
        return function(*args, **keywords)

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
    tracer = Tracer(iteration.leaves, iteration.program)

    def prepare(names: Names) -> None:
        for leaf, value in zip(iteration.leaves, iteration.start, strict=True):
            put(names, leaf, value)
        tracer.names = names

    names = iteration.program.replay(iteration.snapshot, tracer, prepare)
    tracer.names = Names(names.local, names.shared)
    tracer.pending = True
    tracer.look()
    return frozenset(tracer.updates)
