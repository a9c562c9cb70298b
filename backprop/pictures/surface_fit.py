"""A network for a function of two variables: its surface from above, and its error with sign and size."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import SymLogNorm
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter

from backprop.approximation import SurfaceApproximation
from backprop.approximation.surfaces.target import GRID_SIDE
from backprop.pictures.style import INK, Floats, open_figure, save_figure, shorten, write_title

__all__ = ["plot_surface_approximation"]

LEVELS = 16
LINEAR = 1e-2
"""Of the largest error: below this share the colours are linear."""


def plot_surface_approximation(approximation: SurfaceApproximation, path: str | os.PathLike[str]) -> Path:
    """Draw the network over its rectangle, and F - f in colours of both signs with the largest marked."""
    target = approximation.function
    x, y = (np.linspace(low, high, GRID_SIDE) for low, high in target.domain)
    values = approximation.f(*np.meshgrid(x, y))
    with open_figure(4.6) as figure:
        places = figure.add_gridspec(1, 2, wspace=0.42)
        left, right = figure.add_subplot(places[0]), figure.add_subplot(places[1])
        _draw_surface(figure, left, x, y, values)
        _draw_error(figure, right, x, y, target.values.reshape(values.shape) - values)
        for axes in (left, right):
            axes.set(xlabel="x", ylabel="y", xlim=target.domain[0], ylim=target.domain[1], box_aspect=1)
            axes.grid(visible=False)
        plural = "s" if approximation.width > 1 else ""
        title = (
            f"{shorten(approximation.target, 40)}  by {approximation.width} {shorten(approximation.activation, 20)} "
            f"unit{plural}: largest error {approximation.sup_error:.1e} on the grid"
        )
        write_title(figure, title, y=1.02)
        return save_figure(figure, path)


def _draw_surface(figure: Figure, axes: Axes, x: Floats, y: Floats, values: Floats) -> None:
    filled = axes.contourf(x, y, values, LEVELS, cmap="viridis")
    axes.contour(x, y, values, levels=filled.levels, colors=INK, linewidths=0.4, alpha=0.5)
    axes.set_title("f(x, y), the network")
    figure.colorbar(filled, ax=axes, fraction=0.046, pad=0.04)


def _draw_error(figure: Figure, axes: Axes, x: Floats, y: Floats, error: Floats) -> None:
    """Red where the network is too low, blue where it is too high; symmetric logarithmic colours."""
    limit = float(np.max(np.abs(error))) or 1.0
    row, column = np.unravel_index(int(np.argmax(np.abs(error))), error.shape)
    norm = SymLogNorm(linthresh=LINEAR * limit, vmin=-limit, vmax=limit, base=10)
    image = axes.pcolormesh(x, y, error, cmap="RdBu_r", norm=norm, shading="nearest", rasterized=True)
    for size, colour in ((4, "white"), (1.8, INK)):
        axes.plot(x[column], y[row], "o", ms=10, mfc="none", mec=colour, mew=size, clip_on=False)
    axes.set_title("Error F − f at the grid's points")
    bar: Any = figure.colorbar(image, ax=axes, fraction=0.046, pad=0.04)
    marks = limit * np.array([-1, -0.1, -LINEAR, 0, LINEAR, 0.1, 1])
    bar.set_ticks(FixedLocator(marks.tolist()))
    bar.ax.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:.1e}".replace("-", "−") if value else "0"))
    bar.ax.minorticks_off()
