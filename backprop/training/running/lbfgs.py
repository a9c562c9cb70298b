"""L-BFGS: SciPy's quasi-Newton method on the whole data set, with the same curves and the same best parameters."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike
from scipy.optimize import OptimizeResult, minimize

from backprop.arrays import as_whole
from backprop.errors import UsageError
from backprop.training.prediction import find_labels
from backprop.training.running.bar import Progress, Tell, as_progress
from backprop.training.running.history import Callback, Epoch, History
from backprop.training.running.inputs import Data, as_callbacks, as_theta, prepare_data
from backprop.training.running.learner import Learner
from backprop.training.running.records import Records
from backprop.training.running.run import describe_penalty
from backprop.training.running.watch import Watch
from backprop.training.trainable import Array, Trainable

__all__ = ["fit_whole"]


TRIALS = 20  # evaluations an iteration may take on average


def fit_whole(
    net: Trainable,
    X: ArrayLike,
    Y: ArrayLike,
    *,
    iterations: int = 200,
    memory: int = 10,
    seed: int = 0,
    validation: tuple[ArrayLike, ArrayLike] | float | None = None,
    theta: ArrayLike | None = None,
    patience: int | None = None,
    callbacks: Sequence[Callback] = (),
    progress: Tell | bool | None = None,
) -> History:
    """Train on all rows at once with L-BFGS; for small networks and smooth costs the quickest way down.

    Every iteration is an entry of the curves (there are no batches, so `Epoch.rate` is nan). It ends after
    `iterations`, when SciPy finds no more descent, after `patience` iterations without a new best, or on Ctrl-C.

    Args:
        memory: how many past steps approximate the curvature.
        others: as for `fit`.

    Raises:
        TrainingDiverged: the cost or gradient is not finite at a point that was tried.
        UsageError: as `fit`; also for networks with dropout or batch normalisation, whose cost changes with the
            batch, which a line search cannot bear.

    Source: D. C. Liu, J. Nocedal, On the limited memory BFGS method for large scale optimization, Math. Program. 45
    (1989) 503; `scipy.optimize.minimize(method="L-BFGS-B")`.

    >>> import backprop
    >>> net = backprop.build("1-4-1", activation="tanh", output="identity", cost="mse")
    >>> X = np.linspace(-1, 1, 32).reshape(-1, 1)
    >>> fit_whole(net, X, X**2).costs[-1] < 1e-5
    True
    """
    number, count = as_whole("seed", seed, least=0), as_whole("iterations", iterations, least=1)
    train, check = prepare_data(net, X, Y, validation, number)
    start = net.initial(np.random.default_rng(number)) if theta is None else as_theta(net, theta)
    stale = None if patience is None else as_whole("patience", patience, least=1)
    shown = as_progress(progress, count)
    descent = Descent(net, train, check, start.astype(np.float64), count, stale, as_callbacks(callbacks), shown)
    # Overflow is caught by looking at the numbers, with a better message than NumPy's warning.
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"), shown:
        return descent.run(as_whole("memory", memory, least=1))


class Descent:
    """One run of SciPy's method, watched."""

    def __init__(
        self,
        net: Trainable,
        train: Data,
        check: Data | None,
        start: Array,
        iterations: int,
        patience: int | None,
        callbacks: Sequence[Callback],
        shown: Progress,
    ) -> None:
        self._net, self._learner, self._watch = net, Learner(net, start.dtype), Watch(net)
        if self._learner.is_random():
            raise UsageError("L-BFGS needs a cost that does not change; dropout and batch normalisation do: use fit")
        self._train, self._check, self._start = train, check, start
        self._labels = find_labels(check.Y) if check else None
        self._iterations, self._patience = iterations, patience
        self._callbacks, self._shown = callbacks, shown
        self._records = Records.at_start(start, {})
        self._stopped = ""

    def run(self, memory: int) -> History:
        """Go down until one of the reasons to stop."""
        began = time.perf_counter()
        interrupted = False
        options = {"maxiter": self._iterations, "maxcor": memory, "maxfun": TRIALS * self._iterations}
        try:
            self._record(self._start, self._evaluate(self._start)[0])
            minimize(self._evaluate, self._start, jac=True, method="L-BFGS-B", callback=self._conclude, options=options)
        except KeyboardInterrupt:
            interrupted, self._stopped = True, "interrupted by Ctrl-C"
        if not self._stopped and self._records.epoch < self._iterations:
            self._stopped = "no further descent"
        seconds = time.perf_counter() - began
        penalty = describe_penalty(self._net)
        words = f"L-BFGS, {self._train.n} rows at once" + (f", cost with {penalty}" if penalty else "")
        return self._records.report(seconds, self._iterations, interrupted, words, self._stopped)

    def _evaluate(self, theta: Array) -> tuple[float, Array]:
        cost, gradient = self._learner.learn(theta, self._train.X, self._train.Y, np.random.default_rng(0))
        self._watch.check(cost, gradient, self._records.epoch + 1)
        return cost, gradient.astype(np.float64)

    def _record(self, theta: Array, cost: float) -> None:
        if self._check is None:
            self._records.add((cost, None, None), cost, theta, {})
            return
        X, labels = self._check.X, self._labels
        judged = self._learner.measure_cost(theta, X, self._check.Y)
        right = None if labels is None else self._learner.measure_accuracy(theta, X, labels)
        self._records.add((cost, judged, right), judged, theta, {})

    def _conclude(self, intermediate_result: OptimizeResult) -> None:
        """SciPy calls this after an iteration, with the argument's name; StopIteration ends its loop."""
        records = self._records
        theta = np.array(intermediate_result.x)
        self._record(theta, float(intermediate_result.fun))
        theta.flags.writeable = False
        self._shown.tell(records.epoch, self._iterations, *records.curve[-1])
        epoch = Epoch(records.epoch, self._iterations, *records.curve[-1], math.nan, theta, {})
        asked = [callback(epoch) is True for callback in self._callbacks]
        if records.is_stale(self._patience):
            self._stopped = f"no better for {self._patience} iterations"
        if any(asked):
            self._stopped = "a callback asked for it"
        if self._stopped:
            raise StopIteration
