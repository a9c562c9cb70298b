"""Batches in the given order: the steps of somebody else's loop over the same batches, and no chance in them."""

from __future__ import annotations

import numpy as np
import pytest

import backprop
from backprop.data import batches
from backprop.errors import UsageError

X = np.random.default_rng(0).normal(size=(11, 2))
Y = X[:, :1] * X[:, 1:]


def test_each_epoch_goes_through_the_rows_as_they_are():
    net = backprop.build("2-3-1", activation="tanh")
    start = net.initial(np.random.default_rng(1))
    settings = {"optimiser": "gradient-descent", "rate": 0.01, "epochs": 3, "batch": 4, "theta": start}
    history = backprop.fit(net, X, Y, shuffle=False, seed=5, **settings)
    theta = start.copy()
    for _ in range(3):
        for rows in (slice(0, 4), slice(4, 8), slice(8, 11)):
            theta -= 0.01 * net.gradient(theta, X[rows], Y[rows])
    assert history.best_epoch == 3
    assert np.allclose(history.theta, theta, rtol=1e-13, atol=1e-13)
    assert np.array_equal(history.theta, backprop.fit(net, X, Y, shuffle=False, seed=6, **settings).theta)
    assert not np.array_equal(history.theta, backprop.fit(net, X, Y, seed=5, **settings).theta)


def test_without_a_generator_batches_are_in_order():
    assert [rows.tolist() for rows in batches(None, n=5, size=2)] == [[0, 1], [2, 3], [4]]


def test_a_checkpoint_in_another_order_is_another_run(tmp_path):
    net = backprop.build("2-3-1")
    file = tmp_path / "run.npz"
    backprop.fit(net, X, Y, epochs=1, batch=4, shuffle=False, checkpoint=file)
    with pytest.raises(UsageError, match="the batch"):
        backprop.fit(net, X, Y, epochs=2, batch=4, checkpoint=file)
