"""The estimators are scikit-learn's kind: its own checks, all of them, and its searches."""

from __future__ import annotations

import pickle

import numpy as np
import pytest

from backprop.data import digits
from backprop.errors import UsageError

pytest.importorskip("sklearn")

from scipy.stats import loguniform
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV, RandomizedSearchCV, cross_val_score
from sklearn.utils.estimator_checks import estimator_checks_generator

from backprop.estimators import BackpropClassifier, BackpropRegressor

X, LABELS = digits()
RNG = np.random.default_rng(0)
POINTS = RNG.uniform(-1, 1, size=(80, 2))
HEIGHTS = np.sin(2 * POINTS[:, 0]) * POINTS[:, 1]
CHECKS = [
    pytest.param(estimator, check, id=f"{type(estimator).__name__}-{getattr(check, 'func', check).__name__}")
    for one in (BackpropClassifier(), BackpropRegressor())
    for estimator, check in estimator_checks_generator(one)
]


@pytest.mark.filterwarnings("ignore:.*:sklearn.exceptions.SkipTestWarning")
@pytest.mark.parametrize(("estimator", "check"), CHECKS)
def test_the_check_of_scikit_learn_passes(estimator, check):
    check(estimator)


@pytest.mark.parametrize("make", [BackpropClassifier, BackpropRegressor])
def test_the_settings_of_a_search_are_kept_as_they_were_given(make):
    hidden = [3, 4]
    assert make(hidden).get_params()["hidden"] is hidden


def test_a_grid_search_finds_that_the_digits_want_a_hidden_layer():
    search = GridSearchCV(
        BackpropClassifier(epochs=10, random_state=0), {"hidden": [(1,), (16,)], "rate": [0.01]}, cv=3
    ).fit(X[:400], LABELS[:400])
    assert search.best_params_["hidden"] == (16,)
    assert search.score(X[400:800], LABELS[400:800]) > 0.8


def test_a_randomised_search_draws_rates():
    search = RandomizedSearchCV(
        BackpropRegressor((8,), activation="tanh", epochs=30, random_state=0),
        {"rate": loguniform(1e-4, 1e-1), "optimiser": ["adam", "rmsprop"]}, n_iter=4, cv=2, random_state=0,
    ).fit(POINTS, HEIGHTS)  # fmt: skip
    assert search.best_score_ == max(search.cv_results_["mean_test_score"])
    assert search.best_score_ > 0.5


def test_cross_validation_scores_are_accuracies():
    scores = cross_val_score(BackpropClassifier(epochs=10, random_state=0), X[:300], LABELS[:300], cv=3)
    assert np.all(scores > 0.7)


def test_labels_may_be_words_and_probabilities_are_in_their_order():
    words = np.array(["cold", "warm", "hot"])[(POINTS[:, 0] > -0.3).astype(int) + (POINTS[:, 0] > 0.3)]
    model = BackpropClassifier((8,), random_state=0).fit(POINTS, words)
    assert model.classes_.tolist() == ["cold", "hot", "warm"]
    probabilities = model.predict_proba(POINTS)
    assert probabilities.sum(axis=1) == pytest.approx(np.ones(80))
    assert model.predict([[-1.0, 0.0], [1.0, 0.0]]).tolist() == ["cold", "hot"]


def test_several_targets_are_several_columns():
    both = np.column_stack([HEIGHTS, 1000 * HEIGHTS + 7])
    model = BackpropRegressor((16,), activation="tanh", random_state=0).fit(POINTS, both)
    assert model.predict(POINTS).shape == (80, 2)
    assert model.score(POINTS, both) > 0.95


def test_what_was_trained_can_be_looked_at_and_kept():
    model = BackpropClassifier((4,), epochs=5, random_state=0, validation=0.2).fit(X[:200], LABELS[:200])
    again = pickle.loads(pickle.dumps(model))
    assert np.array_equal(again.predict_proba(X), model.predict_proba(X))
    assert model.n_iter_ == 5
    assert len(model.costs_) == len(model.history_.validation_costs) == 6
    assert "BP1" in model.network_.source
    assert not hasattr(clone(model), "theta_")


def test_a_penalty_shrinks_the_weights_and_dropout_still_learns():
    free, held = (BackpropRegressor((8,), l2=l2, epochs=30, random_state=0).fit(POINTS, HEIGHTS) for l2 in (0.0, 0.1))
    assert np.sum(held.theta_**2) < np.sum(free.theta_**2)
    model = BackpropClassifier((32,), dropout=0.3, epochs=30, random_state=0).fit(X[:300], LABELS[:300])
    assert model.score(X[300:600], LABELS[300:600]) > 0.8
    assert np.array_equal(model.predict_proba(X), model.predict_proba(X))


def test_a_constant_column_is_harmless():
    constant = np.column_stack([POINTS, np.full(80, 3.0)])
    assert (
        BackpropRegressor((8,), activation="tanh", random_state=0).fit(constant, HEIGHTS).score(constant, HEIGHTS) > 0.9
    )


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"hidden": "100"}, "sequence of layer sizes"),
        ({"hidden": 100}, "sequence of layer sizes"),
        ({"hidden": (1.5,)}, "whole numbers"),
        ({"hidden": (0,)}, "at least 1 unit"),
        ({"activation": "rellu"}, "did you mean 'relu'"),
        ({"rate": -1}, "learning rate"),
        ({"batch": 1000}, "larger than the data"),
        ({"validation": 2.0}, "share of the rows"),
        ({"l2": -1.0}, "l2"),
        ({"dropout": 1.5}, "Dropout"),
    ],
)
def test_impossible_settings_are_refused_when_fitting(settings, message):
    with pytest.raises(UsageError, match=message):
        BackpropRegressor(**settings).fit(POINTS, HEIGHTS)


@pytest.mark.parametrize(
    "settings",
    [
        {"hidden": None}, {"hidden": b"ab"}, {"hidden": {3, 4}}, {"hidden": (True,)}, {"activation": ["relu"]},
        {"activation": None}, {"l2": None}, {"dropout": "0.5"}, {"optimiser": None}, {"optimiser": {"adam"}},
        {"epochs": True}, {"validation": b"x"},
    ],
)  # fmt: skip
def test_settings_that_mean_nothing_are_refused_in_one_line(settings):
    X = np.random.default_rng(0).normal(size=(12, 2))
    with pytest.raises(UsageError) as caught:
        BackpropRegressor(**{"epochs": 1, **settings}).fit(X, X[:, 0])
    assert "\n" not in str(caught.value)


def test_masked_rows_are_not_trained_on():
    X = np.random.default_rng(0).normal(size=(12, 2))
    masked = np.ma.array(X, mask=X > 1)
    for arguments in ((masked, X[:, 0]), (X, masked[:, 0])):
        with pytest.raises(UsageError, match="masked entries"):
            BackpropRegressor(epochs=1).fit(*arguments)
    model = BackpropRegressor(epochs=1, random_state=0).fit(np.ma.array(X), X[:, 0])
    with pytest.raises(UsageError, match="masked entries"):
        model.predict(masked)
