"""Two development sets: nothing is dealt twice, and the gaps tell a shift from an overfit."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import backprop
from backprop.data import digits, measure_gaps, one_hot, split_shifted
from backprop.errors import UsageError
from backprop.training import accuracy


@given(st.integers(4, 60), st.integers(4, 60), st.integers(0, 2**31))
def test_every_row_goes_to_one_part_of_its_own_kind(n, m, seed):
    source, target = np.arange(n)[:, None] * 1.0, -1.0 - np.arange(m)[:, None]
    parts = split_shifted((source, source), (target, target), train_dev=0.5, seed=seed)
    for pair, whole in ((parts[:2], source), (parts[2:], target)):
        dealt = np.sort(np.concatenate([part.X for part in pair]), axis=None)
        assert dealt.tolist() == np.sort(whole, axis=None).tolist()
        assert all(len(part.rows) for part in pair)


def test_a_shift_shows_as_mismatch_and_not_as_variance():
    X, labels = digits()
    rng = np.random.default_rng(0)
    half = len(X) // 2
    noisy = np.clip(X[half:] + rng.normal(scale=0.3 * X.max(), size=X[half:].shape), 0, X.max())
    net = backprop.build("64-32-10", activation="relu", output="softmax", cost="cross-entropy")
    gaps = {}
    for name, target in (("same kind", X[half:]), ("noisy", noisy)):
        parts = split_shifted((X[:half], labels[:half]), (target, labels[half:]), train_dev=0.3)
        theta = backprop.fit(net, parts.train.X, one_hot(parts.train.Y, 10), rate=0.005, epochs=15).theta
        errors = [1 - accuracy(net, theta, part.X, part.Y) for part in parts[:3]]
        gaps[name] = measure_gaps(*errors)
        assert sum(gaps[name]) == pytest.approx(errors[2])
    assert gaps["noisy"].mismatch > 0.1 > abs(gaps["same kind"].mismatch)
    assert gaps["noisy"].variance == gaps["same kind"].variance


@pytest.mark.parametrize("shares", [{"train_dev": 0}, {"test": 1}, {"train_dev": "a"}])
def test_a_part_is_never_empty_by_request(shares):
    with pytest.raises(UsageError, match="must be a share"):
        split_shifted((np.ones((9, 1)), np.ones(9)), (np.ones((9, 1)), np.ones(9)), **shares)


def test_an_error_is_a_number():
    with pytest.raises(UsageError, match="dev must be a finite number"):
        measure_gaps(0.1, 0.2, float("nan"))
