"""CompiledNetwork: one flat vector, views, purity, and agreement with two independent derivatives and a peer."""

from __future__ import annotations

import copy
import os
import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backprop.errors import UsageError
from backprop.runtime.compiled import CompiledNetwork, build
from backprop.specification.parameters import ParameterLayout
from backprop.verification.strategies import batches, networks, parameters
from backprop.verification.verify import assert_gradients

STEP = 1e-30
RELATIVE = 1e-10
SMOOTH = ("identity", "sigmoid", "tanh", "softplus", "log_sigmoid", "gelu_tanh", "silu", "mish")
TORCH_RELATIVE = 1e-9
ROUNDING = 1e-12  # the same sums, added up in another order


@st.composite
def cases(draw, activations=None):
    network = draw(networks(activations=activations) if activations else networks())
    return network, draw(parameters(network)), *draw(batches(network))


@given(cases(activations=SMOOTH))
def test_the_gradient_is_the_complex_step_derivative_of_the_cost(case):
    network, theta, X, Y = case
    net = CompiledNetwork(network)
    u = np.random.default_rng(0).normal(size=theta.size)
    slope = net.cost(theta + 1j * STEP * u, X, Y).imag / STEP
    gradient = net.gradient(theta, X, Y)
    assert abs(slope - gradient @ u) <= RELATIVE * (1 + np.abs(gradient * u).sum())


@given(cases())
def test_value_and_gradient_agree_with_cost_gradient_and_the_readable_module(case):
    network, theta, X, Y = case
    net = CompiledNetwork(network)
    value, gradient = net.value_and_gradient(theta, X, Y)
    assert abs(value - net.cost(theta, X, Y)) <= ROUNDING * (1 + abs(value))
    readable = net.layout.flatten(net.module.gradients(net.views(theta), X, Y))
    for other in (net.gradient(theta, X, Y), readable, net.flat.gradient(theta, X, Y)):
        assert np.abs(gradient - other).max() <= ROUNDING * (1 + np.abs(other).max())


@given(cases())
def test_functions_are_pure_and_results_alias_nothing(case):
    network, theta, X, Y = case
    net = CompiledNetwork(network)
    kept = [array.copy() for array in (theta, X, Y)]
    first, output = net.gradient(theta, X, Y), net.forward(theta, X)
    again = net.gradient(theta, X, Y)
    np.testing.assert_array_equal(first, again)
    assert not any(np.shares_memory(a, b) for a in (first, output) for b in (again, theta, X, Y))
    for before, now in zip(kept, (theta, X, Y), strict=True):
        np.testing.assert_array_equal(before, now)


def test_views_are_views_and_flatten_is_their_inverse():
    net = build("3-4-2")
    theta = net.initial(np.random.default_rng(0))
    views = net.views(theta)
    assert all(np.shares_memory(array, theta) for pair in views for array in pair)
    np.testing.assert_array_equal(net.layout.flatten(views), theta)
    views[0][0][1, 2] = 7.0
    assert 7.0 in theta


def test_the_layout_names_every_parameter_once_and_covers_the_vector():
    blocks = ParameterLayout.of((5, 4, 3)).blocks
    assert [block.name for block in blocks] == ["W1", "b1", "W2", "b2"]
    covered = np.concatenate([np.arange(block.start, block.stop) for block in blocks])
    np.testing.assert_array_equal(covered, np.arange(ParameterLayout.of((5, 4, 3)).size))


def test_types_follow_the_inputs():
    net = build("3-4-2", "gelu", "softmax", "cross-entropy")
    rng = np.random.default_rng(0)
    theta, (X, Y) = net.initial(rng).astype(np.float32), net.module.data(rng)
    X, Y = X.astype(np.float32), Y.astype(np.float32)
    value, gradient = net.value_and_gradient(theta, X, Y)
    assert (value.dtype, gradient.dtype, net.forward(theta, X).dtype) == (np.float32,) * 3


@pytest.mark.parametrize("copier", [copy.copy, copy.deepcopy, lambda net: pickle.loads(pickle.dumps(net))])
def test_a_network_can_be_copied_and_pickled(copier):
    net = build("3-4-2", "x*tanh(x)")
    other = copier(net)
    assert (other.network, other.source) == (net.network, net.source)
    theta = net.initial(np.random.default_rng(0))
    np.testing.assert_array_equal(net.forward(theta, np.ones((2, 3))), other.forward(theta, np.ones((2, 3))))


@pytest.mark.parametrize(
    ("theta", "X", "Y", "what"),
    [
        (np.zeros(5), np.ones((2, 3)), np.ones((2, 2)), "26 parameters"),
        (np.zeros((26, 1)), np.ones((2, 3)), np.ones((2, 2)), "26 parameters"),
        (np.zeros(26), np.ones((2, 4)), np.ones((2, 2)), r"X must be .*\(n, 3\)"),
        (np.zeros(26), np.ones(3), np.ones((2, 2)), r"X must be .*\(n, 3\)"),
        (np.zeros(26), np.ones((0, 3)), np.ones((0, 2)), "n >= 1"),
        (np.zeros(26), np.ones((2, 3)), np.ones((2, 1)), r"Y must be .*\(n, 2\)"),
        (np.zeros(26), np.ones((2, 3)), np.ones((3, 2)), "as many rows"),
        (np.zeros(26), [[1.0, 2.0, 3.0]], np.ones((1, 2)), "X must be an array"),
    ],
)
def test_a_shape_that_does_not_fit_is_a_usage_error(theta, X, Y, what):
    net = build("3-4-2")
    for call in (net.cost, net.gradient, net.value_and_gradient):
        with pytest.raises(UsageError, match=what):
            call(theta, X, Y)


def test_flattening_wrong_shapes_names_the_parameter():
    net = build("3-4-2")
    params = net.views(net.initial(np.random.default_rng(0)))
    with pytest.raises(UsageError, match=r"W2 must have shape \(4, 2\), got \(2, 4\)"):
        net.layout.flatten([params[0], (params[1][0].T, params[1][1])])
    with pytest.raises(UsageError, match="4 parameters are needed"):
        net.layout.flatten(params[:1])


def test_assert_gradients_passes_right_code_and_explains_wrong_code():
    net = build("3-3-2", "tanh")
    assert_gradients(net)
    net.module.gradients.__globals__["gradients"] = None
    broken = build("3-3-2", "tanh")
    broken.source = broken.source.replace("delta2 @ W2.T", "delta2 @ W2.T * 2")
    with pytest.raises(AssertionError, match="layer 1"):
        assert_gradients(broken)


def torch_gradient(network, params, X, Y):
    """The same network by another library's automatic differentiation."""
    torch = pytest.importorskip("torch") if os.environ.get("CI") != "true" else __import__("torch")
    F = torch.nn.functional
    functions = {
        "identity": lambda z: z, "sigmoid": torch.sigmoid, "tanh": torch.tanh, "relu": torch.relu,
        "leaky_relu": F.leaky_relu, "elu": F.elu, "selu": F.selu, "softplus": F.softplus,
        "log_sigmoid": F.logsigmoid, "gelu": F.gelu, "gelu_tanh": lambda z: F.gelu(z, approximate="tanh"),
        "silu": F.silu, "mish": F.mish, "softmax": lambda z: torch.softmax(z, 1),
    }  # fmt: skip
    tensors = [tuple(torch.tensor(p, requires_grad=True) for p in pair) for pair in params]
    a, target = torch.tensor(X), torch.tensor(Y)
    for (W, b), name in zip(tensors, network.functions, strict=True):
        z = a @ W + b
        a = functions[name](z)
    n = len(X)
    costs = {
        "half-sse": lambda: ((a - target) ** 2).sum() / 2,
        "mse": lambda: F.mse_loss(a, target),
        "cross-entropy": lambda: (
            -(target * (torch.log_softmax(z, 1) if network.output == "softmax" else F.logsigmoid(z))).sum() / n
        ),
        "binary-cross-entropy": lambda: F.binary_cross_entropy_with_logits(z, target, reduction="sum") / n,
    }
    cost = costs[network.cost]()
    cost.backward()
    return cost.item(), [tuple(p.grad.numpy() for p in pair) for pair in tensors]


@given(cases())
def test_a_peer_finds_the_same_cost_and_gradient(case):
    network, theta, X, Y = case
    net = CompiledNetwork(network)
    cost, gradients = torch_gradient(network, [(W.copy(), b.copy()) for W, b in net.views(theta)], X, Y)
    value, gradient = net.value_and_gradient(theta, X, Y)
    expected = net.layout.flatten(gradients)
    scale = 1 + np.abs(expected).max()
    assert abs(value - cost) <= TORCH_RELATIVE * (1 + abs(cost))
    assert np.abs(gradient - expected).max() <= TORCH_RELATIVE * scale
