"""The modulus of continuity of a target, bounded from above for certain: ball enclosures on many short pieces."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

import numpy as np

from backprop.approximation.ground.target import Floats, FunctionTarget
from backprop.approximation.proving.precision import float_above, float_below
from backprop.approximation.proving.undecided import Undecided
from backprop.approximation.proving.values import enclose_values
from backprop.errors import UsageError
from theory.functions.pieces import split
from theory.functions.values import evaluate_precisely

__all__ = ["Modulus", "TargetJump", "enclose_modulus", "find_jump"]

DIGITS = 30
"""Of the values on both sides of a break."""


@dataclass(frozen=True, eq=False)
class Modulus:
    """F lies in [lows[k], highs[k]] on the whole piece from edges[k] to edges[k + 1].

    Shapes: edges (m + 1,), lows and highs (m,).
    """

    edges: Floats
    lows: Floats
    highs: Floats

    def bound(self, distance: float) -> float:
        """An upper bound of ω(distance) = max |F(x) - F(y)| over |x - y| <= distance.

        If x lies on a piece, y to the right of it lies on one that begins before the end of the first plus the
        distance. The pieces between them are a window, and F changes on it by at most its highest minus its lowest.

        >>> from backprop.approximation.ground.target import read_target
        >>> modulus = enclose_modulus(read_target("3*x", (0, 1)), 1000)
        >>> 0.3 <= modulus.bound(0.1) <= 0.31
        True
        """
        reach = np.nextafter(self.edges[1:] + distance, math.inf)
        last = np.searchsorted(self.edges[:-1], reach, side="left") - 1
        window = int(np.max(last - np.arange(len(last)))) + 1
        highest = _slide(self.highs, window, np.maximum, -math.inf)
        lowest = _slide(self.lows, window, np.minimum, math.inf)
        return float(np.nextafter(np.max(highest - lowest), math.inf))


def _slide(values: Floats, window: int, best: np.ufunc, never: float) -> Floats:
    """The best of each window that begins at an entry; windows twice as long as those before, then the rest.

    >>> _slide(np.array([3.0, 1.0, 2.0, 0.0]), 3, np.maximum, -math.inf)
    array([3., 2., 2., 0.])
    """
    found, length = np.append(values, np.full(window - 1, never)), 1
    while 2 * length <= window:
        found, length = best(found[:-length], found[length:]), 2 * length
    rest = window - length
    return np.asarray(best(found[: len(found) - rest], found[rest:]))


@lru_cache(maxsize=8)
def enclose_modulus(target: FunctionTarget, pieces: int) -> Modulus:
    """Enclose F on pieces of equal length.

    Errors: UsageError where F may have no finite value on a piece, as far as ball arithmetic can tell.
    """
    edges = np.linspace(*target.domain, pieces + 1)
    ends = np.array([_enclose(target, a, b) for a, b in pairwise(edges.tolist())])
    return Modulus(edges, ends[:, 0], ends[:, 1])


def _enclose(target: FunctionTarget, low: float, high: float) -> tuple[float, float]:
    try:
        ball = enclose_values(target.as_written, low, high)
    except Undecided as error:
        raise UsageError(
            f"no bound for {target.text!r} on [{low:.6g}, {high:.6g}], so no modulus of continuity ({error}); write it "
            "without the quotient or root that is undecided there, or use --method fit"
        ) from None
    return float_below(ball), float_above(ball)


@dataclass(frozen=True)
class TargetJump:
    """F jumps by `height` at `place`: ω(d) >= height for every d > 0, and no continuous f is nearer than half of it."""

    place: float
    height: float

    def __str__(self) -> str:
        return (
            f"the target jumps by {self.height:.6g} at x = {self.place:.6g}, so its modulus of continuity does not "
            f"tend to 0, nor does the bound; no network of continuous units is nearer than {self.height / 2:.6g}"
        )


def find_jump(target: FunctionTarget) -> TargetJump | None:
    """The largest jump inside the domain, or None if none is found.

    >>> from backprop.approximation.ground.target import read_target
    >>> find_jump(read_target("3*(x > 1/4) + x", (0, 1)))
    TargetJump(place=0.25, height=3.0)
    >>> find_jump(read_target("abs(x - 1/4)", (0, 1)))
    """
    if not target.breaks:
        return None
    found = [TargetJump(0.0, 0.0)]
    for left, right in pairwise(split(target.expression)):
        place = float(left.upper)
        if target.domain[0] < place < target.domain[1]:
            sides = [evaluate_precisely(piece.expression, left.upper, DIGITS) for piece in (left, right)]
            found.append(TargetJump(place, float(abs(sides[1] - sides[0]))))
    largest = max(found, key=lambda jump: jump.height)
    return largest if largest.height > target.scale * 10 ** (-DIGITS / 2) else None
