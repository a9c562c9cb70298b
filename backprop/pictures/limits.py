"""The two limits: with a polynomial for activation there is a floor, at a jump there is half of it."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes

from backprop.approximation.ground.wording import describe_below
from backprop.approximation.survey.two_limits import TwoLimits
from backprop.codegen.functions.elementwise import evaluate
from backprop.pictures.style import FAINT, Palette, open_figure, save_figure, write_title
from theory.functions.elementwise import find

__all__ = ["plot_limits"]

COLOURS = (Palette.blue, Palette.orange, Palette.green, "#CC79A7")
MARKERS = "osD^"
SHADES = ("#F0B58C", "#E5814A", Palette.orange)
"""From the flattest to the steepest sigmoid."""
SMALL = 10.5


def plot_limits(path: str | os.PathLike[str], limits: TwoLimits) -> Path:
    """Draw, on the left, F and its best polynomial, the error that alternates between ± the floor, and networks that
    sit on the floor whatever their width; on the right, the step, sigmoids for it, and both of their errors.

    Raises:
        UsageError: a file that cannot be written.
    """
    with open_figure(9.4) as figure:
        grid = figure.add_gridspec(3, 2, height_ratios=(1, 1, 1.05), hspace=0.62, wspace=0.34)
        cells = [[figure.add_subplot(grid[row, column]) for row in range(3)] for column in range(2)]
        _draw_polynomial(cells[0][0], limits)
        _draw_alternation(cells[0][1], limits)
        _draw_floors(cells[0][2], limits)
        _draw_step(cells[1][0], limits)
        _draw_step_errors(cells[1][1], limits)
        _draw_two_errors(cells[1][2], limits)
        title = "Two limits of universal approximation"
        write_title(figure, title, y=0.965)
        return save_figure(figure, path)


def _draw_polynomial(axes: Axes, limits: TwoLimits) -> None:
    floor, x = limits.floors[-1], limits.smooth.grid
    axes.plot(x, limits.smooth.values, color=Palette.grey, linewidth=6, alpha=0.55, label=f"F: {limits.smooth.text}")
    axes.plot(x, floor.p(x), color=Palette.blue, linewidth=2, label=f"the best of degree {floor.degree}")
    axes.set_title(f"σ = $z^{floor.degree}$: a network is a polynomial")
    axes.set_ylabel("value")
    axes.set_xlabel("x", labelpad=1)
    axes.legend(fontsize=SMALL, loc="lower left", handlelength=1.4)


def _draw_alternation(axes: Axes, limits: TwoLimits) -> None:
    """The error touches ± the floor, in turn, at the points of the proof."""
    floor, x = limits.floors[-1], limits.smooth.grid
    places = np.array([float(point) for point in floor.points])
    axes.axhspan(-floor.lower, floor.lower, color=FAINT, zorder=0)
    axes.plot(x, limits.smooth.values - floor.p(x), color=Palette.blue, linewidth=1.8)
    axes.plot(places, limits.smooth(places) - floor.p(places), "o", color=Palette.orange, ms=7, clip_on=False)
    axes.set_title(f"Off by {describe_below(floor.lower, 5)}: {len(places)} points prove it")
    axes.set_ylabel("F − polynomial")
    axes.set_xlabel("x", labelpad=1)


def _draw_floors(axes: Axes, limits: TwoLimits) -> None:
    for floor, rows, colour, marker in zip(limits.floors, limits.on_floor, COLOURS, MARKERS, strict=False):
        axes.axhline(floor.lower, color=colour, linewidth=1.4, linestyle=(0, (4, 2)))
        widths, errors = [row.width for row in rows], [row.error for row in rows]
        axes.loglog(widths, errors, color=colour, marker=marker, ms=7, linewidth=1.4, label=f"σ = $z^{floor.degree}$")
        axes.annotate(f"floor {describe_below(floor.lower, 5)}, proved", (widths[-1], floor.lower), (0, -4),
                      textcoords="offset points", ha="right", va="top", fontsize=SMALL, color=colour)  # fmt: skip
    ticks = [row.width for row in limits.on_floor[0]]
    axes.set_xticks(ticks, labels=[str(tick) for tick in ticks])
    axes.minorticks_off()
    lowest = min(floor.lower for floor in limits.floors)
    axes.set_ylim(lowest / 2.2, 2.2)
    axes.set_title("More units do not help")
    axes.set(xlabel="width n (hidden units)", ylabel="largest |F − f|")
    axes.legend(fontsize=SMALL, loc="upper right", ncols=2, handlelength=1.4)


def _draw_step(axes: Axes, limits: TwoLimits) -> None:
    x = limits.step.grid
    place = limits.jump.place
    for side in (x < place, x > place):
        axes.plot(x[side], limits.step(x[side]), color=Palette.grey, linewidth=6, alpha=0.55, solid_capstyle="butt")
    for colour, (steepness, values) in zip(SHADES, _list_sigmoids(limits, x), strict=False):
        axes.plot(x, values, color=colour, linewidth=1.8, label=f"s = {steepness:g}")
    axes.set_title("A step, and one unit σ(s (x − ½))")
    axes.set_ylabel("value")
    axes.set_xlabel("x", labelpad=1)
    axes.legend(fontsize=SMALL, loc="upper left", handlelength=1.4)


def _list_sigmoids(limits: TwoLimits, x: np.ndarray) -> list[tuple[float, np.ndarray]]:
    """Three of the sigmoids, with their values."""
    sigmoid = evaluate(find("sigmoid").expression)
    shown = limits.steep[:: max(1, len(limits.steep) // len(SHADES))][: len(SHADES)]
    return [(row.steepness, sigmoid(row.steepness * (x - limits.jump.place))) for row in shown]


def _draw_step_errors(axes: Axes, limits: TwoLimits) -> None:
    """Narrower and narrower, and never lower."""
    x = limits.step.grid
    place = limits.jump.place
    axes.axhspan(-limits.jump.lower, limits.jump.lower, color=FAINT, zorder=0)
    for colour, (_, values) in zip(SHADES, _list_sigmoids(limits, x), strict=False):
        error = limits.step(x) - values
        for side in (x < place, x > place):
            axes.plot(x[side], error[side], color=colour, linewidth=1.8)
    axes.set_title(f"Off by {limits.jump.lower:g}, however steep")
    axes.set_ylabel("F − f")
    axes.set_xlabel("x", labelpad=1)


def _draw_two_errors(axes: Axes, limits: TwoLimits) -> None:
    steepness = np.array([row.steepness for row in limits.steep])
    sup, mean = (
        np.array(column) for column in zip(*((row.sup_error, row.l2_high) for row in limits.steep), strict=True)
    )
    axes.loglog(steepness, sup, color=Palette.orange, marker="o", ms=6, linewidth=1.6, label="largest error: ½")
    axes.loglog(steepness, mean, color=Palette.blue, marker="s", ms=6, linewidth=1.6, label="L² error → 0")
    axes.loglog(steepness, 0.45 * mean[-1] * (steepness / steepness[-1]) ** -0.5, color=Palette.grey, linestyle=":")
    axes.annotate("$s^{-1/2}$", (steepness[-1], 0.45 * mean[-1]), (0, -4), textcoords="offset points",
                  ha="right", va="top", fontsize=12)  # fmt: skip
    axes.set_ylim(mean[-1] / 12, 3)
    axes.set_title("The largest error stays, L² goes to 0")
    axes.set(xlabel="steepness s", ylabel="error")
    axes.legend(fontsize=SMALL, loc="lower left", handlelength=1.4)
