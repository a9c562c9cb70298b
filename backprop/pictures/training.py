"""Figure for a slide: a training run, its cost, its accuracy, and some of the test images."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from backprop.errors import UsageError
from backprop.pictures.style import FAINT, INK, Floats, Palette, open_figure, save_figure, write_title
from backprop.training.running.history import History

__all__ = ["plot_training"]


def plot_training(
    history: History,
    path: str | os.PathLike[str],
    *,
    title: str = "Training",
    cost: str = "cost",
    test_accuracy: float | None = None,
    images: NDArray[np.floating] | None = None,
    labels: NDArray[np.integer] | None = None,
    predictions: NDArray[np.integer] | None = None,
) -> Path:
    """Draw the cost per epoch on a logarithmic scale, the accuracy, and some of the test images.

    Args:
        history: what `fit` returned.
        title: what was trained on what.
        cost: the name of the cost, with its scale, for the axis.
        test_accuracy: 0..1, written next to the validation curve; measured once, by the caller.
        images: test images, shape (n, s*s), 0 = paper, 1 = ink; with `labels` and `predictions` (n,) a strip
            shows up to twelve of them, at most six that were misread, in frames, at the right.


    Raises:
        UsageError: a history without a single epoch, images without labels, an ending that names no
            format, a file that cannot be written.
    """
    if not history.costs:
        raise UsageError("there is nothing to draw: the training run was stopped before its first measurement")
    strip = _choose_images(images, labels, predictions)
    with open_figure(6.4 if strip else 4.4) as figure:
        rows = figure.add_gridspec(2, 1, height_ratios=(2.6, 1), hspace=0.5) if strip else None
        top = rows[0].subgridspec(1, 2, wspace=0.28) if rows else figure.add_gridspec(1, 2, wspace=0.28)
        has_accuracy = bool(history.validation_accuracies) or test_accuracy is not None
        _draw_costs(figure.add_subplot(top[0] if has_accuracy else top[:]), history, cost)
        if has_accuracy:
            _draw_accuracy(figure.add_subplot(top[1]), history, test_accuracy)
        if rows and strip:
            cells = rows[1].subgridspec(1, STRIP, wspace=0.18)
            axes = [figure.add_subplot(cells[i]) for i in range(len(strip))]
            _draw_strip(axes, strip)
        write_title(figure, title, y=0.98 if strip else 1.03)
        return save_figure(figure, path)


def _draw_costs(axes: Axes, history: History, name: str) -> None:
    epochs = np.arange(len(history.costs))
    axes.semilogy(epochs, history.costs, color=Palette.blue, label="training")
    if history.validation_costs:
        axes.semilogy(epochs, history.validation_costs, color=Palette.orange, label="validation", linestyle="--")
        axes.plot(history.best_epoch, history.validation_costs[history.best_epoch], "o", color=Palette.orange, ms=8)
        axes.legend(loc="upper right")
    axes.set(title="Cost, logarithmic scale", xlabel="epoch", ylabel=name)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))


def _draw_accuracy(axes: Axes, history: History, test_accuracy: float | None) -> None:
    axes.set(title="Accuracy", xlabel="epoch", ylabel="classified rightly, %")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    percent = 100 * np.array(history.validation_accuracies)
    # The first epochs start near chance: they may leave the picture, so that the rest can be told apart.
    shown = [np.quantile(percent, 0.05)] if len(percent) else []
    shown += [100 * test_accuracy] if test_accuracy is not None else []
    bottom = max(0.0, min(90.0, 5 * np.floor(min(shown) / 5)))
    if len(percent):
        axes.plot(np.arange(len(percent)), percent, color=Palette.orange, label="validation", linestyle="--")
        best = history.best_epoch
        axes.plot(best, percent[best], "o", color=Palette.orange, ms=8, label=f"kept: epoch {best}")
    if test_accuracy is not None:
        label = f"test: {100 * test_accuracy:.1f} %"
        axes.axhline(100 * test_accuracy, color=Palette.green, linestyle=":", label=label)
    axes.set_ylim(bottom, 100 + 0.03 * (100 - bottom))
    axes.legend(loc="lower right")


STRIP = 12

Shown = tuple[Floats, int, int]
"""One image, what it is, what it was read as."""


def _choose_images(
    images: Floats | None, labels: NDArray[np.integer] | None, predictions: NDArray[np.integer] | None
) -> list[Shown]:
    """Pick up to twelve images: at most half misread ones, then the first of each class, read rightly."""
    if images is None:
        return []
    if labels is None or predictions is None or not len(images) == len(labels) == len(predictions):
        raise UsageError("images need labels and predictions, one for each image")
    side = round(np.sqrt(images.shape[1]))
    if side * side != images.shape[1]:
        raise UsageError(f"images must be square; got rows of {images.shape[1]} pixels")
    wrong = np.flatnonzero(labels != predictions)[: STRIP // 2]
    right = np.flatnonzero(labels == predictions)
    order = sorted(right, key=lambda i: (np.count_nonzero(labels[right[right < i]] == labels[i]), labels[i]))
    chosen = [*order[: STRIP - len(wrong)], *wrong]
    return [(images[i].reshape(side, side), int(labels[i]), int(predictions[i])) for i in chosen]


def _draw_strip(axes: list[Axes], strip: list[Shown]) -> None:
    for one, (image, label, prediction) in zip(axes, strip, strict=True):
        one.imshow(image, cmap="Greys", vmin=0, vmax=1, interpolation="nearest")
        one.set(xticks=[], yticks=[])
        one.grid(visible=False)
        wrong = label != prediction
        for spine in one.spines.values():
            spine.set(visible=True, color=Palette.orange if wrong else FAINT, linewidth=2.4 if wrong else 1)
        words = f"read {prediction}\nis {label}" if wrong else f"{prediction}"
        one.set_xlabel(words, fontsize=11, color=Palette.orange if wrong else INK)
    misread = "; framed: misread" if any(label != prediction for _, label, prediction in strip) else ""
    axes[0].set_title(f"Test images and how they were read{misread}", fontsize=13)
