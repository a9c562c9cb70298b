"""The largest error against the width: what networks can do, and what training finds."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes

from backprop.approximation.survey.by_width import WidthCurve
from backprop.errors import UsageError
from backprop.pictures.style import FAINT, INK, Palette, open_figure, save_figure, write_title

__all__ = ["plot_error_by_width"]

LOOKS = {
    ("fit", "tanh"): (Palette.blue, "o"),
    ("fit", "sigmoid"): ("#CC79A7", "s"),
    ("fit", "gelu"): ("#E69F00", "D"),
    ("fit", "relu"): (Palette.green, "^"),
    ("constructive", "sigmoid"): (INK, "v"),
    ("adam", "tanh"): (Palette.orange, "X"),
}
NAMES = {"fit": "fitted {}", "constructive": "the network of the proof ({})", "adam": "trained with Adam ({})"}
SMALL = 10.5
FEWEST = 3
"""Widths from which on a curve says something of a rate."""
REMARK = (1.0, 0.6)
"""Where the remark on Adam stands, in shares of the panel: above the fitted curves, below the others."""


def plot_error_by_width(path: str | os.PathLike[str], panels: Sequence[Sequence[WidthCurve]], *, title: str) -> Path:
    """Draw a panel for each target, both axes logarithmic, with lines of slope −1 and −2 beside them.

    Args:
        panels: the curves of each target, as `survey_widths` gives them.

    Raises:
        UsageError: nothing to draw, a file that cannot be written.
    """
    if not panels or not all(panels):
        raise UsageError("there is nothing to draw: every panel needs at least one curve")
    with open_figure(6.8) as figure:
        grid = figure.add_gridspec(1, len(panels), wspace=0.08)
        first: Axes | None = None
        for place, curves in enumerate(panels):
            axes = figure.add_subplot(grid[place], sharey=first)
            first = first or axes
            for curve in curves:
                _draw_curve(axes, curve)
            _draw_rounding(axes, curves[0])
            _draw_slopes(axes, curves)
            _finish(axes, curves[0], place == 0)
        handles, labels = figure.axes[0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="upper center", bbox_to_anchor=(0.5, 0.035), ncols=3, fontsize=11)
        write_title(figure, title, y=0.97)
        return save_figure(figure, path)


def _draw_curve(axes: Axes, curve: WidthCurve) -> None:
    colour, marker = LOOKS.get((curve.method, curve.activation), (Palette.grey, "o"))
    label = NAMES[curve.method].format(curve.activation)
    axes.loglog(curve.widths, curve.errors, color=colour, marker=marker, ms=6, linewidth=1.8, label=label)
    if curve.bounds:
        axes.loglog(
            curve.widths, curve.bounds, color=colour, linewidth=1.6, linestyle=(0, (4, 2)), label="its bound, proved"
        )
    if curve.method == "adam":
        axes.annotate("Adam: optimisation,\nnot the theorem", (curve.widths[-1], curve.errors[-1]), REMARK,
                      textcoords=axes.transAxes, ha="right", va="top", fontsize=SMALL, color=colour,
                      arrowprops={"arrowstyle": "-|>", "color": colour, "shrinkB": 3, "mutation_scale": 8})  # fmt: skip


def _draw_rounding(axes: Axes, curve: WidthCurve) -> None:
    """What a float cannot tell apart at the size of the target."""
    floor = float(np.finfo(float).eps) * curve.scale
    axes.axhspan(floor / 1e3, 4 * floor, color=FAINT, zorder=0)
    axes.annotate("rounding of floats", (min(curve.widths), 4 * floor), (2, -3), textcoords="offset points",
                  va="top", fontsize=SMALL)  # fmt: skip
    axes.set_ylim(bottom=floor / 30)


def _draw_slopes(axes: Axes, curves: Sequence[WidthCurve]) -> None:
    """Lines for n^-1 beside the network of the proof and n^-2 below the ReLU network, if widths enough show a rate."""
    for method, activation, slope, factor in (("constructive", "sigmoid", 1, 4.5), ("fit", "relu", 2, 0.3)):
        for curve in curves:
            if (curve.method, curve.activation) == (method, activation) and len(curve.widths) >= FEWEST:
                widths = np.array([curve.widths[len(curve.widths) // 2], curve.widths[-1]], dtype=float)
                heights = factor * curve.errors[-1] * (widths / widths[-1]) ** -slope
                axes.loglog(widths, heights, color=Palette.grey, linewidth=1.4, linestyle=":")
                at, side, where = (0, 2, "bottom") if slope == 1 else (1, -3, "top")
                axes.annotate(f"$n^{{-{slope}}}$", (widths[at], heights[at]), (0, side), textcoords="offset points",
                              ha="center", va=where, fontsize=12, color=INK)  # fmt: skip


def _finish(axes: Axes, curve: WidthCurve, is_first: bool) -> None:
    axes.set_title(curve.target)
    axes.set_xlabel("width n (hidden units)")
    few = len(curve.widths) < FEWEST
    ticks = [width for width in curve.widths if few or width in {1, 4, 16, 64, 256}]
    axes.set_xticks(ticks, labels=[str(tick) for tick in ticks])
    axes.minorticks_off()
    if is_first:
        axes.set_ylabel("largest |F(x) − f(x)| on the grid")
    else:
        axes.tick_params(labelleft=False)
