"""Networks with masks and running statistics in training: both are part of the run, its result and its checkpoint."""

from __future__ import annotations

import numpy as np
import pytest

import backprop
from backprop.data import digits, one_hot
from backprop.errors import UsageError
from backprop.specification.layers import Activation, BatchNorm, Dense, Dropout
from backprop.training import accuracy, draw_parameters, fit, fit_whole

PIXELS, LABELS = digits()
X, Y = PIXELS[:300], one_hot(LABELS[:300])
CHECK = PIXELS[300:500], one_hot(LABELS[300:500])


def build(*hidden, **options):
    return backprop.build(backprop.Network(64, *hidden, Dense(10, "softmax"), cost="cross-entropy", **options))


STACK = build(Dense(24), BatchNorm(), Activation("relu"), Dropout(0.2))
PLAIN = build(Dense(24, "relu"))


class Stop(Exception):
    """A crash in the middle of a run."""


def crash(epoch):
    if epoch.number == 3:
        raise Stop


def test_a_stack_learns_and_its_statistics_belong_to_the_result():
    history = fit(STACK, X, Y, rate=0.01, epochs=20, validation=CHECK)
    state = history.state
    assert set(state) == set(STACK.statistics())
    assert STACK.cost(history.theta, *CHECK, **state) == min(history.validation_costs)
    assert accuracy(STACK, history.theta, CHECK[0], LABELS[300:500], **state) == pytest.approx(
        history.validation_accuracies[history.best_epoch]
    )
    assert history.validation_accuracies[history.best_epoch] > 0.85


def test_costs_are_those_of_prediction_without_masks():
    net = build(Dense(24, "relu"), Dropout(0.5))
    history = fit(net, X, Y, rate=0.01, epochs=3)
    assert net.cost(history.theta, X, Y) == history.costs[history.best_epoch]


def test_the_same_seed_draws_the_same_masks():
    first, again, other = (fit(STACK, X, Y, epochs=2, seed=seed).theta for seed in (1, 1, 2))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


@pytest.mark.parametrize("options", [{}, {"average": 0.9, "validation": CHECK, "optimiser": "nesterov", "rate": 0.01}])
def test_a_crashed_run_goes_on_with_its_masks_and_statistics(tmp_path, options):
    whole = fit(STACK, X, Y, epochs=6, **options)
    with pytest.raises(Stop):
        fit(STACK, X, Y, epochs=6, checkpoint=tmp_path / "run", callbacks=[crash], **options)
    resumed = fit(STACK, X, Y, epochs=6, checkpoint=tmp_path / "run", **options)
    assert np.array_equal(resumed.theta, whole.theta)
    assert resumed.costs == whole.costs
    assert all(np.array_equal(resumed.state[name], whole.state[name]) for name in whole.state)


def test_a_last_batch_of_one_row_joins_the_one_before():
    history = fit(STACK, X[:65], Y[:65], epochs=2, batch=64)
    assert all(np.all(np.isfinite(values)) for values in history.state.values())


def test_float32_stays_float32_through_masks_and_statistics():
    history = fit(STACK, X.astype(np.float32), Y, epochs=2)
    assert history.theta.dtype == np.float32
    assert {values.dtype for values in history.state.values()} == {np.dtype(np.float32)}


def test_the_penalty_is_part_of_the_cost_and_said():
    free, held = fit(PLAIN, X, Y, epochs=5), fit(build(Dense(24, "relu"), l2=0.1), X, Y, epochs=5)
    assert "l2" in held.description
    assert "l2" not in free.description
    net = build(Dense(24, "relu"), l2=0.1)
    assert held.costs[-1] == pytest.approx(net.cost(held.theta, X, Y)) != PLAIN.cost(held.theta, X, Y)


def test_line_searches_refuse_masks_and_batch_statistics():
    with pytest.raises(UsageError, match="dropout and batch normalisation"):
        fit_whole(STACK, X, Y)
    assert fit_whole(build(Dense(8, "tanh"), l2=0.01), X, Y, iterations=5).costs[-1] < 3


@pytest.mark.parametrize("scheme", ["he", "forward"])
def test_a_stack_starts_with_the_derived_variances(scheme):
    net = build(Dense(400), BatchNorm(), Activation("relu"), Dense(300, "tanh"))
    first, norm, second, last = net.views(draw_parameters(net, np.random.default_rng(0), scheme))
    assert norm.gamma.tolist() == [1.0] * 400
    assert first[0].var() * 64 == pytest.approx(2 if scheme == "he" else 1, rel=0.05)
    assert second[0].var() * 400 == pytest.approx(2, rel=0.05)
    assert last[0].var() * 300 == pytest.approx(2 if scheme == "he" else 1 / 0.394294, rel=0.1)
    assert not first[1].any()
