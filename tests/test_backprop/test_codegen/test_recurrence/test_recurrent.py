"""A generated recurrent network is right for sequences of any length; mistakes in time are called wrong."""

from __future__ import annotations

import numpy as np
import pytest

import backprop
from backprop.codegen.lowering.load import load
from backprop.door.cli import main
from backprop.errors import UsageError

ROUNDING = 1e-12
FUNCTIONS = [("tanh", "identity", "half-sse"), ("relu", "softmax", "cross-entropy"), ("identity", "tanh", "mse")]
LINES = {
    "the path through time is left out": (
        "delta[t] = (delta[t + 1] @ W1.T) * f_prime(z[t])",
        "delta[t] = 0 * delta[t + 1]",
    ),
    "only the last step counts": ("steps = range(1, T + 1)", "steps = [T]"),
    "W is not transposed": ("@ W1.T", "@ W1"),
    "the slope is taken a step too late": ("* f_prime(z[t])", "* f_prime(z[t + 1])"),
    "W meets h of the same step": ("h[t - 1].T @ delta[t]", "h[t].T @ delta[t]"),
    "the slope is left out": (") * f_prime(z[t])", ")"),
}


@pytest.fixture(scope="module")
def net():
    return backprop.build_recurrent("3-4-2")


@pytest.mark.parametrize("names", FUNCTIONS, ids="-".join)
def test_a_recurrent_network_is_exact_in_its_wiring(names, tmp_path):
    path = tmp_path / "recurrent.py"
    path.write_text(backprop.build_recurrent("3-4-2", *names).source, encoding="utf-8")
    report = backprop.verify(str(path))
    assert report.ok
    assert "exact in its wiring" in str(report)


@pytest.mark.parametrize("mistake", LINES)
def test_a_mistake_in_time_is_called_wrong_in_the_recurrent_layer(net, mistake):
    right, wrong = LINES[mistake]
    assert net.source.count(right) == 1
    report = backprop.verify(load(net.source.replace(right, wrong)))
    assert not report.ok
    named = {name for finding in report.findings for name in finding.parameters}
    assert named
    assert named <= {"E1", "W1", "b1"}


def test_a_sequence_of_one_step_is_the_network_without_time(net):
    dense = backprop.build("3-4-2", activation="tanh")
    rng = np.random.default_rng(0)
    (E, W, b), above = net.parameters(rng)
    X, Y = rng.normal(size=(5, 3)), rng.normal(size=(5, 2))
    (dE, dW, db), (dV, dc) = net.gradients([(E, W, b), above], X[:, None], Y)
    theta = np.concatenate([part.ravel() for part in (E, b, *above)])
    expected = dense.gradient(theta, X, Y)
    assert np.allclose(np.concatenate([part.ravel() for part in (dE, db, dV, dc)]), expected, atol=ROUNDING)
    assert not dW.any()


@pytest.mark.parametrize("length", [1, 2, 9])
def test_the_gradient_through_time_is_the_derivative_for_any_length(net, length):
    rng = np.random.default_rng(length)
    params, step = net.parameters(rng), 1e-30
    X, Y = rng.normal(size=(4, length, 3)), rng.normal(size=(4, 2))
    (E, W, b), above = params
    found = net.gradients(params, X, Y)[0].W
    for at in np.ndindex(W.shape):
        moved = W.astype(complex)
        moved[at] += 1j * step
        assert abs(net.cost([(E, moved, b), above], X, Y).imag / step - found[at]) < ROUNDING * max(1, abs(found[at]))


@pytest.mark.parametrize("scale", [0.5, 1.0, 2.0])
@pytest.mark.parametrize("activation", ["identity", "tanh"])
def test_errors_stay_below_the_bound_and_reach_it_where_the_slope_is_one(activation, scale):
    """Where E is 1, what enters is added to z, so that its derivative is the error; measured by complex steps."""
    net, rng, step = backprop.build_recurrent("4-4-1", activation=activation), np.random.default_rng(1), 1e-30
    (_, _, b), above = net.parameters(rng)
    params = [(np.eye(4), scale * np.linalg.qr(rng.normal(size=(4, 4)))[0], b), above]
    X, Y = rng.normal(size=(1, 6, 4)), rng.normal(size=(1, 1))
    errors = np.empty(X.shape[1:])
    for at in np.ndindex(errors.shape):
        moved = X.astype(complex)
        moved[0][at] += 1j * step
        errors[at] = net.cost(params, moved, Y).imag / step
    growth = np.linalg.norm(errors[:-1], axis=1) / np.linalg.norm(errors[1:], axis=1)
    assert (growth <= scale * (1 + ROUNDING)).all()
    assert np.allclose(growth, scale) == (activation == "identity")


@pytest.mark.parametrize("sizes", ["3-2", "2-3-4-1", "3-0-1"])
def test_what_is_not_three_sizes_is_refused(sizes):
    with pytest.raises(UsageError):
        backprop.build_recurrent(sizes)


def test_the_command_line_generates_the_same_module(net, tmp_path, capsys):
    path = tmp_path / "recurrent.py"
    assert main(["generate", "3-4-2", "--activation", "tanh", "--target", "recurrent", "-o", str(path)]) == 0
    assert path.read_text(encoding="utf-8") == net.source
    capsys.readouterr()
    assert main(["generate", "3-2", "--target", "recurrent"]) == 2
    assert "three sizes" in capsys.readouterr().err
