"""Polynomials and waves beside networks: what is surveyed is what analysis says, what is drawn is what was surveyed."""

from __future__ import annotations

import math

import numpy as np
import pytest

from backprop.approximation.survey import Series, SeriesSurvey, survey_series
from backprop.approximation.survey.series import KINDS
from backprop.errors import UsageError
from backprop.pictures.series import beside_networks
from backprop.pictures.series.beside_networks import plot_beside_networks

PNG = b"\x89PNG"
INTEGRALS = 1e-6
"""The trapezoidal rule of the coefficients, at a kink."""


@pytest.fixture(scope="module")
def kink():
    return survey_series("kink", (1, 3), 3)


def test_bernsteins_errors_at_the_kink_are_the_exact_ones(kink):
    errors = {one.kind: one.errors for one in kink.series}
    for count, error in zip(kink.counts, errors["bernstein"], strict=True):
        degree = count - 1
        if degree % 2 == 0:
            assert error == pytest.approx(math.comb(degree, degree // 2) / 2 ** (degree + 1), rel=1e-12)
        assert error <= 0.5 / math.sqrt(degree)


def test_waves_of_the_kink_are_those_of_its_coefficients(kink):
    """|x − 1/2| = 1/4 + Σ a_k cos(kπx) with a_k = 8/(π k)² for k = 2, 6, 10, …, 0 else."""
    shown = {one.kind: one.shown for one in kink.series}
    for kind, weigh in (("fourier", lambda k: 1.0), ("fejer", lambda k: 1 - k / kink.drawn)):
        waves = range(2, kink.drawn, 4)
        expected = 0.25 + sum(weigh(k) * 8 / (math.pi * k) ** 2 * np.cos(k * np.pi * kink.x) for k in waves)
        assert np.max(np.abs(shown[kind] - expected)) < INTEGRALS


def test_weighted_means_stay_in_the_range_of_the_target(kink):
    for one in kink.series:
        if one.kind in ("bernstein", "fejer", "constructive"):
            assert np.min(one.shown) >= np.min(kink.values) - INTEGRALS
            assert np.max(one.shown) <= np.max(kink.values) + INTEGRALS


def test_every_kind_is_drawn_with_its_own_errors(tmp_path, monkeypatch):
    kept = []
    save = beside_networks.save_figure
    monkeypatch.setattr(
        beside_networks, "save_figure", lambda figure, path: (kept.append(figure), save(figure, path))[1]
    )
    x = np.linspace(0, 1, 5)
    series = tuple(Series(kind, (0.5, 0.1 * (k + 1)), x + k) for k, kind in enumerate(KINDS))
    survey = SeriesSurvey("kink", (4, 7), 7, x, x, series)
    path = plot_beside_networks(tmp_path / "s.png", [survey, survey])
    assert path.read_bytes().startswith(PNG)
    upper, lower = kept[0].axes[:2]
    assert [line.get_ydata().tolist() for line in upper.lines[1:]] == [one.shown.tolist() for one in series]
    assert [line.get_ydata().tolist() for line in lower.lines[: len(series)]] == [list(one.errors) for one in series]
    names = [text.get_text() for text in kept[0].legends[0].get_texts()]
    assert len(names) == len(KINDS) + 1
    assert len({(line.get_color(), line.get_marker()) for line in lower.lines[: len(series)]}) == len(KINDS)


def test_nothing_to_draw_is_refused(tmp_path):
    with pytest.raises(UsageError, match="nothing to draw"):
        plot_beside_networks(tmp_path / "s.png", [])
