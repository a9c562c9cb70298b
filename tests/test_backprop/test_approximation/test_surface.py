"""Networks for functions of two variables: how near, how honestly measured, and what is refused."""

from __future__ import annotations

import functools
import itertools
import json
import math

import numpy as np
import pytest

import backprop
from backprop.approximation import SurfaceApproximation
from backprop.approximation.ground.hidden import Hidden, compute_arguments, read_sigma
from backprop.approximation.ground.solving import project
from backprop.approximation.searching.refinement import refine
from backprop.approximation.surfaces import MAX_WIDTH, approximate_2d, is_surface
from backprop.approximation.surfaces.draws import draw_hidden, list_nodes
from backprop.approximation.surfaces.target import GRID_SIDE, read_surface
from backprop.door.cli import main
from backprop.errors import UsageError
from backprop.pictures import surface_fit

ROUNDING = 1e-12


def franke(x, y):
    """The same function written again, in floats."""
    x, y = 9 * x, 9 * y
    return (
        0.75 * np.exp(-((x - 2) ** 2 + (y - 2) ** 2) / 4)
        + 0.75 * np.exp(-((x + 1) ** 2) / 49 - (y + 1) / 10)
        + 0.5 * np.exp(-((x - 7) ** 2 + (y - 3) ** 2) / 4)
        - 0.2 * np.exp(-((x - 4) ** 2) - (y - 7) ** 2)
    )


@functools.cache
def make(target, width, activation="tanh", domain=((0.0, 1.0), (0.0, 1.0))):
    return approximate_2d(target, width=width, activation=activation, domain=domain)


# ----------------------------------------------------------------------------------------- how near


@pytest.mark.parametrize(
    ("target", "activation", "width", "goal"),
    [
        ("franke", "tanh", 16, 7e-2),
        ("franke", "tanh", 32, 3e-2),
        ("franke", "relu", 32, 8e-2),
        ("x*y", "tanh", 8, 1e-4),
        ("x*y", "sigmoid", 8, 1e-4),
        ("sin(x + 2*y)", "gelu", 8, 1e-3),
        ("abs(x - y)", "relu", 2, 1e-6),
        ("3", "tanh", 2, ROUNDING),
    ],
)
def test_the_network_comes_near_enough(target, activation, width, goal):
    found = make(target, width, activation)
    assert found.width == width
    assert found.sup_error <= goal


def test_an_error_that_is_asked_for_is_reached_on_frankes_surface():
    found = approximate_2d("franke", epsilon=0.1)
    assert found.reached
    assert found.sup_error < 0.1
    assert found.width <= 16
    assert "below the 0.1 asked for" in str(found)


def test_many_random_units_come_very_near(monkeypatch):
    monkeypatch.setattr("backprop.approximation.surfaces.search.REFINED_TO", 0)  # the narrow ones, quickly
    found = approximate_2d("franke", width=512)
    assert found.sup_error < 1e-5
    x, y = np.random.default_rng(0).uniform(0, 1, (2, 2000))
    assert np.max(np.abs(found.f(x, y) - franke(x, y))) < 2e-5, "between the points of the grid as well"


def test_more_units_are_never_worse():
    errors = [make("franke", width).sup_error for width in (1, 2, 4, 8, 16)]
    assert all(wide <= narrow + ROUNDING for narrow, wide in itertools.pairwise(errors))


def test_the_same_call_gives_the_same_network():
    first, again = (approximate_2d("x^2 + y", width=4, seed=3) for _ in range(2))
    assert first.to_dict() == again.to_dict()


def test_an_error_that_cannot_be_reached_gives_the_best_and_says_so():
    found = approximate_2d("franke", width=1, epsilon=1e-9)
    assert not found.reached
    assert "NOT below the 1e-09" in str(found)


# ------------------------------------------------------------------------------- how it is measured


def test_the_reported_error_is_the_error_of_the_reported_numbers():
    found = make("franke", 16)
    numbers = json.loads(json.dumps(found.to_dict(), allow_nan=False))
    w, b, c = (np.array(numbers["hidden"][name]) for name in "wbc")
    assert w.shape == (16, 2)
    x, y = np.meshgrid(np.linspace(0, 1, GRID_SIDE), np.linspace(0, 1, GRID_SIDE))
    values = np.tanh(x[..., None] * w[:, 0] + y[..., None] * w[:, 1] + b) @ c + numbers["constant"]
    assert np.max(np.abs(values - franke(x, y))) == pytest.approx(numbers["sup_error_on_grid"], abs=ROUNDING)
    assert values == pytest.approx(found.f(x, y), abs=ROUNDING)
    assert numbers["grid_points"] == GRID_SIDE**2


@pytest.mark.parametrize("count", [1, 400, 401, 1000, 3600])
def test_no_point_of_the_grid_is_fitted(count):
    nodes = list_nodes(count)
    assert len(nodes) >= count
    line = np.linspace(-1, 1, GRID_SIDE)
    nearest = np.min(np.abs(np.unique(nodes)[:, None] - line))
    assert nearest > 1e-7


def test_any_rectangle_will_do():
    found = make("sin((x - 100)/3)*exp(y*1000)", 32, "tanh", ((98.0, 103.0), (-1e-3, 1e-3)))
    assert found.sup_error < 2e-2
    x, y = np.array([98.0, 100.5, 103.0]), np.array([-1e-3, 2e-4, 1e-3])
    assert found.f(x, y) == pytest.approx(np.sin((x - 100) / 3) * np.exp(y * 1000), abs=2e-2)


def test_the_text_says_that_it_is_a_grid_and_nothing_is_proved():
    text = str(make("x*y", 8))
    assert "x*y on [0, 1] × [0, 1] by 8 tanh units" in text
    assert "on a grid of 201 × 201 points, none of them fitted" in text
    assert "not a bound between them" in text
    assert "PROVED" not in text
    numbers = make("x*y", 8).to_dict()
    assert numbers["certified"] is False
    assert numbers["sup_error_bound"] is None
    assert numbers["domain"] == [[0, 1], [0, 1]]


def test_the_network_broadcasts_its_arguments():
    f = make("x*y", 8).f
    assert f(0.5, 0.5).shape == ()
    assert f(np.zeros((3, 1)), np.zeros(4)).shape == (3, 4)
    assert f([], []).shape == (0,)


# --------------------------------------------------------------------------------------------- parts


def test_the_named_surface_is_frankes():
    surface = read_surface("franke")
    assert surface.values == pytest.approx(franke(surface.grid[:, 0], surface.grid[:, 1]), abs=ROUNDING)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("franke", True), ("x*y", True), ("sigmoid(x - y)", True), ("x", False), ("sin(y)", False), ("runge", False),
        ("", False), ("x*y + 'z'", False), ("data.csv", False), (3, False), ("exp(xy)", False),
    ],
)  # fmt: skip
def test_both_variables_make_a_surface(text, expected):
    assert is_surface(text) is expected


def test_drawn_units_cross_the_square_and_rise_equally():
    hidden = draw_hidden(200, 3.0, np.random.default_rng(0))
    assert np.linalg.norm(hidden.w, axis=1) == pytest.approx(3)
    assert np.all(np.abs(hidden.b) <= np.sum(np.abs(hidden.w), axis=1))


def test_refinement_moves_units_in_two_dimensions():
    sigma = read_sigma("tanh")
    points = list_nodes(400)
    truth = Hidden(np.array([[2.0, -1.0], [0.5, 1.5]]), np.array([0.5, -0.3]))
    y = sigma.compute_features(truth, points) @ np.array([1.0, -0.5, 0.2])
    start = Hidden(truth.w + 0.3, truth.b - 0.2)
    found = refine(sigma, start, points, y, 100)

    def measure(hidden):
        return np.max(np.abs(project(sigma.compute_features(hidden, points), 1e-12).remove(y)))

    assert found.w.shape == (2, 2)
    assert measure(found) < 1e-6 < measure(start)


def test_the_size_of_a_relu_unit_is_taken_out():
    hidden = read_sigma("relu").normalise(Hidden(np.array([[3.0, 4.0], [0.0, 0.0]]), np.array([10.0, 1.0])))
    assert hidden.w.tolist() == [[0.6, 0.8], [0, 0]]
    assert hidden.b.tolist() == [2, 1]
    assert compute_arguments(hidden.w, hidden.b, np.array([[1.0, 1.0]])).tolist() == [[3.4, 1]]


# -------------------------------------------------------------------------------------------- errors


@pytest.mark.parametrize(
    ("target", "options", "message"),
    [
        ("z", {}, "unknown name 'z'; allowed: x, y"),
        ("frank", {}, "unknown name 'frank'.*or the name franke"),
        ("x.__class__*y", {}, "unexpected character"),
        ("__import__('os').system('true')*x*y", {}, "unexpected character"),
        ("(x*y)**99999", {}, "exponent is too large"),
        ("9**9**9**9*x*y", {}, "exponent is too large"),
        ("x*y" * 500, {}, "too many"),
        ("", {}, "empty"),
        ("1/(x - y)", {}, "no finite value at x = 0, y = 0 "),
        ("log(x + y - 1)", {}, "no finite value at x = 0, y = 0 "),
        ("10**200*x*y", {}, "reaches 1.0e.200 at x = 1, y = 1"),
        ("x*y", {"width": 0}, f"from 1 to {MAX_WIDTH}"),
        ("x*y", {"width": 10**9}, f"from 1 to {MAX_WIDTH}"),
        ("x*y", {"width": 1.5}, "whole number"),
        ("x*y", {"width": None}, "needs a width"),
        ("x*y", {"epsilon": math.nan}, "epsilon"),
        ("x*y", {"seed": -1}, "seed"),
        ("x*y", {"activation": "x**2"}, r"polynomial.*Leshno"),
        ("x*y", {"activation": "x*y"}, "unknown name 'y'"),
        ("x*y", {"domain": (0, 1)}, "two numbers"),
        ("x*y", {"domain": ((0, 1),)}, "two intervals"),
        ("x*y", {"domain": 7}, "two intervals"),
        ("x*y", {"domain": ((0, 1), (1, 0))}, "from low to high"),
        ("x*y", {"domain": ((0, 1), (0, math.inf))}, "finite interval"),
    ],
)
def test_what_cannot_be_used_is_one_clear_line(target, options, message):
    with pytest.raises(UsageError, match=message) as caught:
        approximate_2d(target, **{"width": 3, **options})
    assert "\n" not in str(caught.value)


def test_the_search_of_one_variable_says_where_to_go():
    with pytest.raises(UsageError, match=r"'franke' is a function of x and y.*approximate_2d"):
        backprop.approximate("franke", width=3)


def test_a_target_must_be_text():
    with pytest.raises(UsageError, match="must be text"):
        approximate_2d(math.atan2, width=3)


# ---------------------------------------------------------------------------------------- the door


def test_the_command_line_knows_two_variables(capsys, tmp_path):
    picture = tmp_path / "p.png"
    status = main(["approximate", "x*y", "--width", "4", "--domain", "-1", "1", "--plot", str(picture), "--json"])
    assert status == 0
    numbers = json.loads(capsys.readouterr().out)
    assert numbers["domain"] == [[-1, 1], [-1, 1]]
    assert len(numbers["hidden"]["w"]) == 4
    assert picture.stat().st_size > 1000
    assert main(["approximate", "franke", "--width", "1", "--epsilon", "1e-6"]) == 1
    assert "NOT below the 1e-06 asked for" in capsys.readouterr().out


def test_the_public_name_is_there():
    found = backprop.approximate_2d("x + y", width=2)
    assert isinstance(found, SurfaceApproximation)
    assert repr(found).count("\n") < 30


def test_the_figure_shows_surface_and_error(tmp_path, monkeypatch):
    figures = []
    monkeypatch.setattr(surface_fit, "save_figure", lambda figure, path: figures.append(figure))
    found = make("x*y", 8)
    surface_fit.plot_surface_approximation(found, tmp_path / "p.png")
    surface, error, *bars = figures[0].axes
    assert len(bars) == 2
    assert surface.get_title(loc="left") == "f(x, y), the network"
    drawn = error.collections[0].get_array()
    assert np.max(np.abs(drawn)) == pytest.approx(found.sup_error, abs=ROUNDING)
    (x,), (y,) = error.lines[0].get_data()
    assert drawn.ravel()[np.argmax(np.abs(drawn))] == pytest.approx(float(x * y - found.f(x, y)), abs=ROUNDING)
    assert abs(found.f(x, y) - x * y) == pytest.approx(found.sup_error, abs=ROUNDING)
