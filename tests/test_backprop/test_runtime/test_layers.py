"""Networks of any layers that run: wiring exact, values as another library has them, keywords checked."""

from __future__ import annotations

import os

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backprop import (
    GEGLU,
    GLU,
    BatchNorm,
    Bilinear,
    Dense,
    Dropout,
    LayerNorm,
    Network,
    PReLU,
    Residual,
    SwiGLU,
    UsageError,
    build,
    verify,
)
from backprop.codegen.lowering.lower import lower
from backprop.codegen.passes.writing import Form
from backprop.codegen.printing.emit import write_expression
from backprop.examiner.wiring.exact import check_exact
from backprop.specification.layers import Activation
from backprop.verification.strategies import batches, networks, parameters, stacks

PEER_RELATIVE = 1e-11
"""Both sides sum in another order, through variances of a few samples: a few thousand roundings."""
SUM_RELATIVE = 1e-9
"""Rounding of a sum, enlarged by up to 1/sqrt(epsilon) in a normalisation of a batch without variance."""
SAME_MEAN = 0.05
"""The mean of 40,000 mask entries of variance rate/(1 - rate) <= 9 is 1 up to 3.3 standard deviations of 0.015."""

ALONE = {
    "prelu": [Dense(4), PReLU(), Dense(2)],
    "glu": [GLU(4), Dense(2)],
    "geglu": [GEGLU(4), Dense(2)],
    "swiglu": [SwiGLU(4), Dense(2)],
    "bilinear": [Bilinear(4), Dense(2)],
    "batch norm": [Dense(4), BatchNorm(), Activation("tanh"), Dense(2)],
    "batch norm first": [BatchNorm(), Dense(2)],
    "batch norm last": [Dense(2), BatchNorm()],
    "layer norm": [Dense(4), LayerNorm(), Activation("gelu"), Dense(2)],
    "dropout": [Dense(4, "relu"), Dropout(0.5), Dense(2)],
    "dropout first": [Dropout(0.2), Dense(2)],
    "dropout last": [Dense(2), Dropout(0.2)],
    "residual": [Dense(4, "relu"), Residual(Dense(5, "tanh"), Dense(4)), Dense(2)],
    "residual of residual": [Residual(Dense(3, "relu"), Residual(Dense(3, "gelu"))), Dense(2)],
    "residual without weights": [Dense(3), Residual(LayerNorm()), Dense(2)],
}
OPTIONS = [{}, {"l2": 0.1}, {"l1": 0.2}, {"weighted": True, "cost": "mse"}]


def is_near(found, expected):
    """The same up to the order in which sums are added up."""
    finite = np.abs(expected)[np.isfinite(expected)]
    bound = SUM_RELATIVE * (1 + finite.max(initial=0))
    return np.allclose(found, expected, rtol=0, atol=bound, equal_nan=True)


def draw(net, seed=0, rows=6):
    """Parameters away from their starts, a batch, what comes in beside it."""
    rng = np.random.default_rng(seed)
    theta = net.initial(rng) + 0.3 * rng.normal(size=net.size)
    return theta, *net.module.data(rng, rows), net.context(rng, rows)


@pytest.mark.parametrize("options", OPTIONS, ids=["plain cost", "l2", "l1", "weighted"])
@pytest.mark.parametrize("name", ALONE)
def test_every_layer_alone_is_verified_and_its_wiring_is_exact(name, options):
    report = verify(build(Network(3, *ALONE[name], **options)))
    assert report.ok, str(report)
    assert report.evidence["exact"]["ok"]


@given(stacks())
def test_random_stacks_are_exact(network):
    result = check_exact(build(network).source)
    assert result.ok, f"{network!r}: {result}"
    assert result.parameters == network.size


@pytest.mark.parametrize("folded", [False, True], ids=["rows", "folded"])
@pytest.mark.parametrize("name", ALONE)
def test_every_layer_runs_fast_whatever_else_the_cost_has(name, folded):
    for options in OPTIONS:
        net = build(Network(3, *ALONE[name], **options))
        net.fast.choose = lambda n: Form(folded=folded)
        assert net.fast.module(Form(folded=folded)) is not None
        result = check_exact(net.fast.write_exact_subject(Form(folded=folded)))
        assert result.ok, result.reason
        for rows in (6, 3, 6):
            theta, X, Y, context = draw(net, rows=rows)
            value, gradient = net.value_and_gradient(theta, X, Y, **context)
            out = np.empty_like(theta)
            assert net.gradient(theta, X, Y, out=out, **context) is out
            expected = net.flat.value_and_gradient(theta, X, Y, **net.beside.read_gradient(context, rows))
            assert is_near(value, expected[0])
            assert is_near(gradient, expected[1])
            assert is_near(out, expected[1])


@given(st.data())
def test_the_flat_functions_are_the_module(data):
    network = data.draw(stacks())
    net, theta = build(network), data.draw(parameters(network))
    X, Y = data.draw(batches(network))
    rng = np.random.default_rng(0)
    context = net.module.context(rng, len(X)) if hasattr(net.module, "context") else {}
    params = net.views(theta)
    with np.errstate(all="ignore"):
        expected = net.layout.flatten(net.module.gradients(params, X, Y, **context))
        value, gradient = net.value_and_gradient(theta, X, Y, **context)
        assert is_near(gradient, expected)
        assert is_near(value, net.module.cost(params, X, Y, **context))
        assert is_near(net.gradient(theta, X, Y, **context), expected)
        weights = {"weights": context["weights"]} if network.weighted else {}
        state = net.statistics()
        given_to = net.module.evaluate if hasattr(net.module, "evaluate") else net.module.cost
        assert np.array_equal(
            net.cost(theta, X, Y, **state, **weights), given_to(params, X, Y, **state, **weights), equal_nan=True
        )


@given(networks())
def test_layer_by_layer_gives_the_four_equations_of_a_plain_network(network):
    """The program of a plain network, made from the equations of single layers, is written as BP2 to BP4 say."""
    program = lower(network)
    written = {(line.label, line.target.id): write_expression(line.value) for line in program.backward}
    expected = {}
    for layer, function in enumerate(program.functions, start=1):
        below = f"a{layer - 1}" if layer > 1 else "X"
        expected["BP4", f"dW{layer}"] = f"{below}.T @ delta{layer}"
        expected["BP3", f"db{layer}"] = f"np.sum(delta{layer}, axis=0)"
        if layer < network.depth:
            through = f"delta{layer + 1} @ W{layer + 1}.T"
            linear = function == "identity" or network.functions[layer - 1] == "identity"
            expected["BP2", f"delta{layer}"] = through if linear else f"({through}) * {function}_prime(z{layer})"
    assert {key: value for key, value in written.items() if key[0] != "BP1"} == expected
    assert [key for key in written if key[0] == "BP1"] == [("BP1", f"delta{network.depth}")]


def test_a_mutated_line_fails_the_exact_check():
    source = build(Network(3, Dense(4), BatchNorm(), Dropout(0.3), GLU(3), LayerNorm(), Dense(2), l2=0.1)).source
    lines = [line for line in source.splitlines() if "# BP" in line]
    changes = [
        (" * mask1", ""),
        (" - dbeta1 / n", ""),
        (" + penalty_prime(W1)", ""),
        (" * rho1", ""),
        (" * gamma2", ""),
    ]
    for old, new in changes:
        (line,) = [line for line in lines if old in line][-1:]
        mutated = source.replace(line, line.replace(old, new))
        assert mutated != source
        assert not check_exact(mutated).ok, (old, line)


# -- the same layers in another library


def peer(network, params, X, context):
    """The outputs by torch's own layers, in training, and the tensors of the parameters."""
    torch = pytest.importorskip("torch") if os.environ.get("CI") != "true" else __import__("torch")
    F = torch.nn.functional
    gates = {"sigmoid": torch.sigmoid, "gelu": F.gelu, "silu": F.silu, "identity": lambda g: g}
    functions = {"relu": torch.relu, "tanh": torch.tanh, "gelu": F.gelu, "identity": lambda z: z}
    tensors = [[torch.tensor(p, requires_grad=True) for p in group] for group in params]
    supply, a, forks = iter(tensors), torch.tensor(X), []
    masks = iter(torch.tensor(v) for k, v in context.items() if k.startswith("mask"))
    for element in network.elements:
        owned = next(supply) if element.parameters else []
        kind = element.kind.title if element.kind else "fork"
        if kind == "fork":
            forks.append(a)
        elif kind == "residual connection":
            a = a + forks.pop()
        elif kind == "weights":
            a = a @ owned[0] + owned[1]
        elif kind == "gate":
            a = (a @ owned[0] + owned[1]) * gates[element.function](a @ owned[2] + owned[3])
        elif kind == "activation":
            a = functions[element.function](a)
        elif kind == "PReLU":
            a = F.prelu(a, owned[0])
        elif kind == "batch norm":
            a = F.batch_norm(a, None, None, *owned, training=True, eps=element.layer.epsilon)
        elif kind == "layer norm":
            a = F.layer_norm(a, a.shape[1:], *owned, eps=element.layer.epsilon)
        elif kind == "dropout":
            a = a * next(masks)
    return a, tensors


@pytest.mark.parametrize("name", ALONE)
def test_another_library_finds_the_same_outputs_and_gradients(name):
    network = Network(3, *ALONE[name])
    net = build(network)
    theta, X, Y, context = draw(net)
    outputs, tensors = peer(network, [[p.copy() for p in group] for group in net.views(theta)], X, context)
    assert np.abs(net.forward(theta, X, **(context or {})) - outputs.detach().numpy()).max() <= PEER_RELATIVE * 10
    (((outputs - outputs.new_tensor(Y)) ** 2).sum() / 2).backward()
    expected = net.layout.flatten([[t.grad.numpy() for t in group] for group in tensors])
    gradient = net.gradient(theta, X, Y, **context)
    assert np.abs(gradient - expected).max() <= PEER_RELATIVE * (1 + np.abs(expected).max())


def test_running_statistics_and_prediction_are_those_of_another_library():
    torch = pytest.importorskip("torch")
    net = build(Network(3, BatchNorm(momentum=0.3), Dense(2)))
    theta, *_ = draw(net)
    layer = torch.nn.BatchNorm1d(3, momentum=0.3, dtype=torch.float64)
    state, rng = net.statistics(), np.random.default_rng(1)
    for _ in range(5):
        X, Y = net.module.data(rng, 7)
        layer(torch.tensor(X))
        *_, seen = net.learn(theta, X, Y, **net.context(rng, 7))
        state = net.blend(state, seen, 7)
    assert np.allclose(state["mean0"], layer.running_mean.numpy(), rtol=PEER_RELATIVE)
    assert np.allclose(state["variance0"], layer.running_var.numpy(), rtol=PEER_RELATIVE)
    (gamma, beta), (W, b) = net.views(theta)
    with torch.no_grad():
        layer.weight[:], layer.bias[:] = torch.tensor(gamma), torch.tensor(beta)
        expected = layer.eval()(torch.tensor(X)).numpy() @ W + b
    assert np.allclose(net.forward(theta, X, **state), expected, rtol=PEER_RELATIVE)


# -- training and prediction


def test_statistics_measured_on_all_rows_are_their_means_and_variances():
    net = build(Network(3, Dense(4), BatchNorm(), Dropout(0.5), Dense(2)))
    theta, X, *_ = draw(net, rows=50)
    z = X @ net.views(theta)[0][0] + net.views(theta)[0][1]
    measured = net.measure_statistics(theta, X)
    assert np.allclose(measured["mean1"], z.mean(axis=0), rtol=PEER_RELATIVE)
    assert np.allclose(measured["variance1"], z.var(axis=0), rtol=PEER_RELATIVE)
    training = net.forward(theta, X, mode="train", mask1=np.ones((50, 4)))
    assert np.allclose(net.forward(theta, X, **measured), training, rtol=PEER_RELATIVE)


@pytest.mark.parametrize("rate", [0.0, 0.3, 0.9])
def test_a_mask_is_zero_or_scaled_and_its_mean_is_one(rate):
    net = build(Network(3, Dense(40, "relu"), Dropout(rate), Dense(2)))
    mask = net.context(np.random.default_rng(0), 1000)["mask1"]
    assert set(np.unique(mask)) <= {0.0, 1 / (1 - rate)}
    assert abs(mask.mean() - 1) < SAME_MEAN
    assert abs((mask == 0).mean() - rate) < SAME_MEAN


def test_rate_zero_is_no_dropout_bit_for_bit():
    with_it, without = (build(Network(3, Dense(4, "tanh"), *d, Dense(2))) for d in ([Dropout(0.0)], []))
    theta, X, Y, context = draw(with_it)
    assert np.array_equal(with_it.gradient(theta, X, Y, **context), without.gradient(theta, X, Y))
    assert np.array_equal(with_it.forward(theta, X), without.forward(theta, X))


def test_a_rate_near_one_stays_finite():
    net = build(Network(3, Dense(4, "tanh"), Dropout(1 - 1e-12), Dense(2)))
    theta, X, Y, context = draw(net)
    value, gradient = net.value_and_gradient(theta, X, Y, **context)
    assert np.isfinite(value)
    assert np.isfinite(gradient).all()
    mask = {"mode": "train", "mask1": np.full((6, 4), 1 / (1 - (1 - 1e-12)))}
    assert np.isfinite(net.gradient(theta, X, Y, **mask)).all()


def test_prediction_has_no_dropout_and_is_the_same_every_time():
    net = build(Network(3, Dense(4, "tanh"), Dropout(0.5), Dense(2)))
    theta, X, Y, context = draw(net)
    (W1, b1), (W2, b2) = net.views(theta)
    assert np.allclose(net.forward(theta, X), np.tanh(X @ W1 + b1) @ W2 + b2, rtol=PEER_RELATIVE)
    assert net.cost(theta, X, Y) != net.cost(theta, X, Y, **context)


def test_a_penalty_is_in_the_cost_and_spares_everything_but_weights():
    layers = [Dense(4), BatchNorm(), PReLU(), GLU(3, l2=0.0, l1=0.5), Dense(2, l2=0.7)]
    penalised = build(Network(3, *layers, l2=0.2))
    free = build(Network(3, Dense(4), BatchNorm(), PReLU(), GLU(3), Dense(2)))
    theta, X, Y, context = draw(penalised)
    extra = penalised.gradient(theta, X, Y, **context) - free.gradient(theta, X, Y, **context)
    expected = {"W1": lambda w: 0.2 * w, "W2": lambda w: 0.5 * np.sign(w), "V2": lambda w: 0.5 * np.sign(w)}
    expected["W3"] = lambda w: 0.7 * w
    for block in penalised.layout.blocks:
        w, got = theta[block.start : block.stop], extra[block.start : block.stop]
        assert np.allclose(got, expected.get(block.name, np.zeros_like)(w), atol=PEER_RELATIVE), block.name
    W1, W2, V2, W3 = (theta[b.start : b.stop] for b in penalised.layout.blocks if b.name in expected)
    penalty = 0.1 * (W1**2).sum() + 0.5 * (abs(W2).sum() + abs(V2).sum()) + 0.35 * (W3**2).sum()
    state = penalised.statistics()
    assert np.isclose(penalised.cost(theta, X, Y, **state) - free.cost(theta, X, Y, **state), penalty)


def test_a_weight_at_zero_is_left_there_by_l1():
    net = build(Network(2, Dense(2), l1=0.3))
    X, Y = np.zeros((1, 2)), np.zeros((1, 2))
    assert np.array_equal(net.gradient(np.zeros(net.size), X, Y), np.zeros(net.size))


def test_a_sample_of_weight_two_counts_as_two_samples():
    net = build(Network.parse("3-4-2", "tanh", weighted=True))
    theta, X, Y, _ = draw(net, rows=4)
    weights = np.array([1.0, 2.0, 0.0, 1.0])
    repeated = [0, 1, 1, 3]
    assert np.allclose(net.gradient(theta, X, Y, weights=weights), net.gradient(theta, X[repeated], Y[repeated]))
    assert np.isclose(net.cost(theta, X, Y, weights=weights), net.cost(theta, X[repeated], Y[repeated]))


def test_class_weights_are_weights_of_samples():
    net = build(Network.parse("3-4-2", "tanh", "softmax", "cross-entropy", weighted=True))
    theta, X, Y, _ = draw(net)
    weights = net.weigh(Y, [1.0, 3.0])
    assert np.array_equal(weights, np.where(Y[:, 1] == 1, 3.0, 1.0))
    outputs = net.forward(theta, X)
    expected = -np.mean(np.sum(np.array([1.0, 3.0]) * Y * np.log(outputs), axis=1))
    assert np.isclose(net.cost(theta, X, Y, weights=weights), expected)
    with pytest.raises(UsageError, match="2 class weights"):
        net.weigh(Y, [1.0, -1.0])


def test_nothing_is_changed_and_nothing_is_remembered():
    net = build(Network(3, Dropout(0.2), Dense(4), BatchNorm(), Residual(SwiGLU(4)), Dense(2), weighted=True))
    theta, X, Y, context = draw(net)
    state, weights = net.statistics(), np.ones(6)
    arrays = [theta, X, Y, weights, *state.values(), *(v for v in context.values() if isinstance(v, np.ndarray))]
    before = [array.copy() for array in arrays]
    first = net.learn(theta, X, Y, **context, weights=weights)
    net.blend(state, first[2], 6)
    net.forward(theta, X, **state)
    again = net.learn(theta, X, Y, **context, weights=weights)
    assert all(np.array_equal(a, b) for a, b in zip(arrays, before, strict=True))
    assert first[0] == again[0]
    assert np.array_equal(first[1], again[1])


def test_plain_networks_take_the_same_calls_and_need_nothing():
    net = build("3-4-2", "tanh")
    theta, X, Y, context = draw(net)
    assert (context, net.statistics(), net.blend({}, {}, 6), net.measure_statistics(theta, X)) == ({}, {}, {}, {})
    value, gradient, seen = net.learn(theta, X, Y, **context)
    assert seen == {}
    assert value == net.cost(theta, X, Y)
    assert np.array_equal(gradient, net.gradient(theta, X, Y))


def both():
    """A network that needs masks and statistics, with everything it needs."""
    net = build(Network(3, Dense(4), BatchNorm(), Dropout(0.5), Dense(2)))
    return net, *draw(net)


@pytest.mark.parametrize(
    ("call", "what"),
    [
        (lambda net, theta, X, Y, c: net.gradient(theta, X, Y), "dropout masks are missing: mask1"),
        (lambda net, theta, X, Y, c: net.cost(theta, X, Y), "running statistics are missing: mean1, variance1"),
        (lambda net, theta, X, Y, c: net.forward(theta, X), "running statistics are missing"),
        (
            lambda net, theta, X, Y, c: net.gradient(theta, X, Y, mask1=c["mask1"][:1]),
            r"mask1 must have shape \(6, 4\)",
        ),
        (lambda net, theta, X, Y, c: net.gradient(theta, X, Y, **c, weights=np.ones(6)), "weighted=True"),
        (lambda net, theta, X, Y, c: net.gradient(theta, X, Y, **c, mask7=1), "no keyword mask7"),
        (lambda net, theta, X, Y, c: net.gradient(theta, X, Y, **{**c, "mode": "predict"}), "in training mode"),
        (lambda net, theta, X, Y, c: net.forward(theta, X, mode="test"), "'train' or 'predict'"),
        (lambda net, theta, X, Y, c: net.blend({}, {}, 6), "statistics are missing"),
        (lambda net, theta, X, Y, c: net.forward(theta, X, mean1=np.zeros(3), variance1=np.ones(4)), "mean1 must have"),
        (lambda net, theta, X, Y, c: net.gradient(theta[1:], X, Y, **c), "theta must be one vector"),
    ],
)
def test_a_wrong_keyword_is_said_in_one_line(call, what):
    with pytest.raises(UsageError, match=what) as caught:
        call(*both())
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("weights", [np.ones(5), -np.ones(6), np.full(6, np.nan), "heavy"])
def test_wrong_weights_are_refused(weights):
    net = build(Network(3, Dense(2), weighted=True))
    theta, X, Y, _ = draw(net)
    with pytest.raises(UsageError, match="weights must be"):
        net.gradient(theta, X, Y, weights=weights)


def test_single_precision_stays_single():
    net = build(Network(3, Dense(4, "relu"), LayerNorm(), SwiGLU(3), Dense(2)))
    theta, X, Y, _ = (a if isinstance(a, dict) else a.astype(np.float32) for a in draw(net))
    assert net.gradient(theta, X, Y).dtype == np.float32
