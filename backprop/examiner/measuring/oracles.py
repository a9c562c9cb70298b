"""Oracles that know their own error: differences with extrapolation, and an analytic oracle once it agrees."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from backprop.examiner.measuring.analytic import METHODS, Analytic
from backprop.examiner.measuring.cases import Array, Case
from backprop.examiner.measuring.noise import ROUNDING, draw_relative, widest_size
from backprop.examiner.subject.protocol.subjects import Unusable
from backprop.examiner.tolerance import NOISE_SAFETY, RELATIVE_SLACK, TRUNCATION_SAFETY, agree

__all__ = ["Estimate", "Oracle"]

FIRST_STEP = 0.25
FIRST_QUIET_STEP = 2.0**-4
QUIET = 1e-12
FINE_STEP = 1.3 * 2.0**-10
STEP_RATIO = 4.0
MOST_LEVELS = 13
SHARP_ENOUGH = 0.1
"""The ladder stops at this part of the slack that the comparison allows anyway."""
FEWEST_LEVELS = 3
MOST_TOGETHER = 4_096
"""Numbers of parameters of all the points that are asked for together."""
COLUMNS = 5

ANALYTIC_ROUNDING = 1e-13


@dataclass(frozen=True)
class Estimate:
    """A derivative along a line, with its uncertainty and the one-sided gaps met on the way.

    `gaps` holds (h, |D₊(h) − D₋(h)|, what of it is noise): it shrinks like h where the cost is smooth and
    stays where it has a kink.
    """

    value: float
    uncertainty: float
    gaps: tuple[tuple[float, float, float], ...] = ()


class Oracle:
    """The derivative of the cost of one case along any direction within one tensor."""

    def __init__(self, case: Case, noise: float) -> None:
        self.case = case
        self.noise = noise
        self.analytic: Analytic | None = None
        self.declined: dict[str, str] = {}
        self.widest = widest_size(case)
        self.center = float(np.real(case.cost(case.values)))
        # Where noise is far below what the cost varies by, smaller steps are sharp at once and meet fewer kinks.
        self.first_step = FIRST_QUIET_STEP if noise < QUIET * self._vary() else FIRST_STEP

    def _vary(self) -> float:
        moves = draw_relative(self.case, np.random.default_rng(0))
        try:
            moved = self.case.cost([v + FIRST_STEP * m for v, m in zip(self.case.values, moves, strict=True)])
        except Unusable:
            return 0.0
        return float(abs(np.real(moved) - self.center))

    @property
    def name(self) -> str:
        """What gives the expected numbers."""
        return "differences" if self.analytic is None else self.analytic.name

    def shift(self, tensor: int, direction: Array, t: float) -> list[np.ndarray]:
        """Give the parameters with one tensor moved by t·direction."""
        values: list[np.ndarray] = list(self.case.values)
        values[tensor] = values[tensor] + t * direction
        return values

    def differentiate(self, tensor: int, direction: Array, size: float, claimed: float = 0.0) -> Estimate:
        """Estimate dC along a direction whose natural unit is `size`; `claimed` only says when to stop."""
        if self.analytic is not None:
            return self._step_analytically(self.analytic, tensor, direction)
        return self.extrapolate(tensor, direction, size, claimed)

    def differentiate_each(self, tensor: int, asked: Sequence[tuple[Array, float, float]]) -> list[Estimate]:
        """`differentiate` for each (direction, size, claimed): what all of them need is asked for together."""
        found: list[Estimate] = []
        together = max(1, MOST_TOGETHER // max(sum(v.size for v in self.case.values), 1))
        for begin in range(0, len(asked), together):
            part = asked[begin : begin + together]
            if self.analytic is not None:
                slopes = self.analytic.differentiate_each(self.case, tensor, [direction for direction, _, _ in part])
                found += [self._trust(slope) for slope in slopes]
                continue
            places = _first_places(self.first_step)
            costs = self.case.costs([self.shift(tensor, d * size, t) for d, size, _ in part for t in places])
            for k, one in enumerate(part):
                found.append(self.extrapolate(tensor, *one, known=costs[k * len(places) : (k + 1) * len(places)]))
        return found

    def extrapolate(
        self,
        tensor: int,
        direction: Array,
        size: float,
        claimed: float = 0.0,
        first: float | None = None,
        known: Sequence[float] = (),
    ) -> Estimate:
        """Central differences at steps h, h/4, h/16 …, extrapolated to h = 0 (Richardson, Neville).

        The error of each extrapolation is measured by its disagreement with its neighbours, plus the noise
        of the cost divided by the step; the one with the least error is taken. Where the natural unit is so small that
        noise hides the slope, a wider one is tried, and believed if it agrees. `known`: the costs at the first places.
        """
        found = self._climb(tensor, direction, size, claimed, first, known)
        goal = RELATIVE_SLACK * max(abs(found.value), abs(claimed))
        if first is not None or not self.widest > size or found.uncertainty <= goal:
            return found
        wider = self._climb(tensor, direction, self.widest, claimed, first)
        agrees = abs(wider.value - found.value) <= wider.uncertainty + found.uncertainty
        return wider if agrees and wider.uncertainty < found.uncertainty else found

    def differentiate_along(self, line: Sequence[Array], claimed: float = 0.0) -> Estimate:
        """The derivative along a line through all tensors, whose length is its natural unit."""

        def evaluate(places: Sequence[float]) -> list[float]:
            return self.case.costs([[v + t * d for v, d in zip(self.case.values, line, strict=True)] for t in places])

        return _extrapolate(evaluate, self.center, self.noise, abs(claimed), self.first_step)

    def _climb(
        self,
        tensor: int,
        direction: Array,
        size: float,
        claimed: float,
        first: float | None,
        known: Sequence[float] = (),
    ) -> Estimate:
        """One ladder of steps."""
        unit = direction * size

        def evaluate(places: Sequence[float]) -> list[float]:
            return self.case.costs([self.shift(tensor, unit, t) for t in places])

        found = _extrapolate(evaluate, self.center, self.noise, abs(claimed) * size, first or self.first_step, known)
        gaps = tuple((h * size, gap / size, noise / size) for h, gap, noise in found.gaps)
        return Estimate(found.value / size, found.uncertainty / size, gaps)

    def choose_analytic(self, trusted: Callable[[], Sequence[tuple[int, Array, Estimate]]]) -> None:
        """Use an analytic oracle from now on, if the cost carries it and it agrees with differences.

        `trusted()` gives, for each tensor that matters, one direction and what differences say along it.
        """
        found: Sequence[tuple[int, Array, Estimate]] | None = None
        for method in METHODS:
            reason = method.decline(self.case)
            if reason is None:
                found = trusted() if found is None else found
                if found and all(self._agrees(method, *one) for one in found):
                    self.analytic = method
                    return
                reason = "it does not agree with differences" if found else "nothing to compare it with"
            self.declined[method.name] = reason

    def _agrees(self, method: Analytic, tensor: int, direction: Array, trusted: Estimate) -> bool:
        try:
            found = method.differentiate(self.case, tensor, direction)
        except (Unusable, TypeError):
            return False
        return agree(found, trusted.value, trusted.uncertainty, RELATIVE_SLACK * abs(trusted.value))

    def _step_analytically(self, method: Analytic, tensor: int, direction: Array) -> Estimate:
        return self._trust(method.differentiate(self.case, tensor, direction))

    def _trust(self, slope: float) -> Estimate:
        return Estimate(slope, ANALYTIC_ROUNDING * abs(slope) + ROUNDING * abs(self.center))


def _extrapolate(
    evaluate: Callable[[Sequence[float]], list[float]],
    center: float,
    noise: float,
    claimed: float,
    first: float,
    known: Sequence[float] = (),
) -> Estimate:
    steps: list[float] = []
    rows: list[list[float]] = []
    gaps: list[tuple[float, float, float]] = []
    best = Estimate(math.nan, math.inf)
    for h, ahead, behind in _take_steps(evaluate, first, known):
        if not (math.isfinite(ahead) and math.isfinite(behind)):
            continue
        rounding = NOISE_SAFETY * max(noise, ROUNDING * max(abs(ahead), abs(behind))) / h
        gaps.append((h, abs(ahead - 2 * center + behind) / h, 4 * rounding))
        steps.append(h)
        rows.append(_extend(rows[-1] if rows else [], steps, (ahead - behind) / (2 * h)))
        best = _better(best, rows, rounding)
        goal = SHARP_ENOUGH * RELATIVE_SLACK * max(abs(best.value), claimed)
        if len(rows) >= FEWEST_LEVELS and (best.uncertainty <= goal or rounding > best.uncertainty):
            break
    return Estimate(best.value, best.uncertainty, tuple(gaps))


def _take_steps(
    evaluate: Callable[[Sequence[float]], list[float]], first: float, known: Sequence[float] = ()
) -> Iterator[tuple[float, float, float]]:
    """A step and the cost on its two sides, ever smaller; the first ones are needed in any case, asked for at once."""
    costs = list(known)
    for level in range(MOST_LEVELS):
        if 2 * level == len(costs):
            costs += evaluate([side * first / STEP_RATIO**level for side in (1, -1)] if level else _first_places(first))
        yield first / STEP_RATIO**level, costs[2 * level], costs[2 * level + 1]


def _first_places(first: float) -> list[float]:
    """Where the cost is needed in any case: on both sides of the point, at the first steps."""
    return [side * first / STEP_RATIO**level for level in range(FEWEST_LEVELS) for side in (1, -1)]


def _extend(above: list[float], steps: Sequence[float], value: float) -> list[float]:
    """One more row of Neville's table in h²."""
    row = [value]
    for j in range(1, min(len(steps), COLUMNS)):
        ratio = (steps[-1 - j] / steps[-1]) ** 2
        row.append(row[j - 1] + (row[j - 1] - above[j - 1]) / (ratio - 1))
    return row


def _better(best: Estimate, rows: list[list[float]], rounding: float) -> Estimate:
    if len(rows) < 2:
        return best
    row, above = rows[-1], rows[-2]
    for j, value in enumerate(row):
        parents = [above[j]] if j == 0 else [row[j - 1], above[j - 1]]
        error = TRUNCATION_SAFETY * max(abs(value - parent) for parent in parents) + rounding
        error += NOISE_SAFETY * ROUNDING * abs(value)
        if error < best.uncertainty:
            best = Estimate(value, error)
    return best
