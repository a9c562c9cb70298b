"""Classes out of outputs, and how often they are right."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike, NDArray

from backprop.arrays import as_array
from backprop.errors import UsageError
from backprop.training.trainable import Array, Trainable

__all__ = ["Labels", "accuracy", "classify", "find_labels", "pick_classes"]

Labels = NDArray[np.int64]


def classify(net: Trainable, theta: Array, X: Array, **state: Array) -> Labels:
    """Name the class of each row: the largest output, or with one output, 1 if it is at least 1/2.

    Args:
        state: the running statistics of a network with batch normalisation, `**history.state`.

    Returns:
        n integers; of equal outputs the first wins.
    """
    forward: Callable[..., Array] = net.forward
    return pick_classes(forward(theta, X, **state))


def accuracy(net: Trainable, theta: Array, X: Array, labels: ArrayLike, **state: Array) -> float:
    """Compute the share of rows that are classified rightly, 0..1.

    Args:
        X: inputs, shape (n, M_0).
        labels: n integers, the right classes.
        state: as for `classify`.

    Raises:
        UsageError: no rows, or not one label a row (a matrix of one-hot rows, for example).
    """
    truth, found = as_array(labels, "labels"), classify(net, theta, X, **state)
    if truth.ndim != 1 or len(truth) != len(found):
        raise UsageError(
            f"accuracy needs one label for each of the {len(found)} rows; got labels of shape {truth.shape}; "
            "for one-hot rows use their argmax"
        )
    return float(np.mean(found == truth))


def find_labels(Y: Array) -> Labels | None:
    """Read the classes off targets that state them, one-hot rows or a single column of 0 and 1; else None.

    >>> find_labels(np.array([[0.0, 1.0], [1.0, 0.0]])).tolist()
    [1, 0]
    >>> find_labels(np.array([[0.3], [0.7]])) is None
    True
    """
    Y = as_array(Y, "Y")
    if Y.ndim != 2 or not np.all((Y == 0) | (Y == 1)):
        return None
    if Y.shape[1] > 1 and not np.all(np.sum(Y, axis=1) == 1):
        return None
    return pick_classes(Y)


def pick_classes(outputs: Array) -> Labels:
    """Name the class of each row of outputs: the largest, or with one column, 1 from 1/2 on.

    >>> pick_classes(np.array([[0.2, 0.8], [0.6, 0.4]])).tolist()
    [1, 0]
    """
    if outputs.shape[1] == 1:
        return (outputs[:, 0] >= 0.5).astype(np.int64)
    winners: Labels = np.argmax(outputs, axis=1)
    return winners
