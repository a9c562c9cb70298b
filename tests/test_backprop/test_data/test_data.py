"""The digits, one-hot rows, splits without a common row, batches without replacement."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backprop.data import Split, batches, digits, disturb, one_hot, split
from backprop.errors import UsageError

COUNTS = [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]
"""How many there are of each digit, as the data set's description states them."""


def rng(seed=0):
    return np.random.default_rng(seed)


def test_the_digits_are_the_published_ones():
    X, labels = digits()
    assert X.shape == (1797, 64)
    assert X.dtype == np.float64
    assert np.bincount(labels).tolist() == COUNTS
    assert np.array_equal(16 * X, np.round(16 * X))
    assert (X.min(), X.max()) == (0.0, 1.0)


def test_the_digits_are_those_of_scikit_learn():
    peer = pytest.importorskip("sklearn.datasets").load_digits()
    X, labels = digits()
    assert np.array_equal(16 * X, peer.data)
    assert np.array_equal(labels, peer.target)


def test_no_digit_occurs_twice():
    assert len(np.unique(digits()[0], axis=0)) == 1797


def test_nobody_can_spoil_the_digits():
    digits()[0][:] = 7
    assert digits()[0].max() == 1


@given(st.lists(st.integers(0, 6), min_size=1))
def test_one_hot_rows_have_a_single_one_at_the_label(labels):
    Y = one_hot(labels, 7)
    assert Y.shape == (len(labels), 7)
    assert np.argmax(Y, axis=1).tolist() == labels
    assert np.sum(Y == 1) == len(labels) == np.sum(Y)


@pytest.mark.parametrize(
    ("labels", "classes", "message"),
    [
        ([0, 3], 3, "label 3 in row 1"),
        ([0, -1], None, "label -1 in row 1"),
        ([0.5], None, "integers"),
        ([True], 2, "integers"),
        ([[0, 1]], None, "shape"),
        ([[0], [1, 2]], None, "flat list"),
        (["a"], None, "integers"),
        (3, None, "shape"),
        ([0], 0, "at least 1"),
        ([0], 2.5, "whole number"),
        ([], None, None),
    ],
)
def test_labels_that_are_none_are_named(labels, classes, message):
    if message is None:
        assert one_hot(labels, classes).shape == (0, 0)
        return
    with pytest.raises(UsageError, match=message):
        one_hot(labels, classes)


FRACTIONS = st.sampled_from([(0.7, 0.1, 0.2), (0.8, 0.0, 0.2), (1.0, 0.0, 0.0), (1 / 3, 1 / 3, 1 / 3)])


@given(st.integers(30, 200), FRACTIONS, st.integers(0, 5), st.booleans())
def test_a_split_deals_every_row_once(n, fractions, seed, stratified):
    X, Y = np.arange(2 * n).reshape(n, 2), np.arange(n)
    classes = 3
    parts = split(X, Y, fractions, seed=seed, stratify=np.arange(n) % classes if stratified else None)
    assert sorted(np.concatenate([part.rows for part in parts])) == list(range(n))
    for part, share in zip(parts, fractions, strict=True):
        assert np.array_equal(part.X, X[part.rows])
        assert np.array_equal(part.Y, Y[part.rows])
        assert abs(len(part.rows) - share * n) <= (classes if stratified else 1)


def test_a_split_depends_on_its_seed_only():
    X, labels = digits()
    first, again, other = (split(X, labels, seed=seed) for seed in (3, 3, 4))
    assert np.array_equal(first.test.rows, again.test.rows)
    assert not np.array_equal(first.test.rows, other.test.rows)


def test_a_stratified_split_keeps_the_proportions():
    X, labels = digits()
    parts = split(X, labels, (0.7, 0.1, 0.2), stratify=labels)
    for part, share in zip(parts, (0.7, 0.1, 0.2), strict=True):
        assert np.all(np.abs(np.bincount(part.Y) - share * np.array(COUNTS)) <= 1)


@pytest.mark.parametrize(
    ("n", "m", "options", "message"),
    [
        (5, 4, {}, "same number of rows"),
        (0, 0, {}, "no rows"),
        (2, 2, {}, "no row left for the test part"),
        (9, 9, {"fractions": (0.5, 0.5, 0.5)}, "sum to 1"),
        (9, 9, {"fractions": (1.2, -0.2, 0.0)}, "sum to 1"),
        (9, 9, {"fractions": (0.0, 0.5, 0.5)}, "training above 0"),
        (9, 9, {"fractions": (0.5, 0.5)}, "three shares"),
        (9, 9, {"fractions": (float("nan"), 0.5, 0.5)}, "three shares"),
        (9, 9, {"stratify": [1, 2]}, "one label for each of the 9 rows"),
    ],
)
def test_an_impossible_split_is_refused(n, m, options, message):
    with pytest.raises(UsageError, match=message):
        split(np.zeros((n, 2)), np.zeros(m), **options)


def test_the_parts_have_names():
    assert Split._fields == ("train", "validation", "test")


@given(st.integers(1, 100), st.data())
def test_batches_visit_every_row_once(n, data):
    size = data.draw(st.integers(1, n))
    drawn = list(batches(rng(), n, size))
    assert sorted(np.concatenate(drawn)) == list(range(n))
    assert [len(rows) for rows in drawn[:-1]] == [size] * (len(drawn) - 1)


def test_batches_come_in_random_order():
    assert not np.array_equal(np.concatenate(list(batches(rng(), 100, 10))), np.arange(100))


@pytest.mark.parametrize(("n", "size", "message"), [(5, 6, "larger than"), (5, 0, "at least 1"), (5, 2.0, "whole")])
def test_an_impossible_batch_is_refused_at_once(n, size, message):
    with pytest.raises(UsageError, match=message):
        batches(rng(), n, size)


def test_undisturbed_images_stay_as_they_are():
    X = digits()[0][:20]
    assert np.array_equal(disturb(rng(), X, shift=0, noise=0), X)


def test_a_shift_moves_ink_and_makes_none():
    image = np.zeros((1, 64))
    image[0, 27] = 1  # away from the edge: nothing can leave
    moved = disturb(rng(1), np.repeat(image, 50, axis=0), shift=1, noise=0)
    assert moved.sum(axis=1) == pytest.approx(np.ones(50))
    assert np.all(moved >= 0)
    assert len(np.unique(moved, axis=0)) == 50


def test_a_whole_pixel_shift_is_a_whole_pixel_shift():
    class Fixed:
        def uniform(self, low, high, shape):
            return np.full(shape, high)

        def standard_normal(self, shape):
            return np.zeros(shape)

    X = digits()[0][:5]
    moved = disturb(Fixed(), X, shift=1, noise=0).reshape(5, 8, 8)
    assert np.array_equal(moved[:, 1:, 1:], X.reshape(5, 8, 8)[:, :-1, :-1])
    assert not moved[:, 0].any()
    assert not moved[:, :, 0].any()


def test_disturbing_does_not_change_its_input():
    X = digits()[0][:5]
    before = X.copy()
    disturb(rng(), X)
    assert np.array_equal(X, before)


@pytest.mark.parametrize("options", [{"shift": 2}, {"shift": float("nan")}, {"noise": -1}])
def test_impossible_disturbances_are_refused(options):
    with pytest.raises(UsageError, match="disturb wants"):
        disturb(rng(), np.zeros((2, 64)), **options)


def test_only_square_images_are_disturbed():
    with pytest.raises(UsageError, match="square"):
        disturb(rng(), np.zeros((2, 63)))
