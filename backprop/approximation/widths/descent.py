"""From lines of a relaxed problem to a network inside the tube: kinks in smaller and smaller neighbourhoods."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from backprop.approximation.widths.relaxation import Kink, Relaxation, TubeLines, solve

__all__ = ["Bent", "NetworkDescent", "keep_inside", "put_in_order"]

Floats = NDArray[np.float64]
Function = Callable[[Floats], Floats]

STEPS = 40
AROUND = 9
"""Points around each kink while its place is looked for."""
SHORTEST = 1e-10
"""Of the domain: kinks are not told apart more finely."""
INSIDE = 1e-7
"""Of epsilon: how far inside the tube a network is laid."""


class Bent(NamedTuple):
    """Knots, ends included, heights there, and the inner knots (from 0) whose units look left."""

    knots: Floats
    heights: Floats
    look_left: tuple[int, ...]


class NetworkDescent:
    """For one problem: the tube, and the constraint on its ends that belongs to a set of units that look left."""

    def __init__(self, problem: Relaxation, function: Function, look_left: tuple[int, ...]) -> None:
        self.problem, self.function, self.look_left = problem, function, look_left
        self.programmes = 0

    def run(self, kinks: Sequence[Kink], lines: TubeLines) -> Bent | None:
        """A network whose kinks are where they may be, or None if none was met."""
        x = self.problem.x
        places = kept = keep_inside(lines.cross(), kinks)
        best, reach = np.inf, max(kink.high - kink.low for kink in kinks) / 4
        for _ in range(STEPS):
            finer = self.refine(places, reach)
            fixed = [Kink(t, t, kink.rises) for t, kink in zip(places.tolist(), kinks, strict=True)]
            exact = solve(finer, fixed, rounds=STEPS)
            self.programmes += 1
            if exact is None:
                return None
            bent = self.bend(exact, places)
            error = self.measure(bent, finer)
            if error < self.problem.epsilon * (1 - INSIDE):
                return bent
            if error < best:
                best, kept = error, places
            else:
                places, reach = kept, reach / 3
            if reach < SHORTEST * (x[-1] - x[0]):
                return None
            moved = self.move(kinks, places, reach)
            if moved is None:
                return None
            places = moved
        return None

    def move(self, kinks: Sequence[Kink], places: Floats, reach: float) -> Floats | None:
        """Where the kinks are best, no farther than that from where they are."""
        near = [Kink(max(t - reach, kink.low), min(t + reach, kink.high), kink.rises)
                for t, kink in zip(places.tolist(), kinks, strict=True)]  # fmt: skip
        found = solve(self.refine(places, reach), put_in_order(near))
        self.programmes += 1
        return None if found is None else keep_inside(found.cross(), near)

    def refine(self, places: Floats, reach: float) -> Relaxation:
        """The same problem with points that close in on the kinks."""
        x = self.problem.x
        near = (places[:, None] + reach * np.linspace(-1, 1, AROUND)).ravel()
        finer = np.union1d(x, near[(near > x[0]) & (near < x[-1])])
        return replace(self.problem, x=finer, values=self.function(finer))

    def bend(self, lines: TubeLines, places: Floats) -> Bent:
        knots = np.array([self.problem.x[0], *places, self.problem.x[-1]])
        index = np.append(np.arange(len(places) + 1), len(places))
        heights = lines.heights[index] + lines.slopes[index] * (knots - lines.middles[index])
        return Bent(knots, heights, self.look_left)

    def measure(self, bent: Bent, problem: Relaxation) -> float:
        """The largest error on the points and the knots."""
        points = np.union1d(problem.x, bent.knots)
        return float(np.max(np.abs(np.interp(points, bent.knots, bent.heights) - self.function(points))))


def keep_inside(places: Floats, kinks: Sequence[Kink]) -> Floats:
    """The places, each moved to where its kink may be; in order."""
    lows, highs = np.array([kink.low for kink in kinks]), np.array([kink.high for kink in kinks])
    middles = (lows + highs) / 2
    return np.sort(np.clip(np.where(np.isfinite(places), places, middles), lows, highs))


def put_in_order(kinks: Sequence[Kink]) -> list[Kink]:
    """No kink before the first place of the one before, nor behind the last of the next."""
    lows = np.maximum.accumulate([kink.low for kink in kinks])
    highs = np.minimum.accumulate([kink.high for kink in kinks][::-1])[::-1]
    return [Kink(float(low), float(high), kink.rises) for low, high, kink in zip(lows, highs, kinks, strict=True)]
