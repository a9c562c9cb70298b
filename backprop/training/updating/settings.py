"""The numbers that optimisers and schedules are given, checked."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from backprop.arrays import as_array, is_number
from backprop.errors import UsageError
from backprop.training.trainable import Array, Trainable

__all__ = ["as_rate", "as_setting", "on_weights"]


def as_rate(rate: float, *, scheduled: bool = False) -> float:
    """Return the learning rate as a float.

    Raises:
        UsageError: it is not a finite number > 0; a schedule may reach 0.
    """
    if not is_number(rate) or not (rate >= 0 if scheduled else rate > 0):
        range_ = ">= 0" if scheduled else "> 0"
        raise UsageError(f"the learning rate must be a finite number {range_}; got {rate!r}")
    return float(rate)


def as_setting(name: str, kind: str, value: float | NDArray[Any]) -> float | NDArray[np.floating[Any]]:
    """Return a setting of that kind ("share", "positive" or "penalty"), else UsageError."""
    if kind == "penalty" and isinstance(value, np.ndarray) and value.dtype.kind == "f":
        value = as_array(value, name)
        if not (value.ndim == 1 and np.all(value >= 0) and np.all(np.isfinite(value))):
            raise UsageError(f"{name} must be a number >= 0 or one for each parameter; got shape {value.shape}")
        return value.copy()
    ranges = {"share": "in [0, 1)", "positive": "> 0", "penalty": ">= 0"}
    good = is_number(value) and {"share": 0 <= value < 1, "positive": value > 0, "penalty": value >= 0}[kind]
    if not good:
        raise UsageError(f"{name} must be a number {ranges[kind]}; got {value!r}")
    return float(value)


def on_weights(net: Trainable, decay: float) -> Array:
    """One decay for each parameter, for `AdamW`: `decay` for the entries of matrices, 0 for biases and the like.

    >>> import backprop
    >>> on_weights(backprop.build("2-1"), 0.01).tolist()
    [0.01, 0.01, 0.0]
    """
    values: Array = np.zeros(net.size)
    if not is_number(decay) or decay < 0:
        raise UsageError(f"decay must be a number >= 0; got {decay!r:.60}")
    for layer in net.views(values):
        for block in layer:
            if block.ndim == 2:
                block[:] = decay
    return values
