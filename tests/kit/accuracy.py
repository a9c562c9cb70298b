"""Errors in units in the last place, against balls, at points chosen to hurt.

One ulp of a value is the gap between floats of its size; below the smallest normal float, the gap there.
"""

from __future__ import annotations

import functools
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from flint import arb
from numpy.typing import NDArray

from backprop.examiner.certifying.balls import ACTIVATIONS, FAR, evaluate, precision

Array = NDArray[Any]
SEED = 20240612
ROOTS = (-1.2784645427610738, -1.192442, -1.1924413585, -0.7517915241, -0.7524614220710162)  # of slopes, about
EDGES = (1e-8, 1 / 64, 1 / 32, 0.25, 0.5, 1.0, 5.0, 16.0, 20.0, 36.0, 37.0, 64.0, 340.0, 700.0, 708.4, 745.1)
SPECIAL = (0.0, -0.0, 5e-324, -5e-324, 1e-310, -1e-310, 2.2250738585072014e-308, -2.2250738585072014e-308)
TAIL_BITS = 4096


@dataclass(frozen=True)
class Reference:
    """True values at points: the nearest floats, what is missing in ulps, and the ulp."""

    nearest: Array
    missing: Array
    ulp: Array

    def measure(self, computed: Array) -> Array:
        """The error of each value in ulps; infinite for NaN."""
        with np.errstate(all="ignore"):
            error = np.abs((computed.astype(np.float64) - self.nearest) / self.ulp - self.missing)
        return np.where(np.isnan(error), np.inf, error)


def choose_points(count: int, dtype: type, seed: int = SEED) -> Array:
    """About `count` points: every size of number, both signs, close to roots of slopes and to edges, both tails."""
    rng = np.random.default_rng(seed)
    share = count // 8
    tiny, far = (-45, 4) if dtype is np.float32 else (-323, 4)
    scattered = [rng.uniform(-reach, reach, share) for reach in (3.0, 12.0, 45.0, 120.0, 760.0)]
    sizes = 10.0 ** rng.uniform(tiny, far, share) * rng.choice([-1.0, 1.0], share)
    near = np.repeat([*ROOTS, *EDGES, *(-edge for edge in EDGES)], -(-2 * share // (len(ROOTS) + 2 * len(EDGES))))
    near = near * (1 + rng.choice([-1.0, 1.0], near.size) * 2.0 ** -rng.uniform(1, 53, near.size))
    points = np.concatenate([*scattered, sizes, near, SPECIAL, ROOTS, EDGES]).astype(dtype)
    return np.unique(points[np.abs(points) < FAR])


def find_reference(name: str, points: Array) -> tuple[Reference, Reference]:
    """The true f and f' at the points, for floats of the points' type."""
    pairs = [evaluate(ACTIVATIONS[name], float(x)) for x in points]
    return tuple(describe_balls([pair[order] for pair in pairs], points.dtype.type) for order in (0, 1))  # type: ignore[return-value]


def describe_balls(balls: list[arb], dtype: type) -> Reference:
    """Balls as floats, remainders and ulps."""
    nearest = np.array([float(ball.mid()) for ball in balls])
    smallest = float(np.finfo(dtype).smallest_normal)
    with np.errstate(all="ignore"):
        ulp = np.spacing(np.maximum(np.abs(nearest).astype(dtype), dtype(smallest))).astype(np.float64)
    with precision(TAIL_BITS):
        missing = [float((ball.mid() - n) / arb(u)) for ball, n, u in zip(balls, nearest, ulp, strict=True)]
    return Reference(nearest, np.array(missing), ulp)


@functools.cache
def reference(name: str, count: int, dtype: type) -> tuple[Array, Reference, Reference]:
    """Points and true values; the same for everybody who asks."""
    points = choose_points(count, dtype)
    return (points, *find_reference(name, points))


def largest_error(function: Callable[[Array], Array], points: Array, truth: Reference) -> tuple[float, float]:
    """The largest error in ulps, and where it is."""
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        errors = truth.measure(np.asarray(function(points)))
    worst = int(np.argmax(errors))
    return float(errors[worst]), float(points[worst])
