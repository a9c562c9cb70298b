"""The noise of a cost and of a gradient, measured: their rounding, whatever their number type says."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from backprop.examiner.measuring.cases import Array, Case
from backprop.examiner.subject.protocol.sizes import root_mean_square, size_entries, size_tensors
from backprop.examiner.subject.protocol.subjects import Unusable

__all__ = [
    "ROUNDING",
    "draw_relative",
    "entry_sizes",
    "measure_gradient_noise",
    "measure_noise",
    "tensor_sizes",
    "widest_size",
]

WIDE = 0.1
WINDOW = 7
WINDOW_STEP = 1e-6
WINDOW_OFFSET = 0.01
DIFFERENCE_ORDERS = (3, 4, 5)
GRADIENT_WINDOW, GRADIENT_ORDER = 6, 3
GRADIENT_STEP = 4e-5
"""Wide enough for the steps of a float32 code to show; smooth parts vanish in the third difference."""
NARROW_STEP, KINKED, QUIET = 1e-6, 1e-2, 1e-10
ROUNDING = 2.0**-53
FAR, FAR_POINTS = 0.3, 12
STEPS = tuple(sorted((*(10.0**-d for d in range(9)), *(2.0**-k for k in range(1, 13))), reverse=True))
"""Of costs that people round, the coarsest first: decimals, and binary fractions."""
MOST_STEPS, FEW_STEPS, FEWEST_VALUES = 1e7, 4096, 4
NEARLY = 1e-6
"""Of a step: how near to whole numbers of steps all costs of a staircase are."""


def measure_noise(case: Case, rng: np.random.Generator) -> float:
    """Measure the noise of the cost: one standard deviation of its rounding, whatever its dtype.

    High differences over a tiny window remove the smooth part and leave the noise (Hamming; Moré and Wild,
    "Estimating computational noise", 2011). The windows lie a little beside the point, where a kink that sits
    exactly on it does no harm; the median of three is taken.
    """
    windows = [_measure_window(case, rng) for _ in range(3)]
    finite = [x for x in map(_difference_noise, windows) if math.isfinite(x)]
    center = abs(float(np.real(case.cost(case.values))))
    # A cost rounded at its end is a staircase, on one step of which a small window sees no noise at all.
    grain = _find_grain(np.concatenate(windows)) * center
    if any(np.any(np.diff(window) == 0) for window in windows):
        grain = max(grain, _find_stair(case, rng))
    return max(float(np.median(finite)) if finite else 0.0, grain, ROUNDING * center, np.finfo(float).tiny)


def _find_stair(case: Case, rng: np.random.Generator) -> float:
    """The largest error of a cost that was rounded to so many decimals, or to multiples of any step; else 0."""
    costs = []
    for _ in range(FAR_POINTS):
        away = draw_relative(case, rng)
        try:
            costs.append(float(np.real(case.cost([v + FAR * a for v, a in zip(case.values, away, strict=True)]))))
        except Unusable:
            continue
    return find_step(costs) / 2


def find_step(numbers: Sequence[float]) -> float:
    """The step of which all numbers are whole multiples: a power of 1/10 or 1/2, or the least of their differences; 0
    if there is none.

    >>> find_step([0.25, 1.75, 1.0, 2.0, 0.5]), find_step([0.1, 0.7312, 1.411111111, 2.2]), find_step([0.69, 0.7])
    (0.25, 0.0, 0.01)
    """
    values = np.unique(np.asarray([x for x in numbers if math.isfinite(x)], dtype=float))
    if not values.any():
        return 0.0
    for step in STEPS:
        # 12 numbers that are none of a staircase are all near one of 1e7 steps by chance once in 1e24 cases.
        if values[-1] - values[0] <= MOST_STEPS * step and _are_multiples(values, step):
            return step
    if len(values) < FEWEST_VALUES:
        return 0.0
    step = float(np.min(np.diff(values)))
    few = values[-1] - values[0] <= FEW_STEPS * step
    return step if few and _are_multiples(values - values[0], step) else 0.0


def _are_multiples(values: Array, step: float) -> bool:
    places = values / step
    return bool(np.all(np.abs(places - np.round(places)) <= NEARLY + 4 * ROUNDING * np.abs(places)))


def _find_grain(numbers: Array) -> float:
    """The relative rounding of the shortest number type that holds all numbers: float16, float32, or none."""
    for kind in (np.float16, np.float32):
        with np.errstate(over="ignore"):
            held = numbers.astype(kind).astype(np.float64)
        if np.array_equal(held, numbers):
            return float(np.finfo(kind).eps) / 2
    return 0.0


def _measure_window(case: Case, rng: np.random.Generator) -> Array:
    away, along = (draw_relative(case, rng) for _ in range(2))
    moves = list(zip(case.values, away, along, strict=True))
    points = [[v + WINDOW_OFFSET * a + WINDOW_STEP * k * u for v, a, u in moves] for k in range(WINDOW)]
    costs = case.costs(points)
    return np.asarray(costs if np.isfinite(costs).all() else [float(np.real(case.cost(point))) for point in points])


def _difference_noise(samples: Array) -> float:
    """Deviation of the noise from high differences along the first axis: the least over several orders."""
    found = []
    for order in DIFFERENCE_ORDERS:
        if order >= len(samples):
            break
        difference = np.diff(samples, n=order, axis=0)
        variance = math.factorial(order) ** 2 / math.factorial(2 * order)
        found.append(math.sqrt(variance) * root_mean_square(difference))
    return min(found)


def draw_relative(case: Case, rng: np.random.Generator) -> list[Array]:
    """A random direction through all parameters, each in its own unit."""
    return [rng.standard_normal(sizes.shape) * sizes for sizes in entry_sizes(case)]


def tensor_sizes(case: Case) -> list[float]:
    """The natural step in each tensor."""
    return size_tensors(case.values, case.leaves)


def entry_sizes(case: Case) -> list[Array]:
    """The natural step of each entry."""
    return size_entries(case.values, case.leaves)


def widest_size(case: Case) -> float:
    """A step for tensors whose own numbers are too small to be seen in the cost: a part of that of all parameters."""
    return WIDE * root_mean_square(np.concatenate([v.ravel() for v in case.values]))


def measure_gradient_noise(case: Case, rng: np.random.Generator) -> list[float]:
    """Measure the noise of the subject's own gradient, one number a tensor: float32 inside shows here."""
    wide = _measure_gradients(case, rng, GRADIENT_STEP)
    given = [g for g in case.gradients(case.values) if g is not None]
    largest = max((float(np.max(np.abs(g), initial=0.0)) for g in given), default=0.0)
    if max(wide, default=0.0) <= QUIET * largest:
        return wide
    narrow = _measure_gradients(case, rng, NARROW_STEP)
    # Rounding is the same at both steps; what is nearly gone at the narrow one were kinks.
    return [near if near < KINKED * far else max(near, far) for near, far in zip(narrow, wide, strict=True)]


def _measure_gradients(case: Case, rng: np.random.Generator, step: float) -> list[float]:
    """The noise of each tensor, from three windows of that step."""
    windows: list[list[float]] = []
    grains = [0.0] * len(case.leaves)
    for _ in range(3):
        away, along = (draw_relative(case, rng) for _ in range(2))
        series = []
        for k in range(GRADIENT_WINDOW):
            moves = zip(case.values, away, along, strict=True)
            series.append(case.gradients([v + WINDOW_OFFSET * a + step * k * u for v, a, u in moves]))
        windows.append([_gradient_noise([g[i] for g in series]) for i in range(len(case.leaves))])
        grains = [_gradient_grain([g[i] for g in series]) for i in range(len(case.leaves))]
    # The middle one: a kink may have spoilt one window, and another may be quiet by chance.
    return [max(float(np.median(one)), grain) for *one, grain in zip(*windows, grains, strict=True)]


def _gradient_grain(samples: Sequence[Array | None]) -> float:
    """The rounding of the largest entry of a gradient that was computed in a shorter number type, else 0."""
    usable = [s.ravel() for s in samples if s is not None and s.size and np.isfinite(s).all()]
    if not usable:
        return 0.0
    numbers = np.concatenate(usable)
    return _find_grain(numbers) * float(np.max(np.abs(numbers)))


def _gradient_noise(samples: Sequence[Array | None]) -> float:
    usable = [s for s in samples if s is not None and np.isfinite(s).all()]
    if len(usable) < GRADIENT_WINDOW or len({s.shape for s in usable}) != 1 or usable[0].size == 0:
        return 0.0
    difference = np.diff(np.stack(usable), n=GRADIENT_ORDER, axis=0)
    variance = math.factorial(GRADIENT_ORDER) ** 2 / math.factorial(2 * GRADIENT_ORDER)
    size = float(np.max(np.abs(difference), initial=0.0)) or 1.0
    return math.sqrt(variance * float(np.max(np.mean((difference / size) ** 2, axis=0)))) * size
