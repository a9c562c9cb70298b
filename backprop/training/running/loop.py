"""`fit`: the door of the room. It checks what it is given, then runs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from os import PathLike

import numpy as np
from numpy.typing import ArrayLike

from backprop.arrays import as_whole
from backprop.data import batches
from backprop.errors import UsageError
from backprop.training.initialisers import draw_parameters
from backprop.training.prediction import find_labels
from backprop.training.running.bar import Tell, as_progress
from backprop.training.running.checkpoint import Checkpoint, digest
from backprop.training.running.history import Callback, History
from backprop.training.running.inputs import Augment, as_average, as_callbacks, as_theta, prepare_data
from backprop.training.running.run import Run, Settings
from backprop.training.trainable import Array, Trainable
from backprop.training.updating.catalogue import find_optimiser
from backprop.training.updating.clipping import as_limit
from backprop.training.updating.optimiser import Optimiser
from backprop.training.updating.schedules import Schedule, as_schedule
from backprop.training.updating.settings import as_rate

__all__ = ["fit"]

DEFAULT_BATCH = 64


def fit(
    net: Trainable,
    X: ArrayLike,
    Y: ArrayLike,
    *,
    optimiser: str | Optimiser = "adam",
    rate: float | Schedule | None = None,
    epochs: int = 100,
    batch: int | None = None,
    shuffle: bool = True,
    seed: int = 0,
    validation: tuple[ArrayLike, ArrayLike] | float | None = None,
    theta: ArrayLike | None = None,
    initialiser: str | None = None,
    augment: Augment | None = None,
    clip_norm: float | None = None,
    clip_value: float | None = None,
    average: float | None = None,
    patience: int | None = None,
    measure: bool = True,
    callbacks: Sequence[Callback] = (),
    checkpoint: str | PathLike[str] | None = None,
    progress: Tell | bool | None = None,
) -> History:
    """Train a network and return the best parameters met, with the curves.

    In every epoch each row is used once, in batches drawn without replacement; each batch gives one step
    theta <- theta - change. Cost and validation figures are measured on all rows after the epoch, in prediction
    mode, with all penalties. "Best" means the lowest validation cost (without validation data: the lowest training
    cost), the start included. Where X is float32 everything is.

    Args:
        net: what `backprop.build` returns, or anything with the same functions.
        X, Y: training inputs (n, M_0) and targets (n, M_L), finite.
        optimiser: a name of `OPTIMISERS`, or an `Optimiser`.
        rate: learning rate > 0, or a schedule (epochs done, epochs) -> rate, asked before every step; None: the
            optimiser's own.
        epochs: how often each row is used.
        batch: rows a step; None: 64, or all of them if there are fewer.
        shuffle: False: the batches are the rows in the given order, the same in every epoch.
        seed: for the start, the order of the rows, masks and `augment`; same seed, same result.
        validation: (X, Y) to choose the best epoch by, or a share of the rows that is dealt out for it (by the seed,
            class by class); must not be the test data.
        theta: where to start, shape (size,), not changed; None: drawn by the seed.
        initialiser: the variance of the first weights, "glorot", "he", "lecun", "forward", "backward" or "both" (see
            `draw_parameters`); None: `net.initial`.
        augment: (rng, X of the batch) -> X, applied to training batches only.
        clip_norm, clip_value: shorten a longer gradient to this length; cut its entries to this size (before).
        average: decay of a running mean of the parameters, step by step; what is judged and returned is the mean.
        patience: stop after so many epochs without a new best.
        measure: False: no pass over the training data after each epoch; `costs` are the means over its batches.
            Needs validation data.
        callbacks: called with an `Epoch` after each epoch; True stops the run.
        checkpoint: a file that is replaced after each epoch. If it is there already, the run goes on from it, along
            the same trajectory (optimiser, running mean and random numbers included).
        progress: True: a bar with an estimate of the cost, on standard error; or a callable, told after each epoch
            (done, epochs, cost, validation accuracy or None).

    Returns:
        History. Ctrl-C ends the run early and keeps the best that was reached (`interrupted`).

    Raises:
        TrainingDiverged: a cost or gradient became infinite or NaN; names the layer that began.
        UsageError: shapes that do not fit the network, NaN in the data, targets outside the cost's range or of one
            class only, impossible settings, a checkpoint of another run.

    Source: lecture items 3, 10 and 16; running mean: B. T. Polyak, A. B. Juditsky, SIAM J. Control Optim. 30 (1992).

    >>> import backprop
    >>> net = backprop.build("1-4-1", activation="tanh", output="identity", cost="mse")
    >>> X = np.linspace(-1, 1, 32).reshape(-1, 1)
    >>> history = fit(net, X, X**2, rate=0.02, epochs=200)
    >>> history.costs[0] > 10 * history.costs[-1]
    True
    """
    if augment is not None and not callable(augment):
        raise UsageError(f"augment must be a function of (rng, X), or None; got {augment!r:.60}")
    number = as_whole("seed", seed, least=0)
    train, check = prepare_data(net, X, Y, validation, number)
    if not measure and check is None:
        raise UsageError("measure=False leaves nothing to choose the best epoch by; give validation data")
    size = min(DEFAULT_BATCH, train.n) if batch is None else batch
    batches(np.random.default_rng(0), train.n, size)  # complains now about a size that cannot be
    schedule, count = as_schedule(rate), as_whole("epochs", epochs, least=1)
    rule = find_optimiser(optimiser)
    if schedule:
        rule.rate = as_rate(schedule(0.0, count), scheduled=True)
    rng = np.random.default_rng(number)
    start = draw_start(net, rng, theta, initialiser).astype(train.X.dtype)
    settings = Settings(
        net, train, check, find_labels(check.Y) if check else None, rule, schedule, count, size, augment,
        as_limit("clip_norm", clip_norm), as_limit("clip_value", clip_value), as_average(average),
        None if patience is None else as_whole("patience", patience, least=1), measure, as_callbacks(callbacks),
        as_progress(progress, count), None, bool(shuffle),
    )  # fmt: skip
    if checkpoint is not None:
        settings = replace(settings, checkpoint=Checkpoint(checkpoint, identify(settings, start, number)))
    # Overflow is caught by looking at the numbers, with a better message than NumPy's warning.
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        return Run(settings, start, rng).train()


def draw_start(net: Trainable, rng: np.random.Generator, theta: ArrayLike | None, initialiser: str | None) -> Array:
    """The caller's starting point, or one that is drawn."""
    if theta is None:
        return net.initial(rng) if initialiser is None else draw_parameters(net, rng, initialiser)
    if initialiser is not None:
        raise UsageError("theta and initialiser both say where to start; give one of them")
    return as_theta(net, theta)


def identify(settings: Settings, start: Array, seed: int) -> dict[str, str]:
    """What a run depends on, in words and digests; functions of the user's are known by name only."""
    rule, times = settings.rule, (0.0, settings.epochs / 3, settings.epochs / 2)
    rates = [settings.schedule(time, settings.epochs) if settings.schedule else rule.rate for time in times]
    check = settings.validation
    return {
        "the network": str(getattr(settings.net, "network", type(settings.net).__name__)),
        "the training data": digest(settings.train.X, settings.train.Y),
        "the validation data": digest(check.X, check.Y) if check else "none",
        "the start": digest(start),
        "the seed": str(seed),
        "the optimiser": rule.name,
        "the settings of the optimiser": ", ".join(f"{k} {np.asarray(v).tolist()}" for k, v in rule.settings.items()),
        "the learning rate": ", ".join(f"{rate:.6g}" for rate in rates),
        "the batch": f"{settings.batch}{'' if settings.shuffle else ' in the given order'}",
        "the augmentation": getattr(settings.augment, "__qualname__", str(settings.augment)),
        "the clipping": f"{settings.clip_norm}, {settings.clip_value}",
        "the running mean": str(settings.average),
        "the measured costs": str(settings.measure),
    }
