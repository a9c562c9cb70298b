"""The lecture's names: schedulers against its equations by hand, its class against ours, its XOR snippet as printed."""

from __future__ import annotations

import numpy as np
import pytest

import backprop
from backprop.errors import UsageError
from backprop.lecture import (
    FFNN,
    LRELU,
    RELU,
    Adagrad,
    AdagradMomentum,
    Adam,
    Constant,
    CostCrossEntropy,
    CostLogReg,
    CostOLS,
    Momentum,
    RMS_prop,
    identity,
    sigmoid,
    softmax,
)

SNIPPET = """
X = np.array([ [0, 0], [0, 1], [1, 0],[1, 1]],dtype=np.float64)
yXOR = np.array( [[ 0], [1] , [1], [0]])
input_nodes = X.shape[1]
output_nodes = 1
logistic_regression = FFNN((input_nodes, output_nodes), output_func=sigmoid, cost_func=CostLogReg, seed=2023)
logistic_regression.reset_weights()
scheduler = Adam(eta=1e-1, rho=0.9, rho2=0.999)
scores = logistic_regression.fit(X, yXOR, scheduler, epochs=1000)
"""
XOR = np.array([[0.0, 0], [0, 1], [1, 0], [1, 1]]), np.array([[0.0], [1], [1], [0]])
ROUNDING = 1e-12
GUARD = 1e-8


def test_the_printed_snippet_runs_and_cannot_work():
    names: dict = {"np": np, "FFNN": FFNN, "sigmoid": sigmoid, "CostLogReg": CostLogReg, "Adam": Adam}
    exec(SNIPPET, names)
    scores = names["scores"]
    assert len(scores["train_errors"]) == 1000
    # The cost is convex in w and b, its gradient vanishes at 0: log 2, outputs 1/2, is the least there is.
    assert scores["train_errors"].min() >= np.log(2)
    assert scores["train_accs"].max() < 1
    model = names["logistic_regression"]
    assert np.abs(model.network.gradient(np.zeros(3), *XOR)).max() < ROUNDING
    assert model.network.cost(np.zeros(3), *XOR) == pytest.approx(np.log(2))


def test_with_a_hidden_layer_the_same_call_solves_it():
    model = FFNN((2, 4, 1), output_func=sigmoid, cost_func=CostLogReg, seed=1)
    scores = model.fit(*XOR, Adam(eta=1e-1, rho=0.9, rho2=0.999), epochs=300)
    assert model.predict(XOR[0]).tolist() == XOR[1].tolist()
    assert scores["train_accs"][-1] == 1


def steps_of(scheduler, gradients, epoch):
    """The changes, a reset after every `epoch` of them."""
    found = []
    for k, gradient in enumerate(gradients, start=1):
        found.append(scheduler.update_change(gradient))
        if k % epoch == 0:
            scheduler.reset()
    return np.array(found)


def by_hand(name, gradients, epoch):
    """The lecture's equations, written out once more; epsilon outside the root."""
    eta, mu, rho, rho2 = 0.1, 0.7, 0.9, 0.99
    change = G = m = v = 0.0
    found = []
    for k, g in enumerate(gradients):
        t = 1 + k // epoch
        if k % epoch == 0:
            G = m = v = 0.0
        G, m, v = G + g**2, rho * m + (1 - rho) * g, rho2 * v + (1 - rho2) * g**2
        scaled = eta * g / (np.sqrt(G) + GUARD)
        change = mu * change + (scaled if name == "AdagradMomentum" else eta * g)
        corrected = eta * m / (1 - rho**t) / (np.sqrt(v / (1 - rho2**t)) + GUARD)
        every = {
            "Constant": eta * g, "Momentum": change, "Adagrad": scaled, "AdagradMomentum": change,
            "RMS_prop": eta * g / (np.sqrt(v) + GUARD), "Adam": corrected,
        }  # fmt: skip
        found.append(every[name])
    return np.array(found)


SCHEDULERS = {
    "Constant": lambda: Constant(eta=0.1),
    "Momentum": lambda: Momentum(eta=0.1, momentum=0.7),
    "Adagrad": lambda: Adagrad(eta=0.1),
    "AdagradMomentum": lambda: AdagradMomentum(eta=0.1, momentum=0.7),
    "RMS_prop": lambda: RMS_prop(eta=0.1, rho=0.99),
    "Adam": lambda: Adam(eta=0.1, rho=0.9, rho2=0.99),
}


@pytest.mark.parametrize("name", SCHEDULERS)
@pytest.mark.parametrize("epoch", [1, 3, 100])
@pytest.mark.parametrize("shape", [(4,), (3, 2)])
def test_a_scheduler_follows_the_lectures_equations_across_epochs(name, epoch, shape):
    gradients = np.random.default_rng(3).normal(size=(7, *shape))
    found = steps_of(SCHEDULERS[name](), gradients, epoch)
    assert np.allclose(found, by_hand(name, gradients, epoch), rtol=ROUNDING, atol=ROUNDING)


@pytest.mark.parametrize("name", SCHEDULERS)
def test_a_change_belongs_to_the_caller_and_another_shape_is_refused(name):
    scheduler = SCHEDULERS[name]()
    first = scheduler.update_change([1.0, 2.0])
    kept = first.copy()
    scheduler.update_change([5.0, -2.0])
    assert first.tolist() == kept.tolist()
    if name != "Constant":  # which remembers nothing
        with pytest.raises(UsageError, match="has worked on"):
            scheduler.update_change([1.0])


@pytest.mark.parametrize(
    ("output", "cost", "targets", "factor"),
    [
        (identity, CostOLS, "mse", 3),
        (softmax, CostOLS, "mse", 3),
        (sigmoid, CostLogReg, "binary-cross-entropy", 1),
        (softmax, CostCrossEntropy, "cross-entropy", 1 / 3),
    ],
)
def test_costs_and_steps_are_ours_times_the_factor_that_is_said(output, cost, targets, factor):
    rng = np.random.default_rng(0)
    X, Y = rng.normal(size=(8, 2)), np.eye(3)[rng.integers(3, size=8)]
    model = FFNN((2, 4, 3), hidden_func=LRELU, output_func=output, cost_func=cost, seed=0)
    net = backprop.build("2-4-3", activation="leaky_relu", output=output.stated, cost=targets)
    start = model.theta.copy()
    assert cost(Y)(model.feedforward(X)) == pytest.approx(factor * net.cost(start, X, Y), rel=1e-8)
    model.fit(X, Y, Constant(eta=0.1), epochs=5, lam=0.3)
    theta = start.copy()
    decayed = np.concatenate([np.r_[np.ones(W.size), np.zeros(b.size)] for W, b in net.views(theta)])
    for _ in range(5):
        theta -= 0.1 * (factor * net.gradient(theta, X, Y) + 0.3 * decayed * theta)
    assert np.allclose(model.theta, theta, rtol=ROUNDING, atol=ROUNDING)


def test_fit_deals_every_row_once_judges_validation_rows_and_leaves_the_scheduler_fresh():
    rng = np.random.default_rng(1)
    X, t = rng.normal(size=(10, 2)), rng.normal(size=(10, 1))
    scheduler = Adagrad(eta=0.1)
    model = FFNN((2, 3, 1), hidden_func=RELU, seed=4)
    scores = model.fit(X[:7], t[:7], scheduler, batches=3, epochs=4, X_val=X[7:], t_val=t[7:])
    assert sorted(scores) == ["train_errors", "val_errors"]
    assert [len(curve) for curve in scores.values()] == [4, 4]
    assert repr(scheduler) == repr(Adagrad(eta=0.1))
    assert scheduler.update_change([2.0]).round(6).tolist() == [0.1]  # a first step
    assert model.predict(X).shape == (10, 1)
    assert [W.shape for W in model.weights] == [(3, 3), (4, 1)]
    before = model.theta
    model.reset_weights()
    again = model.theta
    assert not np.array_equal(before, again)
    model.reset_weights()
    assert np.array_equal(again, model.theta)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: FFNN((2, 1), cost_func=CostLogReg), "needs outputs between 0 and 1"),
        (lambda: FFNN((2, 3, 1), hidden_func=softmax), "softmax is an output activation only"),
        (lambda: FFNN((2, 1), output_func=lambda x: x), "must be a function of backprop.lecture"),
        (lambda: FFNN((2, 1), cost_func="mse"), "cost_func must be"),
        (lambda: FFNN((2, 1)).fit(*XOR, Adam), "write Adam"),
        (lambda: FFNN((2, 1)).fit(*XOR, Constant(0.1), batches=5), "4 rows cannot be dealt into 5"),
        (lambda: FFNN((2, 1)).fit(*XOR, Constant(0.1), lam=-1), "lam must be"),
        (lambda: FFNN((2, 1)).fit(*XOR, Constant(0.1), X_val=XOR[0]), "belong together"),
        (lambda: FFNN((2, 1)).fit(XOR[0], XOR[1][:3], Constant(0.1)), "as many rows"),
        (lambda: CostOLS([[1.0]])([[1.0, 2.0]]), "must have one shape"),
        (lambda: sigmoid(["a"]), "X must be"),
    ],
)
def test_what_cannot_be_is_refused_in_one_line(call, words):
    with pytest.raises(UsageError, match=words):
        call()
