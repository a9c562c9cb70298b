"""What has been measured so far, the best parameters among it, and whether it is time to stop."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from backprop.training.running.history import History
from backprop.training.trainable import Array, State

__all__ = ["Best", "Record", "Records"]

Record = tuple[float, float | None, float | None]
"""Training cost, validation cost, validation accuracy after an epoch."""


@dataclass(frozen=True, eq=False)
class Best:
    """The best parameters met, with the running statistics that belong to them."""

    epoch: int
    judged: float
    theta: Array
    state: State


@dataclass(eq=False)
class Records:
    """The curves and the best parameters; `judged` is the figure that decides which are best."""

    best: Best
    curve: list[Record] = field(default_factory=list)

    @classmethod
    def at_start(cls, theta: Array, state: State) -> Records:
        """Nothing measured yet: whatever comes first is better."""
        return cls(Best(0, math.inf, theta.copy(), state))

    def add(self, record: Record, judged: float, theta: Array, state: State) -> None:
        """Enter what was measured after an epoch; keep a copy of the parameters if they are the best so far."""
        if judged < self.best.judged:
            self.best = Best(len(self.curve), judged, theta.copy(), dict(state))
        self.curve.append(record)

    @property
    def epoch(self) -> int:
        """The number of epochs that were measured; the start does not count."""
        return len(self.curve) - 1

    def is_stale(self, patience: int | None) -> bool:
        """Were the last `patience` epochs all no better than one before them?"""
        return patience is not None and self.epoch - self.best.epoch >= patience

    def report(self, seconds: float, epochs: int, interrupted: bool, description: str, stopped: str) -> History:
        """The result of the run."""
        return History(
            theta=self.best.theta,
            best_epoch=self.best.epoch,
            costs=tuple(cost for cost, _, _ in self.curve),
            validation_costs=tuple(cost for _, cost, _ in self.curve if cost is not None),
            validation_accuracies=tuple(right for _, _, right in self.curve if right is not None),
            seconds=seconds,
            epochs=epochs,
            interrupted=interrupted,
            description=description,
            state=self.best.state,
            stopped=stopped,
        )
