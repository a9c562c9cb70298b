"""Training data of another kind than those that count: two development sets, and what an error is made of.

Where many rows of a neighbouring kind help (photographs from the web, for an application with its own camera), the
development and test sets are of the kind that counts, and a part of the training data is kept aside too, the train-dev
set. An error then falls into three gaps that call for different remedies.
"""

from __future__ import annotations

from typing import NamedTuple

from numpy.typing import ArrayLike

from backprop.arrays import is_number
from backprop.data.splitting import Part, split
from backprop.errors import UsageError

__all__ = ["Gaps", "ShiftedSplit", "measure_gaps", "split_shifted"]

KEPT, TESTED = 0.1, 0.5
"""Usual shares: of the training data for train-dev, of the target data for the test."""


class ShiftedSplit(NamedTuple):
    """Four parts: train and train_dev of one kind, dev and test of the kind that counts."""

    train: Part
    train_dev: Part
    dev: Part
    test: Part


class Gaps(NamedTuple):
    """What an error on the dev set is made of; they sum up to dev error - best."""

    bias: float
    variance: float
    mismatch: float


def split_shifted(
    source: tuple[ArrayLike, ArrayLike],
    target: tuple[ArrayLike, ArrayLike],
    *,
    train_dev: float = KEPT,
    test: float = TESTED,
    seed: int = 0,
) -> ShiftedSplit:
    """Deal out data (X, Y) of two kinds: `source` to train on, `target` the kind that counts.

    Args:
        train_dev: share of the source rows that is kept aside; test: share of the target rows for the test.

    Raises:
        UsageError: as `split`, and for shares that leave a part empty.

    Source: A. Ng, Machine Learning Yearning (2018), chapters 36 to 43.

    >>> import numpy as np
    >>> kinds = (np.zeros((100, 2)), np.zeros((100, 1))), (np.ones((20, 2)), np.ones((20, 1)))
    >>> [len(part.rows) for part in split_shifted(*kinds)]
    [90, 10, 10, 10]
    """
    for name, share in (("train_dev", train_dev), ("test", test)):
        if not is_number(share) or not 0 < share < 1:
            raise UsageError(f"{name} must be a share above 0 and below 1; got {share!r:.60}")
    train, kept, _ = split(*source, (1 - train_dev, train_dev, 0.0), seed=seed)
    dev, tested, _ = split(*target, (1 - test, test, 0.0), seed=seed)
    return ShiftedSplit(train, kept, dev, tested)


def measure_gaps(train: float, train_dev: float, dev: float, best: float = 0.0) -> Gaps:
    """Bias, variance and mismatch as numbers, from the errors on three sets and the best that is possible.

        bias = train - best,  variance = train_dev - train,  mismatch = dev - train_dev

    Variance is asked on rows of the kind that was trained on, so what remains on the other kind is mismatch: more
    regularisation mends the first, data nearer to the target the second. The numbers have the noise of their sets.

    Raises:
        UsageError: an error that is no finite number.

    >>> [round(gap, 3) for gap in measure_gaps(train=0.01, train_dev=0.015, dev=0.10)]
    [0.01, 0.005, 0.085]
    """
    for name, value in (("train", train), ("train_dev", train_dev), ("dev", dev), ("best", best)):
        if not is_number(value):
            raise UsageError(f"the error {name} must be a finite number; got {value!r:.60}")
    return Gaps(float(train - best), float(train_dev - train), float(dev - train_dev))
