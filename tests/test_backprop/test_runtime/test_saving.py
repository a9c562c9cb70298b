"""Saved networks: what comes back predicts bit for bit the same; what does not belong is refused in one line."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backprop import BatchNorm, Dense, Dropout, Network, UsageError, build, load, save
from backprop.verification.strategies import batches, parameters, stacks


def example(folder):
    """A saved network with batch normalisation, and what was saved."""
    net = build(Network(3, Dense(4, "x*tanh(x)"), BatchNorm(), Dropout(0.5), Dense(2)))
    rng = np.random.default_rng(0)
    theta, (X, Y) = net.initial(rng), net.module.data(rng)
    *_, seen = net.learn(theta, X, Y, **net.context(rng, len(X)))
    state = net.blend(net.statistics(), seen, len(X))
    return save(folder / "model", net, theta, state), net, theta, state, X


@given(st.data())
def test_a_reloaded_network_predicts_bit_for_bit_the_same(tmp_path_factory, data):
    network = data.draw(stacks())
    net, theta = build(network), data.draw(parameters(network))
    X, _ = data.draw(batches(network))
    rng = np.random.default_rng(1)
    state = {name: value + rng.random(value.shape) for name, value in net.statistics().items()}
    saved = load(save(tmp_path_factory.mktemp("saved") / "model", network, theta, state))
    assert saved.net.network == network
    assert np.array_equal(saved.theta, theta)
    with np.errstate(all="ignore"):
        assert saved.forward(X).tobytes() == net.forward(theta, X, **state).tobytes()


def test_the_three_names_of_a_saved_network_give_the_same(tmp_path):
    path, net, theta, state, X = example(tmp_path)
    expected = net.forward(theta, X, **state).tobytes()
    for name in ("model", "model.json", "model.npz"):
        assert load(tmp_path / name).forward(X).tobytes() == expected
    assert path == tmp_path / "model.json"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["model.json", "model.npz"]


def test_single_precision_comes_back_as_it_was(tmp_path):
    net = build("3-2", "tanh")
    theta = net.initial(np.random.default_rng(0)).astype(np.float32)
    assert load(save(tmp_path / "model", net, theta)).theta.dtype == np.float32


def test_nothing_is_pickled(tmp_path):
    example(tmp_path)
    with np.load(tmp_path / "model.npz", allow_pickle=False) as file:
        assert {file[name].dtype.kind for name in file.files} == {"f", "u"}


def test_an_npz_that_holds_a_pickle_is_refused_unread(tmp_path):
    class Bomb:
        def __reduce__(self):
            return pytest.fail, ("the pickle was read",)

    np.savez(tmp_path / "bad.npz", specification=np.array([Bomb()], dtype=object))
    assert pickle.dumps(Bomb())
    with pytest.raises(UsageError, match="not a saved network"):
        load(tmp_path / "bad.npz")


@pytest.mark.parametrize("keep", [0, 10, 200])
def test_a_truncated_file_is_said(tmp_path, keep):
    example(tmp_path)
    content = (tmp_path / "model.npz").read_bytes()
    (tmp_path / "model.npz").write_bytes(content[:keep])
    with pytest.raises(UsageError, match="does not belong"):
        load(tmp_path / "model")
    with pytest.raises(UsageError, match="not a saved network"):
        load(tmp_path / "model.npz")


def test_files_of_two_saves_do_not_go_together(tmp_path):
    example(tmp_path)
    other = build("3-2")
    save(tmp_path / "other", other, other.initial(np.random.default_rng(0)))
    (tmp_path / "other.npz").replace(tmp_path / "model.npz")
    with pytest.raises(UsageError, match="does not belong"):
        load(tmp_path / "model")
    assert load(tmp_path / "model.npz").net.network == other.network


def test_a_specification_changed_after_saving_is_noticed(tmp_path):
    path, *_ = example(tmp_path)
    path.write_text(path.read_text().replace('"rate": 0.5', '"rate": 0.1'))
    with pytest.raises(UsageError, match="changed after saving"):
        load(path)


@pytest.mark.parametrize("content", ["", "{}", "[]", "nonsense", '{"weights": 3, "network": {}}'])
def test_a_foreign_json_is_said(tmp_path, content):
    (tmp_path / "model.json").write_text(content)
    with pytest.raises(UsageError, match="not a saved network"):
        load(tmp_path / "model")


def test_a_missing_file_is_said(tmp_path):
    with pytest.raises(UsageError, match="cannot read"):
        load(tmp_path / "model")


def test_arrays_of_another_network_are_said(tmp_path):
    example(tmp_path)
    with np.load(tmp_path / "model.npz") as file:
        arrays = {name: file[name] for name in file.files}
    np.savez(tmp_path / "model.npz", **{**arrays, "W1": np.ones((2, 2))})
    with pytest.raises(UsageError, match=r"W1 should have shape \(3, 4\), got \(2, 2\)"):
        load(tmp_path / "model.npz")


@pytest.mark.parametrize(
    ("change", "what"),
    [
        (lambda net, theta, state: (theta[1:], state), "theta must be one vector"),
        (lambda net, theta, state: (theta.astype(int), state), "floating-point"),
        (lambda net, theta, state: (theta, {}), "missing"),
        (lambda net, theta, state: (theta, {**state, "mean1": np.ones(2)}), "mean1"),
        (lambda net, theta, state: (theta, {**state, "mean7": np.ones(2)}), "mean7"),
    ],
)
def test_what_does_not_fit_is_not_saved_and_the_old_stays(tmp_path, change, what):
    _, net, theta, state, X = example(tmp_path)
    expected = load(tmp_path / "model").forward(X)
    with pytest.raises(UsageError, match=what):
        save(tmp_path / "model", net, *change(net, theta, state))
    assert np.array_equal(load(tmp_path / "model").forward(X), expected)


@pytest.mark.parametrize("path", ["", "/", ".", "..", "a\0b", None, b"model", 3])
def test_a_path_without_the_name_of_a_file_is_refused(path):
    net = build("2-1")
    with pytest.raises(UsageError, match=r"name of a file|cannot (read|write)"):
        load(path)
    with pytest.raises(UsageError, match=r"name of a file|cannot write"):
        save(path, net, np.zeros(3))


@pytest.mark.parametrize(
    ("weights", "what"),
    [
        (np.array([["a"], ["b"]]), "floating-point numbers"), (np.array([[1j], [2.0]]), "floating-point numbers"),
        (np.array([[np.nan], [1.0]]), "holds nan"), (np.array([[np.inf], [1.0]]), "holds inf"),
        (np.array([[1], [2]]), "floating-point numbers"), (np.array([[True], [False]]), "floating-point numbers"),
        (np.zeros((2, 1), [("a", float)]), "floating-point numbers"), (np.zeros((300, 300)), "more than"),
    ],
)  # fmt: skip
def test_weights_that_are_no_finite_floats_are_not_loaded(tmp_path, weights, what):
    save(tmp_path / "model", build("2-1"), np.zeros(3))
    with np.load(tmp_path / "model.npz") as file:
        arrays = {name: file[name] for name in file.files}
    np.savez_compressed(tmp_path / "model.npz", **{**arrays, "W1": weights})
    with pytest.raises(UsageError, match=what) as caught:
        load(tmp_path / "model.npz")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("theta", [np.array([1.0, np.nan, 0.0]), np.array([1, 2, 3]), [0.0, 1.0, 2.0], None])
def test_what_could_not_be_loaded_is_not_saved(tmp_path, theta):
    with pytest.raises(UsageError, match="theta"):
        save(tmp_path / "model", build("2-1"), theta)
    assert list(tmp_path.iterdir()) == []


@given(st.binary(max_size=400))
def test_any_bytes_are_a_network_or_one_line(tmp_path_factory, content):
    folder = tmp_path_factory.mktemp("saved")
    for name in ("model.npz", "model.json"):
        (folder / name).write_bytes(content)
        with pytest.raises(UsageError) as caught:
            load(folder / name)
        assert "\n" not in str(caught.value)
