"""The result of a training run: the best parameters and the curves."""

from __future__ import annotations

from dataclasses import dataclass

from backprop.training.trainable import Array

__all__ = ["History"]


@dataclass(frozen=True, eq=False)
class History:
    """What happened, epoch by epoch; entry k of each curve was measured after k epochs (0 = at the start).

    Attributes:
        theta: the best parameters, shape (size,).
        best_epoch: after which epoch they were met (lowest validation cost; without validation data,
            lowest training cost).
        costs: cost of all training data, in the unit of the network's cost.
        validation_costs: the same on the validation data; empty without them.
        validation_accuracies: share of validation rows classified rightly, 0..1; empty unless the
            targets are classes.
        seconds: wall-clock time of the run.
        epochs: how many were wanted; `len(costs) - 1` were done.
        interrupted: True if Ctrl-C ended the run early.
        description: how it was trained, in words.
    """

    theta: Array
    best_epoch: int
    costs: tuple[float, ...]
    validation_costs: tuple[float, ...]
    validation_accuracies: tuple[float, ...]
    seconds: float
    epochs: int
    interrupted: bool
    description: str
