"""Figure: how good networks with each activation became, every repetition a point, means with their standard errors."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import numpy as np

from backprop.pictures.style import Floats, Palette, open_figure, save_figure, write_title

__all__ = ["plot_ranking"]

SPREAD = 0.12


class Ranked(Protocol):
    """Scores of repetitions, a row a name."""

    @property
    def names(self) -> tuple[str, ...]: ...

    @property
    def scores(self) -> Floats: ...

    def __str__(self) -> str: ...


def plot_ranking(rankings: Sequence[Ranked], path: str | os.PathLike[str]) -> Path:
    """Draw one panel a task, the activations in the claimed order, the best first."""
    with open_figure(4.2) as figure:
        panels = figure.subplots(1, len(rankings), squeeze=False)[0]
        for axes, ranking in zip(panels, rankings, strict=True):
            repeats = ranking.scores.shape[1]
            shift = np.linspace(-SPREAD, SPREAD, repeats)
            for place, scores in enumerate(ranking.scores):
                axes.plot(place + shift, scores, ".", color=Palette.grey, markersize=4)
                error = scores.std(ddof=1) / np.sqrt(repeats)
                axes.errorbar(place, scores.mean(), error, fmt="o", color=Palette.blue, capsize=4)
            axes.set_xticks(range(len(ranking.names)), ranking.names, rotation=30, ha="right")
            axes.set_title(str(ranking).partition(":")[0], loc="left", fontsize="medium")
            axes.set_ylabel(str(ranking).partition(": ")[2].partition(",")[0])
        write_title(figure, "Which activation? Each point is one training, the mark is the mean", x=0.075)
        return save_figure(figure, path)
