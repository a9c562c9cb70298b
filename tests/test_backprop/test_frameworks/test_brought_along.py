"""Models of torch, Keras and scikit-learn come along: same outputs, same gradients, and what does not fit is named."""

from __future__ import annotations

import copy
import os

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import backprop
from backprop.errors import UsageError

ROUNDING = 1e-11
SINGLE = 2e-6
"""Keras on torch multiplies in float32 even where all its numbers are float64 (3.15.1)."""
X = np.random.default_rng(0).normal(size=(9, 4))
LABELS = np.arange(9) % 3
Y = np.eye(3)[LABELS]

torch = pytest.importorskip("torch")
nn = torch.nn


def gradient_of(module, loss):
    """torch's gradient of a loss, in the order of our flat vector: a copy whose weights are the slopes comes along."""
    module.train()
    module.zero_grad()
    loss(module(torch.from_numpy(X))).backward()
    slopes = copy.deepcopy(module)
    with torch.no_grad():
        for mine, p in zip(slopes.parameters(), module.parameters(), strict=True):
            mine.copy_(p.grad)
    return slopes


HIDDEN = {
    "tanh": lambda n: [nn.Tanh()],
    "sigmoid": lambda n: [nn.Sigmoid()],
    "relu": lambda n: [nn.ReLU()],
    "leaky": lambda n: [nn.LeakyReLU()],
    "leaky 0.2": lambda n: [nn.LeakyReLU(0.2)],
    "elu": lambda n: [nn.ELU()],
    "elu 0.5": lambda n: [nn.ELU(0.5)],
    "selu": lambda n: [nn.SELU()],
    "gelu": lambda n: [nn.GELU()],
    "gelu tanh": lambda n: [nn.GELU("tanh")],
    "silu": lambda n: [nn.SiLU()],
    "mish": lambda n: [nn.Mish()],
    "softplus": lambda n: [nn.Softplus()],
    "log-sigmoid": lambda n: [nn.LogSigmoid()],
    "prelu": lambda n: [nn.PReLU(n)],
    "batch norm": lambda n: [nn.BatchNorm1d(n, eps=0.01), nn.ReLU()],
    "layer norm": lambda n: [nn.LayerNorm(n, eps=0.01), nn.Tanh()],
    "two functions": lambda n: [nn.Tanh(), nn.ReLU()],
    "no dropout": lambda n: [nn.Dropout(0.0), nn.Sequential(nn.Identity(), nn.Tanh())],
}


@settings(max_examples=30)
@given(st.lists(st.tuples(st.sampled_from(sorted(HIDDEN)), st.integers(1, 5)), max_size=3), st.integers(0, 2**31))
def test_torch_chains_give_the_same_outputs_and_gradients(hidden, seed):
    torch.manual_seed(seed)
    layers, before = [], 4
    for name, units in hidden:
        layers += [nn.Linear(before, units), *HIDDEN[name](units)]
        before = units
    module = nn.Sequential(*layers, nn.Linear(before, 3)).double()
    ours = backprop.from_torch(module, output="softmax")
    slopes = gradient_of(module, lambda z: nn.functional.cross_entropy(z, torch.from_numpy(LABELS)))
    context = ours.net.context(np.random.default_rng(0), len(X))  # all ones: every rate is 0
    mine = ours.net.gradient(ours.theta, X, Y, **context)
    theirs = backprop.from_torch(slopes, output="softmax").theta
    scale = 1 + np.abs(theirs).max()
    assert np.allclose(mine, theirs, rtol=0, atol=ROUNDING * scale)
    module.eval()
    after = backprop.from_torch(module)  # one batch has gone into the running statistics
    assert np.allclose(after.forward(X), module(torch.from_numpy(X)).detach().numpy(), rtol=1e-9, atol=1e-9)


class Written(nn.Module):
    """A module with a forward of its own, as the lecture writes it."""

    def __init__(self):
        super().__init__()
        self.fc1, self.fc2, self.fc3 = nn.Linear(4, 5), nn.Linear(5, 5), nn.Linear(5, 3)

    def forward(self, x):
        x = x.view(x.size(0), -1)
        x = torch.relu(self.fc1(x))
        x = nn.functional.leaky_relu(self.fc2(x), 0.3)
        return nn.functional.softmax(self.fc3(x), dim=1)


def test_a_forward_of_ones_own_is_read_and_keeps_its_number_type():
    module = Written()
    ours = backprop.from_torch(module)
    assert ours.theta.dtype == np.float32
    assert ours.net.network.cost == "cross-entropy"
    theirs = module(torch.from_numpy(X.astype(np.float32))).detach().numpy()
    assert np.allclose(ours.forward(X.astype(np.float32)), theirs, atol=1e-6)


class Branched(nn.Module):
    def __init__(self):
        super().__init__()
        self.a, self.b = nn.Linear(4, 4), nn.Linear(4, 3)

    def forward(self, x):
        return self.b(self.a(x) + x)


class Deciding(Written):
    def forward(self, x):
        return self.fc1(x) if x.sum() > 0 else x


class Tied(nn.Module):
    def __init__(self):
        super().__init__()
        self.a = nn.Linear(4, 4)

    def forward(self, x):
        return self.a(torch.tanh(self.a(x)))


@pytest.mark.parametrize(
    ("module", "words"),
    [
        (
            nn.Sequential(nn.Linear(4, 3), nn.Conv1d(1, 1, 1)),
            r"layer 2 .*Conv1d '1', does not fit: there is no layer Conv1d",
        ),
        (nn.Sequential(nn.Linear(4, 3, bias=False)), "layer 1 .*it has no bias"),
        (nn.Sequential(nn.Linear(4, 3), nn.ReLU6()), "layer 2 .*no activation 'ReLU6'"),
        (nn.Sequential(nn.Linear(4, 3), nn.PReLU()), r"layer 2 .*write PReLU\(3\)"),
        (nn.Sequential(nn.Linear(4, 3), nn.Softplus(beta=2)), "layer 2 .*beta=2"),
        (nn.Sequential(nn.Softmax(1), nn.Linear(4, 3)), "layer 2 .*after a softmax"),
        (nn.Sequential(nn.Linear(4, 3), nn.Softmax(0)), "layer 2 .*along axis 0"),
        (nn.Sequential(nn.Linear(4, 3), nn.BatchNorm1d(3, affine=False)), "layer 2 .*scale and shift"),
        (nn.Sequential(nn.Linear(4, 3), nn.Flatten()), "layer 2 .*Flatten"),
        (Branched(), "layer 2 .*only chains"),
        (Tied(), "layer 3 .*Linear 'a', does not fit: its weights are used twice"),
        (nn.Sequential(nn.Linear(4, 3)).half(), r"type torch.float16; write module.float\(\)"),
        (Deciding(), "cannot be read as a chain"),
        (nn.Sequential(nn.ReLU()), "no layer with weights"),
        ("model", "a torch.nn.Module is needed"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_the_first_layer_that_does_not_fit_is_named(module, words):
    with pytest.raises(UsageError, match=words):
        backprop.from_torch(module)


@pytest.fixture(scope="module")
def keras():
    """Keras on torch, so that both see one machine."""
    os.environ.setdefault("KERAS_BACKEND", "torch")
    library = pytest.importorskip("keras")
    if library.backend.backend() != "torch":
        pytest.skip("Keras runs on another backend here")
    before = library.backend.floatx()
    library.backend.set_floatx("float64")
    yield library
    library.backend.set_floatx(before)


def make_keras(keras, *layers, inputs=4):
    model = keras.Sequential([keras.Input((inputs,)), *layers])
    rng = np.random.default_rng(1)
    drawn = [rng.uniform(0.1, 0.5, size=v.shape) * np.where(rng.random(v.shape) < 0.5, -1, 1) for v in model.weights]
    for v, new in zip(model.weights, drawn, strict=True):
        v.assign(np.abs(new) if "variance" in v.name else new)
    return model


def keras_layers(keras):
    """Chains by name."""
    make = keras.layers
    functions = ["tanh", "sigmoid", "relu", "leaky_relu", "elu", "selu", "gelu", "silu", "mish", "softplus"]
    functions += ["log_sigmoid", "linear"]
    chains = {name: [make.Dense(5, activation=name), make.Dense(3)] for name in functions}
    return chains | {
        "layers": [make.Dense(5), make.LeakyReLU(), make.Dense(5), make.PReLU(), make.Dense(3), make.ELU(0.5)],
        "norms": [make.BatchNormalization(), make.Dense(5), make.LayerNormalization(), make.ReLU(), make.Dense(3)],
        "softmax": [make.Dropout(0.3), make.Dense(5, "relu"), make.Dense(3), make.Softmax()],
        "slope": [make.Dense(5), make.ReLU(negative_slope=0.1), make.Dense(3), make.Activation("softmax")],
    }


def test_keras_chains_give_the_same_outputs(keras):
    for name, layers in keras_layers(keras).items():
        model = make_keras(keras, *layers)
        ours = backprop.from_keras(model)
        theirs = model(torch.from_numpy(X), training=False).detach().numpy()
        assert np.allclose(ours.forward(X), theirs, rtol=SINGLE, atol=SINGLE), name


def test_keras_gradients_are_ours_with_twice_its_l2(keras):
    make, penalty = keras.layers, keras.regularizers
    layers = (
        make.Dense(5, "tanh", kernel_regularizer=penalty.L2(0.1)),
        make.Dense(3, kernel_regularizer=penalty.L1L2(0.2, 0.3)),
    )
    model = make_keras(keras, *layers)
    ours = backprop.from_keras(model, cost="mse")
    assert [layer.l2 for layer in ours.net.network.layers] == [0.2, 0.6]
    cost = ((model(torch.from_numpy(X)) - torch.from_numpy(Y)) ** 2).mean() + sum(model.losses)
    model.zero_grad()
    cost.backward()
    theirs = np.concatenate([v.value.grad.numpy().ravel() for v in model.trainable_variables])
    assert float(cost.detach()) == pytest.approx(float(ours.net.cost(ours.theta, X, Y)), rel=SINGLE)
    assert np.allclose(ours.net.gradient(ours.theta, X, Y), theirs, rtol=0, atol=SINGLE)


def test_a_keras_layer_that_does_not_fit_is_named(keras):
    make = keras.layers
    start = keras.Input((4,))
    branched = keras.Model(start, make.Dense(3)(make.Add()([start, make.Dense(4)(start)])))
    shared, other = make.Dense(4), keras.Input((4,))
    cases = {
        "layer 3 .*Dense .*only chains": keras.Model(other, make.Dense(3)(shared(shared(other)))),
        "does not end where": keras.Model(other, shared(shared(other))),
        "layer 1 .*Dense .*use_bias=False": make_keras(keras, make.Dense(3, use_bias=False)),
        "layer 2 .*GaussianNoise .*there is no layer": make_keras(keras, make.Dense(3), make.GaussianNoise(0.1)),
        "layer 1 .*code of its own": make_keras(keras, make.Dense(3, activation=lambda x: x)),
        "layer 2 .*max_value=6": make_keras(keras, make.Dense(3), make.ReLU(6)),
        "no activation 'exponential'": make_keras(keras, make.Dense(3, activation="exponential")),
        "layer 3 .*Add .*only chains": branched,
        "does not know its inputs": keras.Sequential([make.Dense(3)]),
    }
    for words, model in cases.items():
        with pytest.raises(UsageError, match=words):
            backprop.from_keras(model)
    with pytest.raises(UsageError, match="a Keras model is needed"):
        backprop.from_keras([1])


def test_scikit_learns_networks_come_with_outputs_and_gradients():
    neural = pytest.importorskip("sklearn.neural_network")
    for activation in ("identity", "logistic", "tanh", "relu"):
        options = {"activation": activation, "solver": "lbfgs", "alpha": 0.3, "max_iter": 3, "random_state": 0}
        with pytest.warns(Warning, match="lbfgs failed to converge"):
            many = neural.MLPClassifier((5, 4), **options).fit(X, LABELS)
        with pytest.warns(Warning, match="lbfgs failed to converge"):
            number = neural.MLPRegressor(hidden_layer_sizes=(5,), **options).fit(X, X[:, 0] ** 2)
        ours = backprop.from_sklearn(many, rows=len(X))
        assert np.allclose(ours.forward(X), many.predict_proba(X), rtol=ROUNDING)
        assert np.allclose(backprop.from_sklearn(number).forward(X)[:, 0], number.predict(X), rtol=1e-9, atol=1e-12)
        subject = backprop.subject_from_sklearn(many, X, LABELS)
        run = subject._functions
        params = run["parameters"](np.random.default_rng(0))
        theirs = np.concatenate([a.ravel() for pair in run["gradients"](params, X, Y) for a in pair])
        assert np.allclose(ours.net.gradient(ours.theta, X, Y), theirs, rtol=0, atol=ROUNDING)
    with pytest.raises(UsageError, match="call fit first"):
        backprop.from_sklearn(neural.MLPClassifier())


@pytest.mark.parametrize("momentum", [0.0, 0.9])
def test_twenty_steps_in_the_given_order_stay_with_torch(momentum):
    torch.manual_seed(1)
    layers = nn.Linear(4, 6), nn.BatchNorm1d(6), nn.Tanh(), nn.Linear(6, 5), nn.LayerNorm(5), nn.GELU(), nn.Linear(5, 3)
    module = nn.Sequential(*layers).double()
    rows = np.random.default_rng(2).normal(size=(40, 4))
    labels = np.arange(40) % 3
    ours = backprop.from_torch(module, output="softmax")
    rule = backprop.training.Momentum(0.05, momentum=momentum)
    history = backprop.fit(
        ours.net, rows, np.eye(3)[labels], optimiser=rule, epochs=5, batch=10, theta=ours.theta, shuffle=False
    )
    module.train()
    optimiser = torch.optim.SGD(module.parameters(), lr=0.05, momentum=momentum)
    for step in range(20):
        chosen = slice(step % 4 * 10, step % 4 * 10 + 10)
        optimiser.zero_grad()
        loss = nn.functional.cross_entropy(module(torch.from_numpy(rows[chosen])), torch.from_numpy(labels[chosen]))
        loss.backward()
        optimiser.step()
    theirs = backprop.from_torch(module, output="softmax")
    assert history.best_epoch == 5  # the parameters returned are the last ones
    assert np.abs(history.theta - ours.theta).max() > 0.01
    assert np.allclose(history.theta, theirs.theta, rtol=0, atol=ROUNDING)
    for name, value in theirs.state.items():
        assert np.allclose(history.state[name], value, rtol=0, atol=ROUNDING)


def test_safetensors_go_out_and_in_and_are_read_by_torch(tmp_path):
    pytest.importorskip("safetensors")
    from safetensors.torch import load_file, save_file

    module = nn.Sequential(nn.Linear(4, 3), nn.BatchNorm1d(3), nn.Linear(3, 2))
    ours = backprop.from_torch(module)
    path = backprop.save(tmp_path / "model.safetensors", ours.net, ours.theta, ours.state)
    again = backprop.load(path)
    assert again.net.network == ours.net.network
    assert np.array_equal(again.theta, ours.theta)
    assert {name: value.tolist() for name, value in again.state.items()} == {
        name: value.tolist() for name, value in ours.state.items()
    }
    assert torch.equal(load_file(path)["W1"], module[0].weight.T)
    save_file(module.state_dict(), tmp_path / "foreign.safetensors")
    with pytest.raises(UsageError, match="without a specification"):
        backprop.load(tmp_path / "foreign.safetensors")
    path.write_bytes(path.read_bytes()[:-8])
    with pytest.raises(UsageError, match="is not a saved network"):
        backprop.load(path)
    with pytest.raises(UsageError, match="cannot read"):
        backprop.load(tmp_path / "none.safetensors")
