"""The bench: a subject run again and again, as written, with probes, or with other code in one function."""

from __future__ import annotations

import contextlib
import sys
import types
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backprop.examiner.measuring.cases import Array, Case, draw_case, slice_case
from backprop.examiner.measuring.noise import entry_sizes, measure_noise
from backprop.examiner.measuring.oracles import Oracle
from backprop.examiner.subject.adapters.detection import recognise
from backprop.examiner.subject.protocol.subjects import Subject, Unusable
from backprop.reading.running.entrances import Entrance, by_gradients
from backprop.reading.running.probes import PROBE, SCOPE, Instrumented, instrument
from backprop.reading.running.recorder import Event, Exhausted, ValueRecorder
from backprop.reading.source import Source

__all__ = ["Bench", "Point", "TrueGradient", "load_module", "trust"]

MODULE = "subject_under_reading"
MOST_ENTRIES = 48
"""Entries of a tensor that are compared while reading; the judge compares more."""
SLOW = 8
"""How much longer than NumPy jax takes for small arrays."""
SLACK = 1e-6
SAFETY = 4.0


@dataclass(frozen=True, eq=False)
class TrueGradient:
    """The derivative of the cost at some entries of each tensor (flat positions), and how well it is known."""

    where: tuple[NDArray[np.int_], ...]
    values: tuple[Array, ...]
    tolerance: tuple[float, ...]

    def pick(self, gradients: Sequence[Any]) -> list[Array | None]:
        """The same entries of given gradients; None where the shape is another or there is none."""
        return [
            None if g is None or g.size < (w.max(initial=-1) + 1) else np.ravel(g)[w]
            for g, w in zip(gradients, self.where, strict=True)
        ]

    def right(self, gradients: Sequence[Any], shapes: Sequence[tuple[int, ...]]) -> tuple[bool, ...]:
        """Which tensors are right."""
        return tuple(
            g is not None and g.shape == shape and bool(np.all(np.abs(np.ravel(g)[w] - v) <= t))
            for g, shape, w, v, t in zip(gradients, shapes, self.where, self.values, self.tolerance, strict=True)
        )


@dataclass(frozen=True, eq=False)
class Point:
    """A place where the code is run: parameters, batch, and the truth there."""

    case: Case
    truth: TrueGradient
    given: tuple[bool, ...]
    """Which tensors the code as written has right."""


class Bench:
    """One subject on the bench.

    `pace` is how many runs of an ordinary subject one run counts for.
    `plain` runs it as written; `probed` runs the instrumented twin with the recorder's probes.
    """

    def __init__(self, source: Source, enter: Entrance = by_gradients) -> None:
        self.source = source
        self.enter = enter
        self.pace = SLOW if source.imports("jax") else 1
        self.recorder = ValueRecorder()
        self.instrumented, self.module, subject = self._start()
        self.subject = enter(subject)

    def _start(self) -> tuple[Instrumented, types.ModuleType, Subject]:
        """The instrumented tree, the module that runs it, and its subject."""
        path, made = self.source.path, instrument(self.source)
        names = {PROBE: self.recorder.probe, SCOPE: self.recorder.scope}
        module = load_module(compile(made.tree, str(path), "exec"), path, names)
        return made, module, recognise(module, str(path), str(path))

    def draw_points(self, plans: Sequence[tuple[int, int]]) -> list[Point]:
        """Points from (seed, rows), biases off zero; what does not work is left out.

        Where the subject has one size of batch only, its first rows are taken.
        """
        points = []
        for seed, rows in plans:
            with contextlib.suppress(Unusable), self.counting():
                case = self._draw(seed, rows)
                truth = measure_truth(case)
                points.append(Point(case, truth, truth.right(self._try(case), [leaf.shape for leaf in case.leaves])))
        return points

    def _try(self, case: Case) -> list[Any]:
        """The gradients, none where they raise."""
        try:
            return self.run(case)
        except Unusable:
            return [None] * len(case.leaves)

    def _draw(self, seed: int, rows: int) -> Case:
        if self.subject.takes_rows:
            return draw_case(self.subject, seed, jitter=True, rows=rows)
        case = draw_case(self.subject, seed, jitter=True)
        return slice_case(case, 0, rows) or case

    @contextlib.contextmanager
    def counting(self) -> Iterator[None]:
        """Runs that are not recorded, without a limit on their number."""
        most, self.recorder.most = self.recorder.most, sys.maxsize
        try:
            yield
        finally:
            self.recorder.most = most

    def run(self, case: Case) -> list[Any]:
        """The gradients, as arrays; Errors: Unusable, also where the code did too much."""
        self.recorder.restart()
        try:
            return case.gradients(case.values)
        except Exhausted as error:
            raise Unusable("it does not come to an end") from error

    def record(self, case: Case) -> tuple[list[Event], list[Any]]:
        """All values of one run, and the gradients; as far as it comes, and none, where they raise."""
        self.recorder.log = []
        try:
            given = self._try(case)
            return self.recorder.log, given
        finally:
            self.recorder.log = None

    def record_cost(self, case: Case) -> list[Event]:
        """All values of one run of the cost."""
        self.recorder.log = []
        self.recorder.restart()
        try:
            case.cost(case.values)
            return self.recorder.log
        finally:
            self.recorder.log = None

    def scopes(self, case: Case, sites: frozenset[int]) -> dict[int, list[dict[str, Any]]]:
        """Names and values before the statements of these sites, each time they were met."""
        self.recorder.watch, self.recorder.scopes = sites, {}
        try:
            self._try(case)
            return self.recorder.scopes
        finally:
            self.recorder.watch = frozenset()


def load_module(code: types.CodeType, path: Path, names: Mapping[str, Any], name: str = MODULE) -> types.ModuleType:
    """Run a module's code under a name of its own, with some names given and its folder on the path."""
    module = types.ModuleType(name)
    module.__file__ = str(path)
    vars(module).update(names)
    sys.modules[name] = module
    folder = str(path.resolve().parent)
    if folder not in sys.path:
        sys.path.insert(0, folder)
    try:
        exec(code, vars(module))
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        raise Unusable(f"{path} does not load: {type(error).__name__}: {error}") from error
    return module


def measure_truth(case: Case) -> TrueGradient:
    """The derivative of the cost by its entries, a drawn part of them where there are many."""
    rng = np.random.default_rng(0)
    oracle = Oracle(case, measure_noise(case, rng))
    sizes = entry_sizes(case)
    oracle.choose_analytic(lambda: trust(oracle, rng))
    where, values, tolerance = [], [], []
    for tensor, (value, size) in enumerate(zip(case.values, sizes, strict=True)):
        chosen = np.sort(rng.permutation(value.size)[:MOST_ENTRIES])
        found = [_differentiate(oracle, tensor, int(k), float(size.flat[k])) for k in chosen]
        slopes = np.array([f[0] for f in found])
        where.append(chosen)
        values.append(slopes)
        scale = float(np.max(np.abs(slopes), initial=0.0))
        tolerance.append(SLACK * scale + SAFETY * float(max((f[1] for f in found), default=0.0)))
    # What is zero up to rounding is compared with the size of the others.
    floor = 1e-10 * max((float(np.max(np.abs(v), initial=0.0)) for v in values), default=0.0)
    return TrueGradient(tuple(where), tuple(values), tuple(max(t, floor) for t in tolerance))


def trust(oracle: Oracle, rng: np.random.Generator) -> list[tuple[int, Array, Any]]:
    """One direction a tensor with what differences say, by which analytic oracles are accepted."""
    found = []
    for tensor, size in enumerate(entry_sizes(oracle.case)):
        direction = rng.standard_normal(size.shape) * size
        if direction.any():
            found.append((tensor, direction, oracle.extrapolate(tensor, direction, 1.0)))
    return found


def _differentiate(oracle: Oracle, tensor: int, position: int, size: float) -> tuple[float, float]:
    direction = np.zeros(oracle.case.values[tensor].shape)
    direction.flat[position] = 1.0
    estimate = oracle.differentiate(tensor, direction, size)
    return estimate.value, estimate.uncertainty
