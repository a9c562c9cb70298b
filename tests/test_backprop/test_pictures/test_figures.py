"""The figures show what they were given, say what is wrong with it, and leave whole files."""

from __future__ import annotations

import numpy as np
import pytest

import backprop
from backprop.data import digits
from backprop.errors import UsageError
from backprop.pictures import (
    Gate,
    Signal,
    classes,
    gates,
    plot_classes,
    plot_gates,
    plot_signals,
    plot_surfaces,
    signals,
)
from backprop.training import draw_parameters
from backprop.training.signals import count_dead_units, derive_sizes, measure_sizes

X = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
AND = np.array([0, 0, 0, 1])
SAMPLING = 0.35
"""Relative: sizes through ten layers of 100 units from one draw of the weights scatter by about a tenth."""


@pytest.fixture
def figures(monkeypatch):
    """The figures that are saved, before they are."""
    kept = []
    for room in (classes, gates, signals):

        def keep(figure, path, save=room.save_figure):
            kept.append(figure)
            return save(figure, path)

        monkeypatch.setattr(room, "save_figure", keep)
    return kept


def texts_of(figure):
    return [text.get_text() for axes in figure.axes for text in (axes.title, *axes.texts)] + [
        axes.get_title(loc="left") for axes in figure.axes
    ]


def test_the_confusions_are_counted_and_the_misread_are_shown(tmp_path, figures):
    images, labels = digits()
    images, labels = images[:60], labels[:60]
    probabilities = np.eye(10)[labels]
    probabilities[[3, 7]] = np.eye(10)[0]
    path = plot_classes(
        tmp_path / "c.png",
        images=images,
        labels=labels,
        probabilities=probabilities,
        weights=np.ones((64, 12)),
        title="t",
    )
    assert path.read_bytes().startswith(b"\x89PNG")
    assert "2 of 60 misread" in texts_of(figures[0])
    assert sum(bool(axes.images) for axes in figures[0].axes) == 1 + 12 + 2
    assert classes.count_confusions(labels, np.argmax(probabilities, axis=1), 10).trace() == 58


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"images": np.zeros((4, 60))}, "square"),
        ({"weights": np.ones((63, 2))}, "fit the weights"),
        ({"labels": np.zeros(3, int)}, "as many rows"),
    ],
)
def test_classes_that_do_not_fit_are_refused(tmp_path, changes, message):
    given = {
        "images": np.zeros((4, 64)), "labels": np.zeros(4, int), "probabilities": np.ones((4, 2)),
        "weights": np.ones((64, 2)), "title": "t",
    }  # fmt: skip
    with pytest.raises(UsageError, match=message):
        plot_classes(tmp_path / "c.png", **{**given, **changes})


def test_a_flat_surface_is_named_and_a_wrong_point_is_ringed(tmp_path, figures):
    right = Gate("AND", X, AND, lambda x: (x.sum(axis=1) > 1.5).astype(float))
    flat = Gate("AND", X, AND, lambda x: np.full(len(x), 0.5))
    plot_gates(tmp_path / "g.png", [("row", [right, flat])], title="t")
    assert "output 0.50 everywhere" in texts_of(figures[0])
    rings = [sum(line.get_markerfacecolor() == "none" for line in axes.lines) for axes in figures[0].axes]
    assert rings == [0, 3]


def test_gates_and_signals_want_something_to_draw(tmp_path):
    gate = Gate("AND", X, AND, lambda x: x[:, 0])
    for rows in ([], [("a", [])], [("a", [gate]), ("b", [])]):
        with pytest.raises(UsageError, match="as many gates"):
            plot_gates(tmp_path / "g.png", rows, title="t")
    for panels in ({}, {"relu": []}):
        with pytest.raises(UsageError, match="nothing to draw"):
            plot_signals(tmp_path / "s.png", panels, title="t")


def test_signals_have_a_line_for_what_was_measured_and_dots_for_what_was_derived(tmp_path, figures):
    curves = [Signal("He", [1.0, 1.0], [1.1, 1.0]), Signal("Glorot", [0.5, 1.0])]
    plot_signals(tmp_path / "s.png", {"relu": curves}, dead={"layer 1": ([0.1, 1.0], [0.0, 0.5])}, title="t")
    assert [len(axes.lines) for axes in figures[0].axes] == [3, 1]
    assert figures[0].axes[1].lines[0].get_ydata().tolist() == [0.0, 50.0]


def test_surfaces_are_drawn(tmp_path):
    points = np.random.default_rng(0).uniform(size=(9, 2))
    path = plot_surfaces(tmp_path / "f.png", {"x": lambda x: x[:, 0]}, points, points[:, 0], title="t")
    assert path.stat().st_size > 10_000


# ------------------------------------------------------------------------------------------- signals


@pytest.mark.parametrize("activation", ["tanh", "relu", "sigmoid", "gelu"])
@pytest.mark.parametrize("scheme", ["glorot", "he", "forward", "heuristic"])
def test_gradients_through_ten_layers_have_the_derived_sizes(activation, scheme):
    net = backprop.build([100] * 11, activation=activation)
    rng = np.random.default_rng(0)
    measured = measure_sizes(net, draw_parameters(net, rng, scheme), rng.standard_normal((60, 100)), rng, draws=5)
    derived = derive_sizes(net, scheme, data_square=1.0)
    assert measured == pytest.approx(derived.delta, rel=SAMPLING)


def test_derived_outputs_have_the_measured_sizes():
    net = backprop.build([100] * 6, activation="tanh")
    rng = np.random.default_rng(0)
    theta, inputs = draw_parameters(net, rng, "glorot"), 2 * rng.standard_normal((200, 100))
    outputs = net.forward(theta, inputs)
    assert derive_sizes(net, "glorot", data_square=4.0).z[-1] == pytest.approx(np.sqrt(np.mean(outputs**2)), rel=0.1)


def test_a_relu_that_never_opens_is_dead_and_a_tanh_is_not():
    for activation, shares in (("relu", [1.0, 1.0]), ("tanh", [0.0, 0.0])):
        net = backprop.build("2-3-3-1", activation=activation)
        theta = net.initial(np.random.default_rng(0))
        for _, b in net.views(theta):
            b[:] = -9.0
        assert count_dead_units(net, theta, X) == shares
