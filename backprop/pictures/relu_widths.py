"""How many ReLU units a target needs: proved from below and from above, with the law beside them."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from backprop.approximation.survey.relu_widths import ReluTarget
from backprop.errors import UsageError
from backprop.pictures.style import INK, Palette, open_figure, save_figure, write_title

__all__ = ["plot_relu_widths"]

COLUMNS = 4
SMALL = 10.5
ABOVE, BELOW = 1.0, 0.9
"""Inches for the title and for the axis labels with the key."""
HALO = {"boxstyle": "round,pad=0.1", "facecolor": "white", "edgecolor": "none", "alpha": 0.7}


def plot_relu_widths(path: str | os.PathLike[str], targets: Sequence[ReluTarget], *, title: str) -> Path:
    """Draw a panel for each target, ε against width, both logarithmic: a triangle up for the proved least width, a
    triangle down for the network that is proved to suffice, a bar between them, the law as a dashed line.

    A width that is missing is said to be.

    Raises:
        UsageError: nothing to draw, a file that cannot be written.
    """
    if not targets or not all(target.widths for target in targets):
        raise UsageError("there is nothing to draw: every target needs at least one ε")
    columns = min(COLUMNS, len(targets))
    rows = -(-len(targets) // columns)
    height = 1.5 + 3.0 * rows
    with open_figure(height) as figure:
        grid = figure.add_gridspec(
            rows, columns, hspace=0.42, wspace=0.1, top=1 - ABOVE / height, bottom=BELOW / height
        )
        first: Axes | None = None
        for place, target in enumerate(targets):
            axes = figure.add_subplot(grid[place // columns, place % columns], sharex=first, sharey=first)
            first = first or axes
            _draw_target(axes, target)
            axes.tick_params(labelleft=place % columns == 0)
            if place % columns == 0:
                axes.set_ylabel("hidden units")
            if place // columns == rows - 1:
                axes.set_xlabel("ε")
        assert first is not None
        _finish(first, targets)
        figure.legend(
            handles=_list_keys(), loc="upper center", bbox_to_anchor=(0.5, 0.25 / height), ncols=4, fontsize=11
        )
        write_title(figure, title, y=1 - 0.2 / height)
        return save_figure(figure, path)


def _draw_target(axes: Axes, target: ReluTarget) -> None:
    epsilons = [one.epsilon for one in target.widths]
    if target.bend is not None:
        law = [target.bend / (4 * epsilon**0.5) for epsilon in epsilons]
        axes.loglog(epsilons, law, color=Palette.grey, linestyle=(0, (4, 2)), linewidth=1.6)
    for one in target.widths:
        if one.lower is not None and one.upper is not None:
            axes.plot([one.epsilon] * 2, [one.lower, one.upper], color=INK, linewidth=2)
        if one.lower is not None:
            axes.plot(one.epsilon, one.lower, "^", color=Palette.blue, ms=8)
        if one.upper is not None:
            axes.plot(one.epsilon, one.upper, "v", color=Palette.orange, ms=8)
        if one.lower is not None:
            axes.annotate(_describe(one.lower, one.upper), (one.epsilon, one.upper or one.lower), (0, 9),
                          textcoords="offset points", ha="center", va="bottom", fontsize=SMALL, bbox=HALO)  # fmt: skip
    missing = [one for one in target.widths if one.upper is None]
    if missing:
        words = "\n".join(f"ε = {one.epsilon:g}: not {'tried' if one.lower is None else 'proved'}" for one in missing)
        axes.text(0.98, 0.03, words, transform=axes.transAxes, ha="right", va="bottom", fontsize=SMALL)
    axes.set_title(target.name)


def _describe(lower: int, upper: int | None) -> str:
    """What stands above a pair."""
    if upper is None:
        return f"≥ {lower}"
    return f"{upper}" if lower == upper else f"{lower}–{upper}"


def _finish(axes: Axes, targets: Sequence[ReluTarget]) -> None:
    epsilons = sorted({one.epsilon for target in targets for one in target.widths})
    widths = [one.upper or one.lower or 1 for target in targets for one in target.widths]
    axes.set(xscale="log", yscale="log", xlim=(epsilons[-1] * 2.2, epsilons[0] / 2.2), ylim=(0.7, 3.5 * max(widths)))
    axes.set_xticks(epsilons)
    axes.minorticks_off()
    ticks = [tick for tick in (1, 10, 100, 1000) if tick <= 3.5 * max(widths)]
    axes.set_yticks(ticks, labels=[str(tick) for tick in ticks])


def _list_keys() -> list[Line2D]:
    return [
        Line2D([], [], color=Palette.blue, marker="^", linestyle="", ms=8, label="no network with fewer (proved)"),
        Line2D([], [], color=Palette.orange, marker="v", linestyle="", ms=8, label="so many suffice (proved)"),
        Line2D([], [], color=Palette.grey, linestyle=(0, (4, 2)), label="the law ∫√|F''| / (4√ε)"),
    ]
