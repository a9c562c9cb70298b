"""match: the mutants of the right program whose gradient equals the subject's, on every case."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from backprop.codegen.lowering.program import Assignment, Program
from backprop.diagnosis.matching.comparison import (
    NEGLIGIBLE,
    find_largest,
    is_gradient,
    layer_of,
    list_wrong,
    measure_match,
    same,
)
from backprop.diagnosis.model.cause import Cause
from backprop.diagnosis.model.evaluate import Values, evaluate, names_in, run_lines
from backprop.diagnosis.model.net import KAPPA, Net
from backprop.diagnosis.model.work import OutOfWork, Work
from backprop.diagnosis.recognition.recognise import NetScene
from backprop.examiner.measuring.laws import SAME_NUMBER, describe_law, find_law

__all__ = ["Match", "Trial", "find_matches", "list_sets"]

MUTANT = 0.3
"""Of a trial: a mutant that differs in one line is soon told apart."""


@dataclass(frozen=True)
class Match:
    """A cause that explains every number: in which layer, made how, with which fitted number c·n^p."""

    cause: Cause
    layer: int
    layers: tuple[int, ...]
    value: object = None
    number: float | None = None
    power: int = 0
    scaled: bool = False
    """Only together with a constant factor on everything."""
    numbers: Mapping[str, Any] = field(default_factory=dict)
    """How far the mutant is from the subject, and the right program: the grounds of its sentence."""

    def describe_number(self) -> str:
        """The fitted number in words: 2, 1/n, n/2; "" if there is none."""
        return "" if self.number is None else describe_law(self.number, self.power)


class Trial:
    """Runs mutants on the cases, taking over what does not change, and gives up at the first difference."""

    def __init__(self, net: Net, scenes: Sequence[NetScene], work: Work) -> None:
        self.net, self.scenes, self.work = net, scenes, work
        self.lines = {line.target.id: line for line in (*net.program.forward, *net.program.backward)}
        self.reads: dict[int, frozenset[str]] = {}
        self.kept: list[object] = []

    def has(self, given: str) -> bool:
        """Whether the cases give the array that a cause speaks of."""
        return not given or all(any(name.startswith(given) for name in scene.values) for scene in self.scenes)

    def names(self, line: Assignment) -> frozenset[str]:
        """What a line reads, computed once."""
        if id(line) not in self.reads:
            self.reads[id(line)] = names_in(line.value)
            self.kept.append(line)
        return self.reads[id(line)]

    def run(self, program: Program, scene: NetScene, number: float | None, until: str | None = None) -> Values | None:
        """The values of a mutant; None as soon as a gradient differs (unless only one is wanted, `until`)."""
        self.work.spend(MUTANT, 3)
        values: Values = dict(scene.right)
        if number is not None:
            values[KAPPA.id] = np.float64(number)  # type: ignore[assignment]
        changed: set[str] = set()
        for line in (*program.forward, *program.backward):
            target = line.target.id
            if line is self.lines[target] and not (changed & self.names(line)):
                if until is None and target in scene.yours and not same(scene.yours[target], values[target], scene):
                    return None
                continue
            try:
                values[target] = evaluate(line.value, values, self.net.functions)
            except (ValueError, KeyError):
                return None
            changed.add(target)
            if target == until:
                return values
            if until is None and target in scene.yours and not same(scene.yours[target], values[target], scene):
                return None
        return values

    def measure(self, program: Program, law: tuple[float, int] | None = None) -> dict[str, float]:
        """The grounds of a mutant that fits, with c and p of its fitted number."""
        made = []
        for scene in self.scenes:
            number = None if law is None else law[0] * float(scene.rows) ** law[1]
            values: Values = dict(scene.right)
            if number is not None:
                values[KAPPA.id] = np.float64(number)  # type: ignore[assignment]
            made.append(run_lines((*program.forward, *program.backward), values, self.net.functions))
        more = {} if law is None else {"number": law[0], "power": law[1]}
        return measure_match(self.scenes, made) | more

    def fits(self, program: Program) -> bool:
        """Whether a mutant gives the subject's gradient at every case."""
        return all(self.run(program, scene, None) is not None for scene in self.scenes)

    def fit_number(self, program: Program, tensor: str) -> tuple[float, int] | None:
        """The number c·n^p with which the mutant gives the subject's gradient at every case."""
        numbers = []
        for scene in self.scenes:
            number = self.solve(program, scene, tensor)
            if number is None or self.run(program, scene, 1.0 if math.isnan(number) else number) is None:
                return None
            if math.isfinite(number):
                numbers.append((number, scene.rows))
        return find_law(numbers) if numbers else None

    def solve(self, program: Program, scene: NetScene, tensor: str) -> float | None:
        """The number for one gradient, which depends on it by an affine function; NaN where any number does."""
        zero, one = self.run(program, scene, 0.0, tensor), self.run(program, scene, 1.0, tensor)
        if zero is None or one is None:
            return None
        base, slope, wanted = zero[tensor], one[tensor] - zero[tensor], scene.yours[tensor]
        if base.shape != wanted.shape or not np.isfinite(slope).all() or not np.isfinite(base).all():
            return None
        square = float(np.sum(slope * slope))
        if math.sqrt(square) <= NEGLIGIBLE * find_largest(scene):
            return math.nan
        return float(np.sum((wanted - base) * slope)) / square


def list_sets(top: int, depth: int, spreads: bool) -> list[tuple[int, ...]]:
    """The layers in which a mistake may stand: the topmost wrong one, or it and all below."""
    sets: list[tuple[int, ...]] = [(top,)]
    if spreads and top > 1:
        sets.append(tuple(range(top, 0, -1)))
        if top > 2:
            sets.append((top, top - 1))
    return sets


def mutate(net: Net, cause: Cause, layers: Sequence[int], value: object) -> Program | None:
    """The right program with a mistake in some layers, the topmost of which must take it."""
    assert cause.rewrite is not None
    program: Program | None = net.program
    for layer in layers:
        assert program is not None
        made = cause.rewrite(net, program, layer, value)
        if made is None and layer == layers[0]:
            return None
        program = made or program
    return program


def list_mutants(net: Net, cause: Cause, places: Sequence[int]) -> Iterator[tuple[Program, tuple[int, ...], object]]:
    """A mistake made in every way: (program, the layers in which it stands, the way)."""
    for place in places:
        for layers in list_sets(place, net.depth, cause.spreads):
            for value in cause.values(net):
                program = mutate(net, cause, layers, value)
                if program is not None:
                    yield program, layers, value


def list_tops(cause: Cause, top: int) -> tuple[int, ...]:
    """Where a mistake may stand if the topmost wrong gradient is in layer `top`: a forward pass spoils all above."""
    return (*range(top, 0, -1),) if cause.equation == "forward" else (top,)


def find_matches(
    net: Net, scenes: Sequence[NetScene], causes: Sequence[Cause], work: Work | None = None
) -> list[Match]:
    """All causes that explain every number, exact ones first, then fitted ones, each once."""
    wrong = list_wrong(scenes)
    if not wrong:
        return []
    top = max(layer_of(name) for name in wrong)
    tensor = next(name for name in wrong if layer_of(name) == top)
    trial = Trial(net, scenes, work or Work())
    unique: dict[str, Match] = {}
    try:
        for fitted in (False, True):
            for match in try_all(trial, causes, top, tensor, fitted):
                unique.setdefault(match.cause.identifier, match)
        if not unique:
            for match in try_scaled(trial, causes, top, tensor):
                unique.setdefault(match.cause.identifier, match)
    except OutOfWork:
        if not unique:
            raise
    return list(unique.values())


def try_all(trial: Trial, causes: Sequence[Cause], top: int, tensor: str, fitted: bool) -> Iterator[Match]:
    """The causes with, or without, a fitted number."""
    net = trial.net
    for cause in causes:
        if cause.rewrite is None or cause.fitted != fitted or not trial.has(cause.given):
            continue
        for program, layers, value in list_mutants(net, cause, list_tops(cause, top)):
            match = try_one(trial, cause, program, layers, value, tensor)
            if match is not None:
                yield match


def try_one(
    trial: Trial, cause: Cause, program: Program, layers: tuple[int, ...], value: object, tensor: str
) -> Match | None:
    """One mutant."""
    if not cause.fitted:
        if not trial.fits(program):
            return None
        return Match(cause, layers[0], layers, value, numbers=trial.measure(program))
    law = trial.fit_number(program, tensor)
    if law is None or (law[1] == 0 and abs(law[0] - 1) < SAME_NUMBER and cause.accepts is None and is_factor(cause)):
        return None
    if cause.accepts is not None and not cause.accepts(*law, trial.net):
        return None
    return Match(cause, layers[0], layers, value, *law, numbers=trial.measure(program, law))


def is_factor(cause: Cause) -> bool:
    """Whether the number is a factor, for which 1 would be no mistake."""
    return "factor" in cause.identifier or "scaled" in cause.identifier


def try_scaled(trial: Trial, causes: Sequence[Cause], top: int, tensor: str) -> Iterator[Match]:
    """Mutants that explain everything but a constant factor on every gradient."""
    net = trial.net
    if top != net.depth or any(name not in list_wrong(trial.scenes) for name in trial.scenes[0].yours):
        return
    for cause in causes:
        if cause.rewrite is None or cause.fitted or cause.equation == "cost" or cause.given:
            continue
        for program, layers, value in list_mutants(net, cause, range(top, 0, -1)):
            scaled = scale_all(program)
            law = trial.fit_number(scaled, tensor)
            if law is not None and not (law[1] == 0 and abs(law[0] - 1) < SAME_NUMBER):
                numbers = trial.measure(scaled, law)
                yield Match(cause, layers[0], layers, value, *law, scaled=True, numbers=numbers)


def scale_all(program: Program) -> Program:
    """Every gradient of a program times the free number."""
    lines = tuple(
        Assignment(line.target, KAPPA * line.value, line.label) if is_gradient(line.target.id) else line
        for line in program.backward
    )
    return Program(program.sizes, program.forward, program.cost, lines, program.functions, program.targets)
