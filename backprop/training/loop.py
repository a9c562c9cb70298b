"""The training loop: epochs of mini-batches, the best parameters kept."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from backprop.data import batches
from backprop.training.catalogue import find_optimiser
from backprop.training.history import History
from backprop.training.inputs import Data, as_data, as_theta, as_whole
from backprop.training.optimiser import Optimiser, as_rate
from backprop.training.prediction import accuracy, find_labels
from backprop.training.schedules import Schedule, as_schedule
from backprop.training.trainable import Array, Trainable
from backprop.training.watch import Watch

__all__ = ["Augment", "Progress", "fit"]

DEFAULT_BATCH = 64

Progress = Callable[[int, int, float, float | None], object]
"""Told after each epoch: (epochs done, epochs in all, training cost, validation accuracy or None)."""

Augment = Callable[[np.random.Generator, Array], Array]
"""Makes new training inputs from a batch of old ones, for example `backprop.data.disturb`."""


def fit(
    net: Trainable,
    X: ArrayLike,
    Y: ArrayLike,
    *,
    optimiser: str | Optimiser = "adam",
    rate: float | Schedule | None = None,
    epochs: int = 100,
    batch: int | None = None,
    seed: int = 0,
    validation: tuple[ArrayLike, ArrayLike] | None = None,
    theta: ArrayLike | None = None,
    augment: Augment | None = None,
    progress: Progress | None = None,
) -> History:
    """Train a network and return the best parameters met, with the curves.

    In every epoch each row is used once, in batches drawn without replacement; each batch gives one step
    theta <- theta - change. Cost and validation figures are measured on all rows after the epoch.
    "Best" means the lowest validation cost (without validation data: the lowest training cost), the start
    included.

    Args:
        net: what `backprop.build` returns, or anything with the same functions.
        X, Y: training inputs (n, M_0) and targets (n, M_L), finite.
        optimiser: "gradient-descent", "momentum", "adam", or an `Optimiser`.
        rate: learning rate, or a schedule (done, epochs) -> rate; None: the optimiser's own.
        batch: rows a step; None: 64, or all of them if there are fewer.
        seed: for the start, the order of the rows and `augment`; same seed, same result.
        validation: (X, Y) to choose the best epoch by; must not be the test data.
        theta: where to start, shape (size,), not changed; None: `net.initial`.
        augment: (rng, X of the batch) -> X, applied to training batches only.
        progress: called after each epoch with (done, epochs, cost, validation accuracy or None).

    Returns:
        History. Ctrl-C ends the run early and keeps what was reached (`interrupted`).

    Raises:
        TrainingDiverged: a cost or gradient became infinite or NaN; names the layer that began.
        UsageError: shapes that do not fit the network, NaN in the data, impossible settings.

    Source: lecture items 3, 10 and 16.

    >>> import backprop
    >>> net = backprop.build("1-4-1", activation="tanh", output="identity", cost="mse")
    >>> X = np.linspace(-1, 1, 32).reshape(-1, 1)
    >>> history = fit(net, X, X**2, rate=0.02, epochs=200)
    >>> history.costs[0] > 10 * history.costs[-1]
    True
    """
    train = as_data(net, X, Y, "training")
    check = None if validation is None else as_data(net, *validation, "validation")
    size = min(DEFAULT_BATCH, train.n) if batch is None else batch
    batches(np.random.default_rng(0), train.n, size)  # complains now about a size that cannot be
    schedule = as_schedule(rate)
    rule = find_optimiser(optimiser, schedule(0, 1) if schedule else None)
    rng = np.random.default_rng(as_whole("seed", seed, least=0))
    start = net.initial(rng) if theta is None else as_theta(net, theta)
    count = as_whole("epochs", epochs, least=1)
    settings = _Settings(net, train, check, rule, schedule, count, size, augment, progress)
    # Overflow is caught by looking at the numbers, with a better message than NumPy's warning.
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        return _Run(settings, start).train(start, rng)


@dataclass(frozen=True, eq=False)
class _Settings:
    """One call of `fit`, checked."""

    net: Trainable
    train: Data
    validation: Data | None
    rule: Optimiser
    schedule: Schedule | None
    epochs: int
    batch: int
    augment: Augment | None
    progress: Progress | None


class _Run:
    """A run of these settings: what has been measured so far, and the best parameters."""

    def __init__(self, settings: _Settings, start: Array) -> None:
        self._set = settings
        self._watch = Watch(settings.net)
        self._labels = find_labels(settings.validation.Y) if settings.validation else None
        self._best, self._best_epoch, self._lowest = start.copy(), 0, math.inf
        self._records: list[tuple[float, float | None, float | None]] = []

    def train(self, theta: Array, rng: np.random.Generator) -> History:
        """Run all epochs, or as many as Ctrl-C leaves time for."""
        began = time.perf_counter()
        interrupted = False
        try:
            self._record(theta, epoch=0)
            for epoch in range(1, self._set.epochs + 1):
                self._run_epoch(theta, epoch, rng)
                self._record(theta, epoch)
                self._tell(epoch)
        except KeyboardInterrupt:
            interrupted = True
        return self._conclude(time.perf_counter() - began, interrupted)

    def _run_epoch(self, theta: Array, epoch: int, rng: np.random.Generator) -> None:
        settings, data, rule = self._set, self._set.train, self._set.rule
        if settings.schedule:
            rule.rate = as_rate(settings.schedule(epoch - 1, settings.epochs))
        for rows in batches(rng, data.n, settings.batch):
            X = data.X[rows]
            if settings.augment:
                X = settings.augment(rng, X)
            cost, gradient = settings.net.value_and_gradient(theta, X, data.Y[rows])
            self._watch.check(float(cost), gradient, epoch)
            rule.step(theta, gradient)

    def _record(self, theta: Array, epoch: int) -> None:
        """Measure after an epoch; keep a copy of the parameters if they are the best so far."""
        check = self._set.validation
        cost = judged = self._measure(theta, self._set.train, epoch)
        checked: tuple[float | None, float | None] = (None, None)
        if check:
            judged = self._measure(theta, check, epoch)
            right = None if self._labels is None else accuracy(self._set.net, theta, check.X, self._labels)
            checked = (judged, right)
        if judged < self._lowest:
            self._lowest, self._best_epoch, self._best = judged, epoch, theta.copy()
        self._records.append((cost, *checked))

    def _measure(self, theta: Array, data: Data, epoch: int) -> float:
        cost = float(self._set.net.cost(theta, data.X, data.Y))
        if not math.isfinite(cost):
            gradient = self._set.net.value_and_gradient(theta, data.X, data.Y)[1]
            self._watch.check(cost, gradient, max(epoch, 1))
        return cost

    def _tell(self, epoch: int) -> None:
        cost, _, right = self._records[-1]
        if self._set.progress:
            self._set.progress(epoch, self._set.epochs, cost, right)

    def _conclude(self, seconds: float, interrupted: bool) -> History:
        settings = self._set
        rule, n = type(settings.rule).__name__, settings.train.n
        return History(
            theta=self._best,
            best_epoch=self._best_epoch,
            costs=tuple(cost for cost, _, _ in self._records),
            validation_costs=tuple(cost for _, cost, _ in self._records if cost is not None),
            validation_accuracies=tuple(right for _, _, right in self._records if right is not None),
            seconds=seconds,
            epochs=settings.epochs,
            interrupted=interrupted,
            description=f"{rule}, {n} rows in batches of {settings.batch}",
        )
