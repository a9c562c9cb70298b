"""Hidden layers with numbers of their own: a slope, a stretch, frozen masks, constants γ and β, found by fits."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from backprop.diagnosis.model.activations import CATALOGUE, OUTPUTS, USUAL
from backprop.diagnosis.model.evaluate import Array
from backprop.diagnosis.model.families import FAMILIES, Family
from backprop.diagnosis.model.work import Work
from backprop.diagnosis.recognition.hidden import EPSILONS, Norm, Point, Stack, named, pile

__all__ = ["fit_constants", "fit_family", "fit_units"]

SHARP = 1e-9
TYPICAL = 1e-5
HUGE = 1e9
WIDEST, ATTEMPTS = 12, 6
SOLVED = 30
"""Trials that a search for the least squares stands for."""


def fit_constants(points: Sequence[Point], outs: Sequence[Array], work: Work) -> Iterator[Stack]:
    """One hidden layer behind a batch normalisation whose γ and β are constants of the code."""
    width = points[0][0]["W1"].shape[1]
    rng = np.random.default_rng(0)
    for output, wanted in list_undone(outs) if width <= WIDEST else ():
        targets = [center(output, w) for w in wanted]
        for name in USUAL:
            stack = named((name,), {})
            assert stack is not None
            for attempt in range(ATTEMPTS):
                work.spend(SOLVED, SOLVED * len(points))
                signs = np.ones(width) if not attempt else rng.choice([-1.0, 1.0], width)
                found = _fit_norm(stack, points, targets, output, signs)
                if found is not None:
                    yield Stack(stack.names, stack.pairs, {}, {1: found})
                    return


def _fit_norm(stack: Stack, points: Sequence[Point], wanted: Sequence[Array], output: str, signs: Array) -> Norm | None:
    width, (values, X), targets = len(signs), pile_points(points), np.stack(wanted)

    def read(numbers: Array) -> Norm:
        return Norm(abs(float(numbers[-1])), 0, numbers[:width], numbers[width:-1])

    def misfit(numbers: Array) -> Array:
        made = Stack(stack.names, stack.pairs, {}, {1: read(numbers)})
        return finite((center(output, made.run(values, X)) - targets).ravel())

    start = np.concatenate([signs, np.zeros(width), [TYPICAL]])
    scale = np.concatenate([np.ones(2 * width), [TYPICAL]])
    found = solve_least_squares(misfit, start, x_scale=scale, xtol=1e-15, ftol=1e-15, gtol=1e-15, max_nfev=60)
    size = max(float(np.max(np.abs(w))) for w in wanted)
    if np.max(np.abs(found.fun)) > SHARP * size:
        return None
    numbers = np.array([_round(float(x)) for x in found.x])
    numbers[-1] = min(EPSILONS, key=lambda e: abs(e - abs(found.x[-1])))
    return read(numbers if np.max(np.abs(misfit(numbers))) <= SHARP * size else found.x)


def pile_points(points: Sequence[Point]) -> Point:
    """Several points with one batch as one."""
    return pile([values for values, _ in points]), points[0][1]


def finite(gaps: Array) -> Array:
    """A search goes on where a trial overflows: a large number stands for none."""
    return np.nan_to_num(gaps, nan=HUGE, posinf=HUGE, neginf=-HUGE)


def list_undone(outs: Sequence[Array]) -> Iterator[tuple[str, list[Array]]]:
    """The output functions that may have made these outputs, each with z^L of every point."""
    for output in OUTPUTS:
        found = [z for out in outs if (z := undo_output(output, out)) is not None]
        if len(found) == len(outs):
            yield output, found


def undo_output(name: str, out: Array) -> Array | None:
    """z^L from the outputs, up to a number for each row with softmax; None where it is not found so."""
    if name == "identity":
        return out
    if name == "softmax" and (out > 0).all():
        return np.asarray(np.log(out))
    if name == "sigmoid" and ((out > 0) & (out < 1)).all():
        return np.asarray(np.log(out / (1 - out)))
    if name == "tanh" and (np.abs(out) < 1).all():
        return np.asarray(np.arctanh(out))
    return None


def center(name: str, z: Array) -> Array:
    """What of z^L can be told from the outputs."""
    return z - z.mean(axis=-1, keepdims=True) if name == "softmax" else z


def fit_family(
    hidden: int, points: Sequence[Point], outs: Sequence[Array], masks: dict[int, Array], work: Work
) -> Iterator[Stack]:
    """Stacks whose activation has one number of its own: a slope, an α, a stretch."""
    for output, wanted in list_undone(outs):
        targets = [center(output, w) for w in wanted]
        for name, family in FAMILIES.items():
            work.spend(SOLVED, SOLVED * len(points))
            number = _fit_member(hidden, points, targets, masks, family)
            if number is not None:
                yield Stack((name,) * hidden, (family.member(number),) * hidden, masks)


def _fit_member(
    hidden: int, points: Sequence[Point], wanted: Sequence[Array], masks: dict[int, Array], family: Family
) -> float | None:
    values, X = pile_points(points)

    def misfit(number: Array) -> Array:
        stack = Stack(("",) * hidden, (family.member(float(number[0])),) * hidden, masks)
        gaps = [_flatten(z, w) for z, w in zip(stack.run(values, X), wanted, strict=True)]
        return finite(np.concatenate(gaps))

    def _flatten(z: Array, w: Array) -> Array:
        shift = (z - w).mean(axis=1, keepdims=True) if w.shape[1] > 1 and abs(w.mean(axis=1)).max() < 1e-12 else 0.0
        return (z - w - shift).ravel()

    found = solve_least_squares(misfit, [family.start], xtol=1e-15, ftol=1e-15, gtol=1e-15, max_nfev=40)
    size = max(float(np.max(np.abs(w))) for w in wanted)
    if np.max(np.abs(found.fun)) > 1e3 * SHARP * size:
        return None
    return _round(float(found.x[0]))


def _round(value: float) -> float:
    """The short number that was meant, where one is near."""
    for digits in range(1, 6):
        short = round(value, digits)
        if abs(short - value) < 1e-8:
            return short
    return value


def fit_units(hidden: int, points: Sequence[Point], outs: Sequence[Array], work: Work) -> Iterator[Stack]:
    """Stacks whose last hidden units carry a fixed factor each, such as a frozen dropout mask."""
    for output, wanted in list_undone(outs):
        for name in CATALOGUE:
            work.spend(1, len(points))
            stack = named((name,) * hidden, {})
            assert stack is not None
            rows, right = [], []
            for (values, X), w in zip(points, wanted, strict=True):
                W, b = values[f"W{hidden + 1}"], values[f"b{hidden + 1}"]
                a = stack.below(values, X)
                shares = a[:, None, :] * W.T[None, :, :]
                gap = w - b
                if output == "softmax":
                    shares, gap = shares - shares.mean(axis=1, keepdims=True), center(output, gap)
                rows.append(shares.reshape(-1, a.shape[1]))
                right.append(gap.ravel())
            matrix, target = np.concatenate(rows), np.concatenate(right)
            if len(matrix) <= matrix.shape[1] or not np.isfinite(matrix).all():
                continue
            factors: Array = np.asarray(np.linalg.lstsq(matrix, target, rcond=None)[0], dtype=np.float64)
            if np.max(np.abs(matrix @ factors - target)) <= SHARP * max(1.0, float(np.max(np.abs(target)))):
                factors = np.array([0.0 if abs(x) < SHARP else _round(float(x)) for x in factors])
                yield Stack(stack.names, stack.pairs, {hidden: factors[None, :]})


def solve_least_squares(misfit: Callable[[Any], Array], start: Any, **options: Any) -> Any:
    """SciPy's solver, loaded when something has to be fitted: its import takes longer than most diagnoses."""
    from scipy.optimize import least_squares

    return least_squares(misfit, start, **options)
