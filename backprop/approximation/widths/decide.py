"""Are K units enough where K kinks are forced?  A network that shows it, or a proof that there is none.

K units that make K kinks have none to spare: each is flat on one side of its kink, so with S the kinks whose units look
left, the first slope and the jumps of the slope at the kinks of S add up to 0 (`ends`). Which way a unit looks is left
open at first: then 0 is only between two sums. Where that leaves lines in the tube, it is asked for one unit more and
more which way it looks; where all are known, the places of the kinks are halved. Each time a linear programme says
whether there are lines, and its weights are the proof that there are none. Networks are looked for first, in every
order of the kinks, for the sets S that come nearest to 0.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from sympy import Expr

from backprop.approximation.widths.descent import Bent, Floats, Function, NetworkDescent, keep_inside, put_in_order
from backprop.approximation.widths.ends import LEFT, OPEN, RIGHT, list_end_rows, list_looks
from backprop.approximation.widths.exclusion import is_excluded
from backprop.approximation.widths.relaxation import Kink, Relaxation, Row, TubeLines, solve
from backprop.approximation.widths.sums import find_sums

__all__ = ["Bent", "WidthAnswer", "decide"]

MOST_WORK = 12_000
"""Lines in all linear programmes together."""
SETS = 12
"""Sets S for which a network is looked for, before anything is halved, in each order."""
DESCENTS = 4
"""From the best of them lines are followed down to a network."""
SHORTEST = 1e-10
"""Kinks are not told apart more finely."""
EDGE = 0.15
"""Of an interval: it is not halved nearer to its ends."""

Looks = tuple[int, ...]


@dataclass(frozen=True)
class WidthAnswer:
    """A network with one unit a kink, or None; whether it is proved that there is none; programmes solved."""

    found: Bent | None
    is_excluded: bool
    programmes: int


def decide(
    target: Expr, function: Function, x: Floats, epsilon: float, orders: Sequence[Sequence[Kink]]
) -> WidthAnswer:
    """Look for a network with as many units as kinks, or prove that there is none.

    Args:
        target, function: F, for proofs and in floats.
        x: increasing points from end to end, dense enough that F is near its chords between them.
        orders: in which orders the forced kinks may stand, and where each is.
    """
    search = _WidthDecision(target, function, x, epsilon)
    left = [list(kinks) for kinks in orders if not search.has_none(kinks, (OPEN,) * len(kinks))[0]]
    for kinks in left:
        search.look_for_networks(kinks)
        if search.found is not None:
            return WidthAnswer(search.found, False, search.programmes)
    settled = all(search.settle(kinks, (OPEN,) * len(kinks)) for kinks in left)
    return WidthAnswer(search.found, settled, search.programmes)


class _WidthDecision:
    """What is found, and what is spent."""

    def __init__(self, target: Expr, function: Function, x: Floats, epsilon: float) -> None:
        self.target, self.function, self.x, self.epsilon = target, function, x, epsilon
        self.values = function(x)
        self.found: Bent | None = None
        self.programmes = self.work = 0

    def pose(self, kinks: Sequence[Kink], looks: Looks) -> Relaxation:
        """The problem of a set of units that look left, as far as it is known."""
        ends = list_end_rows(float(self.x[0]), float(self.x[-1]), kinks, looks)
        return Relaxation(self.x, self.values, self.epsilon, tuple(ends))

    def solve(self, problem: Relaxation, kinks: Sequence[Kink], known: Sequence[Row] = ()) -> TubeLines | None:
        self.spend(1, kinks)
        return solve(problem, kinks, known)

    def spend(self, programmes: int, kinks: Sequence[Kink]) -> None:
        self.programmes += programmes
        self.work += programmes * (len(kinks) + 1)

    def is_shown(self, lines: TubeLines | None, kinks: Sequence[Kink]) -> bool:
        """Whether it is proved that there are no lines."""
        return (
            lines is not None
            and lines.excess > 0
            and is_excluded(self.target, self.epsilon, len(kinks) + 1, lines.rows)
        )

    def has_none(self, kinks: Sequence[Kink], looks: Looks) -> tuple[bool, TubeLines | None]:
        """Whether no network has units that look so: proved; and the lines that a relaxed problem has."""
        lines = self.solve(self.pose(kinks, looks), kinks)
        return self.is_shown(lines, kinks), lines

    def look_for_networks(self, kinks: Sequence[Kink]) -> None:
        """Of the sets that come near to 0, follow those down whose relaxed problems have the most room."""
        _, lines = self.has_none(kinks, (OPEN,) * len(kinks))
        if lines is None or lines.excess > 0:
            return
        roomy = []
        for look_left in self.list_sets(kinks, lines):
            one = self.solve(self.pose(kinks, list_looks(len(kinks), look_left)), kinks)
            if one is not None and one.excess < 0:
                roomy.append((one.excess, look_left, one))
        for _, look_left, one in sorted(roomy, key=lambda found: found[:2])[:DESCENTS]:
            if self.descend(self.pose(kinks, list_looks(len(kinks), look_left)), kinks, one, look_left):
                return

    def list_sets(self, kinks: Sequence[Kink], lines: TubeLines) -> Iterator[tuple[int, ...]]:
        """Those with which one of the flattest pieces is flat, then others whose sums are near 0."""
        flattest = np.argsort(np.abs(lines.slopes), kind="stable")[: SETS // 2].tolist()
        near = find_sums(np.diff(lines.slopes), -float(lines.slopes[0]), SETS // 2)
        yield from dict.fromkeys([*(tuple(range(piece)) for piece in flattest), *near])

    def settle(self, kinks: list[Kink], looks: Looks) -> bool:
        """Whether it is proved that no network has units that look so; else `found` may hold one."""
        if OPEN not in looks:
            return self.settle_places(kinks, tuple(k for k, look in enumerate(looks) if look == LEFT))
        if self.work > MOST_WORK:
            return False
        shown, lines = self.has_none(kinks, looks)
        if shown:
            return True
        jumps = np.abs(np.diff(lines.slopes)) if lines is not None else np.ones(len(kinks))
        chosen = int(np.argmax(np.where(np.array(looks) == OPEN, jumps, -1.0)))
        return all(self.settle(kinks, (*looks[:chosen], look, *looks[chosen + 1 :])) for look in (LEFT, RIGHT))

    def settle_places(self, kinks: list[Kink], look_left: tuple[int, ...]) -> bool:
        """The same where it is known which way every unit looks: the places of the kinks are halved."""
        problem = self.pose(kinks, list_looks(len(kinks), look_left))
        waiting: list[tuple[list[Kink], tuple[Row, ...]]] = [(kinks, ())]
        nodes = 0
        while waiting:
            if self.work > MOST_WORK:
                return False
            (node, known), nodes = waiting.pop(), nodes + 1
            lines = self.solve(problem, node, known)
            if self.is_shown(lines, node):
                continue
            is_due = lines is not None and lines.excess <= 0 and nodes & (nodes - 1) == 0
            if lines is not None and is_due and self.descend(problem, node, lines, look_left):
                return False
            halves = self.halve(node, lines)
            if not halves:
                return False
            waiting += [(half, lines.rows if lines is not None else ()) for half in halves]
        return True

    def descend(self, problem: Relaxation, kinks: Sequence[Kink], lines: TubeLines, look_left: tuple[int, ...]) -> bool:
        """Whether a network is found from these lines."""
        descent = NetworkDescent(problem, self.function, look_left)
        self.found = descent.run(kinks, lines)
        self.spend(descent.programmes, kinks)
        return self.found is not None

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
            crossings = keep_inside(lines.cross(), kinks)
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
            ordered = put_in_order([*kinks[:chosen], half, *kinks[chosen + 1 :]])
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
