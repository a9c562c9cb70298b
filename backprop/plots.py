"""Figures for a slide: a training run, an approximation. One style, no global state, files written whole."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

import matplotlib as mpl
import numpy as np
from cycler import cycler
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from backprop.approximation.result import Approximation
from backprop.errors import UsageError
from backprop.files import write_atomically
from backprop.training.history import History

__all__ = [
    "FAINT",
    "INK",
    "STYLE",
    "Palette",
    "draw_fit",
    "open_figure",
    "plot_approximation",
    "plot_training",
    "save_figure",
    "shorten",
]

Floats = NDArray[np.floating]


class Palette:
    """Colours that stay apart for colour-blind eyes and in grey (after Okabe and Ito, 2008)."""

    blue = "#0072B2"
    orange = "#D55E00"
    green = "#009E73"
    grey = "#8A8F98"


INK = "#22262B"
FAINT = "#D9DCE1"
WIDTH_INCHES, DOTS_PER_INCH = 10.0, 160

STYLE: Any = {
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans"],
    "font.size": 12.0,
    "text.color": INK,
    "axes.edgecolor": INK,
    "axes.labelcolor": INK,
    "axes.titlesize": 13.0,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.titlepad": 10.0,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "axes.prop_cycle": cycler(color=[Palette.blue, Palette.orange, Palette.green]),
    "grid.color": FAINT,
    "grid.linewidth": 0.8,
    "xtick.color": INK,
    "ytick.color": INK,
    "lines.linewidth": 2.2,
    "legend.frameon": False,
    "figure.facecolor": "white",
    "savefig.facecolor": "white",
    "svg.hashsalt": "backprop",  # identifiers without chance: the same figure is the same file
}
"""Everything about the looks that is not the data; applied while a figure is made, never globally."""


# ------------------------------------------------------------------------------------------- training


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
        path: the file to write; its ending names the format (png, svg, pdf).
        title: what was trained on what.
        cost: the name of the cost, with its scale, for the axis.
        test_accuracy: 0..1, written next to the validation curve; measured once, by the caller.
        images: test images, shape (n, s*s), 0 = paper, 1 = ink; with `labels` and `predictions` (n,) a strip
            shows up to twelve of them, at most six that were misread, in frames, at the right.

    Returns:
        The path.

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
        figure.suptitle(title, x=0.07, ha="left", fontsize=16, fontweight="bold", parse_math=False)
        return save_figure(figure, path)


def _draw_costs(axes: Axes, history: History, name: str) -> None:
    epochs = np.arange(len(history.costs))
    axes.semilogy(epochs, history.costs, color=Palette.blue, label="training")
    if history.validation_costs:
        axes.semilogy(epochs, history.validation_costs, color=Palette.orange, label="validation")
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
        axes.plot(np.arange(len(percent)), percent, color=Palette.orange, label="validation")
        best = history.best_epoch
        axes.plot(best, percent[best], "o", color=Palette.orange, ms=8, label=f"kept: epoch {best}")
    if test_accuracy is not None:
        label = f"test: {100 * test_accuracy:.1f} %"
        axes.axhline(100 * test_accuracy, color=Palette.green, linestyle=(0, (5, 2)), label=label)
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


def plot_approximation(approximation: Approximation, path: str | os.PathLike[str]) -> Path:
    """Draw a function and its network, the outputs of the hidden units, and the error with its largest value.

    Args:
        approximation: what `approximate` returned.
        path: the file to write; its ending names the format (png, svg, pdf).

    Returns:
        The path.

    Raises:
        UsageError: an ending that names no format, a file that cannot be written.
    """
    x = approximation.function.grid
    with open_figure(7.4) as figure:
        grid = figure.add_gridspec(3, 1, height_ratios=(3, 1, 1.5), hspace=0.38)
        top = figure.add_subplot(grid[0])
        units = figure.add_subplot(grid[1], sharex=top)
        bottom = figure.add_subplot(grid[2], sharex=top)
        draw_fit(top, approximation, x)
        _draw_units(units, approximation, x)
        _draw_error(bottom, approximation, x)
        for axes in (top, units):
            axes.tick_params(labelbottom=False)
        bottom.set(xlabel="x", xlim=approximation.domain)
        plural = "s" if approximation.width > 1 else ""
        title = f"{shorten(approximation.target, 40)}  by {approximation.width} {approximation.activation} unit{plural}"
        figure.suptitle(title, x=0.09, ha="left", fontsize=16, fontweight="bold", parse_math=False)
        return save_figure(figure, path)


def draw_fit(axes: Axes, approximation: Approximation, x: Floats) -> None:
    target = approximation.function.values.copy()
    for place in approximation.function.breaks:
        _lift_pen(target, x, place)
    axes.plot(x, target, color=Palette.grey, linewidth=6, alpha=0.55, solid_capstyle="butt", label="F(x), the target")
    axes.plot(x, approximation.f(x), color=Palette.blue, linewidth=2, label="f(x), the network")
    axes.set_title("Function and network")
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


def _draw_error(axes: Axes, approximation: Approximation, x: Floats) -> None:
    error = approximation.f(x) - approximation.function.values
    worst = int(np.argmax(np.abs(error)))
    limit = approximation.sup_error
    power = int(np.floor(np.log10(limit))) if limit > 0 else 0
    power = 0 if -2 <= power <= 2 else power
    unit = 10.0**power
    axes.plot(x, error / unit, color=Palette.orange, linewidth=1.4)
    for sign in (-1, 1):
        axes.axhline(sign * limit / unit, color=INK, linewidth=1, linestyle=(0, (4, 3)))
    axes.plot(x[worst], error[worst] / unit, "o", color=Palette.orange, ms=7)
    points = f"{approximation.grid_points:,} grid points"
    axes.set_title(f"Error: largest {limit:.2g} on {points} (not proved between them)")
    axes.set_ylabel("f(x) − F(x)" + (rf"   [$10^{{{power}}}$]" if power else ""))
    if limit > 0:
        axes.set_ylim(-1.35 * limit / unit, 1.35 * limit / unit)


@contextmanager
def open_figure(height: float) -> Iterator[Figure]:
    """Make a figure in the house style; the style ends with the block."""
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(WIDTH_INCHES, height), dpi=DOTS_PER_INCH)
        FigureCanvasAgg(figure)
        yield figure


def save_figure(figure: Figure, path: str | os.PathLike[str]) -> Path:
    ending = Path(path).suffix.lower().lstrip(".") or "png"
    known = figure.canvas.get_supported_filetypes()
    if ending not in known:
        raise UsageError(f"cannot write a figure as .{ending} ({os.fspath(path)!r}); use png, svg or pdf")

    def write(stream: BinaryIO) -> None:
        figure.savefig(stream, format=ending, bbox_inches="tight", pad_inches=0.25, metadata=_drop_date(ending))

    return write_atomically(path, write)


def _drop_date(ending: str) -> dict[str, None] | None:
    """The same figure gives the same file."""
    return {"svg": {"Date": None}, "pdf": {"CreationDate": None}}.get(ending)


def shorten(text: str, length: int) -> str:
    return text if len(text) <= length else text[: length - 1] + "…"
