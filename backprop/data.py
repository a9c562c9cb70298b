"""Data: the digits, their labels as one-hot rows, honest splits and mini-batches."""

from __future__ import annotations

import math
import operator
from collections.abc import Iterator
from importlib import resources
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from backprop.errors import UsageError

__all__ = ["IMAGE_SIDE", "Part", "Split", "batches", "digits", "disturb", "one_hot", "split"]

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

IMAGE_SIDE = 8
BRIGHTEST = 16
FRACTIONS = (0.7, 0.1, 0.2)


class Part(NamedTuple):
    """Some rows of a data set: inputs `X`, targets `Y`, and `rows`, which rows of the whole they are."""

    X: NDArray[np.floating]
    Y: NDArray[np.generic]
    rows: Integers


class Split(NamedTuple):
    """Three parts with no row in common: train on one, choose on the second, report the third once."""

    train: Part
    validation: Part
    test: Part


def digits() -> tuple[Floats, Integers]:
    """Load 1,797 handwritten digits of 8 x 8 pixels.

    Returns:
        X of shape (1797, 64), float64, pixels row by row, 0 = paper, 1 = ink; labels of shape (1797,), 0..9.
        Both are new arrays at every call: nobody can spoil them for the next caller.

    Source: E. Alpaydin, C. Kaynak, Optical Recognition of Handwritten Digits, UCI, CC BY 4.0; see
    backprop/datasets/NOTICE.

    >>> X, labels = digits()
    >>> X.shape, float(X.min()), float(X.max()), labels[:5].tolist()
    ((1797, 64), 0.0, 1.0, [0, 1, 2, 3, 4])
    """
    file = resources.files("backprop.datasets") / "digits.npz"
    with file.open("rb") as stream, np.load(stream) as archive:
        return archive["images"] / BRIGHTEST, archive["labels"].astype(np.int64)


def one_hot(labels: ArrayLike, classes: int | None = None) -> Floats:
    """Turn class numbers into rows of zeros with a single one: Y_nk = 1 if labels_n = k, else 0.

    Args:
        labels: n integers in 0..classes-1, shape (n,).
        classes: K, the number of columns; default: the largest label + 1.

    Returns:
        Y of shape (n, K), float64.

    Raises:
        UsageError: labels that are not a list of integers, or one outside 0..classes-1.

    >>> one_hot([2, 0], classes=3).tolist()
    [[0.0, 0.0, 1.0], [1.0, 0.0, 0.0]]
    """
    numbers = _as_labels(labels)
    largest = int(numbers.max(initial=-1))
    count = largest + 1 if classes is None else _as_count(classes, "classes")
    outside = np.flatnonzero((numbers < 0) | (numbers >= count))
    if outside.size:
        where = int(outside[0])
        raise UsageError(
            f"label {int(numbers[where])} in row {where} is not one of the {count} classes 0..{count - 1}; "
            "number the classes from 0 or raise classes"
        )
    rows = np.zeros((numbers.size, count))
    rows[np.arange(numbers.size), numbers] = 1
    return rows


def split(
    X: ArrayLike,
    Y: ArrayLike,
    fractions: tuple[float, float, float] = FRACTIONS,
    *,
    seed: int = 0,
    stratify: ArrayLike | None = None,
) -> Split:
    """Deal the rows of a data set out to training, validation and test, every row to exactly one of them.

    The dealing is a random permutation that depends on `seed` and the number of rows only. With
    `stratify` (n labels) each class is dealt out separately, so that the parts have its proportions.
    Rows are told apart by number, not by content: data that repeat a row can repeat it across parts.

    Args:
        X: inputs, first axis the n samples.
        Y: targets, n rows as well.
        fractions: shares of training, validation and test; not negative, summing to 1, training > 0.
            The sizes differ from the exact shares by less than one row (with `stratify`: per class).

    Raises:
        UsageError: different numbers of rows, impossible fractions, or too few rows for a wanted part.

    Source: lecture item 16, training, validation and test data; never touch the test set.

    >>> X, labels = digits()
    >>> parts = split(X, one_hot(labels), (0.7, 0.1, 0.2), seed=0)
    >>> [len(part.rows) for part in parts]
    [1258, 180, 359]
    """
    inputs, targets = np.asarray(X), np.asarray(Y)
    n = _count_rows(inputs, targets)
    shares = _as_fractions(fractions)
    rng = np.random.default_rng(seed)
    groups = [np.arange(n)] if stratify is None else _group_rows(stratify, n)
    dealt = [_deal(rng.permutation(rows), shares) for rows in groups]
    parts = [np.sort(np.concatenate(rows)) for rows in zip(*dealt, strict=True)]
    for name, share, rows in zip(Split._fields, shares, parts, strict=True):
        if share > 0 and not rows.size:
            raise UsageError(
                f"no row left for the {name} part: {n} rows are too few for fractions {shares}; "
                "use more rows or set that fraction to 0"
            )
    return Split(*(Part(inputs[rows], targets[rows], rows) for rows in parts))


def batches(rng: np.random.Generator, n: int, size: int) -> Iterator[Integers]:
    """Yield the row numbers 0..n-1 in random order, `size` at a time, each row exactly once.

    The last batch is smaller if `size` does not divide n.

    Raises:
        UsageError: n or size below 1, or size above n.

    Source: lecture item 10, stochastic mini-batches (drawn without replacement).

    >>> [len(rows) for rows in batches(np.random.default_rng(0), n=10, size=4)]
    [4, 4, 2]
    """
    count, step = _as_count(n, "n"), _as_count(size, "batch size")
    if step > count:
        raise UsageError(f"batch size {step} is larger than the data; use at most {count} rows")
    order = rng.permutation(count)
    return (order[start : start + step] for start in range(0, count, step))


def disturb(
    rng: np.random.Generator, X: NDArray[np.floating[Any]], *, shift: float = 0.5, noise: float = 0.2
) -> Floats:
    """Move each image by a random part of a pixel and add noise: new handwriting from old, for training only.

    Each row of X is a square image. It is shifted by (dx, dy), both uniform in [-shift, shift] pixels
    (bilinear interpolation, paper flows in from outside), then gets independent normal noise.

    Args:
        X: images, shape (n, s*s), pixels in [0, 1]; not changed.
        shift: largest shift in pixels, 0..1.
        noise: standard deviation of the noise, in units of the brightest pixel.

    Source: C. M. Bishop, Training with noise is equivalent to Tikhonov regularization, Neural Computation 7
    (1995); P. Simard et al., Best practices for convolutional neural networks (2003), on shifted images.

    >>> X, _ = digits()
    >>> disturb(np.random.default_rng(0), X[:3]).shape
    (3, 64)
    """
    n, pixels = X.shape
    side = math.isqrt(pixels)
    if side * side != pixels or not 0 <= shift <= 1 or not noise >= 0:
        raise UsageError(
            f"disturb wants square images, shift in 0..1 and noise >= 0; got {pixels} pixels a row, "
            f"shift {shift} and noise {noise}"
        )
    framed = np.pad(X.reshape(n, side, side), ((0, 0), (1, 1), (1, 1)))
    for axis in (1, 2):
        framed = _slide(framed, rng.uniform(-shift, shift, (n, 1, 1)), axis)
    moved = framed[:, 1:-1, 1:-1].reshape(n, pixels)
    return moved + noise * rng.standard_normal(moved.shape)


def _slide(images: NDArray[np.floating[Any]], distance: Floats, axis: int) -> Floats:
    """Shift along one axis by |distance| <= 1 pixels; what leaves the frame on one side is paper anyway."""
    forward, backward = np.roll(images, 1, axis), np.roll(images, -1, axis)
    neighbour = np.where(distance > 0, forward, backward)
    moved: Floats = images + np.abs(distance) * (neighbour - images)
    return moved


def _as_labels(labels: ArrayLike) -> Integers:
    try:
        numbers = np.asarray(labels)
    except ValueError as error:
        raise UsageError("labels must be a flat list of integers; got rows of different lengths") from error
    if numbers.size == 0 and numbers.ndim == 1:
        return np.zeros(0, dtype=np.int64)
    if numbers.ndim != 1 or numbers.dtype.kind not in "iu":
        raise UsageError(
            f"labels must be a flat list of integers; got shape {numbers.shape} of {numbers.dtype}; "
            "one label a row, 0 for the first class"
        )
    return numbers.astype(np.int64)


def _as_count(value: int, name: str) -> int:
    try:
        count = operator.index(value)
    except TypeError:
        raise UsageError(f"{name} must be a whole number; got {value!r}") from None
    if count < 1:
        raise UsageError(f"{name} must be at least 1; got {count}")
    return count


def _count_rows(X: NDArray[np.generic], Y: NDArray[np.generic]) -> int:
    if X.ndim < 1 or Y.ndim < 1 or len(X) != len(Y):
        raise UsageError(f"X and Y must have the same number of rows; got shapes {X.shape} and {Y.shape}")
    if len(X) == 0:
        raise UsageError("X and Y have no rows; nothing can be split")
    return len(X)


def _as_fractions(fractions: tuple[float, float, float]) -> tuple[float, float, float]:
    shares = tuple(float(share) for share in fractions)
    good = len(shares) == 3 and all(0 <= share <= 1 for share in shares) and math.isclose(sum(shares), 1)
    if not good or shares[0] == 0:
        raise UsageError(
            f"fractions must be three shares (training, validation, test) that sum to 1, training above 0; got {shares}"
        )
    return shares[0], shares[1], shares[2]


def _group_rows(stratify: ArrayLike, n: int) -> list[Integers]:
    labels = np.asarray(stratify)
    if labels.shape != (n,):
        raise UsageError(f"stratify must hold one label for each of the {n} rows; got shape {labels.shape}")
    return [np.flatnonzero(labels == label) for label in np.unique(labels)]


def _deal(order: Integers, shares: tuple[float, float, float]) -> tuple[Integers, Integers, Integers]:
    """Cut a permutation at the rounded shares."""
    first = round(shares[0] * len(order))
    second = round((shares[0] + shares[1]) * len(order))
    return order[:first], order[first:second], order[second:]
