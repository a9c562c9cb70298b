"""What a subject answers at one case, asked once and kept: costs and outputs near the point, gradients, noise."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from backprop.diagnosis.model.evaluate import Array
from backprop.diagnosis.model.work import Work
from backprop.examiner.measuring.cases import Case, seed_globals
from backprop.examiner.measuring.noise import measure_noise
from backprop.examiner.subject.protocol.subjects import Unusable

__all__ = ["Answers"]

DRAW = 0.1
SEED = 5
NOISE_CALLS = 22
"""Calls of the cost that measure its noise."""


@dataclass
class Answers:
    """A case and everything that it was asked; a search over hundreds of networks asks the subject no more."""

    case: Case
    work: Work
    share: float = 1.0
    """What the subject's gradients are divided by: a factor that was found on all of them."""
    earlier: dict[str, Case] = field(default_factory=dict)
    """Cases that were examined earlier, whose batch a cache may have kept."""
    _points: list[list[Array]] = field(default_factory=list, repr=False)
    _costs: list[float] = field(default_factory=list, repr=False)
    _outputs: list[Array | None] = field(default_factory=list, repr=False)

    def points(self, count: int) -> list[list[Array]]:
        """The case's own parameters, then others near them."""
        sizes = [float(np.sqrt(np.mean(v**2))) or DRAW if v.size else 0.0 for v in self.case.values]
        for k in range(len(self._points), count):
            rng = np.random.default_rng([SEED, k])
            moved = [
                v + DRAW * s * (k > 0) * rng.standard_normal(v.shape)
                for v, s in zip(self.case.values, sizes, strict=True)
            ]
            self._points.append(moved)
        return self._points[:count]

    def costs(self, count: int) -> list[float]:
        """The cost at these points; raises `Unusable` where there is none."""
        points = self.points(count)
        while len(self._costs) < count:
            self.work.spend(1, 1)
            self._costs.append(float(np.real(self.case.cost(points[len(self._costs)]))))
        return self._costs[:count]

    def outputs(self, count: int) -> list[Array | None]:
        """What forward gives at these points; None where there is nothing usable."""
        points = self.points(count)
        while len(self._outputs) < count:
            self.work.spend(1, 1)
            self._outputs.append(_run_forward(self.case, points[len(self._outputs)]))
        return self._outputs[:count]

    @cached_property
    def noise(self) -> float:
        """The rounding noise of the cost."""
        self.work.spend(NOISE_CALLS, NOISE_CALLS)
        return measure_noise(self.case, np.random.default_rng(0))

    @cached_property
    def relative_noise(self) -> float:
        """The noise beside the cost: it tells whether float32 is inside."""
        try:
            size = abs(self.costs(1)[0])
            return self.noise / size if size else 0.0
        except Unusable:
            return 0.0

    @cached_property
    def gradients(self) -> list[Any] | None:
        """The subject's gradients at the case's own parameters."""
        self.work.spend(1, 3)
        try:
            return [None if g is None else np.asarray(g) / self.share for g in self.case.gradients(self.case.values)]
        except Unusable:
            return None


def _run_forward(case: Case, values: list[Array]) -> Array | None:
    if not case.subject.has("forward"):
        return None
    if case.reseed:
        seed_globals()
    try:
        out = case.subject.call("forward", case.pack(values), np.array(case.X), **case.context)
        return np.asarray(out, dtype=float)
    except (Unusable, TypeError, ValueError):
        return None
