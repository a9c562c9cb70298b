"""Functions of two variables: the truth, its noisy data, and what models make of them."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from backprop.pictures.style import FAINT, INK, Floats, open_figure, save_figure, write_title

__all__ = ["plot_surfaces"]

Surface = Callable[[Floats], Floats]

POINTS, COLUMNS = 81, 2


def plot_surfaces(
    path: str | os.PathLike[str], surfaces: Mapping[str, Surface], X: Floats, y: Floats, *, title: str
) -> Path:
    """Draw each function over the unit square, and the data in the first panel.

    Args:
        surfaces: name -> function of rows (n, 2) with n values; the first is the truth.
        X, y: the data, (n, 2) and (n,).
    """
    line = np.linspace(0, 1, POINTS)
    first, second = np.meshgrid(line, line)
    rows = np.column_stack([first.ravel(), second.ravel()])
    heights = {name: surface(rows).reshape(POINTS, POINTS) for name, surface in surfaces.items()}
    truth = next(iter(heights.values()))
    low, high = float(truth.min()), float(truth.max())
    count = -(-len(heights) // COLUMNS)
    with open_figure(0.6 + 3.9 * count) as figure:
        grid = figure.add_gridspec(count, COLUMNS, wspace=0.0, hspace=0.3)
        for place, (name, values) in enumerate(heights.items()):
            axes: Any = figure.add_subplot(grid[place // COLUMNS, place % COLUMNS], projection="3d")
            axes.plot_surface(first, second, values, cmap="viridis", vmin=low, vmax=high, linewidth=0, rcount=60,
                              ccount=60, antialiased=True, alpha=0.75 if place == 0 else 1)  # fmt: skip
            if place == 0:
                axes.scatter(X[:, 0], X[:, 1], y, s=3, color=INK, alpha=0.5, depthshade=False)
            axes.set_title(name, loc="center", fontsize=12, y=0.98)
            axes.set(xlabel="x", ylabel="y", zlim=(low - 0.25, high + 0.2), xticks=[0, 0.5, 1], yticks=[0, 0.5, 1])
            axes.view_init(elev=28, azim=45)
            axes.set_box_aspect((1, 1, 0.7), zoom=1.18)
            axes.tick_params(labelsize=9, pad=-2)
            for axis in (axes.xaxis, axes.yaxis, axes.zaxis):
                axis.set_pane_color("white")
                axis._axinfo["grid"]["color"] = FAINT
        write_title(figure, title, y=0.97)
        return save_figure(figure, path)
