"""Honest splits, and mini-batches without replacement."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from backprop.arrays import as_generator, as_plain, as_whole, is_number
from backprop.data.checks import Integers
from backprop.errors import UsageError

__all__ = ["Part", "Split", "batches", "split"]

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

    >>> from backprop.data import digits, one_hot
    >>> X, labels = digits()
    >>> parts = split(X, one_hot(labels), (0.7, 0.1, 0.2), seed=0)
    >>> [len(part.rows) for part in parts]
    [1258, 180, 359]
    """
    inputs, targets = as_plain(X, "X"), as_plain(Y, "Y")
    n = _count_rows(inputs, targets)
    shares = _as_fractions(fractions)
    rng = np.random.default_rng(as_whole("seed", seed, least=0))
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


def batches(rng: np.random.Generator | None, n: int, size: int) -> Iterator[Integers]:
    """Yield the row numbers 0..n-1 in random order (as they are, if rng is None), `size` at a time, each exactly once.

    The last batch is smaller if `size` does not divide n.

    Raises:
        UsageError: n or size below 1, or size above n.

    Source: lecture item 10, stochastic mini-batches (drawn without replacement).

    >>> [len(rows) for rows in batches(np.random.default_rng(0), n=10, size=4)]
    [4, 4, 2]
    """
    count, step = as_whole("n", n), as_whole("batch size", size)
    if step > count:
        raise UsageError(f"batch size {step} is larger than the data; use at most {count} rows")
    order = np.arange(count) if rng is None else as_generator(rng, "permutation").permutation(count)
    return (order[start : start + step] for start in range(0, count, step))


def _count_rows(X: NDArray[np.generic], Y: NDArray[np.generic]) -> int:
    if X.ndim < 1 or Y.ndim < 1 or len(X) != len(Y):
        raise UsageError(f"X and Y must have the same number of rows; got shapes {X.shape} and {Y.shape}")
    if len(X) == 0:
        raise UsageError("X and Y have no rows; nothing can be split")
    return len(X)


def _as_fractions(fractions: tuple[float, float, float]) -> tuple[float, float, float]:
    plain = as_plain(fractions, "fractions")
    shares = tuple(plain.tolist()) if plain.ndim == 1 else (fractions,)
    good = len(shares) == 3 and all(is_number(share) and 0 <= share <= 1 for share in shares)
    good = good and math.isclose(sum(shares), 1)
    if not good or shares[0] == 0:
        raise UsageError(
            "fractions must be three shares (training, validation, test) that sum to 1, training above 0; "
            f"got {shares!r:.80}"
        )
    return float(shares[0]), float(shares[1]), float(shares[2])


def _group_rows(stratify: ArrayLike, n: int) -> list[Integers]:
    labels = as_plain(stratify, "stratify")
    if labels.shape != (n,):
        raise UsageError(f"stratify must hold one label for each of the {n} rows; got shape {labels.shape}")
    return [np.flatnonzero(labels == label) for label in np.unique(labels)]


def _deal(order: Integers, shares: tuple[float, float, float]) -> tuple[Integers, Integers, Integers]:
    """Cut a permutation at the rounded shares."""
    first = round(shares[0] * len(order))
    second = round((shares[0] + shares[1]) * len(order))
    return order[:first], order[first:second], order[second:]
