"""Optimisers against their equations; the loop against what it promises; the digits."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

import backprop
from backprop.data import digits, disturb, one_hot, split
from backprop.errors import UsageError
from backprop.training import (
    OPTIMISERS,
    AdamW,
    TrainingDiverged,
    accuracy,
    classify,
    cosine,
    find_labels,
    fit,
)

ROUNDING = 1e-12
"""Relative: a few roundings in a step of an optimiser."""
WANTED_ACCURACY = 0.97
GRADIENTS = arrays(np.float64, (6, 4), elements=st.floats(-10, 10))
NAMES = sorted(OPTIMISERS)


class Bowl:
    """C = mean over rows of |theta - y|^2 / 2: one layer whose best theta is the mean of the targets."""

    size = 3

    def initial(self, rng):
        return rng.normal(size=3)

    def views(self, theta):
        return [(theta[:2].reshape(2, 1), theta[2:])]

    def forward(self, theta, X):
        return X @ theta[:2].reshape(2, 1) + theta[2:]

    def cost(self, theta, X, Y):
        return np.mean((self.forward(theta, X) - Y) ** 2) / 2

    def value_and_gradient(self, theta, X, Y):
        error = (self.forward(theta, X) - Y) / len(X)
        gradient = np.append((X.T @ error).ravel(), error.sum())
        return self.cost(theta, X, Y), gradient


RNG = np.random.default_rng(0)
X = RNG.normal(size=(100, 2))
Y = X @ np.array([[2.0], [-1.0]]) + 0.5
BEST = np.array([2.0, -1.0, 0.5])


# ---------------------------------------------------------------------------------------------- loop


@pytest.mark.parametrize("name", NAMES)
def test_every_optimiser_finds_the_bottom_of_a_bowl(name):
    rate = cosine(0.5 if name.startswith("adagrad") else 0.05)
    rule = AdamW(weight_decay=0) if name == "adamw" else name
    history = fit(Bowl(), X, Y, optimiser=rule, rate=rate, epochs=100, batch=20)
    assert history.theta == pytest.approx(BEST, abs=1e-3)


def test_full_batch_descent_is_the_formula():
    net, start = Bowl(), np.zeros(3)
    theta = start.copy()
    for _ in range(5):
        theta = theta - 0.1 * net.value_and_gradient(theta, X, Y)[1]
    history = fit(net, X, Y, optimiser="gradient-descent", rate=0.1, epochs=5, batch=100, theta=start)
    assert history.theta == pytest.approx(theta, rel=ROUNDING)
    assert not start.any(), "the start is the caller's"


def test_the_same_seed_gives_the_same_network_and_another_does_not():
    first, again, other = (fit(Bowl(), X, Y, epochs=3, seed=seed).theta for seed in (1, 1, 2))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_the_curves_begin_at_the_start():
    net = Bowl()
    history = fit(net, X, Y, epochs=4, theta=np.zeros(3), validation=(X[:5], Y[:5]))
    assert len(history.costs) == len(history.validation_costs) == 5
    assert history.costs[0] == net.cost(np.zeros(3), X, Y)
    assert history.validation_costs[0] == net.cost(np.zeros(3), X[:5], Y[:5])
    assert history.validation_accuracies == ()
    assert history.seconds > 0


def test_the_parameters_that_are_kept_are_the_best_by_validation():
    net = Bowl()
    history = fit(net, X, Y, epochs=60, rate=0.1, validation=(X, Y + 1), theta=np.zeros(3))
    assert min(history.validation_costs) == history.validation_costs[history.best_epoch]
    assert net.cost(history.theta, X, Y + 1) == history.validation_costs[history.best_epoch]


def test_training_that_only_spoils_keeps_the_start():
    history = fit(Bowl(), X, Y, optimiser="gradient-descent", rate=3.0, epochs=3, theta=BEST + 0.01, batch=100)
    assert history.costs[-1] > history.costs[0]
    assert history.best_epoch == 0
    assert np.array_equal(history.theta, BEST + 0.01)


def test_the_default_batch_is_64_rows_or_all_of_fewer():
    assert "batches of 64" in fit(Bowl(), X, Y, epochs=1).description
    assert "batches of 7" in fit(Bowl(), X[:7], Y[:7], epochs=1).description


def test_a_schedule_sets_the_rate_of_each_step():
    asked = []

    def schedule(done, epochs):
        asked.append((done, epochs))
        return 0.0

    history = fit(Bowl(), X, Y, rate=schedule, epochs=3)
    assert asked[-6:] == [(0, 3), (0.5, 3), (1, 3), (1.5, 3), (2, 3), (2.5, 3)]
    assert len(set(history.costs)) == 1


def test_augmentation_sees_batches_of_inputs_and_only_in_training():
    seen = []

    def augment(rng, batch):
        seen.append(batch.shape)
        return batch + 0

    plain = fit(Bowl(), X, Y, epochs=2, batch=30)
    assert np.array_equal(fit(Bowl(), X, Y, epochs=2, batch=30, augment=augment, validation=(X, Y)).theta, plain.theta)
    assert seen == [(30, 2), (30, 2), (30, 2), (10, 2)] * 2


def test_progress_is_told_after_each_epoch():
    told = []
    history = fit(Bowl(), X, Y, epochs=3, progress=lambda *words: told.append(words))
    assert told == [(k, 3, history.costs[k], None) for k in (1, 2, 3)]


def test_ctrl_c_keeps_the_best_so_far():
    def stop(epoch, *_):
        if epoch == 2:
            raise KeyboardInterrupt

    history = fit(Bowl(), X, Y, epochs=50, rate=0.05, progress=stop)
    assert history.interrupted
    assert len(history.costs) == 3
    assert Bowl().cost(history.theta, X, Y) == min(history.costs)


def test_ctrl_c_in_the_middle_of_a_step_keeps_the_last_epoch():
    class Slow(Bowl):
        calls = 0

        def value_and_gradient(self, theta, X, Y):
            Slow.calls += 1
            if Slow.calls == 5:
                theta[:] = np.nan  # as if an update had been cut in half
                raise KeyboardInterrupt
            return super().value_and_gradient(theta, X, Y)

    history = fit(Slow(), X, Y, epochs=50, rate=0.05)
    assert history.interrupted
    assert np.all(np.isfinite(history.theta))
    assert Bowl().cost(history.theta, X, Y) == history.costs[-1]


# ---------------------------------------------------------------------------------------- divergence


class Exploding(Bowl):
    """Two layers; the gradient of layer `bad` grows ten thousandfold a step, or is spoilt at once."""

    def __init__(self, bad, growth=1e4):
        self.bad, self.growth, self.steps = bad, growth, 0

    def views(self, theta):
        return [(theta[:2].reshape(2, 1), theta[:0]), (theta[2:].reshape(1, 1),)]

    def cost(self, theta, X, Y):
        return 1.0 if np.all(np.isfinite(theta)) else math.nan

    def value_and_gradient(self, theta, X, Y):
        self.steps += 1
        gradient = np.full(3, 0.1)
        with np.errstate(over="ignore"):
            gradient[slice(0, 2) if self.bad == 1 else slice(2, 3)] *= np.float64(self.growth) ** (self.steps - 1)
        if self.steps > 3:
            gradient[:] = np.nan
        return self.cost(theta, X, Y), gradient


@pytest.mark.parametrize("layer", [1, 2])
def test_the_layer_that_grew_first_is_named(layer):
    with pytest.raises(TrainingDiverged, match=f"layer {layer} exploded first") as caught:
        fit(Exploding(layer), X, Y, batch=10, optimiser="gradient-descent")
    assert (caught.value.layer, caught.value.epoch) == (layer, 1)
    assert "smaller rate" in str(caught.value)


@pytest.mark.parametrize("layer", [1, 2])
def test_the_layer_that_jumps_to_infinity_is_named(layer):
    with pytest.raises(TrainingDiverged, match=f"layer {layer} exploded first"):
        fit(Exploding(layer, growth=1e200), X, Y, batch=10, optimiser="gradient-descent")


def test_a_cost_that_is_nan_while_the_gradient_is_not_stops_the_run():
    class Undefined(Bowl):
        def cost(self, theta, X, Y):
            return math.nan

    with pytest.raises(TrainingDiverged, match="the cost is nan") as caught:
        fit(Undefined(), X, Y, epochs=2)
    assert caught.value.layer is None


def test_a_rate_that_is_far_too_large_is_a_clear_error_and_no_warning():
    net = backprop.build("2-8-8-1", activation="identity", output="identity", cost="half-sse")
    with pytest.raises(TrainingDiverged, match="try a smaller rate") as caught:
        fit(net, X, Y, optimiser="gradient-descent", rate=10.0)
    assert caught.value.layer in (1, 2, 3)


# -------------------------------------------------------------------------------------------- checks


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"batch": 101}, "larger than the data"),
        ({"batch": 0}, "at least 1"),
        ({"epochs": 0}, "epochs must be at least 1"),
        ({"epochs": 2.5}, "whole number"),
        ({"seed": -1}, "seed must be at least 0"),
        ({"rate": -1}, "learning rate"),
        ({"rate": 0}, "learning rate"),
        ({"rate": lambda done, epochs: -1.0}, "learning rate"),
        ({"optimiser": "sgd"}, "unknown optimiser"),
        ({"theta": np.zeros(4)}, "3 parameters"),
        ({"theta": [0, 0, np.nan]}, "theta holds nan"),
        ({"validation": (X, Y[:3])}, "validation X has 100 rows"),
        ({"validation": (X[:, :1], Y)}, "validation X has shape"),
    ],
)
def test_impossible_settings_are_refused_before_training(options, message):
    with pytest.raises(UsageError, match=message):
        fit(Bowl(), X, Y, **options)


@pytest.mark.parametrize(
    ("inputs", "targets", "message"),
    [
        (X[:0], Y[:0], "n >= 1"),
        (X[:, 0], Y, r"shape \(100,\)"),
        (X, Y[:, 0], "training Y has shape"),
        (X, Y[:9], "100 rows but Y has 9"),
        (np.where(X[3, 1] == X, np.nan, X), Y, r"X holds nan at \(3, 1\)"),
        (X, np.full_like(Y, np.inf), "Y holds inf"),
        ([["a", "b"]], [[1]], "array of numbers"),
        ([[1], [1, 2]], [[1]], "array of numbers"),
    ],
)
def test_data_that_do_not_fit_are_named(inputs, targets, message):
    with pytest.raises(UsageError, match=message):
        fit(Bowl(), inputs, targets)


def test_lists_of_integers_are_data_too():
    assert len(fit(Bowl(), [[1, 2], [3, 4]], [[1], [0]], epochs=2).costs) == 3


# ------------------------------------------------------------------------------------------ accuracy


@given(st.lists(st.integers(0, 4), min_size=1, max_size=30))
def test_labels_are_found_again_in_one_hot_rows(labels):
    assert find_labels(one_hot(labels, 5)).tolist() == labels


@pytest.mark.parametrize("targets", [[[0.5, 0.5]], [[1.0, 1.0]], [[0.0, 0.0]], [[2.0]]])
def test_targets_that_are_not_classes_have_no_labels(targets):
    assert find_labels(np.array(targets)) is None


def test_one_output_is_a_yes_from_one_half_on():
    net = Bowl()
    theta = np.array([1.0, 0.0, 0.0])
    inputs = np.array([[0.4, 0.0], [0.5, 0.0], [2.0, 0.0]])
    assert classify(net, theta, inputs).tolist() == [0, 1, 1]
    assert accuracy(net, theta, inputs, [0, 1, 0]) == pytest.approx(2 / 3)


@pytest.mark.parametrize("labels", [[0, 1], [[1, 0, 0]], []])
def test_accuracy_wants_one_label_a_row(labels):
    with pytest.raises(UsageError, match="one label for each"):
        accuracy(Bowl(), BEST, X[:3], labels)


# ------------------------------------------------------------------------------------ real networks


@pytest.mark.parametrize("activation", ["relu", "tanh"])
def test_the_digits_are_learned(activation):
    pixels, labels = digits()
    parts = split(pixels, one_hot(labels), seed=1, stratify=labels)
    net = backprop.build("64-32-10", activation=activation, output="softmax", cost="cross-entropy")
    history = fit(
        net,
        parts.train.X,
        parts.train.Y,
        rate=cosine(0.01),
        epochs=100,
        validation=(parts.validation.X, parts.validation.Y),
        augment=disturb,
    )
    assert accuracy(net, history.theta, parts.test.X, labels[parts.test.rows]) >= WANTED_ACCURACY
    assert len(history.validation_accuracies) == 101


@pytest.mark.parametrize("truth", [[0, 1, 1, 0], [0, 0, 0, 1], [0, 1, 1, 1]])
def test_the_gates_are_learned(truth):
    net = backprop.build("2-4-1", activation="tanh", output="sigmoid", cost="binary-cross-entropy")
    inputs = np.array([[0.0, 0], [0, 1], [1, 0], [1, 1]])
    history = fit(net, inputs, np.array(truth)[:, None], rate=0.05, epochs=400)
    assert accuracy(net, history.theta, inputs, truth) == 1


@pytest.mark.parametrize("cost", ["half-sse", "mse"])
def test_a_line_is_learned_whatever_the_scale_of_the_cost(cost):
    net = backprop.build("2-1", output="identity", cost=cost)
    history = fit(net, X, Y, rate=cosine(0.1), epochs=200)
    ((W, b),) = net.views(history.theta)
    assert np.append(W, b) == pytest.approx(BEST, abs=1e-4)
