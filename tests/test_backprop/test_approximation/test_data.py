"""Networks for tables of values: read strictly, measured at the points only, and never proved."""

from __future__ import annotations

import json
import os

import matplotlib.figure
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import backprop
from backprop.approximation import approximate, certify
from backprop.approximation.ground.given import list_widths
from backprop.approximation.ground.table import FEWEST_ROWS, MOST_ROWS, read_arrays
from backprop.approximation.ground.table_file import MOST_BYTES, read_table_file
from backprop.door.cli import main
from backprop.errors import UsageError
from backprop.pictures import approximation as picture
from backprop.pictures import plot_approximation

ROUNDING = 1e-12
POINTS = np.linspace(-1, 3, 40)
VALUES = np.sin(POINTS)
ROWS = "".join(f"{x!r},{y!r}\n" for x, y in zip(POINTS.tolist(), VALUES.tolist(), strict=True))


@pytest.fixture
def write(tmp_path):
    def write_file(content, name="data.csv"):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return str(path)

    return write_file


@pytest.fixture(scope="module")
def sine():
    return approximate((POINTS, VALUES), width=4)


# ------------------------------------------------------------------------------------------- reading

GOOD = "0,0\n1,2\n2,4\n3,6\n"
SPELLINGS = {
    "comma": GOOD,
    "semicolon": GOOD.replace(",", ";"),
    "tab": GOOD.replace(",", "\t"),
    "spaces": GOOD.replace(",", "   "),
    "comma and space": GOOD.replace(",", " , "),
    "heading": "x,y\n" + GOOD,
    "heading in quotes": '"time (s)","height"\n' + GOOD,
    "comments": "# by hand\n0,0 # start\n\n" + GOOD,
    "quotes": '"0","0"\n"1","2"\n2,4\n3,6\n',
    "windows": "\ufeff" + GOOD.replace("\n", "\r\n"),
    "old macintosh": GOOD.replace("\n", "\r"),
    "no last newline": GOOD.rstrip(),
    "any order": "3,6\n1,2\n0,0\n2,4\n",
    "a row twice": GOOD + "2,4\n",
    "numbers in all spellings": "0.,-0\n+1,.2e1\n2,4.0\n3e0,60E-1\n",
}


@pytest.mark.parametrize("content", SPELLINGS.values(), ids=SPELLINGS)
def test_every_usual_spelling_is_read(write, content):
    table = read_table_file(write(content))
    assert table.grid.tolist() == [0, 1, 2, 3]
    assert table.values.tolist() == [0, 2, 4, 6]
    assert table.domain == (0, 3)
    assert table.text == "data.csv"


DEFECTS = {
    "": "no rows of numbers",
    "# nothing\n\n": "no rows of numbers",
    "x,y\n": "no rows of numbers",
    "0,0\n1,2\n2,4\n": "3 different x; at least 4",
    GOOD + "4,tall\n": "line 5: y is 'tall', which is no finite number",
    "time,1\n" + GOOD: "line 1: x is 'time', which is no finite number",
    "x,y\nagain,heading\n" + GOOD: "line 2: x is 'again'",
    GOOD + "4,\n": "line 5: y is missing",
    GOOD + ",4\n": "line 5: x is missing",
    GOOD + "4,NA\n": "line 5: y is missing",
    "nan,nan\n" + GOOD: "line 1: x is 'nan', which is no finite number",
    GOOD + "4,NaN\n": "line 5: y is 'NaN', which is no finite number",
    GOOD + "4,-inf\n": "line 5: y is '-inf', which is no finite number",
    GOOD + "4,1e999\n": "line 5: y is '1e999', which is too large",
    "0,0\n1,1\n2,2\n3,1e200\n": "reaches 1.0e.200",
    "0\n1\n2\n3\n": "line 1: one column in '0'",
    "x\n1\n": "line 1: one column in 'x'",
    GOOD + "4,5,6\n": "line 5: 3 columns in '4,5,6'",
    "0,5;1,5\n": "line 1: x is '0,5'; write numbers with a point, 0.5",
    "0,5 1,5\n": "line 1: 3 columns",
    GOOD + "4,1_000\n": "line 5: y is '1_000'",
    GOOD + "4,0x10\n": "line 5: y is '0x10'",
    GOOD + "4,\u0663\n": "line 5: y is '.u0663'",
    GOOD + "4,=SUM(A1)\n": "line 5: y is the formula '=SUM.A1.'",
    "=A1,=B1\n" + GOOD: "line 1: x is the formula '=A1'",
    GOOD + "4,__import__('os')\n": 'line 5: y is "__import__',
    GOOD + "4," + "9" * 10_000 + "x\n": "line 5: y is '9{27}[.]{3}'",
    GOOD + "4,\x00\n": "line 5: y is '.x00'",
    GOOD + "1,3\n": r"two values at x = 1.0: 2.0 \(line 2\) and 3.0 \(line 5\)",
    GOOD.encode() + b"4,\xff\n": "line 5: byte 0xff is no UTF-8",
    GOOD.encode("utf-16"): "line 1: byte 0xff is no UTF-8",
    "".join(f"{k},0\n" for k in range(MOST_ROWS + 1)): "more than 100,000 rows",
    "1e-300,0\n2e-300,1\n3e-300,0\n4e-300,0\n": "too short",
}


@pytest.mark.parametrize(("content", "message"), DEFECTS.items(), ids=range(len(DEFECTS)))
def test_every_defect_is_one_line_that_says_where(write, content, message):
    with pytest.raises(UsageError, match=message) as caught:
        approximate(write(content), width=1)
    assert "\n" not in str(caught.value)
    assert "data.csv" in str(caught.value)
    assert len(str(caught.value)) < 400


def test_what_is_no_readable_file_is_said(tmp_path, write):
    with pytest.raises(UsageError, match="no such file"):
        approximate(str(tmp_path / "missing.csv"), width=1)
    with pytest.raises(UsageError, match="is a folder"):
        approximate(tmp_path, width=1)
    with pytest.raises(UsageError, match="cannot read"):
        approximate("a\0b.csv", width=1)
    os.mkfifo(tmp_path / "pipe.csv")
    with pytest.raises(UsageError, match="no ordinary file"):
        approximate(tmp_path / "pipe.csv", width=1)
    with open(write(""), "r+b") as huge:
        huge.truncate(MOST_BYTES + 1)  # a hole: it takes no room
    with pytest.raises(UsageError, match="too large"):
        approximate(tmp_path / "data.csv", width=1)


@pytest.mark.parametrize("name", ["data.CSV", "data.tsv", "data.txt", "data.dat"])
def test_text_with_the_ending_of_a_table_is_a_file(write, name):
    assert approximate(write(GOOD, name), width=1).target == name


def test_a_path_is_a_file_whatever_its_ending(tmp_path, write):
    write(GOOD, "x")
    assert approximate(tmp_path / "x", width=1).target == "x"
    assert approximate("x", width=1).function.known_between, "text without an ending is an expression"


@given(
    st.lists(st.tuples(st.floats(-1e6, 1e6), st.floats(-1e6, 1e6)), min_size=4, max_size=30, unique_by=lambda p: p[0])
)
def test_whatever_is_written_reads_back_exactly(tmp_path_factory, rows):
    path = tmp_path_factory.getbasetemp() / "exact.csv"
    path.write_text("".join(f"{x!r};{y!r}\n" for x, y in rows))
    try:
        table = read_table_file(path)
    except UsageError as error:
        assert "too short" in str(error)  # noqa: PT017  all x next to each other
        return
    assert list(zip(table.grid.tolist(), table.values.tolist(), strict=True)) == sorted(rows)


ARRAYS = {
    "one": (([1.0, 2.0],), "pair"),
    "three": (([1], [2], [3]), "got 3"),
    "lengths": (([1, 2, 3, 4], [1, 2, 3]), "same length; got 4 and 3"),
    "text": (("abcd", "efgh"), "vector of real numbers"),
    "objects": (([1, 2, 3, None], [1, 2, 3, 4]), "vector of real numbers"),
    "complex": (([1, 2, 3, 4j], [1, 2, 3, 4]), "vector of real numbers"),
    "matrix": ((np.ones((4, 2)), np.ones(4)), "vector of real numbers"),
    "ragged": (([[1], [2, 3]], [1, 2]), "vector of real numbers"),
    "rows": (np.ones((5, 2)), "got 5"),
    "nan": (([1, 2, 3, 4], [1, 2, float("nan"), 4]), "y of the data is nan at index 2"),
    "clash": (([1, 2, 3, 1], [1, 2, 3, 4]), r"1.0 \(index 0\) and 4.0 \(index 3\)"),
    "few": (([1, 2], [3, 4]), f"at least {FEWEST_ROWS}"),
    "empty": (([], []), "at least"),
    "many": ((np.arange(MOST_ROWS + 1), np.zeros(MOST_ROWS + 1)), "too many"),
}


@pytest.mark.parametrize(("columns", "message"), ARRAYS.values(), ids=ARRAYS)
def test_arrays_that_are_no_table_are_refused(columns, message):
    with pytest.raises(UsageError, match=message) as caught:
        approximate(columns, width=1)
    assert "\n" not in str(caught.value)


# ------------------------------------------------------------------------------------------- fitting


def test_the_error_is_that_at_the_points(sine):
    assert sine.sup_error < 1e-3
    assert sine.grid_points == len(POINTS)
    assert np.max(np.abs(sine.f(POINTS) - VALUES)) == pytest.approx(sine.sup_error, abs=ROUNDING)
    assert sine.domain == (-1, 3)


def test_the_order_of_the_rows_does_not_matter(sine):
    mixed = np.random.default_rng(0).permutation(len(POINTS))
    assert approximate([POINTS[mixed], VALUES[mixed]], width=4).to_dict() == sine.to_dict()


def test_a_file_and_its_arrays_give_the_same_network(write, sine):
    from_file = approximate(write(ROWS), width=4)
    assert from_file.target == "data.csv"
    assert from_file.to_dict()["hidden"] == sine.to_dict()["hidden"]


def test_more_units_are_never_worse():
    noisy = VALUES + 0.1 * np.random.default_rng(1).normal(size=len(POINTS))
    errors = [approximate((POINTS, noisy), width=width).sup_error for width in (1, 2, 4, 8)]
    assert errors == sorted(errors, reverse=True)


def test_no_step_hides_between_two_points():
    jump = (POINTS > 1).astype(float)
    found = approximate((POINTS, jump), width=4)
    assert found.sup_error < 1e-2
    assert found.max_abs_w < 100, "its rise takes about as long as from one point to the next"


def test_the_width_grows_until_the_error_is_small_enough():
    found = approximate((POINTS, VALUES), epsilon=1e-2)
    assert found.reached
    assert found.width <= 4


def test_no_network_has_more_numbers_than_there_are_points():
    assert approximate((POINTS, VALUES), width=13).width == 13
    with pytest.raises(UsageError, match=r"width 14 is too many for 40 points.*43 numbers.*at most 13"):
        approximate((POINTS, VALUES), width=14)
    noise = np.random.default_rng(2).normal(size=10)
    found = approximate((np.arange(10.0), noise), epsilon=1e-9)
    assert found.width <= 3
    assert not found.reached


def test_the_widest_that_data_allow_is_tried():
    table = read_arrays((np.arange(31), np.arange(31)))
    assert list_widths(table, (1, 2, 4, 8, 16)) == [1, 2, 4, 8, 10]
    assert list_widths(table, (1, 10)) == [1, 10]


def test_a_domain_keeps_the_rows_inside(write):
    found = approximate(write(ROWS), width=2, domain=(0, 1))
    inside = POINTS[(POINTS >= 0) & (POINTS <= 1)]
    assert found.grid_points == len(inside)
    assert found.domain == (inside[0], inside[-1])
    assert found.target == f"data.csv, {len(inside)} of 40 rows"
    with pytest.raises(UsageError, match=r"data.csv has 0 different x from 5 to 6"):
        approximate(write(ROWS), width=2, domain=(5, 6))


def test_many_rows_are_fitted_by_some_and_measured_at_all():
    x = np.linspace(0, 1, 20_000)
    y = np.sin(6 * x)
    y[1234] += 1
    found = approximate((x, y), width=4)
    assert found.grid_points == 20_000
    assert found.sup_error > 0.4, "one wild row among many is not overlooked"


# ------------------------------------------------------------------------------------- what is said


def test_nothing_is_proved_about_a_table(sine, write, capsys, tmp_path):
    with pytest.raises(UsageError, match="a table of values is not a function"):
        approximate((POINTS, VALUES), width=2, certify=True)
    with pytest.raises(UsageError, match="a table of values is not a function"):
        certify(sine)
    for option in (["--certify"], ["--certificate", str(tmp_path / "c.json")]):
        assert main(["approximate", write(ROWS), "--width", "2", *option]) == 2
        error = capsys.readouterr().err
        assert error.count("\n") == 1
        assert "no certificate" in error
    assert not (tmp_path / "c.json").exists()


def test_the_text_says_what_is_not_known(sine):
    assert "at 40 data points (between them nothing is known: the data say nothing there)" in str(sine)
    assert "grid" not in str(sine)
    numbers = sine.to_dict()
    assert numbers["measured_on"] == "data"
    assert numbers["certified"] is False
    assert numbers["sup_error_bound"] is None
    assert json.loads(json.dumps(numbers, allow_nan=False)) == numbers


def test_the_command_line_fits_a_file(write, capsys, tmp_path):
    picture = tmp_path / "p.png"
    assert main(["approximate", write(ROWS), "--epsilon", "0.01", "--plot", str(picture), "--json"]) == 0
    numbers = json.loads(capsys.readouterr().out)
    assert numbers["target"] == "data.csv"
    assert numbers["sup_error_on_grid"] < 0.01
    assert picture.stat().st_size > 1000
    assert main(["approximate", write(GOOD + "4,four\n"), "--width", "1"]) == 2
    assert "line 5: y is 'four'" in capsys.readouterr().err


def test_the_figure_shows_data_as_points(sine, tmp_path, monkeypatch):
    figures = []
    monkeypatch.setattr(picture, "save_figure", lambda figure, path: figures.append(figure))
    plot_approximation(sine, tmp_path / "p.png")
    (figure,) = figures
    assert isinstance(figure, matplotlib.figure.Figure)
    fit, _, error = figure.axes
    assert fit.lines[0].get_marker() == "o"
    assert fit.lines[0].get_xdata() == pytest.approx(POINTS)
    assert len(fit.lines[1].get_xdata()) > 1000, "the network is known everywhere"
    assert "40 data points" in error.get_title(loc="left")


def test_the_public_name_takes_data():
    assert backprop.approximate((POINTS, VALUES), width=1).width == 1
