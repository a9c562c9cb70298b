"""Are K units enough where K kinks are forced?  A network that shows it, or a proof that there is none.

K units that make K kinks have none to spare: each is flat on one side of its kink, so with S the kinks whose units look
left, the first slope and the jumps of the slope at the kinks of S add up to 0:

    s_0 + Σ_{k in S} (s_k − s_{k−1}) = Σ α_k s_k = 0.

For every S the places of the kinks are halved until there are lines in the tube that obey the equation, or there are
surely none: each time a linear programme, whose weights are the proof.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from sympy import Expr

from backprop.approximation.widths.exclusion import is_excluded
from backprop.approximation.widths.relaxation import Kink, Relaxation, Row, TubeLines, solve

__all__ = ["Bent", "WidthAnswer", "decide", "list_signs"]

Floats = NDArray[np.float64]
Function = Callable[[Floats], Floats]

MOST_KINKS = 12
"""More kinks have more sets S than are tried one by one."""
MOST_NODES = 3000
"""Linear programmes, for all sets."""
STEPS = 40
"""Of the descent from lines to a network."""
AROUND = 9
"""Points around each kink while its place is looked for."""
SHORTEST = 1e-10
"""Kinks are not told apart more finely."""
EDGE = 0.15
"""Of an interval: it is not halved nearer to its ends."""
INSIDE = 1e-7
"""Of epsilon: how far inside the tube a network is laid."""


class Bent(NamedTuple):
    """Knots, ends included, heights there, and the inner knots (from 0) whose units look left."""

    knots: Floats
    heights: Floats
    look_left: tuple[int, ...]


@dataclass(frozen=True)
class WidthAnswer:
    """A network with one unit a kink, or None; whether it is proved that there is none; programmes solved."""

    found: Bent | None
    is_excluded: bool
    programmes: int


def list_signs(kinks: int, look_left: Sequence[int]) -> tuple[int, ...]:
    """α of the equation Σ α_k s_k = 0; kinks from 0.

    >>> list_signs(2, []), list_signs(2, [0]), list_signs(2, [1])
    ((1, 0, 0), (0, 1, 0), (1, -1, 1))
    """
    signs = [1] + [0] * kinks
    for kink in look_left:
        signs[kink] -= 1
        signs[kink + 1] += 1
    return tuple(signs)


def decide(
    target: Expr, function: Function, x: Floats, epsilon: float, orders: Sequence[Sequence[Kink]]
) -> WidthAnswer:
    """Look for a network with as many units as kinks, or prove that there is none.

    Args:
        target, function: F, for proofs and in floats.
        x: increasing points from end to end, dense enough that F is near its chords between them.
        orders: in which orders the forced kinks may stand, and where each is.
    """
    values = function(x)
    search = _WidthDecision(target, function, x, values, epsilon)
    for kinks in orders:
        if len(kinks) > MOST_KINKS:
            return WidthAnswer(None, False, search.programmes)
        for look_left in _list_sets(len(kinks)):
            if not search.settle(list(kinks), look_left):
                return WidthAnswer(search.found, False, search.programmes)
    return WidthAnswer(None, True, search.programmes)


def _list_sets(kinks: int) -> Iterator[tuple[int, ...]]:
    """All sets of kinks, those first with which one piece is flat."""
    flat = [tuple(range(count)) for count in range(kinks + 1)]
    yield from flat
    for size in range(kinks + 1):
        for chosen in itertools.combinations(range(kinks), size):
            if chosen != flat[size]:
                yield chosen


class _WidthDecision:
    """What is found, and what is spent."""

    def __init__(self, target: Expr, function: Function, x: Floats, values: Floats, epsilon: float) -> None:
        self.target, self.function, self.x, self.values, self.epsilon = target, function, x, values, epsilon
        self.found: Bent | None = None
        self.programmes = 0

    def settle(self, kinks: list[Kink], look_left: tuple[int, ...]) -> bool:
        """Whether it is proved that no lines obey the equation of a set; else `found` may hold a network."""
        problem = Relaxation(self.x, self.values, self.epsilon, list_signs(len(kinks), look_left))
        waiting: list[tuple[list[Kink], tuple[Row, ...]]] = [(kinks, ())]
        nodes = 0
        while waiting:
            if self.programmes > MOST_NODES:
                return False
            (node, known), nodes = waiting.pop(), nodes + 1
            lines = solve(problem, node, known)
            self.programmes += 1
            if lines is not None and lines.excess > 0:
                if is_excluded(self.target, self.epsilon, len(kinks) + 1, problem.signs, lines.rows):
                    continue
            elif lines is not None and nodes & (nodes - 1) == 0 and self.descend(problem, node, lines, look_left):
                return False
            halves = self.halve(node, lines)
            if not halves:
                return False
            waiting += [(half, lines.rows if lines is not None else ()) for half in halves]
        return True

    def descend(self, problem: Relaxation, node: list[Kink], lines: TubeLines, look_left: tuple[int, ...]) -> bool:
        """From lines of a relaxed problem to a network inside the tube: kinks in smaller and smaller neighbourhoods."""
        places = kept = _keep_inside(lines.cross(), node)
        best, reach = np.inf, max(kink.high - kink.low for kink in node) / 4
        for _ in range(STEPS):
            finer = self.refine(problem, places, reach)
            fixed = [Kink(t, t, kink.rises) for t, kink in zip(places.tolist(), node, strict=True)]
            exact = solve(finer, fixed, rounds=STEPS)
            self.programmes += 1
            if exact is None:
                return False
            bent = self.bend(exact, places, look_left)
            error = self.measure(bent, finer)
            if error < self.epsilon * (1 - INSIDE):
                self.found = bent
                return True
            if error < best:
                best, kept = error, places
            else:
                places, reach = kept, reach / 3
            if reach < SHORTEST * (self.x[-1] - self.x[0]):
                return False
            near = [Kink(max(t - reach, kink.low), min(t + reach, kink.high), kink.rises)
                    for t, kink in zip(places.tolist(), node, strict=True)]  # fmt: skip
            moved = solve(self.refine(problem, places, reach), _order(near))
            self.programmes += 1
            if moved is None:
                return False
            places = _keep_inside(moved.cross(), near)
        return False

    def refine(self, problem: Relaxation, places: Floats, reach: float) -> Relaxation:
        """The same problem with points that close in on the kinks."""
        near = (places[:, None] + reach * np.linspace(-1, 1, AROUND)).ravel()
        x = np.union1d(self.x, near[(near > self.x[0]) & (near < self.x[-1])])
        return replace(problem, x=x, values=self.function(x))

    def halve(self, kinks: list[Kink], lines: TubeLines | None) -> list[list[Kink]]:
        """Two problems: a kink is on one side of a place or on the other.

        First where two may be at the same place, then where the lines of this problem leave the tube.
        """
        sizes = np.array([kink.high - kink.low for kink in kinks])
        chosen, places = int(np.argmax(sizes)), np.array([(kink.low + kink.high) / 2 for kink in kinks])
        shared = [one.high - other.low for one, other in pairwise(kinks)]
        if shared and max(shared) > 0:
            first = int(np.argmax(shared))
            chosen = first + int(sizes[first + 1] > sizes[first])
            places[chosen] = (kinks[first].high + kinks[first + 1].low) / 2
        elif lines is not None:
            crossings = _keep_inside(lines.cross(), kinks)
            outside = np.array([self.leave(kink, k, lines) for k, kink in enumerate(kinks)])
            if np.max(outside * (sizes > SHORTEST)) > 0:
                chosen = int(np.argmax(outside * (sizes > SHORTEST)))
                low, high, _ = kinks[chosen]
                edge = EDGE * (high - low)
                places[chosen] = min(max(float(crossings[chosen]), low + edge), high - edge)
        (low, high, rises), middle = kinks[chosen], float(places[chosen])
        if not low < middle < high or sizes[chosen] < SHORTEST:
            return []
        found = []
        for half in (Kink(low, middle, rises), Kink(middle, high, rises)):
            ordered = _order([*kinks[:chosen], half, *kinks[chosen + 1 :]])
            if all(kink.low <= kink.high for kink in ordered):
                found.append(ordered)
        return found

    def leave(self, kink: Kink, place: int, lines: TubeLines) -> float:
        """How far the larger (smaller) of two lines is outside of the tube around their kink."""
        first, last = np.searchsorted(self.x, kink.low), np.searchsorted(self.x, kink.high, side="right")
        if first >= last:
            return 0.0
        points, values = self.x[first:last], self.values[first:last]
        both = lines.evaluate(place, points), lines.evaluate(place + 1, points)
        gap = values - np.maximum(*both) if kink.rises else np.minimum(*both) - values
        return max(float(np.max(gap)) - self.epsilon - lines.excess, 0.0)

    def bend(self, lines: TubeLines, places: Floats, look_left: tuple[int, ...]) -> Bent:
        knots = np.array([self.x[0], *places, self.x[-1]])
        index = np.append(np.arange(len(places) + 1), len(places))
        heights = lines.heights[index] + lines.slopes[index] * (knots - lines.middles[index])
        return Bent(knots, heights, look_left)

    def measure(self, bent: Bent, problem: Relaxation) -> float:
        """The largest error on the points and the knots."""
        points = np.union1d(problem.x, bent.knots)
        return float(np.max(np.abs(np.interp(points, bent.knots, bent.heights) - self.function(points))))


def _keep_inside(places: Floats, kinks: Sequence[Kink]) -> Floats:
    lows, highs = np.array([kink.low for kink in kinks]), np.array([kink.high for kink in kinks])
    middles = (lows + highs) / 2
    return np.sort(np.clip(np.where(np.isfinite(places), places, middles), lows, highs))


def _order(kinks: Sequence[Kink]) -> list[Kink]:
    """No kink before the first place of the one before, nor behind the last of the next."""
    lows = np.maximum.accumulate([kink.low for kink in kinks])
    highs = np.minimum.accumulate([kink.high for kink in kinks][::-1])[::-1]
    return [Kink(float(low), float(high), kink.rises) for low, high, kink in zip(lows, highs, kinks, strict=True)]
