"""Figures: written whole, the same every time, no global state, and about the right numbers."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import matplotlib as mpl
import matplotlib.figure
import numpy as np
import pytest

from backprop.approximation import approximate
from backprop.data import digits
from backprop.errors import UsageError
from backprop.pictures import approximation, plot_approximation, plot_training, training
from backprop.pictures.signals import COLOURS, DASHES, MARKERS
from backprop.pictures.slopes import plot_slopes
from backprop.pictures.style import Palette
from backprop.training import History

PNG = b"\x89PNG\r\n"


def make_history(**changes):
    values = {
        "theta": np.zeros(3),
        "best_epoch": 2,
        "costs": (2.0, 1.0, 0.5, 0.4),
        "validation_costs": (2.1, 1.2, 0.6, 0.7),
        "validation_accuracies": (0.1, 0.8, 0.95, 0.94),
        "seconds": 1.0,
        "epochs": 3,
        "interrupted": False,
        "description": "",
    }
    return History(**{**values, **changes})


@pytest.fixture(scope="module")
def sine():
    return approximate("sin(2*pi*x)", width=4)


@pytest.fixture
def figures(monkeypatch):
    """Every figure that is saved during a test."""
    seen = []
    save = training.save_figure

    def keep(figure, path):
        seen.append(figure)
        return save(figure, path)

    for drawing in (training, approximation):
        monkeypatch.setattr(drawing, "save_figure", keep)
    return seen


def texts_of(figure):
    found = figure.findobj(mpl.text.Text)
    return " | ".join(text.get_text() for text in found)


def test_the_training_figure_shows_curves_and_the_test_accuracy(tmp_path, figures):
    path = plot_training(make_history(), tmp_path / "t.png", title="Digits", cost="cross-entropy", test_accuracy=0.975)
    assert path.read_bytes().startswith(PNG)
    cost, accuracy = figures[0].axes
    assert cost.get_yscale() == "log"
    assert cost.lines[0].get_ydata().tolist() == [2.0, 1.0, 0.5, 0.4]
    assert accuracy.lines[0].get_ydata() == pytest.approx([10, 80, 95, 94])
    words = texts_of(figures[0])
    for part in ("Digits", "cross-entropy", "epoch", "%", "test: 97.5 %", "kept: epoch 2"):
        assert part in words


@pytest.mark.parametrize("side", [3, 8])
def test_the_strip_shows_misread_images_and_says_so(tmp_path, figures, side):
    labels = np.arange(40) % 10
    predictions = labels.copy()
    predictions[[3, 17]] = 9, 0
    images = np.random.default_rng(0).uniform(size=(40, side * side))
    plot_training(make_history(), tmp_path / "t.png", images=images, labels=labels, predictions=predictions)
    shown = [axes for axes in figures[0].axes if axes.images]
    assert len(shown) == 12
    assert shown[0].images[0].get_array().shape == (side, side)
    words = texts_of(figures[0])
    assert "read 9\nis 3" in words
    assert "read 0\nis 7" in words
    assert "framed: misread" in words


def test_a_few_images_are_enough(tmp_path, figures):
    X, labels = digits()
    plot_training(make_history(), tmp_path / "t.png", images=X[:2], labels=labels[:2], predictions=labels[:2])
    assert sum(bool(axes.images) for axes in figures[0].axes) == 2
    assert "framed" not in texts_of(figures[0])


def test_without_classes_there_is_one_panel(tmp_path, figures):
    plot_training(make_history(validation_accuracies=()), tmp_path / "t.png")
    assert len(figures[0].axes) == 1


def test_a_run_without_validation_can_be_drawn(tmp_path):
    history = make_history(validation_costs=(), validation_accuracies=())
    assert plot_training(history, tmp_path / "t.png", test_accuracy=1.0).is_file()


@pytest.mark.parametrize(
    ("changes", "options", "message"),
    [
        ({"costs": ()}, {}, "nothing to draw"),
        ({}, {"images": np.zeros((2, 64))}, "labels and predictions"),
        ({}, {"images": np.zeros((2, 64)), "labels": np.zeros(1), "predictions": np.zeros(2)}, "one for each"),
        ({}, {"images": np.zeros((1, 63)), "labels": np.zeros(1), "predictions": np.zeros(1)}, "square"),
    ],
)
def test_what_cannot_be_drawn_is_named(tmp_path, changes, options, message):
    with pytest.raises(UsageError, match=message):
        plot_training(make_history(**changes), tmp_path / "t.png", **options)
    assert list(tmp_path.iterdir()) == []


def test_the_approximation_figure_shows_function_units_and_error(tmp_path, figures, sine):
    path = plot_approximation(sine, tmp_path / "a.png")
    assert path.read_bytes().startswith(PNG)
    fit, units, error = figures[0].axes
    x = sine.function.grid
    assert fit.lines[0].get_ydata() == pytest.approx(np.sin(2 * np.pi * x))
    assert fit.lines[1].get_ydata() == pytest.approx(sine.f(x))
    assert len(units.lines) == 4
    drawn = [line for line in error.lines if len(line.get_xdata()) == len(x)]
    power = np.floor(np.log10(sine.sup_error))
    assert np.max(np.abs(drawn[0].get_ydata())) * 10**power == pytest.approx(sine.sup_error, rel=1e-3)
    assert drawn[0].get_ydata() * 10**power == pytest.approx(np.sin(2 * np.pi * x) - sine.f(x))
    assert error.get_ylabel().startswith("F(x) − f(x)")
    words = texts_of(figures[0])
    for part in ("sin(2*pi*x)", "4 tanh units", f"{sine.sup_error:.2g}", "grid points", "not proved", "the network"):
        assert part in words


def test_a_jump_is_drawn_as_a_gap(tmp_path, figures):
    plot_approximation(approximate("x > 1/2", width=1), tmp_path / "a.png")
    assert np.isnan(figures[0].axes[0].lines[0].get_ydata()).sum() == 1


@pytest.mark.parametrize(("target", "activation"), [("3", "tanh"), ("10**(-40)*x", "relu"), ("10**40*x", "gelu")])
def test_odd_scales_can_be_drawn(tmp_path, target, activation):
    assert plot_approximation(approximate(target, width=2, activation=activation), tmp_path / "a.png").is_file()


def test_a_name_with_dollars_is_not_taken_for_mathematics(tmp_path):
    plot_training(make_history(), tmp_path / "t.png", title="a $\\frac{$ b")
    assert (tmp_path / "t.png").is_file()


@pytest.mark.parametrize("ending", ["png", "svg", "pdf"])
def test_the_ending_names_the_format_and_the_same_figure_is_the_same_file(tmp_path, sine, ending):
    first, again = (plot_approximation(sine, tmp_path / f"{k}.{ending}").read_bytes() for k in range(2))
    assert first == again
    assert first.startswith({"png": PNG, "svg": b"<?xml", "pdf": b"%PDF"}[ending])


@pytest.mark.parametrize("ending", ["pdf", "ps"])
def test_letters_are_embedded_as_truetype(tmp_path, sine, ending):
    """Type 42; the outlines of type 3 are refused by many publishers."""
    content = plot_approximation(sine, tmp_path / f"a.{ending}").read_bytes()
    wanted, refused = {"pdf": (b"/CIDFontType2", b"/Type3"), "ps": (b"/FontType 42", b"/FontType 3")}[ending]
    assert wanted in content
    assert refused not in content


def test_an_ending_that_names_no_format_is_refused(tmp_path, sine):
    with pytest.raises(UsageError, match=r"use png, svg or pdf"):
        plot_approximation(sine, tmp_path / "a.docx")


def test_an_unwritable_place_is_one_line(tmp_path, sine):
    with pytest.raises(UsageError, match="cannot write the file"):
        plot_approximation(sine, tmp_path / "missing" / "a.png")


def test_drawing_changes_no_global_state(tmp_path, sine):
    before = dict(mpl.rcParams)
    plot_approximation(sine, tmp_path / "a.png")
    assert dict(mpl.rcParams) == before


def test_drawing_never_loads_pyplot(tmp_path):
    code = (
        "import sys; from backprop.pictures import plot_approximation; "
        "from backprop.approximation import approximate; "
        f"plot_approximation(approximate('x', width=1), {str(tmp_path / 'a.png')!r}); "
        "print('matplotlib.pyplot' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
    assert Path(tmp_path / "a.png").is_file()


def test_the_figure_of_slopes_shows_where_the_usual_formula_is_zero(tmp_path):
    path = plot_slopes(tmp_path / "slopes.png")
    assert path.read_bytes().startswith(PNG)
    with pytest.raises(UsageError, match="cannot write a figure"):
        plot_slopes(tmp_path / "slopes.xyz")


def test_letters_of_vector_pictures_are_text(tmp_path):
    """They can be searched, copied and read aloud."""
    svg = plot_training(make_history(), tmp_path / "run.svg", title="A title to be found", cost="mse")
    assert re.search(r"<text[^>]*>A title to be found</text>", svg.read_text(encoding="utf-8"))
    pdf = plot_training(make_history(), tmp_path / "run.pdf", title="t", cost="mse")
    assert b"/Type /Font" in pdf.read_bytes()


def test_curves_of_one_panel_differ_in_more_than_colour(tmp_path):
    """In grey, and for eyes that see fewer colours, dashes tell training and validation apart."""
    svg = plot_training(make_history(), tmp_path / "run.svg", title="t", cost="mse").read_text(encoding="utf-8")
    styles = re.findall(r'style="fill: none; ?([^"]*)"', svg)
    for colour, dashed in ((Palette.blue, False), (Palette.orange, True)):
        drawn = [style for style in styles if colour.lower() in style.lower()]
        assert drawn
        assert all(("stroke-dasharray" in style) == dashed for style in drawn)
    assert len(set(map(str, DASHES))) == len(DASHES) == len(COLOURS) == len(MARKERS)
