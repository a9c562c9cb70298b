"""Oracles that know their own error: differences with extrapolation, and an analytic oracle once it agrees."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from backprop.examiner.analytic import METHODS, Analytic
from backprop.examiner.cases import Array, Case
from backprop.examiner.subjects import Unusable
from backprop.examiner.tolerance import NOISE_SAFETY, RELATIVE_SLACK, TRUNCATION_SAFETY, agree

__all__ = ["Estimate", "Oracle", "measure_gradient_noise", "measure_noise"]

FIRST_STEP = 0.25
FIRST_QUIET_STEP = 2.0**-4
QUIET = 1e-12
FINE_STEP = 1.3 * 2.0**-10
STEP_RATIO = 4.0
MOST_LEVELS = 13
SHARP_ENOUGH = 0.1
"""The ladder stops at this part of the slack that the comparison allows anyway."""
FEWEST_LEVELS = 3
COLUMNS = 5

WINDOW = 7
WINDOW_STEP = 1e-6
WINDOW_OFFSET = 0.01
DIFFERENCE_ORDERS = (3, 4, 5)
GRADIENT_WINDOW, GRADIENT_ORDER = 6, 3
GRADIENT_STEP = 4e-5
"""Wide enough for the steps of a float32 code to show; smooth parts vanish in the third difference."""
ROUNDING = 2.0**-53
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
        self.center = float(np.real(case.cost(case.values)))
        # Where noise is far below what the cost varies by, smaller steps are sharp at once and meet fewer kinks.
        self.first_step = FIRST_QUIET_STEP if noise < QUIET * self._vary() else FIRST_STEP

    def _vary(self) -> float:
        moves = _draw_relative(self.case, np.random.default_rng(0))
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

    def extrapolate(
        self, tensor: int, direction: Array, size: float, claimed: float = 0.0, first: float | None = None
    ) -> Estimate:
        """Central differences at steps h, h/4, h/16 …, extrapolated to h = 0 (Richardson, Neville).

        The error of each extrapolation is measured by its disagreement with its neighbours, plus the noise
        of the cost divided by the step; the one with the least error is taken.
        """
        unit = direction * size

        def evaluate(t: float) -> float:
            try:
                return float(np.real(self.case.cost(self.shift(tensor, unit, t))))
            except Unusable:
                return math.nan

        found = _extrapolate(evaluate, self.center, self.noise, abs(claimed) * size, first or self.first_step)
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
        slope = method.differentiate(self.case, tensor, direction)
        return Estimate(slope, ANALYTIC_ROUNDING * abs(slope) + ROUNDING * abs(self.center))


def _extrapolate(
    evaluate: Callable[[float], float], center: float, noise: float, claimed: float, first: float
) -> Estimate:
    steps: list[float] = []
    rows: list[list[float]] = []
    gaps: list[tuple[float, float, float]] = []
    best = Estimate(math.nan, math.inf)
    for level in range(MOST_LEVELS):
        h = first / STEP_RATIO**level
        ahead, behind = evaluate(h), evaluate(-h)
        if not (math.isfinite(ahead) and math.isfinite(behind)):
            continue
        rounding = NOISE_SAFETY * max(noise, ROUNDING * max(abs(ahead), abs(behind))) / h
        gaps.append((h, abs(ahead - 2 * center + behind) / h, 4 * rounding))
        steps.append(h)
        rows.append(_extend(rows[-1] if rows else [], steps, (ahead - behind) / (2 * h)))
        best = _better(best, rows, rounding)
        goal = SHARP_ENOUGH * RELATIVE_SLACK * max(abs(best.value), claimed)
        done = len(rows) >= FEWEST_LEVELS and (best.uncertainty <= goal or rounding > best.uncertainty)
        if done:
            break
    return Estimate(best.value, best.uncertainty, tuple(gaps))


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


def measure_noise(case: Case, rng: np.random.Generator) -> float:
    """Measure the noise of the cost: one standard deviation of its rounding, whatever its dtype.

    High differences over a tiny window remove the smooth part and leave the noise (Hamming; Moré and Wild,
    "Estimating computational noise", 2011). The windows lie a little beside the point, where a kink that sits
    exactly on it does no harm; the median of three is taken.
    """
    windows = [_measure_window(case, rng) for _ in range(3)]
    finite = [x for x in map(_difference_noise, windows) if math.isfinite(x)]
    center = abs(float(np.real(case.cost(case.values))))
    # A cost rounded at its end is a staircase, on one step of which a small window sees no noise at all.
    grain = _find_grain(np.concatenate(windows)) * center
    return max(float(np.median(finite)) if finite else 0.0, grain, ROUNDING * center, np.finfo(float).tiny)


def _find_grain(numbers: Array) -> float:
    """The relative rounding of the shortest number type that holds all numbers: float16, float32, or none."""
    for kind in (np.float16, np.float32):
        with np.errstate(over="ignore"):
            held = numbers.astype(kind).astype(np.float64)
        if np.array_equal(held, numbers):
            return float(np.finfo(kind).eps) / 2
    return 0.0


def _measure_window(case: Case, rng: np.random.Generator) -> Array:
    away, along = (_draw_relative(case, rng) for _ in range(2))
    costs = []
    for k in range(WINDOW):
        point = [v + WINDOW_OFFSET * a + WINDOW_STEP * k * u for v, a, u in zip(case.values, away, along, strict=True)]
        costs.append(float(np.real(case.cost(point))))
    return np.asarray(costs)


def _difference_noise(samples: Array) -> float:
    """Deviation of the noise from high differences along the first axis: the least over several orders."""
    found = []
    for order in DIFFERENCE_ORDERS:
        if order >= len(samples):
            break
        difference = np.diff(samples, n=order, axis=0)
        variance = math.factorial(order) ** 2 / math.factorial(2 * order)
        found.append(math.sqrt(variance * float(np.mean(difference**2))))
    return min(found)


def _draw_relative(case: Case, rng: np.random.Generator) -> list[Array]:
    return [rng.standard_normal(v.shape) * size for v, size in zip(case.values, tensor_sizes(case), strict=True)]


def tensor_sizes(case: Case) -> list[float]:
    """The natural step in each tensor: its own root mean square, and not far below that of the whole."""
    squares = [float(np.mean(v**2)) if v.size else 0.0 for v in case.values]
    total = sum(s * v.size for s, v in zip(squares, case.values, strict=True))
    whole = math.sqrt(total / sum(v.size for v in case.values)) or 1.0
    return [max(math.sqrt(s), 0.1 * whole) for s in squares]


def measure_gradient_noise(case: Case, rng: np.random.Generator) -> list[float]:
    """Measure the noise of the subject's own gradient, one number a tensor: float32 inside shows here."""
    windows: list[list[float]] = []
    grains = [0.0] * len(case.leaves)
    for _ in range(3):
        away, along = (_draw_relative(case, rng) for _ in range(2))
        series = []
        for k in range(GRADIENT_WINDOW):
            shift = (WINDOW_OFFSET, GRADIENT_STEP * k)
            point = [v + shift[0] * a + shift[1] * u for v, a, u in zip(case.values, away, along, strict=True)]
            series.append(case.gradients(point))
        windows.append([_gradient_noise([g[i] for g in series]) for i in range(len(case.leaves))])
        grains = [_gradient_grain([g[i] for g in series]) for i in range(len(case.leaves))]
    # The middle one: a kink may have spoilt one window, and another may be quiet by chance.
    return [max(float(np.median(one)), grain) for *one, grain in zip(*windows, grains, strict=True)]


def _gradient_grain(samples: Sequence[Array | None]) -> float:
    """The rounding of the largest entry of a gradient that was computed in a shorter number type, else 0."""
    usable = [s.ravel() for s in samples if s is not None and s.size and np.isfinite(s).all()]
    if not usable:
        return 0.0
    numbers = np.concatenate(usable)
    return _find_grain(numbers) * float(np.max(np.abs(numbers)))


def _gradient_noise(samples: Sequence[Array | None]) -> float:
    usable = [s for s in samples if s is not None and np.isfinite(s).all()]
    if len(usable) < GRADIENT_WINDOW or len({s.shape for s in usable}) != 1 or usable[0].size == 0:
        return 0.0
    difference = np.diff(np.stack(usable), n=GRADIENT_ORDER, axis=0)
    variance = math.factorial(GRADIENT_ORDER) ** 2 / math.factorial(2 * GRADIENT_ORDER)
    return math.sqrt(variance * float(np.max(np.mean(difference**2, axis=0))))
