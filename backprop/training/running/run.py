"""One training run: epochs of mini-batches, measured, kept, stored."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backprop.data import batches
from backprop.training.prediction import Labels
from backprop.training.running.bar import Progress
from backprop.training.running.checkpoint import Checkpoint, Snapshot
from backprop.training.running.history import Callback, Epoch, History
from backprop.training.running.inputs import Augment, Data
from backprop.training.running.learner import Learner
from backprop.training.running.records import Records
from backprop.training.running.watch import Watch
from backprop.training.trainable import Array, Trainable
from backprop.training.updating.clipping import clip_by_norm, clip_by_value
from backprop.training.updating.optimiser import Optimiser
from backprop.training.updating.schedules import Schedule
from backprop.training.updating.settings import as_rate

__all__ = ["Run", "Settings", "describe_penalty"]

Rows = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Settings:
    """One call of `fit`, checked."""

    net: Trainable
    train: Data
    validation: Data | None
    labels: Labels | None
    rule: Optimiser
    schedule: Schedule | None
    epochs: int
    batch: int
    augment: Augment | None
    clip_norm: float | None
    clip_value: float | None
    average: float | None
    patience: int | None
    measure: bool
    callbacks: Sequence[Callback]
    progress: Progress
    checkpoint: Checkpoint | None
    shuffle: bool = True

    def describe(self) -> str:
        """How it is trained, in words."""
        words = [f"{type(self.rule).__name__}, {self.train.n} rows in batches of {self.batch}"]
        words += [] if self.shuffle else ["rows in the given order"]
        words += [f"gradient no longer than {self.clip_norm:g}"] if self.clip_norm else []
        words += [f"gradient entries within {self.clip_value:g}"] if self.clip_value else []
        words += [f"parameters averaged with decay {self.average:g}"] if self.average else []
        penalty = describe_penalty(self.net)
        return ", ".join([*words, f"cost with {penalty}"] if penalty else words)


def describe_penalty(net: Trainable) -> str:
    """The penalties that are part of the cost, in words; "" if there are none."""
    network: Any = getattr(net, "network", None)
    words = [f"{name} = {getattr(network, name)}" for name in ("l2", "l1") if getattr(network, name, None)]
    if any(getattr(layer, "l2", None) or getattr(layer, "l1", None) for layer in getattr(network, "layers", ())):
        words.append("penalties of single layers")
    return " and ".join(words)


class Run:
    """A run of these settings from a start (or from where a checkpoint left it)."""

    def __init__(self, settings: Settings, theta: Array, rng: np.random.Generator) -> None:
        self._set, self._theta, self._rng = settings, theta, rng
        self._learner = Learner(settings.net, theta.dtype)
        self._watch = Watch(settings.net)
        self._mean = theta.copy() if settings.average else theta  # the parameters that are judged
        self._work = np.empty_like(theta)
        self._steps = 0
        self._records = Records.at_start(theta, self._learner.state)
        data = settings.train
        self._rows = (np.empty((settings.batch + 1, *data.X.shape[1:]), data.X.dtype),
                      np.empty((settings.batch + 1, *data.Y.shape[1:]), data.Y.dtype))  # fmt: skip
        self._seconds = 0.0

    def train(self) -> History:
        """Run all epochs, or as many as Ctrl-C, patience and the callbacks leave."""
        began = time.perf_counter()
        interrupted, stopped = False, ""
        try:
            with self._set.progress as progress:
                self._begin()
                while not stopped and self._records.epoch < self._set.epochs:
                    self._run_epoch(self._records.epoch + 1)
                    stopped = self._conclude_epoch(began)
                    progress.tell(self._records.epoch, self._set.epochs, *self._records.curve[-1])
        except KeyboardInterrupt:
            interrupted, stopped = True, "interrupted by Ctrl-C"
        return self._report(self._seconds + time.perf_counter() - began, interrupted, stopped)

    def _begin(self) -> None:
        """Take up what a checkpoint holds, or measure the start."""
        snapshot = self._set.checkpoint.read() if self._set.checkpoint else None
        if snapshot is None:
            self._record(self._measure(self._set.train) if self._set.measure else math.nan)
            return
        self._theta[:], self._mean[:] = snapshot.theta, snapshot.mean
        self._learner.state = snapshot.state
        self._rng.bit_generator.state = snapshot.rng
        self._steps, self._seconds, self._records = snapshot.steps, snapshot.seconds, snapshot.records
        self._set.rule.recall(snapshot.steps, snapshot.memory)

    def _run_epoch(self, epoch: int) -> None:
        settings, data = self._set, self._set.train
        parts = list(self._deal(data.n))
        self._batch_costs = 0.0
        for k, rows in enumerate(parts):
            if settings.schedule:
                done = epoch - 1 + k / len(parts)
                settings.rule.rate = as_rate(settings.schedule(done, settings.epochs), scheduled=True)
            cost = self._step(*self._take(rows), epoch)
            self._batch_costs += cost * len(rows)
            settings.progress.step(k + 1, len(parts), cost)

    def _take(self, rows: Rows) -> tuple[Array, Array]:
        """The rows of a batch, in buffers that every batch uses; "clip" because "raise" would copy once more."""
        data, n = self._set.train, len(rows)
        X = np.take(data.X, rows, axis=0, out=self._rows[0][:n], mode="clip")
        Y = np.take(data.Y, rows, axis=0, out=self._rows[1][:n], mode="clip")
        if self._set.augment:
            X = np.asarray(self._set.augment(self._rng, X), dtype=X.dtype)
        return X, Y

    def _deal(self, n: int) -> Iterator[Rows]:
        """Every row once, in random order. A last batch of one row has no variance: it joins the one before."""
        parts = list(batches(self._rng if self._set.shuffle else None, n, self._set.batch))
        if self._learner.state and len(parts) > 1 and len(parts[-1]) == 1:
            parts[-2:] = [np.concatenate(parts[-2:])]
        return iter(parts)

    def _step(self, X: Array, Y: Array, epoch: int) -> float:
        settings = self._set
        cost, gradient = self._learner.learn(self._theta, X, Y, self._rng)
        self._watch.check(cost, gradient, epoch)
        if settings.clip_value:
            clip_by_value(gradient, settings.clip_value)
        if settings.clip_norm:
            clip_by_norm(gradient, settings.clip_norm)
        settings.rule.step(self._theta, gradient)
        self._steps += 1
        if settings.average:
            self._move_mean(settings.average)
        return cost

    def _move_mean(self, decay: float) -> None:
        """mean <- mean + (1 - decay_t) (theta - mean), decay_t = min(decay, t/(t + 9)): the first steps count less."""
        share = 1 - min(decay, self._steps / (self._steps + 9))
        np.subtract(self._theta, self._mean, out=self._work)
        np.multiply(self._work, share, out=self._work)
        np.add(self._mean, self._work, out=self._mean)

    def _record(self, cost: float) -> None:
        """Enter the cost, and what the validation data say."""
        check, labels = self._set.validation, self._set.labels
        if check is None:
            self._records.add((cost, None, None), cost, self._mean, self._learner.state)
            return
        judged = self._measure(check)
        right = None if labels is None else self._learner.measure_accuracy(self._mean, check.X, labels)
        self._records.add((cost, judged, right), judged, self._mean, self._learner.state)

    def _measure(self, data: Data) -> float:
        cost = self._learner.measure_cost(self._mean, data.X, data.Y)
        if not math.isfinite(cost):
            gradient = self._learner.learn(self._mean, data.X, data.Y, np.random.default_rng(0))[1]
            self._watch.check(cost, gradient, max(self._records.epoch + 1, 1))
        return cost

    def _conclude_epoch(self, began: float) -> str:
        """Measure, store, tell; why the run must stop, or "" if it goes on."""
        settings, records = self._set, self._records
        self._record(self._measure(settings.train) if settings.measure else self._batch_costs / settings.train.n)
        if settings.checkpoint:
            seconds = self._seconds + time.perf_counter() - began
            memory = settings.rule.remember()[1]
            snapshot = Snapshot(self._theta, self._mean, self._learner.state, self._steps, memory,
                                dict(self._rng.bit_generator.state), seconds, records)  # fmt: skip
            settings.checkpoint.write(snapshot)
        asked = [callback(self._make_epoch()) is True for callback in settings.callbacks]
        if records.epoch < settings.epochs and records.is_stale(settings.patience):
            return f"no better for {settings.patience} epochs"
        return "a callback asked for it" if any(asked) else ""

    def _make_epoch(self) -> Epoch:
        theta = self._mean.view()
        theta.flags.writeable = False
        records, settings = self._records, self._set
        return Epoch(records.epoch, settings.epochs, *records.curve[-1], settings.rule.rate, theta,
                     dict(self._learner.state))  # fmt: skip

    def _report(self, seconds: float, interrupted: bool, stopped: str) -> History:
        settings = self._set
        return self._records.report(seconds, settings.epochs, interrupted, settings.describe(), stopped)
