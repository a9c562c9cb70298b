"""How many ReLU units any network needs: kinks that are forced, one by one, proved in ball arithmetic.

A network of n ReLU units is continuous and affine between at most n kinks. Let a < b < c and F lie at b below its chord
from a to c by more than 2 ε: so does every f within ε of F, which is therefore not concave between a and c and has a
kink there at which the slope rises. With F above its chord the slope falls at the kink. Triples of one kind that are
disjoint force different kinks, and a kink of one kind is none of the other.

One unit more is needed where n kinks of one kind have no room for it: a unit is flat on one side of its kink, so the
first slope of n units and some of their n kinks add up to 0. If all kinks rise, such a sum is between the first slope
and the last, and for n = 1 it is one of them. Where F changes by more than 2 ε before the first triple, or after the
last, that slope has the sign of the change.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from flint import arb
from numpy.typing import NDArray
from sympy import Expr

from backprop.approximation.proving.precision import computing
from backprop.approximation.proving.stabbing import lay_lines
from backprop.approximation.proving.undecided import Undecided
from backprop.approximation.proving.values import enclose_values

__all__ = ["ForcedKinks", "Triple", "force_kinks", "force_kinks_both_ways"]

MARGIN = 1e-9
"""How much wider than ε, relatively, the tube is in which a triple is looked for before it is proved."""

Floats = NDArray[np.float64]
Triple = tuple[float, float, float]
Pair = tuple[float, float]
_Turn = tuple[tuple[int, int, int], bool]

REACHES = (1.5, 2, 3, 5, 9)
"""Times as far from b as need be: where c is tried."""


@dataclass(frozen=True)
class ForcedKinks:
    """Triples (a, b, c), each of which forces a kink of every network within epsilon of F.

    Attributes:
        rising: triples that force the slope to rise somewhere between a and c; in order, disjoint but for ends.
        falling: triples that force it to fall; likewise.
        slopes: if kinks alone do not do, pairs of points before the first triple or after the last that show it.

    Errors: `ArithmeticError` where two triples of one kind overlap.
    """

    epsilon: float
    rising: tuple[Triple, ...]
    falling: tuple[Triple, ...]
    slopes: tuple[Pair, ...] = ()

    def __post_init__(self) -> None:
        for kind in (self.rising, self.falling):
            for one, other in pairwise(kind):
                if one[2] > other[0]:
                    raise ArithmeticError(f"the triples {one} and {other} overlap: they may force the same kink")

    @property
    def count(self) -> int:
        """Of the kinks."""
        return len(self.rising) + len(self.falling)

    @property
    def least_width(self) -> int:
        """No ReLU network with fewer hidden units is within epsilon."""
        return self.count + bool(self.slopes)


def force_kinks(target: Expr, grid: Floats, values: Floats, epsilon: float) -> ForcedKinks:
    """Find where the fewest lines in the tube around F have to turn, and prove each of these triples.

    The lines are laid from the left and from the right; the better proof is kept.

    Shapes: grid, values (m,), increasing points and F there in floats; they only say where to look.

    >>> from theory.functions.elementwise import parse
    >>> x = np.linspace(0, 1, 1001)
    >>> force_kinks(parse("x**2"), x, x**2, 1 / 128).least_width
    4
    >>> force_kinks(parse("abs(x - 1/2)"), x, abs(x - 1 / 2), 1e-3).least_width
    2
    """
    return max(force_kinks_both_ways(target, grid, values, epsilon), key=lambda proof: proof.least_width)


def force_kinks_both_ways(target: Expr, grid: Floats, values: Floats, epsilon: float) -> list[ForcedKinks]:
    """The proofs with lines from the left, from the right, and others where there is one kink."""
    height = epsilon * (1 + MARGIN)
    low, high = values - height, values + height
    from_left = [(turn.places, turn.rises) for turn in lay_lines(grid, low, high)[1]]
    mirrored = lay_lines(-grid[::-1], low[::-1], high[::-1])[1]
    last = len(grid) - 1
    from_right = [((last - c, last - b, last - a), rises) for (a, b, c), rises in reversed(mirrored)]
    single = _narrow(grid, values, from_left[0], height) if len(from_left) == 1 else []
    return [_prove_turns(target, grid, values, epsilon, turns) for turns in (from_left, from_right, *single)]


def _narrow(grid: Floats, values: Floats, turn: _Turn, height: float) -> list[list[_Turn]]:
    """A turn that is alone, again with c farther from b and a nearer to it: that leaves room for slopes beside it."""
    (_, b, c), rises = turn
    found: list[list[_Turn]] = []
    for reach in REACHES:
        end = min(int(np.searchsorted(grid, grid[b] + reach * (grid[c] - grid[b]))), len(grid) - 1)
        chord = values[:b] + (values[end] - values[:b]) * (grid[b] - grid[:b]) / (grid[end] - grid[:b])
        enough = np.flatnonzero((chord - values[b]) * (1 if rises else -1) > 2 * height)
        if enough.size:
            found.append([((int(enough[-1]), b, end), rises)])
    return found


def _prove_turns(target: Expr, grid: Floats, values: Floats, epsilon: float, turns: list[_Turn]) -> ForcedKinks:
    """The turns that are proved; and the slopes that ask for a unit more, if all of the turns are of one kind."""
    found: dict[bool, list[Triple]] = {True: [], False: []}
    proved = []
    for places, rises in turns:
        a, b, c = (float(grid[place]) for place in places)
        if _is_proved(target, (a, b, c), rises, epsilon):
            found[rises].append((a, b, c))
            proved.append(places)
    slopes: tuple[Pair, ...] = ()
    if not (found[True] and found[False]):
        ends = (slice(0, proved[0][0] + 1), slice(proved[-1][2], None)) if proved else (slice(None),) * 2
        slopes = _find_slopes(
            target, [(grid[end], values[end]) for end in ends], epsilon, len(proved), bool(found[True])
        )
    return ForcedKinks(epsilon, tuple(found[True]), tuple(found[False]), slopes)


def _find_slopes(
    target: Expr, ends: list[tuple[Floats, Floats]], epsilon: float, kinks: int, rises: bool
) -> tuple[Pair, ...]:
    """Pairs of points that leave no flat slope between the first and the last; () if there are none."""
    first, last = (_find_change(target, x, y, epsilon) for x, y in ends)
    if kinks < 2:
        return (first, last) if first and last else ()
    for pair, grows in ((first, rises), (last, not rises)):
        if pair and (pair[0] < pair[1]) == grows:
            return (pair,)
    return ()


def _find_change(target: Expr, x: Floats, y: Floats, epsilon: float) -> Pair | None:
    """Where F is lowest and where it is highest, if it changes by more than 2 ε between them: proved."""
    low, high = float(x[np.argmin(y)]), float(x[np.argmax(y)])
    with computing():
        try:
            change = enclose_values(target, high, high) - enclose_values(target, low, low)
        except Undecided:
            return None
        return (low, high) if bool(change > 2 * arb(epsilon)) else None


def _is_proved(target: Expr, triple: Triple, rises: bool, epsilon: float) -> bool:
    """±((c − b) F(a) + (b − a) F(c) − (c − a) F(b)) > 2 ε (c − a), in balls; + where the slope rises."""
    with computing():
        a, b, c = map(arb, triple)
        try:
            at_a, at_b, at_c = (enclose_values(target, point, point) for point in triple)
        except Undecided:
            return False
        gap = (c - b) * at_a + (b - a) * at_c - (c - a) * at_b
        return bool((gap if rises else -gap) > 2 * arb(epsilon) * (c - a))
