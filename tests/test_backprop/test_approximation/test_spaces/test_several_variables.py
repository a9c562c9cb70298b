"""Functions of three and more variables: fitted, measured at points of bounded number, never called proved."""

from __future__ import annotations

import json

import numpy as np
import pytest

from backprop.approximation.spaces import approximate_nd, is_space
from backprop.approximation.spaces.target import MOST_POINTS, SCATTERED, find_variables, read_space
from backprop.door.cli import main
from backprop.errors import UsageError

ROUNDING = 1e-12


@pytest.fixture(scope="module")
def product():
    return approximate_nd("x*y*z", width=8)


def test_the_product_of_three_is_near_and_only_measured(product):
    assert product.sup_error < 5e-3
    assert not product.certified
    assert product.certificate is None
    text = str(product)
    assert "37^3 points" in text
    assert "measured, not proved" in text
    assert "PROVED" not in text


def test_the_error_is_the_largest_at_points_that_were_not_fitted(product):
    grid = product.function.grid
    assert grid.shape == (37**3 + SCATTERED, 3)
    errors = np.abs(product.f(*grid.T) - np.prod(grid, axis=1))
    assert product.sup_error == pytest.approx(float(np.max(errors)), rel=ROUNDING, abs=ROUNDING)
    points = np.random.default_rng(5).random((4000, 3))
    elsewhere = float(np.max(np.abs(product.f(*points.T) - np.prod(points, axis=1))))
    assert elsewhere <= 1.1 * product.sup_error


def test_json_says_how_it_was_measured_and_reads_back(product):
    data = json.loads(json.dumps(product.to_dict(), allow_nan=False))
    assert data["variables"] == ["x", "y", "z"]
    assert data["measured_on"] == "grid and scattered points"
    assert (data["points_a_side"], data["scattered_points"]) == (37, SCATTERED)
    assert (data["certified"], data["sup_error_bound"]) == (False, None)
    w, b, c = (np.array(data["hidden"][name]) for name in "wbc")
    assert w.shape == (8, 3)
    value = data["constant"] + np.tanh(w @ np.array([0.3, 0.5, 0.7]) + b) @ c
    assert value == pytest.approx(float(product.f(0.3, 0.5, 0.7)), abs=ROUNDING * product.sum_abs_c)


@pytest.mark.parametrize(
    ("text", "count"), [("x*y*z", 3), ("x*y*z*w", 4), ("x1*x2*x3*x4*x5", 5), ("x1 + x2 + x3 + x4 + x5 + x6", 6)]
)
def test_the_grid_has_a_bounded_number_of_points_in_every_dimension(text, count):
    space = read_space(text, [(-1, 2)] * count)
    assert len(space.variables) == count
    assert space.side**count <= MOST_POINTS < (space.side + 1) ** count
    assert len(space.grid) == space.side**count + SCATTERED
    assert space.grid.min() == -1
    assert space.grid.max() == 2
    assert len(np.unique(space.grid[-SCATTERED:], axis=0)) == SCATTERED


def test_coordinates_are_in_the_order_of_their_names():
    space = read_space("100*x + 10*y + z - 0*w", ((0, 1), (0, 2), (0, 3), (0, 4)))
    assert np.allclose(space.values, space.grid @ np.array([100, 10, 1, 0]))


@pytest.mark.parametrize(
    ("text", "variables"),
    [
        ("x*y*z", "xyz"),
        ("sin(z) + x*y", "xyz"),
        ("x*y*z*w", "xyzw"),
        ("x*y", ""),
        ("x*z", ""),
        ("z", ""),
        ("w*x", ""),
        ("x*y*w", ""),
        ("x1*x3", ""),
        ("x1*x2", ""),
        ("x*y*z*x1", ""),
        ("x*y*z §", ""),
        (None, ""),
    ],
)
def test_which_names_make_a_function_of_several_variables(text, variables):
    assert find_variables(text) == tuple(variables)
    assert is_space(text) == bool(variables)


def test_numbered_variables():
    assert find_variables("x2*x1 - x3") == ("x1", "x2", "x3")


def test_a_constant_part_is_a_function_too():
    space = read_space("0*x*y*z + 2")
    assert set(space.values) == {2.0}


def test_the_width_grows_until_the_error_is_reached_and_the_same_seed_gives_the_same():
    found = approximate_nd("x + y*z", epsilon=0.05)
    assert found.reached
    assert found.sup_error < 0.05
    again = approximate_nd("x + y*z", epsilon=0.05)
    assert again.width == found.width
    assert np.array_equal(again.network.w, found.network.w)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["x*y/z", "--width", "2"], "no finite value at x = 0, y = 0, z = 0"),
        (["x*y*z", "--width", "0"], "width must be"),
        (["x*y*z", "--width", "100000"], "width must be"),
        (["x*y*z"], "needs a width"),
        (["x*y*z", "--width", "2", "--activation", "x**2"], "polynomial"),
        (["x*y*z", "--width", "2", "--certify"], "measured on a grid"),
        (["x*y*z", "--width", "2", "--plot", "p.png"], "--plot"),
        (["x*y*z", "--width", "2", "--certificate", "c.json"], "--certificate"),
        (["x*y*z", "--width", "2", "--continue"], "--continue"),
        (["x*y*z", "--width", "2", "--derivative"], "--derivative"),
        (["x*y*z", "--width", "2", "--method", "adam"], "--method adam"),
        (["x*y*z", "--width", "2", "--measure", "1"], "one variable"),
        (["x*y*z", "--width", "2", "--domain", "1", "1"], "from low to high"),
        (["x*y*z*nonsense", "--width", "2"], "unknown name"),
        (["x*y*z + system(1)", "--width", "2"], "unknown name"),
        (["x1+x2+x3+x4+x5+x6+x7", "--width", "2"], "up to x6"),
        (["1e200*x*y*z", "--width", "2"], "scale it"),
    ],
)
def test_what_cannot_be_is_one_line_and_status_two(arguments, words, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["approximate", *arguments]) == 2
    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 1)
    assert words in err
    assert list(tmp_path.iterdir()) == []


def test_a_box_has_an_interval_for_each_variable():
    with pytest.raises(UsageError, match="3 intervals"):
        approximate_nd("x*y*z", width=2, domain=((0, 1), (0, 1)))
    with pytest.raises(UsageError, match="3 intervals"):
        approximate_nd("x*y*z", width=2, domain=3)


def test_the_status_says_whether_the_measured_error_is_below_the_one_asked_for(capsys):
    assert main(["approximate", "x*y*z", "--width", "1", "--epsilon", "1e-3"]) == 1
    assert "NOT below" in capsys.readouterr().out
    assert main(["approximate", "x*y*z", "--width", "1", "--epsilon", "1"]) == 0
