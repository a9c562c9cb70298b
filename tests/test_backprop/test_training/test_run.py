"""The run: checkpoints, stopping, clipping, running means, types, targets; L-BFGS."""

from __future__ import annotations

import io
import math
from itertools import pairwise

import numpy as np
import pytest
from rich.console import Console

import backprop
from backprop.data import digits, one_hot
from backprop.errors import UsageError
from backprop.training import AdamW, TrainingDiverged, cosine, fit, fit_whole, one_cycle
from backprop.training.running.bar import Bar, Lines
from backprop.training.running.checkpoint import Checkpoint

RNG = np.random.default_rng(0)
X = RNG.normal(size=(60, 2))
Y = X @ np.array([[2.0], [-1.0]]) + 0.5
CLASSES = one_hot((X[:, 0] > 0).astype(int), 2)
NET = backprop.build("2-5-1", activation="tanh", output="identity", cost="mse")
CLASSIFIER = backprop.build("2-5-2", activation="tanh", output="softmax", cost="cross-entropy")
BEST_LINE = [2.0, -1.0, 0.5]


class Stop(Exception):
    """A crash in the middle of a run."""


def crash_at(epoch):
    def callback(told):
        if told.number == epoch:
            raise Stop

    return callback


# ------------------------------------------------------------------------------------------ checkpoints


def jitter(rng, X):
    return X + 0.01 * rng.normal(size=X.shape)


@pytest.mark.parametrize(
    "options",
    [
        {"optimiser": "gradient-descent"},
        {"optimiser": "adam", "rate": one_cycle(0.05), "average": 0.9, "validation": 0.2},
        {"optimiser": "nesterov", "augment": jitter, "clip_norm": 0.5, "validation": (X[:9], Y[:9])},
        {"optimiser": AdamW(0.01, weight_decay=0.1), "batch": 7, "patience": 8},
    ],
)
def test_a_run_that_crashed_goes_on_along_the_same_trajectory(tmp_path, options):
    path = tmp_path / "run.npz"
    whole = fit(NET, X, Y, epochs=9, seed=3, **options)
    with pytest.raises(Stop):
        fit(NET, X, Y, epochs=9, seed=3, checkpoint=path, callbacks=[crash_at(4)], **options)
    resumed = fit(NET, X, Y, epochs=9, seed=3, checkpoint=path, **options)
    assert resumed.costs == whole.costs
    assert resumed.validation_costs == whole.validation_costs
    assert resumed.best_epoch == whole.best_epoch
    assert np.array_equal(resumed.theta, whole.theta)
    assert [path.name] == [file.name for file in tmp_path.iterdir()]


def test_a_finished_run_is_not_run_again_but_may_be_prolonged(tmp_path):
    path = tmp_path / "run.npz"
    first = fit(NET, X, Y, rate=0.01, epochs=3, checkpoint=path)
    assert fit(NET, X, Y, rate=0.01, epochs=3, checkpoint=path).costs == first.costs
    longer = fit(NET, X, Y, rate=0.01, epochs=6, checkpoint=path)
    assert np.array_equal(longer.theta, fit(NET, X, Y, rate=0.01, epochs=6).theta)
    assert longer.seconds > first.seconds


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"seed": 1}, "the start"),
        ({"batch": 10}, "the batch"),
        ({"rate": 0.02}, "the learning rate"),
        ({"rate": cosine(0.01)}, "the learning rate"),
        ({"optimiser": "rmsprop"}, "the optimiser"),
        ({"average": 0.5}, "the running mean"),
        ({"validation": 0.5}, "the training data"),
        ({"theta": np.zeros(NET.size)}, "the start"),
    ],
)
def test_a_checkpoint_of_another_run_is_refused_and_kept(tmp_path, change, word):
    path = tmp_path / "run.npz"
    options = {"rate": 0.01, "epochs": 2}
    fit(NET, X, Y, checkpoint=path, **options)
    before = path.read_bytes()
    with pytest.raises(UsageError, match=f"of another run: {word} was"):
        fit(NET, X, Y, checkpoint=path, **{**options, **change})
    assert path.read_bytes() == before


@pytest.mark.parametrize("content", [b"", b"nonsense", None, "other"])
def test_a_file_that_is_no_checkpoint_is_refused_and_kept(tmp_path, content):
    path = tmp_path / "run.npz"
    fit(NET, X, Y, epochs=1, checkpoint=path)
    whole = path.read_bytes()
    if content == "other":
        np.savez(path, theta=np.zeros(3))
    else:
        path.write_bytes(whole[: len(whole) // 2] if content is None else content)
    before = path.read_bytes()
    with pytest.raises(UsageError, match="not a whole checkpoint"):
        fit(NET, X, Y, epochs=1, checkpoint=path)
    assert path.read_bytes() == before


def test_a_checkpoint_that_cannot_be_written_says_so(tmp_path):
    with pytest.raises(UsageError, match="no folder"):
        fit(NET, X, Y, epochs=1, checkpoint=tmp_path / "nowhere" / "run.npz")


def test_a_missing_checkpoint_is_a_new_run(tmp_path):
    assert Checkpoint(tmp_path / "none.npz", {}).read() is None


# -------------------------------------------------------------------------------------------- stopping


def test_patience_ends_a_run_that_gets_no_better():
    history = fit(NET, X, Y, rate=1.0, epochs=100, patience=3, optimiser="gradient-descent", clip_norm=1.0)
    assert history.stopped == "no better for 3 epochs"
    assert len(history.costs) - 1 == history.best_epoch + 3
    assert history.costs[history.best_epoch] == min(history.costs)
    assert not history.interrupted


def test_a_run_that_reaches_its_end_says_nothing():
    assert fit(NET, X, Y, epochs=2, patience=5).stopped == ""


def test_a_callback_sees_each_epoch_and_may_stop():
    told = []

    def callback(epoch):
        told.append(epoch)
        with pytest.raises(ValueError, match="read-only"):
            epoch.theta[0] = 1.0
        return epoch.number == 3

    history = fit(NET, X, Y, epochs=10, rate=0.01, validation=(X, Y), callbacks=[callback])
    assert history.stopped == "a callback asked for it"
    assert [epoch.number for epoch in told] == [1, 2, 3]
    assert tuple(epoch.validation_cost for epoch in told) == history.validation_costs[1:]
    assert [(epoch.rate, epoch.epochs) for epoch in told] == [(0.01, 10)] * 3


# -------------------------------------------------------------------------------------- data and types


def test_a_share_for_validation_is_dealt_class_by_class():
    labels = np.arange(100) % 4 == 0
    net = backprop.build("1-2", output="softmax", cost="cross-entropy")
    seen = []
    inputs = np.arange(100.0)[:, None] / 100
    fit(
        net,
        inputs,
        one_hot(labels.astype(int), 2),
        validation=0.2,
        epochs=1,
        augment=lambda rng, X: seen.append(X + 0) or X,
    )
    used = np.round(100 * np.concatenate(seen)[:, 0]).astype(int)
    assert len(used) == len(set(used)) == 80
    assert labels[used].sum() == 20


def test_float32_data_are_trained_in_float32():
    types = set()
    history = fit(
        NET, X.astype(np.float32), Y, epochs=2, validation=(X, Y), average=0.9,
        augment=lambda rng, X: types.add(X.dtype) or X.astype(np.float64),
    )  # fmt: skip
    assert history.theta.dtype == np.float32
    assert types == {np.dtype(np.float32)}


def test_unmeasured_costs_are_means_over_the_batches():
    still = fit(NET, X, Y, rate=1e-12, epochs=2, batch=7, measure=False, validation=(X, Y))
    assert math.isnan(still.costs[0])
    assert still.costs[2] == pytest.approx(still.validation_costs[0], rel=1e-6)


def test_the_running_mean_is_what_is_judged():
    steps = []

    class Recording(type(NET)):
        def value_and_gradient(self, theta, X, Y, **keywords):
            steps.append(theta.copy())
            return super().value_and_gradient(theta, X, Y, **keywords)

    net = Recording(NET.network)
    history = fit(net, X, Y, rate=0.01, epochs=3, batch=60, average=0.5)
    mean = steps[0].copy()
    for t, theta in enumerate(steps[1:], start=1):
        mean += (1 - min(0.5, t / (t + 9))) * (theta - mean)
    final = fit(NET, X, Y, rate=0.01, epochs=2, batch=60, average=0.5)
    assert final.best_epoch == 2
    assert final.theta == pytest.approx(mean, rel=1e-12)
    assert history.costs[:3] == final.costs


def test_clipping_by_norm_bounds_every_step():
    told = []
    fit(
        NET, X, 1e6 * Y, optimiser="gradient-descent", rate=0.1, clip_norm=2.0, batch=60, epochs=5,
        callbacks=[lambda epoch: told.append(epoch.theta.copy())],
    )  # fmt: skip
    lengths = [np.linalg.norm(b - a) for a, b in pairwise(told)]
    assert lengths == pytest.approx([0.2] * 4)


def test_clipping_by_value_bounds_every_entry():
    told = []
    fit(
        NET, X, 1e6 * Y, optimiser="gradient-descent", rate=0.1, clip_value=2.0, batch=60, epochs=5,
        callbacks=[lambda epoch: told.append(epoch.theta.copy())],
    )  # fmt: skip
    assert max(np.max(np.abs(b - a)) for a, b in pairwise(told)) == pytest.approx(0.2)


def test_the_description_says_what_was_done():
    history = fit(NET, X, Y, epochs=1, clip_norm=1, clip_value=2, average=0.9)
    for word in ("Adam, 60 rows in batches of 60", "no longer than 1", "within 2", "decay 0.9"):
        assert word in history.description


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"validation": 0.0}, "share of the rows"),
        ({"validation": 1}, "share of the rows"),
        ({"validation": 0.001}, "no row left for the validation"),
        ({"average": 1.0}, "average must be"),
        ({"clip_norm": 0}, "clip_norm must be"),
        ({"clip_value": -1.0}, "clip_value must be"),
        ({"patience": 0}, "patience must be at least 1"),
        ({"measure": False}, "give validation data"),
    ],
)
def test_impossible_settings_are_refused_before_training(options, message):
    with pytest.raises(UsageError, match=message):
        fit(NET, X, Y, **options)


@pytest.mark.parametrize(
    ("targets", "message"),
    [
        (CLASSES * 2, r"Y holds 2.0 at"),
        (CLASSES + 0.5 - 0.5 * CLASSES, "row 0 sums to 1.5"),
        (np.zeros_like(CLASSES), "row 0 sums to 0"),
        (one_hot([1] * 60, 2), "one class only, class 1 in all 60 rows"),
        (np.argmax(CLASSES, axis=1), "one_hot"),
    ],
)
def test_targets_that_are_no_classes_are_refused(targets, message):
    with pytest.raises(UsageError, match=message):
        fit(CLASSIFIER, X, targets, epochs=1)


def test_one_class_only_is_refused_for_a_single_output_too():
    net = backprop.build("2-1", output="sigmoid", cost="binary-cross-entropy")
    with pytest.raises(UsageError, match="one class only"):
        fit(net, X, np.ones((60, 1)))
    with pytest.raises(UsageError, match=r"holds -1\.0 at"):
        fit(net, X, -np.ones((60, 1)))


def test_probabilities_are_targets_too():
    soft = 0.9 * CLASSES + 0.05
    history = fit(CLASSIFIER, X, soft, rate=0.05, epochs=30)
    assert history.costs[-1] < history.costs[0]


# -------------------------------------------------------------------------------------------- progress


def test_without_a_terminal_progress_is_a_few_lines_on_standard_error(capsys):
    fit(CLASSIFIER, X, CLASSES, epochs=20, validation=0.2, progress=True)
    captured = capsys.readouterr()
    assert captured.out == ""
    lines = captured.err.splitlines()
    assert len(lines) == 10
    assert lines[-1].startswith("epoch 20/20  cost ")
    assert "% right" in lines[-1]


def test_on_a_terminal_there_is_a_bar_with_the_cost_so_far():
    text = io.StringIO()
    with Bar(Console(file=text, force_terminal=True, width=120), epochs=2) as bar:
        bar.step(1, 2, 4.0)
        bar.step(2, 2, 2.0)
        bar.tell(1, 2, 1.5, 1.25, 0.5)
        bar._bar.refresh()
    assert "cost now about 3.9" in text.getvalue()
    assert "epoch 1/2" in text.getvalue()


def test_lines_are_as_many_as_the_epochs_if_these_are_few():
    text = io.StringIO()
    lines = Lines(Console(file=text))
    for epoch in (1, 2):
        lines.tell(epoch, 2, 1.0, None, None)
    assert text.getvalue().splitlines() == ["epoch 1/2  cost 1", "epoch 2/2  cost 1"]


# ---------------------------------------------------------------------------------------------- L-BFGS


def test_lbfgs_finds_the_line_of_least_squares():
    net = backprop.build("2-1", output="identity", cost="mse")
    history = fit_whole(net, X, Y)
    ((W, b),) = net.views(history.theta)
    assert np.append(W, b) == pytest.approx(BEST_LINE, abs=1e-4)
    assert history.stopped == "no further descent"
    assert list(history.costs) == sorted(history.costs, reverse=True)


def test_lbfgs_keeps_the_best_by_validation_and_has_patience():
    pixels, labels = digits()
    targets = one_hot(labels)
    net = backprop.build("64-10", output="softmax", cost="cross-entropy")
    history = fit_whole(
        net, pixels[:200], targets[:200], iterations=300, validation=(pixels[200:400], targets[200:400]), patience=4
    )
    assert history.stopped == "no better for 4 iterations"
    assert min(history.validation_costs) == history.validation_costs[history.best_epoch]
    assert history.validation_accuracies[history.best_epoch] > 0.8


def test_lbfgs_can_be_stopped_by_a_callback_and_by_ctrl_c():
    assert len(fit_whole(NET, X, Y, callbacks=[lambda epoch: epoch.number == 2]).costs) == 3

    def interrupt(epoch):
        raise KeyboardInterrupt

    history = fit_whole(NET, X, Y, callbacks=[interrupt])
    assert history.interrupted
    assert history.theta.shape == (NET.size,)


def test_lbfgs_refuses_a_cost_that_chance_has_a_part_in():
    class Dropping(type(NET)):
        def context(self, rng, n):
            return {"mode": "train"}

        def statistics(self):
            return {}

    with pytest.raises(UsageError, match="dropout"):
        fit_whole(Dropping(NET.network), X, Y)


def test_lbfgs_stops_where_the_cost_is_not_finite():
    net = backprop.build("2-2-1", activation="exp(x)", output="identity", cost="half-sse")
    with pytest.raises(TrainingDiverged):
        fit_whole(net, X * 1e3, Y)


@pytest.mark.parametrize(
    ("options", "message"),
    [({"iterations": 0}, "iterations"), ({"memory": 0}, "memory"), ({"theta": [math.nan]}, "theta holds nan")],
)
def test_impossible_settings_of_lbfgs_are_refused(options, message):
    with pytest.raises(UsageError, match=message):
        fit_whole(NET, X, Y, **options)
