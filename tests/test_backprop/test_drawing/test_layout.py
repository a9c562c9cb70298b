"""The picture of a network: every kind of layer has its place, values and errors are those of the network."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from PIL import Image

import backprop
from backprop.drawing.layout import Shades, list_columns, plot_layout
from backprop.drawing.sample import draw
from backprop.errors import UsageError
from backprop.specification.layers import BatchNorm, Dense, Dropout, Residual, SwiGLU
from backprop.specification.network import Network
from backprop.verification.strategies import stacks

MIXED = Network(3, Dense(4, "relu"), Dropout(0.2), Residual(Dense(4, "tanh"), Dense(4)), SwiGLU(12), Dense(2))


@given(stacks())
def test_columns_are_as_wide_as_the_layers_and_hand_on_what_the_program_makes(network):
    columns = list_columns(network)
    made = {line.target.id for line in backprop.CompiledNetwork(network).program.forward} | {"X"}
    assert (columns[0].width, columns[-1].width) == (network.inputs, network.outputs)
    assert [column.width for column in columns if not column.is_bar] == list(network.sizes)
    assert {column.value for column in columns} <= made


def test_a_layer_that_stands_twice_has_two_columns_and_a_residual_connection_goes_around_its_own():
    same = Dense(3, "tanh")
    assert [column.width for column in list_columns(Network(3, same, same))] == [3, 3, 3]
    assert [column.around for column in list_columns(MIXED)] == [(), (), (), (), (2,), (), ()]


def test_wide_columns_are_abbreviated():
    column = list_columns(Network.parse("784-2"))[0]
    assert [unit for unit, _ in column.place()] == [0, 1, 2, 3, 781, 782, 783]


@pytest.mark.parametrize("ending", ["svg", "pdf", "png"])
def test_the_errors_of_one_sample_are_drawn_below_its_values(tmp_path, monkeypatch, ending):
    shown = []
    monkeypatch.setattr("backprop.drawing.sample.plot_layout", lambda *given: shown.append(given) or given[0])
    net = backprop.build("2-3-2", "tanh", "softmax", "cross-entropy")
    theta, X, Y = net.initial(np.random.default_rng(1)), np.array([0.5, -1.0]), np.array([0.0, 1.0])
    draw(net, tmp_path / f"a.{ending}", theta=theta, X=X, Y=Y)
    forward, backward = shown[0][2]
    a = net.forward(theta, X[None])[0]
    np.testing.assert_array_equal(forward.columns[-1], a)
    np.testing.assert_allclose(backward.columns[-1], a - Y, rtol=1e-14)
    assert backward.columns[0] is None


@pytest.mark.parametrize("ending", ["svg", "pdf", "png"])
def test_it_is_written_in_the_format_of_its_name(tmp_path, ending):
    path = draw(MIXED, tmp_path / f"a.{ending}", seed=3, values=True)
    assert path.read_bytes()[:4] in (b"<?xm", b"%PDF", b"\x89PNG")


def test_a_step_is_an_animation_after_which_the_cost_is_said(tmp_path):
    path = backprop.build("2-3-1").draw(tmp_path / "step.gif", X=np.ones((1, 2)), Y=np.ones((1, 1)))
    with Image.open(path) as picture:
        assert picture.n_frames == 3 + 2 + 1 + 1


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (lambda path: draw(MIXED, path / "a.svg", X=np.ones(2)), "X needs one row of 3 numbers"),
        (lambda path: draw(MIXED, path / "a.gif", X=np.ones(3)), "give Y as well"),
        (lambda path: draw(MIXED, path / "a.txt"), "use png, svg or pdf"),
        (lambda path: draw(Network(2, Dense(2), BatchNorm(), Dense(1)), path / "a.gif"), "over the batch"),
        (lambda path: plot_layout(path / "a.svg", MIXED, [Shades("", [None])]), "for each of 7 columns"),
    ],
)
def test_what_cannot_be_drawn_is_refused(tmp_path, wrong, said):
    with pytest.raises(UsageError, match=said):
        wrong(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_the_command(tmp_path, capsys):
    from backprop.door.cli import main

    assert main(["draw", "2-3-1", "--values", "-o", str(tmp_path / "net.svg")]) == 0
    assert capsys.readouterr().out == f"wrote {tmp_path / 'net.svg'}\n"
    assert main(["draw", "2-x", "-o", str(tmp_path / "no.svg")]) == 2
