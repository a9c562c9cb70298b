"""The result of a training run: the best parameters and the curves."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from backprop.shown import ShownAsText
from backprop.training.trainable import Array, State

__all__ = ["Callback", "Epoch", "History"]


@dataclass(frozen=True, eq=False)
class History(ShownAsText):
    """What happened, epoch by epoch; entry k of each curve was measured after k epochs (0 = at the start).

    Attributes:
        theta: the best parameters, shape (size,).
        best_epoch: after which epoch they were met (lowest validation cost; without validation data,
            lowest training cost).
        costs: cost of all training data in prediction mode, in the unit of the network's cost, penalties included;
            with `measure=False` nan at the start, then the mean over the batches of the epoch, while theta moved.
        validation_costs: the same on the validation data; empty without them.
        validation_accuracies: share of validation rows classified rightly (by the largest output), 0..1; empty
            unless the targets are classes.
        seconds: wall-clock time of the run.
        epochs: how many were wanted; `len(costs) - 1` were done.
        interrupted: True if Ctrl-C ended the run early.
        description: how it was trained, in words.
        state: running statistics that belong to theta: `net.forward(theta, X, **state)`; {} without batch norm.
        stopped: why the run ended before its last epoch; "" if it did not.
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
    state: State = field(default_factory=dict)
    stopped: str = ""

    def __str__(self) -> str:
        done = len(self.costs) - 1
        text = f"{done} epochs in {self.seconds:.1f} s ({self.description}); best after {self.best_epoch}"
        text += f": cost {self.costs[self.best_epoch]:.4g}"
        if self.validation_accuracies:
            text += f", {self.validation_accuracies[self.best_epoch]:.1%} of the validation rows right"
        return text + (f"; {self.stopped}" if self.stopped else "")


@dataclass(frozen=True, eq=False)
class Epoch:
    """What a callback is told after an epoch. `theta` is a view that cannot be written to.

    `cost` is as in `History.costs`; `rate` is the learning rate of the epoch's last step.
    """

    number: int
    epochs: int
    cost: float
    validation_cost: float | None
    validation_accuracy: float | None
    rate: float
    theta: Array
    state: State


Callback = Callable[[Epoch], object]
"""Called after each epoch; the run stops if it returns True."""
