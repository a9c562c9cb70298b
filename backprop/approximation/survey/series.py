"""Polynomials and waves beside networks with as many numbers: values and largest errors, measured on the grid of F."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import scipy.fft
import scipy.stats

from backprop.approximation.ground.given import read_given
from backprop.approximation.ground.target import UNIT, Floats, Target
from backprop.approximation.searching.methods import approximate_by

__all__ = ["KINDS", "Series", "SeriesSurvey", "survey_series"]

SAMPLES = 2**14
"""Cells by which the integrals of the coefficients are worked out."""


@dataclass(frozen=True)
class Series:
    """One kind of sum for one target.

    Attributes:
        kind: "bernstein", "fejer", "fourier", "constructive" (the network of the proof) or "fit".
        errors: the largest |F - f| on the grid for each of the counts, in the unit of F.
        shown: its values on the grid for the count that is drawn.
    """

    kind: str
    errors: tuple[float, ...]
    shown: Floats


@dataclass(frozen=True)
class SeriesSurvey:
    """All kinds of sums for one target.

    Attributes:
        counts: how many numbers each of them holds: 3 n + 1 for a network of n units, n for a sum of n terms.
        drawn: the one of these whose values are shown.
        x, values: the grid and F on it.
    """

    target: str
    counts: tuple[int, ...]
    drawn: int
    x: Floats
    values: Floats
    series: tuple[Series, ...]


def survey_series(
    target: str,
    widths: Sequence[int],
    drawn: int,
    progress: Callable[[int, int], None] = lambda done, whole: None,
) -> SeriesSurvey:
    """Sums of each kind on [0, 1], with as many numbers as the networks of these widths have.

    Args:
        drawn: the width whose values are kept; one of the widths.

    Errors: `UsageError` for a target or width that cannot be.

    >>> found = survey_series("square", (1, 2), 2)
    >>> {one.kind: f"{one.errors[1]:.3f}" for one in found.series if one.kind in ("bernstein", "fourier")}
    {'bernstein': '0.042', 'fourier': '0.062'}
    """
    function = read_given(target, UNIT)
    counts = tuple(3 * width + 1 for width in widths)
    series = []
    for row, (kind, make) in enumerate(KINDS.items()):
        found = []
        for column, count in enumerate(counts):
            found.append(make(function, count))
            progress(row * len(counts) + column + 1, len(KINDS) * len(counts))
        errors = tuple(float(np.max(np.abs(one - function.values))) for one in found)
        series.append(Series(kind, errors, found[widths.index(drawn)]))
    return SeriesSurvey(target, counts, 3 * drawn + 1, function.grid, function.values, tuple(series))


def _sum_bernstein(target: Target, count: int) -> Floats:
    """Σ F(k/n) b_k(x), n = count - 1: as many values of F; the weights are binomial chances."""
    degree = count - 1
    hits = np.arange(count)
    chances = scipy.stats.binom.pmf(hits, degree, target.grid[:, None])
    return np.asarray(chances @ target(hits / degree), dtype=np.float64)


def _sum_waves(target: Target, count: int, weights: Floats) -> Floats:
    """a_0/2 + Σ weight_k a_k cos(kπx), a_k = 2 ∫ F cos(kπx) dx by the trapezoidal rule."""
    samples = target(np.linspace(0, 1, SAMPLES + 1))
    coefficients = scipy.fft.dct(samples, type=1)[:count] / SAMPLES * weights
    coefficients[0] /= 2
    return np.asarray(np.polynomial.chebyshev.chebval(np.cos(np.pi * target.grid), coefficients), dtype=np.float64)


def _fit_network(method: str, target: Target, count: int) -> Floats:
    return approximate_by(method, target.text, width=(count - 1) // 3).f(target.grid)


KINDS: dict[str, Callable[[Target, int], Floats]] = {
    "bernstein": _sum_bernstein,
    "fejer": lambda target, count: _sum_waves(target, count, 1 - np.arange(count) / count),
    "fourier": lambda target, count: _sum_waves(target, count, np.ones(count)),
    "constructive": lambda target, count: _fit_network("constructive", target, count),
    "fit": lambda target, count: _fit_network("fit", target, count),
}
"""How each kind of sum is made, of so many numbers."""
