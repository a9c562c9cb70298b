"""LSTM and GRU are lists of definitions like Elman's layer: exact, like torch's, trained, saved; mistakes are wrong."""

from __future__ import annotations

import numpy as np
import pytest

import backprop
from backprop.codegen.lowering.load import load
from backprop.door.cli import main
from backprop.errors import UsageError
from backprop.specification.recurrent import KINDS
from backprop.specification.recurrent_form import read_network, write_network
from theory.chapters.networks.recurrent import STATEMENTS, derive_through_time, lift_through_time
from theory.language.layer_sums import LayerTotal
from theory.witnesses.witness import agree, worlds

GATED = [kind for kind in KINDS if kind != "recurrent"]
ROUNDING = 1e-12
LINES = {
    "lstm": [
        ("the state's own way is left out", "dq[t + 1] * sigmoid(gf[t + 1]) + ", ""),
        ("the forget gate sees the state of its own step", "dq[t] * q[t - 1]", "dq[t] * q[t]"),
        ("a gate sends nothing back", " + dgi[t + 1] @ Wi1.T", ""),
        (
            "the slope of a gate is its value",
            "dgi[t] = dq[t] * sigmoid_prime(gi[t])",
            "dgi[t] = dq[t] * sigmoid(gi[t])",
        ),
    ],
    "gru": [
        ("what is kept sends nothing back", "dh[t + 1] * sigmoid(gu[t + 1]) + ", ""),
        ("the product is not reset", "dp[t] = delta[t] * sigmoid(gr[t])", "dp[t] = delta[t]"),
    ],
    "gru_before": [("the weights see what was not reset", "(h[t - 1].T * sigmoid(gr[t].T))", "h[t - 1].T")],
}


@pytest.fixture(scope="module")
def nets():
    return {kind: backprop.build_recurrent("3-4-2", kind=kind) for kind in KINDS}


@pytest.mark.parametrize("kind", GATED)
def test_what_is_derived_through_time_holds_and_a_gradient_of_one_step_does_not(kind):
    """Every whole equation as matrices, in one random world each."""
    lifted, derived = lift_through_time(STATEMENTS[kind]), derive_through_time(STATEMENTS[kind])
    for name, derivation in lifted.items():
        assert agree(derivation.system, derivation.subject, derivation.result, trials=1), name
    owned = [p.name for p in STATEMENTS[kind]().parameters]
    assert all(isinstance(derived[name].result, LayerTotal) for name in owned)
    one = derived[owned[-1]]
    assert not agree(one.system, one.subject, one.result.body)
    worlds.cache_clear()


@pytest.mark.parametrize("kind", GATED)
def test_a_generated_module_is_exact_in_its_wiring(kind, nets, tmp_path):
    path = tmp_path / "network.py"
    path.write_text(nets[kind].source, encoding="utf-8")
    report = backprop.verify(str(path))
    assert report.ok, str(report)
    assert "exact in its wiring" in str(report)


@pytest.mark.parametrize(
    "names", [("relu", "softmax", "cross-entropy"), ("sigmoid", "sigmoid", "binary-cross-entropy")]
)
def test_other_functions_are_verified_too(names):
    for kind in GATED:
        report = backprop.verify(backprop.build_recurrent("2-3-2", *names, kind=kind).module)
        assert report.ok, f"{kind}: {report}"


@pytest.mark.parametrize(
    ("kind", "right", "wrong"), [(kind, *pair[1:]) for kind, all_ in LINES.items() for pair in all_]
)
def test_a_mistake_in_a_line_is_wrong_in_the_layer_over_time(kind, right, wrong, nets):
    assert right in nets[kind].source
    report = backprop.verify(load(nets[kind].source.replace(right, wrong)))
    assert report.verdict == "wrong"
    named = {name for finding in report.findings for name in finding.parameters}
    assert named
    assert not named & {"W2", "b2"}


@pytest.mark.parametrize("kind", ["lstm", "gru"])
def test_outputs_and_gradients_are_torch_s(kind, nets):
    """torch keeps the gates of one matrix in the order i, f, new, o, or r, u, new, transposed, and two biases for each:
    ours is their sum, but for the new state of a GRU, where the second stands inside the reset gate: there it is c."""
    torch = pytest.importorskip("torch")
    net, rng = nets[kind], np.random.default_rng(1)
    params, X, Y = net.parameters(rng), rng.normal(size=(6, 5, 3)), rng.normal(size=(6, 2))
    (layer, (V, d)), gates = params, {"lstm": ("i", "f", "", "o"), "gru": ("r", "u", "")}[kind]

    def join(letter, groups):
        return np.concatenate([getattr(groups, letter + gate).T for gate in gates])

    theirs = getattr(torch.nn, kind.upper())(3, 4, batch_first=True).double()
    second = np.zeros_like(join("b", layer))
    if kind == "gru":
        second[-4:] = layer.c
    for name, value in (("weight_ih", join("E", layer)), ("weight_hh", join("W", layer)), ("bias_ih", join("b", layer)),
                        ("bias_hh", second)):  # fmt: skip
        getattr(theirs, f"{name}_l0").data = torch.tensor(value)
    last = theirs(torch.tensor(X))[0][:, -1]
    outputs = last @ torch.tensor(V) + torch.tensor(d)
    assert np.allclose(outputs.detach().numpy(), net.forward(params, X), atol=ROUNDING)
    (0.5 * ((outputs - torch.tensor(Y)) ** 2).sum()).backward()
    mine = net.gradients(params, X, Y)[0]
    for name, value in (("weight_ih", join("E", mine)), ("weight_hh", join("W", mine)), ("bias_ih", join("b", mine))):
        assert np.allclose(getattr(theirs, f"{name}_l0").grad.numpy(), value, atol=ROUNDING), name
    if kind == "gru":
        assert np.allclose(theirs.bias_hh_l0.grad.numpy()[-4:], mine.c, atol=ROUNDING)


def test_both_forms_of_a_gru_are_one_where_nothing_is_reset_and_else_are_not(nets):
    rng = np.random.default_rng(0)
    before, X = nets["gru_before"].parameters(rng), rng.normal(size=(4, 6, 3))
    for size, same in ((40.0, True), (0.0, False)):
        layer = before[0]._replace(br=np.full(4, size))
        behind = nets["gru"].module.Gru(*layer, np.zeros(4))
        found = [nets["gru_before"].forward([layer, before[1]], X), nets["gru"].forward([behind, before[1]], X)]
        assert np.allclose(*found, atol=ROUNDING) == same


@pytest.mark.parametrize("kind", KINDS)
def test_a_network_over_time_learns_with_the_training_room_s_means_and_is_saved(kind, tmp_path):
    net, rng = backprop.build_recurrent("1-6-1", cost="mse", kind=kind), np.random.default_rng(0)
    X = rng.normal(size=(32, 4, 1))
    history = backprop.fit(net, X, X[:, 0], epochs=40, rate=0.03, clip_norm=1.0, validation=0.25)
    assert history.costs[-1] < history.costs[0] / 2
    for name in ("model", "model.safetensors"):
        found = backprop.load(backprop.save(tmp_path / name, net, history.theta))
        assert found.net.network == net.network
        assert np.array_equal(found.theta, history.theta)
        assert np.array_equal(found.forward(X), net.forward(history.theta, X))


def test_a_gradient_that_explodes_ends_the_training_and_clipping_keeps_it():
    net, rng = backprop.build_recurrent("1-20-1", "relu", cost="mse"), np.random.default_rng(0)
    X, theta = rng.normal(size=(32, 40, 1)), net.initial(rng)
    W = net.views(theta)[0].W
    W[:] = 1.8 * np.linalg.qr(rng.normal(size=W.shape))[0]
    options = {"optimiser": "gradient-descent", "rate": 0.05, "epochs": 5, "theta": theta}
    with pytest.raises(backprop.training.TrainingDiverged):
        backprop.fit(net, X, X[:, 0], **options)
    assert np.isfinite(backprop.fit(net, X, X[:, 0], clip_norm=1.0, **options).costs).all()


def test_sequences_have_three_axes(nets):
    with pytest.raises(UsageError, match="T, 3"):
        backprop.fit(nets["lstm"], np.zeros((4, 3)), np.zeros((4, 2)))


@pytest.mark.parametrize(
    "text", ['{"over_time": "lstm"}', '{"over_time": 1, "step": {}}', '{"over_time": "rnn", "step": 2}']
)
def test_what_is_no_network_over_time_is_refused(text):
    with pytest.raises(UsageError):
        read_network(text)


@pytest.mark.parametrize("kind", KINDS)
def test_the_command_line_generates_it_and_json_states_it(kind, nets, tmp_path, capsys):
    path = tmp_path / "network.py"
    assert main(["generate", "3-4-2", "--activation", "tanh", "--target", kind, "-o", str(path)]) == 0
    assert path.read_text(encoding="utf-8") == nets[kind].source
    assert read_network(write_network(nets[kind].network)) == nets[kind].network
    capsys.readouterr()
