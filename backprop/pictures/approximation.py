"""Figure for a slide: a function or data, the network that comes near, its hidden units and its error."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes

from backprop.approximation.ground.wording import describe_above
from backprop.approximation.searching.result import Approximation
from backprop.pictures.style import INK, Floats, Palette, open_figure, save_figure, shorten, write_title

__all__ = ["choose_unit", "draw_fit", "plot_approximation"]

LINE_POINTS = 2001
"""Points of the line of a network where data are drawn."""


def plot_approximation(approximation: Approximation, path: str | os.PathLike[str]) -> Path:
    """Draw a function or data and the network, the outputs of the hidden units, the error with its largest value."""
    x = _list_drawn(approximation)
    with open_figure(7.4) as figure:
        grid = figure.add_gridspec(3, 1, height_ratios=(3, 1, 1.5), hspace=0.38)
        top = figure.add_subplot(grid[0])
        units = figure.add_subplot(grid[1], sharex=top)
        bottom = figure.add_subplot(grid[2], sharex=top)
        draw_fit(top, approximation, x)
        _draw_units(units, approximation, x)
        _draw_error(bottom, approximation)
        for axes in (top, units):
            axes.tick_params(labelbottom=False)
        bottom.set(xlabel="x", xlim=approximation.domain)
        plural = "s" if approximation.width > 1 else ""
        title = f"{shorten(approximation.target, 40)}  by {approximation.width} {approximation.activation} unit{plural}"
        write_title(figure, title, x=0.09)
        return save_figure(figure, path)


def _list_drawn(approximation: Approximation) -> Floats:
    """The points that lines go through: the grid; of data, points between them as well, for the network is known."""
    target = approximation.function
    if target.known_between:
        return target.grid
    return np.union1d(target.grid, np.linspace(*target.domain, LINE_POINTS))


def draw_fit(axes: Axes, approximation: Approximation, x: Floats) -> None:
    """Draw F, or the data, and f."""
    target = approximation.function
    if target.known_between:
        values = target.values.copy()
        for place in target.breaks:
            _lift_pen(values, x, place)
        look: Any = {"linewidth": 6, "alpha": 0.55, "solid_capstyle": "butt", "label": "F(x), the target"}
        axes.plot(x, values, color=Palette.grey, **look)
    else:
        size = float(np.clip(40 / np.sqrt(len(target.grid)), 1.5, 7))
        axes.plot(target.grid, target.values, "o", color=Palette.grey, ms=size, label=f"the {len(target.grid):,} data")
    axes.plot(x, approximation.f(x), color=Palette.blue, linewidth=2, label="f(x), the network")
    axes.set_title("Function and network" if target.known_between else "Data and network")
    axes.set_ylabel("value")
    axes.legend(loc="lower right", bbox_to_anchor=(1.0, 1.0), ncols=2, borderaxespad=0.2)


def _lift_pen(values: Floats, x: Floats, place: float) -> None:
    """Leave a gap at a jump, so that it is not drawn as a steep slope."""
    at = int(np.searchsorted(x, place))
    span = float(np.ptp(values[np.isfinite(values)])) or 1.0
    if 0 < at < len(x) - 1 and abs(values[at + 1] - values[at - 1]) > 1e-6 * span:
        values[at] = np.nan


def _draw_units(axes: Axes, approximation: Approximation, x: Floats) -> None:
    """Draw sigma(w_k x + b_k), each scaled to its largest value: relu and its like have no natural size."""
    with np.errstate(all="ignore"):
        outputs = approximation.sigma(np.outer(x, approximation.w) + approximation.b)
        size = np.max(np.abs(outputs), axis=0)
    busy = (size > 0) & np.isfinite(size) & (approximation.c != 0)
    alpha = float(np.clip(6 / approximation.width, 0.15, 0.8))
    axes.plot(x, outputs[:, busy] / size[busy], color=Palette.green, linewidth=1.2, alpha=alpha)
    axes.set_title(r"Hidden units $\sigma(w_k x + b_k)$, each scaled to 1")
    axes.set_ylabel("output")


def choose_unit(limit: float) -> tuple[float, str]:
    """What an axis of errors counts in, a power of ten, and how that is said.

    >>> choose_unit(3e-5)
    (1e-05, '   [$10^{-5}$]')
    """
    power = int(np.floor(np.log10(limit))) if limit > 0 else 0
    return (1.0, "") if -2 <= power <= 2 else (10.0**power, rf"   [$10^{{{power}}}$]")


def _draw_error(axes: Axes, approximation: Approximation) -> None:
    x, function = approximation.function.grid, approximation.function.known_between
    error = approximation.function.values - approximation.f(x)
    worst = int(np.argmax(np.abs(error)))
    proof = approximation.certificate if approximation.certified else None
    limit = approximation.sup_error if proof is None else proof.bound
    unit, words = choose_unit(limit)
    if function:
        axes.plot(x, error / unit, color=Palette.orange, linewidth=1.4)
    else:
        axes.vlines(x, 0, error / unit, color=Palette.orange, linewidth=float(np.clip(200 / len(x), 0.4, 1.4)))
    for sign in (-1, 1):
        axes.axhline(sign * limit / unit, color=INK, linewidth=1, linestyle=(0, (4, 3)))
    axes.plot(x[worst], error[worst] / unit, "o", color=Palette.orange, ms=7)
    proved = f"Error: at most {describe_above(limit)} at every point (proved)"
    points = f"on {approximation.grid_points:,} grid points (not proved between them)"
    data = f"at {approximation.grid_points:,} data points (nothing is known between them)"
    axes.set_title(f"Error: largest {limit:.2g} {points if function else data}" if proof is None else proved)
    axes.set_ylabel(("F(x) − f(x)" if function else "y − f(x)") + words)
    if limit > 0:
        axes.set_ylim(-1.35 * limit / unit, 1.35 * limit / unit)
