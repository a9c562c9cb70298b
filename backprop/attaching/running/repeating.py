"""One iteration of a program from its state, as a function of its parameters."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from backprop.attaching.running.leaves import NumberLeaf, is_number, put, read, to_array
from backprop.attaching.running.program import HookedProgram
from backprop.attaching.running.replaying import Enough, IterationRecorder
from backprop.attaching.running.states import Names, StateSnapshot

__all__ = ["Iteration"]


class Iteration:
    """One iteration of a program from a snapshot, as a function of its parameters."""

    def __init__(self, program: HookedProgram, snapshot: StateSnapshot, leaves: Sequence[NumberLeaf]) -> None:
        self.program, self.snapshot, self.leaves = program, snapshot, tuple(leaves)
        self.held: frozenset[int] = frozenset()
        self.emptied: tuple[NumberLeaf, ...] = ()
        """An optimiser's memories, which hold zeros in every run, as before its first step."""
        self.placed: tuple[tuple[NumberLeaf, Any], ...] = ()
        """Data that hold other values in every run."""
        self.adjust: Callable[[Names], None] = lambda names: None
        """What is done to the names before every run."""
        self.start: list[Any] = [to_array(leaf.value) for leaf in leaves]

    def like(self, leaves: Sequence[NumberLeaf]) -> Iteration:
        """The same with some of the leaves."""
        out = Iteration(self.program, self.snapshot, leaves)
        known = {leaf.places: value for leaf, value in zip(self.leaves, self.start, strict=True)}
        out.start = [known.get(leaf.places, value) for leaf, value in zip(leaves, out.start, strict=True)]
        out.held, out.emptied, out.adjust = self.held, self.emptied, self.adjust
        return out

    def beside(self, share: float) -> Iteration:
        """The same with its start moved by a share of its size, or a little where it is zero."""
        out = self.like(self.leaves)
        rng = np.random.default_rng(11)
        sizes = [float(np.sqrt(np.mean(value**2))) if np.any(value) else 1.0 for value in self.start]
        out.start = [v + share * s * rng.standard_normal(v.shape) for v, s in zip(self.start, sizes, strict=True)]
        return out

    def run(self, values: Sequence[Any] | None = None, recorder: IterationRecorder | None = None) -> list[Any]:
        """The parameters after the iteration; raises what the program raises."""
        names = self.run_names(values, recorder)
        return [to_array(read(names, leaf.places[0])) for leaf in self.leaves]

    def run_names(self, values: Sequence[Any] | None = None, recorder: IterationRecorder | None = None) -> Names:
        """All names after the iteration."""
        recorder = recorder or IterationRecorder()
        recorder.leaves = self.leaves
        recorder.draws, recorder.drawn = self.program.rewritten.draws, self.program.list_drawn(self.snapshot)
        kept: list[Names] = []

        def prepare(names: Names) -> None:
            kept.append(names)
            recorder.names = names
            self.adjust(names)
            for leaf in self.emptied:
                put(names, leaf, np.zeros_like(to_array(leaf.value)))
            for leaf, value in self.placed:
                put(names, leaf, value)
            for leaf, value in zip(self.leaves, values or self.start, strict=True):
                recorder.watch(put(names, leaf, value))
                _watch_numbers(recorder, read(names, leaf.places[0]))

        try:
            return self.program.replay(self.snapshot, recorder, prepare)
        except Enough:
            return kept[0]

    def freeze(self, **options: Any) -> IterationRecorder:
        """A recorder that holds the update back altogether."""
        return IterationRecorder(held=self.held, factor=0.0, **options)


def _watch_numbers(recorder: IterationRecorder, value: Any) -> None:
    if isinstance(value, list):
        recorder.watch(value)
        for one in value:
            _watch_numbers(recorder, one)
    elif is_number(value):
        recorder.watch(value)
