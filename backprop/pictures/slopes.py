"""Figure for a slide: f' in double precision as it is usually computed, and as it is."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes

from backprop.pictures.style import Floats, Palette, open_figure, save_figure, write_title
from backprop.runtime.activation_functions import activation

__all__ = ["plot_slopes"]

POINTS = 1600
MOST_DIGITS = 16.0


@dataclass(frozen=True)
class _Panel:
    """One activation, the stretch that is shown, and how f' is usually written."""

    name: str
    title: str
    low: float
    high: float
    usual: str


PANELS = (
    _Panel("sigmoid", "sigmoid", 0.0, 60.0, "a (1 − a)"),
    _Panel("gelu_tanh", "GELU (tanh form)", -12.0, 0.0, "by 1 + tanh and 1 − tanh²"),
)


def plot_slopes(path: str | os.PathLike[str]) -> Path:
    """Draw f' of the sigmoid and of GELU's tanh form far out, as it is and by the usual formula with its right digits.

    The usual formulas are those of this project's `accuracy="fast"`, which common frameworks use as well; what is
    called exact here is `accuracy="full"`, within 8 units in the last place.
    """
    with open_figure(6.6) as figure:
        grid = figure.add_gridspec(2, len(PANELS), height_ratios=(2.1, 1), hspace=0.12, wspace=0.24)
        for column, panel in enumerate(PANELS):
            z = np.linspace(panel.low, panel.high, POINTS)
            usual: Floats = np.real(activation(panel.name, "fast").f_prime(z))
            exact: Floats = np.real(activation(panel.name, "full").f_prime(z))
            top = figure.add_subplot(grid[0, column])
            bottom = figure.add_subplot(grid[1, column], sharex=top)
            _draw_slopes(top, panel, z, usual, exact)
            _draw_digits(bottom, z, usual, exact)
            top.tick_params(labelbottom=False)
            bottom.set_xlabel("z")
            for axes, label in ((top, "|f'(z)|"), (bottom, "digits right")):
                axes.set_ylabel(label if column == 0 else "")
        title = "f' in double precision: a gradient that vanishes in the arithmetic"
        write_title(figure, title, x=0.075)
        return save_figure(figure, path)


def _draw_slopes(axes: Axes, panel: _Panel, z: Floats, usual: Floats, exact: Floats) -> None:
    shown = np.where(usual != 0, np.abs(usual), np.nan)
    axes.semilogy(z, np.abs(exact), color=Palette.blue, linewidth=5, alpha=0.45, label="as it is")
    axes.semilogy(z, shown, color=Palette.orange, linewidth=1.6, label=f"usual: {panel.usual}")
    axes.set_title(panel.title)
    zero = usual == 0
    if zero.any():
        floor, ends = float(np.min(np.abs(exact))), (float(z[zero].min()), float(z[zero].max()))
        axes.plot(ends, (floor, floor), color=Palette.orange, linewidth=4, solid_capstyle="butt")
        to_the_right = panel.high > 0
        at, side = (ends[0], -1) if to_the_right else (ends[1], 1)
        axes.annotate(
            f"computed as 0\nbeyond z = {at:.1f}".replace("-", "−"),
            (at, floor),
            xytext=(8 * side, -4),
            textcoords="offset points",
            ha="right" if to_the_right else "left",
            va="bottom",
            color=Palette.orange,
            fontsize=11,
        )
    axes.legend(loc="upper right" if panel.high > 0 else "upper left", fontsize=11)
    axes.set_ylim(top=1e4 if panel.high > 0 else 1e16)


def _draw_digits(axes: Axes, z: Floats, usual: Floats, exact: Floats) -> None:
    """-log10 of the relative error of the usual formula, between 0 and 16."""
    error = np.abs(usual - exact) / np.abs(exact)
    digits = np.clip(-np.log10(np.maximum(error, 10**-MOST_DIGITS)), 0, MOST_DIGITS)
    axes.plot(z, digits, color=Palette.orange, linewidth=1.2)
    axes.axhline(MOST_DIGITS - 1, color=Palette.blue, linewidth=5, alpha=0.45, zorder=1)
    axes.set(ylim=(-0.8, MOST_DIGITS + 0.8), yticks=(0, 5, 10, 15))
