"""What `fit` is given, checked before any time is spent on it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from backprop.arrays import as_floats, is_number
from backprop.data import split
from backprop.errors import UsageError
from backprop.training.prediction import Labels, find_labels
from backprop.training.running.history import Callback
from backprop.training.trainable import Array, Trainable

__all__ = ["Augment", "Data", "as_average", "as_callbacks", "as_theta", "prepare_data"]

Augment = Callable[[np.random.Generator, Array], Array]
"""Makes new training inputs from a batch of old ones, for example `backprop.data.disturb`."""

ROW_SUM = 1e-3
"""A row of probabilities may miss the sum 1 by this much: float32 and rounded tables."""


@dataclass(frozen=True, eq=False)
class Data:
    """A data set that fits a network: X (n, M_0), Y (n, M_L), finite, of one float type, n >= 1."""

    X: Array
    Y: Array

    @property
    def n(self) -> int:
        """The number of rows."""
        return len(self.X)

    def rows(self, chosen: Labels) -> Data:
        """Some of the rows."""
        return Data(self.X[chosen], self.Y[chosen])


def as_data(net: Trainable, X: ArrayLike, Y: ArrayLike, which: str) -> Data:
    """Check a data set against the network; `which` names it in the messages. X and Y get X's float type."""
    arrays = []
    for name, values, width in zip("XY", (X, Y), find_widths(net), strict=True):
        array = as_floats(values, f"{which} {name}")
        steps = name == "X" and getattr(net, "reads_sequences", False)
        if array.ndim != 2 + steps or array.shape[-1] != width or not len(array):
            hint = "; labels become rows by backprop.data.one_hot" if name == "Y" and array.ndim == 1 < width else ""
            raise UsageError(
                f"{which} {name} has shape {array.shape}, but the network wants "
                f"(n, {'T, ' if steps else ''}{width}) with n >= 1; "
                f"one row a sample, one column a unit{hint}"
            )
        arrays.append(array)
    if len(arrays[0]) != len(arrays[1]):
        raise UsageError(f"{which} X has {len(arrays[0])} rows but Y has {len(arrays[1])}; they must agree")
    return Data(arrays[0], arrays[1].astype(arrays[0].dtype, copy=False))


def find_widths(net: Trainable) -> tuple[int, int]:
    """The number of inputs and of outputs."""
    network = getattr(net, "network", None)
    if network is not None:
        return network.sizes[0], network.sizes[-1]
    layers = net.views(np.zeros(net.size))
    return layers[0][0].shape[0], layers[-1][-1].shape[-1]


def check_targets(net: Trainable, Y: Array, which: str) -> None:
    """Targets that the cost cannot mean, or that teach nothing, are an error with the row."""
    kind = getattr(getattr(net, "network", None), "targets", "real")
    if kind == "real":
        return
    outside = np.argwhere((Y < 0) | (Y > 1))
    if len(outside):
        row, column = (int(i) for i in outside[0])
        raise UsageError(
            f"{which} Y holds {Y[row, column]} at {(row, column)}, but this cost wants numbers in 0..1; "
            "for labels use backprop.data.one_hot, for other targets the cost mse"
        )
    sums = np.sum(Y, axis=1)
    wrong = np.flatnonzero(np.abs(sums - 1) > ROW_SUM) if kind == "distribution" else np.zeros(0, np.int64)
    if len(wrong):
        raise UsageError(
            f"{which} Y: row {wrong[0]} sums to {sums[wrong[0]]:g}, but with cross-entropy each row is a "
            "distribution over the classes; use backprop.data.one_hot"
        )
    labels = find_labels(Y) if which == "training" else None
    if labels is not None and len(labels) > 1 and (Y.shape[1] == 1 or kind == "distribution") and np.ptp(labels) == 0:
        raise UsageError(
            f"training Y holds one class only, class {labels[0]} in all {len(labels)} rows: there is nothing to tell "
            "apart; are the rows of the other classes missing?"
        )


def prepare_data(
    net: Trainable, X: ArrayLike, Y: ArrayLike, validation: tuple[ArrayLike, ArrayLike] | float | None, seed: int
) -> tuple[Data, Data | None]:
    """Training and validation data, checked."""
    if not callable(getattr(net, "value_and_gradient", None)) or isinstance(net, type):
        raise UsageError(f"a network to train is needed, got a {type(net).__name__}; make one by backprop.build(…)")
    train = as_data(net, X, Y, "training")
    check_targets(net, train.Y, "training")
    if validation is None:
        return train, None
    if not isinstance(validation, tuple | list):
        return part_validation(train, validation, seed)
    if len(validation) != 2:
        raise UsageError(f"validation must be (X, Y), or a share of the rows; got {len(validation)} things")
    check = as_data(net, *validation, "validation")
    check_targets(net, check.Y, "validation")
    return train, check


def part_validation(data: Data, share: float, seed: int) -> tuple[Data, Data]:
    """Deal a share of the rows out for validation, class by class where the targets are classes."""
    if not is_number(share) or not 0 < share < 1:
        raise UsageError(f"validation must be (X, Y), or a share of the rows above 0 and below 1; got {share!r}")
    parts = split(data.X, data.Y, (1 - share, share, 0.0), seed=seed, stratify=find_labels(data.Y))
    return data.rows(parts.train.rows), data.rows(parts.validation.rows)


def as_theta(net: Trainable, theta: ArrayLike) -> Array:
    """Copy a starting point, checked against the network."""
    start = as_floats(theta, "theta").copy()
    if start.shape != (net.size,):
        raise UsageError(f"theta has shape {start.shape}, but the network has {net.size} parameters")
    return start


def as_callbacks(callbacks: Sequence[Callback]) -> tuple[Callback, ...]:
    """Functions that are called after each epoch."""
    if not isinstance(callbacks, list | tuple) or not all(callable(one) for one in callbacks):
        raise UsageError(f"callbacks must be a list of functions, got {callbacks!r:.60}")
    return tuple(callbacks)


def as_average(decay: float | None) -> float | None:
    """The decay of a running mean of the parameters, in (0, 1), or None."""
    if decay is not None and (not is_number(decay) or not 0 < decay < 1):
        raise UsageError(f"average must be a decay above 0 and below 1, or None; got {decay!r}")
    return None if decay is None else float(decay)
