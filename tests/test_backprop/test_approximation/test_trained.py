"""Plain training: the same networks, and an error that is the optimiser's."""

from __future__ import annotations

import functools

import numpy as np
import pytest

import backprop
from backprop.approximation import approximate, approximate_by, train_with_adam
from backprop.approximation.ground.target import read_target
from backprop.door.cli import main
from backprop.errors import UsageError

ROUNDING = 1e-12
SINE = "sin(2*pi*x)"
QUICK = 150


@functools.cache
def train(text=SINE, width=8, activation="tanh", domain=(0.0, 1.0), epochs=QUICK, seed=0):
    return train_with_adam(read_target(text, domain), width, activation, epochs=epochs, seed=seed)


@pytest.mark.parametrize("activation", ["tanh", "sigmoid", "relu", "x*tanh(x)"])
def test_training_comes_nearer_than_a_constant(activation):
    found = train(activation=activation)
    assert (found.width, found.activation, found.method) == (8, activation, "adam")
    assert found.sup_error < 0.9


def test_more_epochs_come_nearer():
    assert train(epochs=1000).sup_error < train(epochs=30).sup_error


def test_what_training_reaches_is_not_what_the_width_can_do():
    assert train(epochs=1000).sup_error > 100 * approximate(SINE, width=8).sup_error


def test_the_text_calls_it_an_optimisation_error():
    text = str(train())
    assert "trained with Adam" in text
    assert "optimisation error" in text
    assert "not what the network could" in text
    assert train().bound is None


def test_the_same_seed_gives_the_same_network_and_another_seed_another():
    again = train_with_adam(read_target(SINE, (0, 1)), 8, epochs=QUICK)
    assert again.to_dict() == train().to_dict()
    assert train(seed=1).to_dict() != train().to_dict()


@pytest.mark.parametrize(("text", "domain"), [("1000 + 5*sin(x)", (-3.0, 2.0)), ("x**2/10**6", (10.0, 30.0))])
def test_any_interval_and_size_will_do(text, domain):
    found = train(text, domain=domain)
    x = np.linspace(*domain, 301)
    error = np.max(np.abs(found.f(x) - found.function(x)))
    assert error <= found.sup_error + ROUNDING * found.function.scale
    assert error < 0.3 * found.function.scale


def test_the_network_is_the_generated_one():
    found = train()
    net = backprop.build("1-8-1", activation="tanh", output="identity", cost="mse")
    theta = np.concatenate([found.w, found.b, found.c, [found.constant]])
    x = np.linspace(0, 1, 50)[:, None]
    (W1, b1), (W2, b2) = net.views(theta)
    assert (W1.shape, b1.shape, W2.shape, b2.shape) == ((1, 8), (8,), (8, 1), (1,))
    assert net.forward(theta, x)[:, 0] == pytest.approx(found.f(x[:, 0]), abs=ROUNDING)


def test_an_epsilon_is_only_compared():
    target = read_target(SINE, (0, 1))
    assert not train_with_adam(target, 2, epochs=5, epsilon=1e-9).reached
    assert train_with_adam(target, 2, epochs=5, epsilon=10.0).reached


def test_the_command_trains_and_can_prove_what_it_reached(capsys, monkeypatch):
    monkeypatch.setattr("backprop.approximation.searching.trained.EPOCHS", QUICK)
    found = approximate_by("adam", "x**2", width=3, certify=True)
    assert found.certified
    assert main(["approximate", "x**2", "--method", "adam", "--width", "3"]) == 0
    assert "trained with Adam" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"width": 0}, "width must be from 1"),
        ({"width": 3, "activation": "max(x, x - 1)"}, "activation"),
        ({"width": 3, "epochs": 0}, "epochs must be"),
        ({"width": 3, "seed": -1}, "seed must be"),
    ],
)
def test_what_cannot_be_used_is_one_clear_line(options, message):
    with pytest.raises(UsageError, match=message) as caught:
        train_with_adam(read_target("x", (0, 1)), **options)
    assert "\n" not in str(caught.value)
