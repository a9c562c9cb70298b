"""Decision surfaces of networks with two inputs."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from numpy.typing import NDArray

from backprop.errors import UsageError
from backprop.pictures.style import INK, Palette, open_figure, save_figure, write_title

__all__ = ["Gate", "plot_gates"]

Floats = NDArray[np.floating[Any]]

EDGE, POINTS = 0.35, 201
FLAT = 0.02  # a surface that varies by less has no line worth drawing
SURFACE = LinearSegmentedColormap.from_list("no to yes", [Palette.blue, "white", Palette.orange])


@dataclass(frozen=True, eq=False)
class Gate:
    """One panel: the data, what the network says anywhere (a function of rows (n, 2), values 0..1), a line of text."""

    name: str
    X: Floats
    labels: NDArray[np.integer[Any]]
    output: Callable[[Floats], Floats]
    note: str = ""


def plot_gates(path: str | os.PathLike[str], rows: Sequence[tuple[str, Sequence[Gate]]], *, title: str) -> Path:
    """Draw the surfaces: one row of panels for each kind of network, with the line where the output is 1/2.

    A ring marks a point that is read wrongly.

    Args:
        rows: (what this row is, its gates); all rows of one length.

    Raises:
        UsageError: no gates, rows of different lengths, a file that cannot be written.
    """
    counts = {len(gates) for _, gates in rows}
    if len(counts) != 1 or not max(counts):
        raise UsageError(f"every row needs as many gates; got {[len(gates) for _, gates in rows]}")
    with open_figure(0.7 + 3.55 * len(rows)) as figure:
        grid = figure.add_gridspec(len(rows), max(counts), hspace=0.42, wspace=0.12)
        for row, (what, gates) in enumerate(rows):
            for column, gate in enumerate(gates):
                axes = figure.add_subplot(grid[row, column])
                _draw_gate(axes, gate)
                if column == 0:
                    axes.set_ylabel(f"{what}\n$x_2$", fontsize=12)
                else:
                    axes.tick_params(labelleft=False)
        write_title(figure, title, y=0.96)
        return save_figure(figure, path)


def _draw_gate(axes: Axes, gate: Gate) -> None:
    line = np.linspace(-EDGE, 1 + EDGE, POINTS)
    first, second = np.meshgrid(line, line)
    values = gate.output(np.column_stack([first.ravel(), second.ravel()])).reshape(POINTS, POINTS)
    extent = (-EDGE, 1 + EDGE, -EDGE, 1 + EDGE)
    axes.imshow(values, origin="lower", extent=extent, cmap=SURFACE, vmin=0, vmax=1, alpha=0.75)
    if values.max() - values.min() < FLAT:
        words = f"output {values.mean():.2f} everywhere"
        axes.text(0.5, 0.5, words, ha="center", va="center", fontsize=11, transform=axes.transAxes)
    elif values.min() < 0.5 < values.max():
        axes.contour(first, second, values, levels=[0.5], colors=INK, linewidths=1.6)
    said = gate.output(gate.X).ravel() >= 0.5
    for point, label, right in zip(gate.X, gate.labels, said == (gate.labels == 1), strict=True):
        colour = Palette.orange if label else Palette.blue
        axes.plot(*point, "o", ms=15, markerfacecolor=colour, markeredgecolor="white", markeredgewidth=2)
        axes.annotate(f"{label}", point, ha="center", va="center", color="white", fontsize=10, fontweight="bold")
        if not right:
            axes.plot(*point, "o", ms=24, markerfacecolor="none", markeredgecolor=INK, markeredgewidth=2.4)
    axes.set_title(gate.name + (f"  {gate.note}" if gate.note else ""), fontsize=12)
    axes.set(xlabel="$x_1$", xticks=[0, 1], yticks=[0, 1], xlim=extent[:2], ylim=extent[2:])
    axes.grid(visible=False)
