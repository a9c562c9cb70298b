"""Where the units start: evenly, where the function bends most, or at random; on the interval [-1, 1]."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterator

import numpy as np

from backprop.approximation.ground.hidden import Hidden
from backprop.approximation.ground.target import Floats

__all__ = ["list_nodes", "list_pieces", "list_placements", "list_wave_placements", "list_waves", "place_adaptively",
           "place_at_breaks", "place_evenly", "place_on_waves", "place_randomly"]  # fmt: skip

STEEPNESS = (0.5, 1.0, 0.25, 2.0, 4.0, 32.0)
"""Slope of a unit times the distance to its neighbour; below 1 units overlap, above 4 they are steps."""
BESIDE = 1e-9
"""How far from a break, on both sides, the fit looks."""
JUMP = 1e3
"""Slope of a unit on a break, times the steepness."""
SHORTEST = 2.0**-20
"""Intervals are not halved below this; the whole is 2."""
PADDING = (0.5, 0.1, 0.0)
"""How far the centres reach beyond the interval on each side, in lengths of the interval."""
MANY, CLOSE_PADDING = 64, 0.05
"""Above that many units those that overlap most come nearest to smooth functions, and few starts can be looked at."""

WAVY = 11
"""A function that turns more often gets units for each rise and fall."""
ON_WAVES = (2.5, 1.5, 4.0)
"""Slope of such a unit times the length of its piece: at 2.5 tanh is at 85 per cent of its height at the ends."""
SEEN = 2**14
"""Points at which it is looked for where a function turns."""
FLAT = 1e-9
"""A rise or fall of less than this share of the largest is none."""

Function = Callable[[Floats], Floats]


def list_placements(function: Function, breaks: Floats, width: int, rng: np.random.Generator) -> Iterator[Hidden]:
    """Yield hidden layers to try, the most promising first."""
    adapted = [_cut(function, width, degree) for degree in (1, 3)]
    many = width > MANY
    for steepness in sorted(STEEPNESS) if many else STEEPNESS:
        for padding in (CLOSE_PADDING, *PADDING) if many else PADDING:
            yield place_evenly(width, padding, steepness)
        for edges in adapted:
            yield place_adaptively(edges[:-1], np.diff(edges), steepness)
        yield place_adaptively((edges[:-1] + edges[1:]) / 2, np.diff(edges), steepness)
        if len(breaks):
            yield place_at_breaks(breaks, width, steepness)
        yield place_randomly(width, steepness, rng)


def list_wave_placements(waves: Floats, width: int) -> Iterator[Hidden]:
    """Yield hidden layers for a function that rises and falls often (`list_waves`); none for any other."""
    for steepness in ON_WAVES if len(waves) else ():
        yield place_on_waves(waves, width, steepness)


def list_nodes(function: Function, breaks: Floats, width: int) -> Floats:
    """List the points of [-1, 1] where the fit looks: Chebyshev's, and more where F bends most or breaks."""
    count = 160 + 8 * width
    chebyshev = np.cos(np.pi * (np.arange(count) + 0.5) / count)
    edges = _cut(function, width, degree=3)
    inner = np.linspace(edges[:-1], edges[1:], 4, endpoint=False).ravel()
    beside = breaks[:, None] + BESIDE * np.array([-1, 0, 1])
    return np.union1d(np.union1d(chebyshev, inner), np.clip(beside, -1, 1))


def place_evenly(width: int, padding: float, steepness: float) -> Hidden:
    """Put the centres at equal distances; without padding not on the right end, where relu is idle."""
    reach = 1 + 2 * padding
    centres = np.linspace(-reach, reach, width, endpoint=padding > 0) if width > 1 else np.zeros(1)
    return place_adaptively(centres, np.full(width, 2 * reach / width), steepness)


def place_adaptively(centres: Floats, lengths: Floats, steepness: float) -> Hidden:
    """Make each unit as steep as the interval it stands for is short."""
    slopes = steepness / lengths
    return Hidden(slopes, -slopes * centres)


def place_at_breaks(breaks: Floats, width: int, steepness: float) -> Hidden:
    """Put one steep unit on each break, and the others at equal distances."""
    steep = breaks[:width]
    even = place_evenly(width - len(steep), 0.0, steepness) if width > len(steep) else Hidden(steep[:0], steep[:0])
    slopes = np.full(len(steep), JUMP * steepness)
    return Hidden(np.append(slopes, even.w), np.append(-slopes * steep, even.b))


def list_waves(function: Function) -> Floats:
    """The rises and falls of a function (`list_pieces`) that has many of them; none of any other."""
    pieces = list_pieces(function)
    return pieces if len(pieces) > WAVY else pieces[:0]


def list_pieces(function: Function) -> Floats:
    """The stretches of [-1, 1] on which a function rises or falls: ends and height of each, shape (pieces, 3).

    >>> list_pieces(lambda u: np.cos(np.pi * u)).round(3).tolist()
    [[-1.0, 0.0, 2.0], [0.0, 1.0, 2.0]]
    """
    u = np.linspace(-1, 1, SEEN + 1)
    values = function(u)
    signs = np.sign(np.diff(values))
    moves = np.flatnonzero(signs)
    turns = moves[1:][signs[moves[1:]] != signs[moves[:-1]]]
    edges = np.concatenate([[0], turns, [SEEN]])
    heights = np.abs(np.diff(values[edges]))
    found = np.column_stack([u[edges[:-1]], u[edges[1:]], heights])
    rises: Floats = found[heights > FLAT * np.max(heights, initial=0.0)]
    return rises


def place_on_waves(pieces: Floats, width: int, steepness: float) -> Hidden:
    """Share the units among the rises and falls, one for each, then one more for the highest first; each as steep as
    its part is short.

    >>> hidden = place_on_waves(np.array([[-1.0, 0.0, 2.0], [0.0, 1.0, 2.0]]), 3, 2.0)
    >>> (-hidden.b / hidden.w).tolist()
    [-0.75, -0.25, 0.5]
    """
    order = np.argsort(-pieces[:, 2], kind="stable")
    counts = np.zeros(len(pieces), dtype=int)
    counts[order[: width % len(pieces)]] = 1
    counts += width // len(pieces)
    parts = [np.linspace(low, high, count + 1) for (low, high, _), count in zip(pieces, counts, strict=True) if count]
    centres = np.concatenate([(edges[:-1] + edges[1:]) / 2 for edges in parts])
    return place_adaptively(centres, np.concatenate([np.diff(edges) for edges in parts]), steepness)


def place_randomly(width: int, steepness: float, rng: np.random.Generator) -> Hidden:
    """Draw centres evenly over [-1.2, 1.2] and slopes of both signs and mixed sizes."""
    centres = np.sort(rng.uniform(-1.2, 1.2, width))
    slopes = steepness * width * rng.lognormal(-1, 0.5, width)
    return Hidden(slopes, -slopes * centres)


def _cut(function: Function, count: int, degree: int) -> Floats:
    """Cut [-1, 1] into `count` intervals: always halve the one where a polynomial fits worst.

    Towards a kink or a root the intervals shrink geometrically, elsewhere they stay long.
    """
    heap = [(0.0, -2.0, -1.0)]  # error and length, both negative, so that the worst comes first; left end
    while len(heap) < count:
        _, shortness, low = heapq.heappop(heap)
        half = -shortness / 2
        for left in (low, low + half):
            heapq.heappush(heap, (-_measure(function, left, left + half, degree), -half, left))
    return np.array([*sorted(low for _, _, low in heap), 1.0])


_SAMPLES = np.linspace(-1, 1, 9)


def _measure(function: Function, low: float, high: float, degree: int) -> float:
    """Return the largest residual of a polynomial fit at nine points; 0 if the interval is short enough."""
    if high - low < SHORTEST:
        return 0.0
    values = function((low + high) / 2 + (high - low) / 2 * _SAMPLES)
    basis = np.vander(_SAMPLES, degree + 1)
    return float(np.max(np.abs(values - basis @ np.linalg.lstsq(basis, values, rcond=None)[0])))
