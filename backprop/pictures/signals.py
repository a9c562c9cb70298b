"""How large outputs and gradients are, layer by layer: measured and derived."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from backprop.errors import UsageError
from backprop.pictures.style import INK, Palette, open_figure, save_figure, write_title

__all__ = ["Signal", "plot_signals"]

COLUMNS = 3
COLOURS = (Palette.blue, Palette.orange, Palette.green, Palette.grey, "#CC79A7", "#E69F00")
DASHES: tuple[Any, ...] = ("-", (0, (6, 2)), (0, (2, 1.5)), (0, (6, 2, 1, 2)), (0, (1, 1)), (0, (9, 3)))
"""The lines stay apart in grey as well."""
MARKERS = "osD^vP"


@dataclass(frozen=True)
class Signal:
    """One curve: root mean square of delta in layers 1..L, relative to layer L; what the theory says."""

    name: str
    measured: Sequence[float]
    derived: Sequence[float] | None = None


def plot_signals(
    path: str | os.PathLike[str],
    panels: Mapping[str, Sequence[Signal]],
    *,
    title: str,
    dead: Mapping[str, tuple[Sequence[float], Sequence[float]]] | None = None,
) -> Path:
    """Draw a panel for each kind of network, a curve for each initialiser: measured as a line, derived as dots.

    Args:
        dead: layer -> (learning rates, share of dead units); one more panel.

    Raises:
        UsageError: nothing to draw, a file that cannot be written.
    """
    if not panels or not all(panels.values()):
        raise UsageError("there is nothing to draw: every panel needs at least one curve")
    rows = -(-(len(panels) + bool(dead)) // COLUMNS)
    with open_figure(1.0 + 2.9 * rows) as figure:
        grid = figure.add_gridspec(rows, COLUMNS, hspace=0.55, wspace=0.32)
        for place, (name, signals) in enumerate(panels.items()):
            axes = figure.add_subplot(grid[place // COLUMNS, place % COLUMNS])
            _draw_signals(axes, name, signals)
            if place % COLUMNS == 0:
                axes.set_ylabel("size of δ (layer L: 1)", fontsize=11)
        if dead:
            _draw_dead(figure.add_subplot(grid[len(panels) // COLUMNS, len(panels) % COLUMNS]), dead)
        keys = [Line2D([], [], color=INK, label="measured"),
                Line2D([], [], color=INK, marker="o", linestyle="", ms=4, label="derived")]  # fmt: skip
        figure.legend(handles=keys, loc="upper right", ncols=2, fontsize=11, bbox_to_anchor=(0.91, 1.0))
        write_title(figure, title)
        return save_figure(figure, path)


def _draw_signals(axes: Axes, name: str, signals: Sequence[Signal]) -> None:
    for colour, dashes, signal in zip(COLOURS, DASHES, signals, strict=False):
        layers = np.arange(1, len(signal.measured) + 1)
        axes.semilogy(layers, signal.measured, color=colour, linestyle=dashes, label=signal.name, linewidth=1.8)
        if signal.derived is not None:
            axes.semilogy(layers, signal.derived, "o", color=colour, ms=3.6, markeredgecolor="white", mew=0.5)
    axes.set_title(name, fontsize=12)
    axes.set_xlabel("layer", fontsize=11)
    low, high = axes.get_ylim()
    axes.set_ylim(min(low, 0.05), max(high, 20))  # what hardly changes shall look as if it hardly changed
    axes.tick_params(labelsize=10)
    axes.legend(fontsize=8.5, loc="best", handlelength=2.6, borderaxespad=0.2)


def _draw_dead(axes: Axes, dead: Mapping[str, tuple[Sequence[float], Sequence[float]]]) -> None:
    for colour, marker, (layer, (rates, shares)) in zip(COLOURS, MARKERS, dead.items(), strict=False):
        percent = [100 * share for share in shares]
        axes.semilogx(rates, percent, f"{marker}-", color=colour, label=layer, ms=5, linewidth=1.8)
    axes.set_title("dead ReLUs, 5 epochs", fontsize=12)
    axes.set_xlabel("learning rate (Adam)", fontsize=11)
    axes.set_ylabel("% of the units", fontsize=11, labelpad=1)
    axes.set_ylim(-3, 103)
    axes.tick_params(labelsize=10)
    axes.legend(fontsize=8.5)
