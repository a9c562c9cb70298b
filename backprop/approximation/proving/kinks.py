"""How many ReLU units any network needs: kinks that are forced, one by one, proved in ball arithmetic.

A network of n ReLU units is continuous and affine between at most n kinks. Let a < b < c and F leave its chord from a
to c at b by more than 2 ε: no affine function is within ε of F at all three points, so every network that is within ε
everywhere has a kink between a and c. Disjoint triples force different kinks.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from flint import arb, ctx
from numpy.typing import NDArray
from sympy import Expr

from backprop.approximation.proving.enclosures import Undecided, enclose_values

__all__ = ["ForcedKinks", "force_kinks", "list_pieces"]

BITS = 128
MARGIN = 1e-9
"""How much more than 2 ε, relatively, a triple must show in floats before it is proved."""

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class ForcedKinks:
    """Disjoint triples (a, b, c), each of which forces a kink of every network within epsilon of F."""

    epsilon: float
    triples: tuple[tuple[float, float, float], ...]

    @property
    def least_width(self) -> int:
        """No ReLU network with fewer hidden units is within epsilon."""
        return len(self.triples)


def force_kinks(target: Expr, grid: Floats, values: Floats, epsilon: float) -> ForcedKinks:
    """Find disjoint triples from left to right, each as short as the grid allows, and prove each of them.

    Shapes: grid, values (m,), increasing points and F there in floats; they only say where to look.

    >>> from theory.activations import parse
    >>> x = np.linspace(0, 1, 1001)
    >>> force_kinks(parse("x**2"), x, x**2, 1 / 128).least_width
    3
    """
    found: list[tuple[float, float, float]] = []
    start = 0
    while (triple := _find_triple(grid, values, start, 2 * epsilon * (1 + MARGIN))) is not None:
        a, b, c = triple
        if _is_proved(target, (float(grid[a]), float(grid[b]), float(grid[c])), epsilon):
            found.append((float(grid[a]), float(grid[b]), float(grid[c])))
        start = c
    return ForcedKinks(epsilon, tuple(found))


def list_pieces(grid: Floats, values: Floats, epsilon: float) -> list[int]:
    """Where the longest affine pieces within epsilon of the points begin, from left to right; jumps between them are
    allowed."""
    starts, start = [0], 0
    while (triple := _find_triple(grid, values, start, 2 * epsilon)) is not None:
        start = triple[2] - 1 if triple[2] - 1 > start else triple[2]
        starts.append(start)
    return starts


def _is_proved(target: Expr, triple: tuple[float, float, float], epsilon: float) -> bool:
    """|(c − a) F(b) − (c − b) F(a) − (b − a) F(c)| > 2 ε (c − a), in balls."""
    before = ctx.prec
    ctx.prec = BITS
    try:
        a, b, c = map(arb, triple)
        at_a, at_b, at_c = (enclose_values(target, point, point) for point in triple)
        gap = (c - a) * at_b - (c - b) * at_a - (b - a) * at_c
        return bool(abs(gap) > 2 * arb(epsilon) * (c - a))
    except Undecided:
        return False
    finally:
        ctx.prec = before


def _find_triple(x: Floats, y: Floats, start: int, height: float) -> tuple[int, int, int] | None:
    """The triple from `start` on that ends first, by doubling and halving the stretch; None if there is none."""
    last = len(x) - 1
    reach = min(start + 2, last)
    while (found := _largest_gap(x, y, start, reach))[0] <= height:
        if reach == last:
            return None
        reach = min(start + 2 * (reach - start), last)
    low, high = start + (reach - start) // 2, reach
    while high - low > 1:
        middle = (low + high) // 2
        here = _largest_gap(x, y, start, middle)
        if here[0] > height:
            high, found = middle, here
        else:
            low = middle
    return found[1]


def _largest_gap(x: Floats, y: Floats, start: int, end: int) -> tuple[float, tuple[int, int, int]]:
    """The largest vertical distance between upper and lower hull of the points, and the triple that shows it."""
    best, triple = 0.0, (start, start, end)
    if end - start < 2:
        return best, triple
    hulls = [_hull(x, y, start, end, side) for side in (1.0, -1.0)]
    for corners, edges in (hulls, hulls[::-1]):
        inner = np.array(corners)
        place = np.clip(np.searchsorted(np.array(edges), inner, side="right") - 1, 0, len(edges) - 2)
        left, right = np.array(edges)[place], np.array(edges)[place + 1]
        chord = y[left] + (y[right] - y[left]) * (x[inner] - x[left]) / (x[right] - x[left])
        gaps = np.abs(y[inner] - chord)
        k = int(np.argmax(gaps))
        if gaps[k] > best and left[k] < inner[k] < right[k]:
            best, triple = float(gaps[k]), (int(left[k]), int(inner[k]), int(right[k]))
    return best, triple


def _hull(x: Floats, y: Floats, start: int, end: int, side: float) -> Sequence[int]:
    """The corners of the upper (side 1) or lower (side −1) hull, from left to right."""
    kept: list[int] = []
    for k in range(start, end + 1):
        while len(kept) > 1:
            i, j = kept[-2], kept[-1]
            if side * ((y[j] - y[i]) * (x[k] - x[i]) - (y[k] - y[i]) * (x[j] - x[i])) > 0:
                break
            kept.pop()
        kept.append(k)
    return kept
