"""Bernstein's polynomials, waves and networks with as many numbers: how they lie, and their error against the count."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from matplotlib.axes import Axes

from backprop.approximation.survey.series import SeriesSurvey
from backprop.errors import UsageError
from backprop.pictures.style import INK, Palette, open_figure, save_figure, write_title

__all__ = ["plot_beside_networks"]

SOLID, DASHED, DOTTED, MIXED = "-", (0, (5, 2)), (0, (1.2, 1.6)), (0, (5, 1.6, 1.2, 1.6))
LOOKS = {
    "bernstein": ("Bernstein's polynomial", Palette.orange, "s", DASHED),
    "fejer": ("Fejér's mean of waves", "#CC79A7", "D", DOTTED),
    "fourier": ("Fourier's sum of waves", "#E69F00", "v", MIXED),
    "constructive": ("network of the proof (sigmoid)", Palette.green, "^", DASHED),
    "fit": ("fitted network (tanh)", Palette.blue, "o", SOLID),
}
"""Name, colour, marker and line: apart in grey as well."""


def plot_beside_networks(path: str | os.PathLike[str], surveys: Sequence[SeriesSurvey]) -> Path:
    """Draw a column for each target: the sums of one size above, all errors below, both axes logarithmic.

    Raises:
        UsageError: nothing to draw, a file that cannot be written.
    """
    if not surveys:
        raise UsageError("there is nothing to draw: at least one target is needed")
    with open_figure(8.2) as figure:
        grid = figure.add_gridspec(2, len(surveys), hspace=0.38, wspace=0.22)
        for column, survey in enumerate(surveys):
            _draw_values(figure.add_subplot(grid[0, column]), survey)
            _draw_errors(figure.add_subplot(grid[1, column]), survey, is_first=column == 0)
        handles = [handle for axes in figure.axes[:2] for handle in axes.get_legend_handles_labels()[0]]
        figure.legend(handles=handles, loc="upper center", bbox_to_anchor=(0.5, 0.05), ncols=3, fontsize=11)
        write_title(figure, "Polynomials and waves beside networks with as many numbers", y=0.96)
        return save_figure(figure, path)


def _draw_values(axes: Axes, survey: SeriesSurvey) -> None:
    axes.plot(survey.x, survey.values, color=INK, linewidth=4.5, alpha=0.25, label="F")
    for one in survey.series:
        _, colour, _, line = LOOKS[one.kind]
        axes.plot(survey.x, one.shown, color=colour, linestyle=line, linewidth=1.7)
    axes.set_title(f"{survey.target}: {survey.drawn} numbers each")
    axes.set_xlabel("x")
    axes.set_xlim(survey.x[0], survey.x[-1])


def _draw_errors(axes: Axes, survey: SeriesSurvey, *, is_first: bool) -> None:
    for one in survey.series:
        label, colour, marker, line = LOOKS[one.kind]
        axes.loglog(
            survey.counts, one.errors, color=colour, marker=marker, ms=6, linestyle=line, linewidth=1.7, label=label
        )
    axes.axvline(survey.drawn, color=INK, linewidth=1.0, linestyle=":", zorder=0)
    axes.set_xticks(survey.counts, labels=[str(count) for count in survey.counts])
    axes.minorticks_off()
    axes.set_xlabel("numbers: 3 n + 1 for n units, n for n terms")
    if is_first:
        axes.set_ylabel("largest |F(x) − f(x)| on the grid")
