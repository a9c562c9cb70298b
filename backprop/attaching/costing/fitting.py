"""Which cost the gradient belongs to: the file's own, or the one of the table that the last layer fits exactly."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from backprop.attaching.costing.costs import CostCandidate, find_candidates
from backprop.attaching.costing.levels import group
from backprop.attaching.costing.rates import GradientFlow
from backprop.attaching.running.leaves import is_tensor, read, to_array
from backprop.attaching.running.repeating import Iteration
from backprop.attaching.running.replaying import IterationRecorder, Key
from backprop.attaching.running.states import Names

__all__ = ["CandidateFit", "Chosen", "Measured", "evaluate_or_nothing", "gradient_reader", "measure"]

DIRECTIONS = 2
STEP = 2e-5
SAME = 2e-6
SILENT = 1e-9
JITTER = 0.05


@dataclass(frozen=True)
class CandidateFit:
    """How a candidate's derivative compares with the gradient, tensor by tensor: (derivative)/(gradient), or None where
    the two are not in proportion; a tensor with nothing on both sides is left out."""

    candidate: CostCandidate
    ratios: dict[int, float | None]

    def support(self, factor: float) -> set[int]:
        """The tensors that fit with this factor."""
        return {k for k, r in self.ratios.items() if r is not None and abs(r / factor - 1) < SAME}

    @property
    def factor(self) -> float | None:
        """The factor with which most tensors fit."""
        known = [r for r in self.ratios.values() if r]
        return max(known, key=lambda r: (len(self.support(r)), -abs(math.log(abs(r)))), default=None)

    def whole(self, factor: float) -> bool:
        """Whether every tensor fits with this factor."""
        return bool(self.ratios) and len(self.support(factor)) == len(self.ratios)


@dataclass(frozen=True)
class Chosen:
    """The cost that is judged: `factor` times the candidate plus `penalty`/2 times the squares of some tensors;
    `scale` is what the gradients as read are multiplied by."""

    candidate: CostCandidate
    factor: float
    scale: float
    how: str
    penalty: float = 0.0
    penalised: tuple[int, ...] = ()
    true_cost: CostCandidate | None = None
    note: str = ""


def gradient_reader(flow: GradientFlow, scale: float = 1.0) -> Callable[[Sequence[Any]], list[Any]]:
    """The gradients at given parameters, with the update held back: values, or steps, or what a library left.

    Where no step is handed over, since it has no rate, nothing else would show that weights change while the error is
    still going back: there the values are those of the whole iteration.
    """
    if flow.library:
        return lambda values: _read_library(flow.iteration, values)
    return lambda values: _read_levels(flow, values, scale)


def _read_levels(flow: GradientFlow, values: Sequence[Any], scale: float) -> list[Any]:
    """The value of each parameter's level; its step over the rate, where it has none."""
    iteration = flow.iteration
    levels: Sequence[Any] = flow.adaptive or flow.rates[0][1]
    rate = 1.0 if flow.adaptive else flow.rates[0][0]
    wanted = frozenset(level.key[0] for level in levels if level is not None)
    recorder = IterationRecorder(held=iteration.held, factor=1.0 if flow.adaptive else 0.0, wanted=wanted)
    iteration.run(values, recorder)
    found = recorder.made()
    after = [] if all(levels) else iteration.run(values, IterationRecorder(held=iteration.held, factor=1.0))
    out: list[Any] = []
    for k, level in enumerate(levels):
        if level is None:
            out.append((values[k] - after[k]) / abs(rate) * scale)
        else:
            sign = level.sign if flow.adaptive else math.copysign(1.0, rate)
            out.append(found[level.key] * sign * scale if level.key in found else None)
    return out


def _read_library(iteration: Iteration, values: Sequence[Any]) -> list[Any]:
    names = iteration.run_names(values, iteration.freeze())
    out = []
    for leaf in iteration.leaves:
        tensor = read(names, leaf.places[0])
        grad = tensor.grad if is_tensor(tensor) else None
        out.append(np.zeros(tuple(tensor.shape)) if grad is None else to_array(grad))
    return out


@dataclass
class Measured:
    """Slopes along random directions, of every candidate and of the gradient, at one point."""

    fits: list[CandidateFit]
    weights: dict[int, list[float]]
    slopes: dict[int, list[float]]
    found: dict[int, dict[int, list[float]]]


def measure(flow: GradientFlow, seed: int = 0) -> Measured:
    """Run the iteration at a jittered point and beside it; differences of all candidates at once."""
    iteration = flow.iteration
    rng = np.random.default_rng(seed)
    point = [value + JITTER * _size(value) * rng.standard_normal(value.shape) for value in iteration.start]
    gradients = gradient_reader(flow)(point)
    base = iteration.freeze(wanted=None)
    names = iteration.run_names(point, base)
    candidates = find_candidates(iteration, base, names, _record_beside(iteration, point, rng))
    sites = frozenset(site for one in candidates for site in one.sites)
    slopes: dict[int, list[float]] = {}
    weights: dict[int, list[float]] = {}
    found: dict[int, dict[int, list[float]]] = {i: {} for i in range(len(candidates))}
    for together in group(len(point)):
        for _ in range(DIRECTIONS if len(together) > 1 or point[together[0]].size > 1 else 1):
            us = {k: rng.standard_normal(point[k].shape) * _size(point[k]) for k in together}
            mine = [float(np.sum(u * gradients[k])) if gradients[k] is not None else np.nan for k, u in us.items()]
            ours = sum(float(np.sum(u * point[k])) for k, u in us.items())
            each = _differentiate(iteration, candidates, sites, point, us)
            for k in together:
                slopes.setdefault(k, []).append(sum(mine))
                weights.setdefault(k, []).append(ours)
                for i, slope in enumerate(each):
                    found[i].setdefault(k, []).append(slope)
    return _compare_all(candidates, weights, slopes, found)


def _record_beside(iteration: Iteration, point: Sequence[Any], rng: np.random.Generator) -> dict[Key, Any]:
    other = iteration.freeze(wanted=None)
    iteration.run([value + JITTER * _size(value) * rng.standard_normal(value.shape) for value in point], other)
    return other.made()


def _compare_all(
    candidates: Sequence[CostCandidate],
    weights: dict[int, list[float]],
    slopes: dict[int, list[float]],
    found: dict[int, dict[int, list[float]]],
) -> Measured:
    """Without what raises, or is no number, at an output and a target: it was meant for other things."""
    some = [i for i, rows in found.items() if any(np.isfinite(s) for row in rows.values() for s in row)]
    candidates, found = [candidates[i] for i in some], {n: found[i] for n, i in enumerate(some)}
    largest = max((abs(s) for row in slopes.values() for s in row if np.isfinite(s)), default=0.0)
    fits = [CandidateFit(one, _compare(found[i], slopes, largest)) for i, one in enumerate(candidates)]
    return Measured(fits, weights, slopes, found)


def _size(value: Any) -> float:
    return float(np.sqrt(np.mean(value**2))) if np.any(value) else 0.1


def _differentiate(
    iteration: Iteration,
    candidates: Sequence[CostCandidate],
    sites: frozenset[int],
    point: Sequence[Any],
    us: dict[int, Any],
) -> list[float]:
    """The slope of each candidate along some leaves' directions."""
    ends = []
    for sign in (2.0, 1.0, -1.0, -2.0):
        values = list(point)
        for k, u in us.items():
            values[k] = point[k] + sign * STEP * u
        recorder = iteration.freeze(wanted=sites)
        names = iteration.run_names(values, recorder)
        made = recorder.made()
        ends.append([evaluate_or_nothing(one, made, names) for one in candidates])
    far, near, nearer, farther = ends
    return [(8 * (b - c) - (a - d)) / (12 * STEP) for a, b, c, d in zip(far, near, nearer, farther, strict=True)]


def evaluate_or_nothing(candidate: CostCandidate, made: Mapping[Key, Any], names: Names) -> float:
    """The number of a candidate; NaN where it cannot be computed."""
    try:
        value = candidate.evaluate(made, names)
        return float(np.real(value)) if np.isreal(value) else np.nan
    except Exception:  # a function of the file that was meant for something else
        return np.nan


def _compare(found: dict[int, list[float]], slopes: dict[int, list[float]], largest: float) -> dict[int, float | None]:
    ratios: dict[int, float | None] = {}
    top = max((abs(s) for row in found.values() for s in row if np.isfinite(s)), default=0.0)
    for k, row in found.items():
        mine = slopes[k]
        if all(abs(s) <= SILENT * largest for s in mine) and all(abs(s) <= 1e-7 * top for s in row):
            continue
        if not all(np.isfinite([*row, *mine])) or any(s == 0.0 for s in mine):
            ratios[k] = None
            continue
        each = [r / m for r, m in zip(row, mine, strict=True)]
        same = all(abs(e - each[0]) <= SAME * abs(each[0]) for e in each)
        ratios[k] = each[0] if same and each[0] != 0.0 else None
    return ratios
