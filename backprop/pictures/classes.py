"""What a classifier of images confuses, what its first layer looks at, and what it misread."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.gridspec import SubplotSpec
from numpy.typing import NDArray

from backprop.errors import UsageError
from backprop.pictures.style import FAINT, INK, Palette, open_figure, save_figure, write_title

__all__ = ["count_confusions", "plot_classes"]

Floats = NDArray[np.floating[Any]]
Labels = NDArray[np.integer[Any]]

UNITS, MISREAD = (5, 8), (2, 8)  # rows and columns of small pictures


def count_confusions(labels: Labels, predictions: Labels, classes: int) -> NDArray[np.int64]:
    """How often class i (row) was read as class k (column).

    >>> count_confusions(np.array([0, 0, 1]), np.array([0, 1, 1]), 2).tolist()
    [[1, 1], [0, 1]]
    """
    counts = np.zeros((classes, classes), dtype=np.int64)
    np.add.at(counts, (labels, predictions), 1)
    return counts


def plot_classes(
    path: str | os.PathLike[str],
    *,
    images: Floats,
    labels: Labels,
    probabilities: Floats,
    weights: Floats,
    title: str,
) -> Path:
    """Draw the confusion matrix, the weights of the first layer as images, and the images misread most surely.

    Args:
        images: shape (n, s*s), 0 = paper, 1 = ink; labels: (n,), probabilities: (n, classes), the outputs.
        weights: W1, shape (s*s, units); the units with the largest weights are shown.
        title: what was tested on what.

    Raises:
        UsageError: shapes that do not fit, images that are not square, an unknown ending, a file that cannot be
            written.
    """
    side = round(np.sqrt(images.shape[1]))
    if side * side != images.shape[1] or weights.shape[0] != images.shape[1]:
        raise UsageError(f"images must be square and fit the weights; got {images.shape} and W1 {weights.shape}")
    if not len(images) == len(labels) == len(probabilities):
        raise UsageError("images, labels and probabilities must have as many rows")
    predictions = np.argmax(probabilities, axis=1)
    with open_figure(6.6) as figure:
        grid = figure.add_gridspec(1, 2, width_ratios=(1.12, 1), wspace=0.08)
        _draw_confusions(figure.add_subplot(grid[0]), count_confusions(labels, predictions, probabilities.shape[1]))
        right = grid[1].subgridspec(2, 1, height_ratios=(UNITS[0], 1.42 * MISREAD[0]), hspace=0.16)
        _draw_weights(figure, right[0], weights, side)
        _draw_misread(figure, right[1], images.reshape(-1, side, side), labels, predictions, probabilities)
        write_title(figure, title, y=0.98)
        return save_figure(figure, path)


def _draw_confusions(axes: Axes, counts: NDArray[np.int64]) -> None:
    wrong = counts.astype(float)
    np.fill_diagonal(wrong, np.nan)
    axes.imshow(wrong, cmap="Oranges", vmin=0, vmax=max(1.0, 1.4 * np.nanmax(wrong)))
    for i, row in enumerate(counts):
        for k, count in enumerate(row):
            if count or i == k:
                colour, weight = (Palette.blue, "bold") if i == k else (INK, "normal")
                axes.text(k, i, f"{count}", ha="center", va="center", fontsize=9.5, color=colour, fontweight=weight)
    errors = counts.sum() - np.trace(counts)
    axes.set(title=f"{errors} of {counts.sum():,} misread", xlabel="read as", ylabel="is")
    axes.set(xticks=range(len(counts)), yticks=range(len(counts)))
    axes.grid(visible=False)
    axes.tick_params(length=0)
    for spine in axes.spines.values():
        spine.set(visible=True, color=FAINT)


def _draw_weights(figure: Figure, place: SubplotSpec, weights: Floats, side: int) -> None:
    shown = np.argsort(-np.linalg.norm(weights, axis=0))[: UNITS[0] * UNITS[1]]
    cells = place.subgridspec(*UNITS, wspace=0.08, hspace=0.08)
    for cell, unit in enumerate(shown):
        axes = figure.add_subplot(cells[cell // UNITS[1], cell % UNITS[1]])
        image = weights[:, unit].reshape(side, side)
        limit = float(np.quantile(np.abs(image), 0.99)) or 1.0
        axes.imshow(image, cmap="RdBu_r", vmin=-limit, vmax=limit, interpolation="nearest")
        _strip(axes)
        if cell == 0:
            axes.set_title("First-layer weights (red +, blue −)", fontsize=13)


def _draw_misread(
    figure: Figure, place: SubplotSpec, images: Floats, labels: Labels, predictions: Labels, probabilities: Floats
) -> None:
    wrong = np.flatnonzero(labels != predictions)
    surest = wrong[np.argsort(-probabilities[wrong, predictions[wrong]])][: MISREAD[0] * MISREAD[1]]
    cells = place.subgridspec(*MISREAD, wspace=0.08, hspace=0.3)
    for cell, row in enumerate(surest):
        axes = figure.add_subplot(cells[cell // MISREAD[1], cell % MISREAD[1]])
        axes.imshow(images[row], cmap="Greys", vmin=0, vmax=1, interpolation="nearest")
        _strip(axes)
        axes.set_xlabel(f"{labels[row]} → {predictions[row]}", fontsize=10, color=Palette.orange, labelpad=2)
        if cell == 0:
            axes.set_title("Misread most surely: is → read as", fontsize=13)


def _strip(axes: Axes) -> None:
    """A small picture: no ticks, a faint frame."""
    axes.set(xticks=[], yticks=[])
    axes.grid(visible=False)
    for spine in axes.spines.values():
        spine.set(visible=True, color=FAINT, linewidth=0.8)
