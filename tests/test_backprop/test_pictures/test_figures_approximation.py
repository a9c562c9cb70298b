"""The figures of universal approximation show the numbers they were given, say what is missing, leave whole files."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from backprop.approximation import approximate
from backprop.approximation.ground.target import read_target
from backprop.approximation.ground.wording import describe_below
from backprop.approximation.survey import (
    ReluTarget,
    ReluWidth,
    WidthCurve,
    grow_step_by_step,
    survey_limits,
    survey_relu_widths,
    survey_widths,
)
from backprop.approximation.survey.relu_widths import integrate_bend
from backprop.door.cli import main
from backprop.errors import UsageError
from backprop.pictures import band, error_by_width, limits, relu_widths
from backprop.pictures.band import plot_band
from backprop.pictures.error_by_width import plot_error_by_width
from backprop.pictures.growth import animate_growth
from backprop.pictures.limits import plot_limits
from backprop.pictures.relu_widths import plot_relu_widths
from backprop.progress import show_stages
from backprop.reporting import gallery
from backprop.reporting.gallery import QUICK, draw_approximation_figures

PNG = b"\x89PNG"
MOST_BYTES = 2_000_000
QUADRATURE = 1e-6
"""Relative: the zeros of F'' make corners in √|F''|."""


@pytest.fixture(scope="module")
def proved():
    return approximate("planck", width=2, certify=True)


@pytest.fixture(scope="module")
def two_limits():
    return survey_limits("sine", (2, 3), (1, 3), (10.0, 100.0))


@pytest.fixture
def figures(monkeypatch):
    """The figures that are saved, before they are."""
    kept = []
    for room in (band, error_by_width, limits, relu_widths):

        def keep(figure, path, save=room.save_figure):
            kept.append(figure)
            return save(figure, path)

        monkeypatch.setattr(room, "save_figure", keep)
    return kept


def make_curve(method="fit", activation="tanh", bounds=()):
    return WidthCurve("sine", method, activation, (1, 2, 4), (1.0, 0.1, 0.01), bounds, 1.0)


def make_relu_target(*widths):
    return ReluTarget("sine", tuple(widths), 4.8)


def texts_of(figure):
    texts = [text for axes in figure.axes for text in axes.texts] + figure.texts
    titles = [axes.get_title(loc="left") for axes in figure.axes]
    legends = [text.get_text() for legend in figure.legends for text in legend.get_texts()]
    return "\n".join([*(text.get_text() for text in texts), *titles, *legends])


def test_every_way_to_a_network_is_a_curve_and_adam_is_named_an_optimisation(tmp_path, figures):
    ways = [("fit", "relu"), ("adam", "tanh"), ("constructive", "sigmoid")]
    curves = [make_curve(*way, bounds=(2.0, 1.0, 0.5) if way[0] == "constructive" else ()) for way in ways]
    path = plot_error_by_width(tmp_path / "e.png", [curves], title="t")
    assert path.read_bytes().startswith(PNG)
    lines = {line.get_label(): line for line in figures[0].axes[0].lines}
    assert lines["its bound, proved"].get_ydata().tolist() == [2.0, 1.0, 0.5]
    assert lines["fitted relu"].get_ydata().tolist() == [1.0, 0.1, 0.01]
    words = texts_of(figures[0])
    for part in ("not the theorem", "rounding", "n^{-1}", "n^{-2}"):
        assert part in words


@pytest.mark.parametrize("slope", [1, 2])
def test_the_lines_of_reference_have_the_slopes_they_are_labelled_with(tmp_path, figures, slope):
    way = ("constructive", "sigmoid") if slope == 1 else ("fit", "relu")
    plot_error_by_width(tmp_path / "e.svg", [[make_curve(*way)]], title="t")
    (line,) = [line for line in figures[0].axes[0].lines if line.get_linestyle() == ":"]
    x, y = np.log(line.get_xdata()), np.log(line.get_ydata())
    assert (y[1] - y[0]) / (x[1] - x[0]) == pytest.approx(-slope)


def test_the_error_stays_in_the_band_that_is_proved_and_every_box_has_a_tick(tmp_path, figures, proved):
    plot_band(tmp_path / "b.png", proved)
    _, terms, error = figures[0].axes
    bound, edges = proved.certificate.bound, proved.certificate.edges
    unit = bound / np.max(np.abs(error.lines[0].get_ydata()))
    curve = next(line for line in error.lines if len(line.get_xdata()) == len(proved.function.grid))
    assert np.max(np.abs(curve.get_ydata())) * unit <= bound
    x = proved.function.grid
    assert curve.get_ydata() * unit == pytest.approx(proved.function(x) - proved.f(x), rel=1e-9, abs=1e-9 * bound)
    ticks = next(line for line in error.lines if line.get_marker() == "|")
    assert ticks.get_xdata().tolist() == list(edges)
    total = terms.lines[-1].get_ydata()
    assert total == pytest.approx(proved.f(proved.function.grid) - proved.f([0.0]))
    assert f"{len(edges) - 1} boxes" in texts_of(figures[0])


def test_without_a_proof_there_is_no_band(tmp_path, proved):
    with pytest.raises(UsageError, match="no proved band"):
        plot_band(tmp_path / "b.png", replace(proved, certificate=None))
    assert not list(tmp_path.iterdir())


def test_the_two_limits_are_drawn_with_their_floors(tmp_path, figures, two_limits):
    plot_limits(tmp_path / "l.png", two_limits)
    words = texts_of(figures[0])
    for floor in two_limits.floors:
        assert describe_below(floor.lower, 5) in words
    alternation = figures[0].axes[1]
    points = next(line for line in alternation.lines if line.get_marker() == "o").get_ydata()
    assert np.all(points[1:] * points[:-1] < 0)
    assert np.min(np.abs(points)) >= two_limits.floors[-1].lower * (1 - 1e-6)


def test_a_floor_is_no_higher_than_any_of_its_networks(two_limits):
    for floor, rows in zip(two_limits.floors, two_limits.on_floor, strict=True):
        assert all(row.error >= floor.lower for row in rows)
    assert all(row.sup_error == two_limits.jump.lower for row in two_limits.steep)


def test_a_width_that_is_missing_is_said_to_be(tmp_path, figures):
    rows = [ReluWidth(0.1, 4, 4, 0.09, 5, 1.0), ReluWidth(0.01, 12, 14, 0.009, 5, 1.0)]
    gaps = [ReluWidth(1e-3, 38), ReluWidth(1e-4)]
    plot_relu_widths(tmp_path / "r.png", [make_relu_target(*rows, *gaps), make_relu_target(*rows)], title="t")
    words = texts_of(figures[0])
    for part in ("12–14", "≥ 38", "ε = 0.001: not proved", "ε = 0.0001: not tried"):
        assert part in words
    assert words.count("not ") == 2


def test_nothing_to_draw_is_refused(tmp_path, proved):
    for panels in ([], [[]]):
        with pytest.raises(UsageError, match="nothing to draw"):
            plot_error_by_width(tmp_path / "e.png", panels, title="t")
    for targets in ([], [make_relu_target()]):
        with pytest.raises(UsageError, match="nothing to draw"):
            plot_relu_widths(tmp_path / "r.png", targets, title="t")
    for networks, widths in (([], []), ([proved], [1, 2])):
        with pytest.raises(UsageError, match="a network for every width"):
            animate_growth(tmp_path / "g.gif", networks, widths)


def test_a_place_that_cannot_be_written_is_one_line_and_nothing_is_left(tmp_path, proved, two_limits):
    relu = [make_relu_target(ReluWidth(0.1, 4, 4, 0.09, 5, 1.0))]
    for draw in (
        lambda path: plot_error_by_width(path, [[make_curve()]], title="t"),
        lambda path: plot_band(path, proved),
        lambda path: plot_limits(path, two_limits),
        lambda path: plot_relu_widths(path, relu, title="t"),
    ):
        for path, message in (
            (tmp_path / "missing" / "a.png", "cannot write the file"),
            (tmp_path / "a.docx", "use png, svg or pdf"),
        ):
            with pytest.raises(UsageError, match=message):
                draw(path)
    for path, message in ((tmp_path / "missing" / "a.gif", "cannot write the file"), (tmp_path / "a.mp4", "gif")):
        with pytest.raises(UsageError, match=message):
            animate_growth(path, [proved], [2])
    assert not list(tmp_path.iterdir())


def test_the_animation_has_a_picture_for_each_width_and_is_small(tmp_path):
    networks = grow_step_by_step("sine", (1, 2, 3), certify=True)
    path = animate_growth(tmp_path / "g.gif", networks, (1, 2, 3))
    assert path.stat().st_size < MOST_BYTES
    with Image.open(path) as picture:
        assert (picture.format, picture.n_frames) == ("GIF", 3)
    assert networks[-1].sup_error <= networks[0].sup_error


def test_surveys_gather_what_they_are_asked_for():
    calls = []
    (curve,) = survey_widths("sine", (1, 2), [("constructive", "sigmoid")], lambda *done: calls.append(done))
    assert calls == [(1, 2), (2, 2)]
    assert all(error <= bound for error, bound in zip(curve.errors, curve.bounds, strict=True))


def test_a_smaller_epsilon_is_not_tried_when_many_units_are_expected():
    (target,) = survey_relu_widths(["square"], [0.1, 0.01], most_units=2)
    first, second = target.widths
    assert first.lower <= first.upper
    assert (second.lower, second.upper) == (None, None)


@pytest.mark.parametrize(
    ("name", "exact"),
    [("square", 2**0.5), ("root", 2.0), ("sine", 2 * np.pi * 0.7627597635)],
)
def test_the_bend_is_the_integral_that_is_known(name, exact):
    """∫_0^1 √|sin 2πx| dx = Γ(3/4)/(√π Γ(5/4)) = 0.76275976…"""
    assert integrate_bend(read_target(name, (0, 1))) == pytest.approx(exact, rel=QUADRATURE)
    assert integrate_bend(read_target("kink", (0, 1))) is None


def test_the_gallery_fills_a_folder_and_the_command_names_the_files(tmp_path, capsys, monkeypatch):
    tiny = replace(
        QUICK,
        widths=(2,),
        band=("sine", 2),
        floor_widths=(3,),
        relu_targets=("square",),
        epsilons=(0.1,),
        most_units=2,
        series_widths=(1,),
        series_drawn=1,
    )
    monkeypatch.setattr(gallery, "QUICK", tiny)
    monkeypatch.setattr(gallery, "survey_widths", lambda *args, **options: [make_curve()])
    assert main(["figures", "approximation", "--quick", "--out", str(tmp_path / "new" / "folder")]) == 0
    out, err = capsys.readouterr()
    assert sorted(out.split()) == sorted(str(file) for file in (tmp_path / "new" / "folder").iterdir())
    assert len(out.split()) == 6
    assert "two limits" in err


def test_an_unknown_topic_and_a_folder_that_cannot_be_made_are_one_line(tmp_path, capsys):
    assert main(["figures", "aproximation", "--out", str(tmp_path / "out")]) == 2
    assert "did you mean 'approximation'" in capsys.readouterr().err
    (tmp_path / "file").write_text("")
    with show_stages(plain=False) as stages, pytest.raises(UsageError, match="cannot make the folder"):
        draw_approximation_figures(tmp_path / "file" / "folder", QUICK, stages)
    assert [path.name for path in tmp_path.iterdir()] == ["file"]
