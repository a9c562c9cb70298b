"""The figures of universal approximation, all into one folder."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from backprop.approximation.searching.search import approximate
from backprop.approximation.survey import (
    grow_step_by_step,
    survey_limits,
    survey_relu_widths,
    survey_series,
    survey_widths,
)
from backprop.files import make_folder
from backprop.pictures.band import plot_band
from backprop.pictures.error_by_width import plot_error_by_width
from backprop.pictures.growth import animate_growth
from backprop.pictures.limits import plot_limits
from backprop.pictures.relu_widths import plot_relu_widths
from backprop.pictures.series.beside_networks import plot_beside_networks
from backprop.progress import Stages

__all__ = ["FULL", "QUICK", "Size", "draw_approximation_figures"]


@dataclass(frozen=True)
class Size:
    """How much is computed for the figures."""

    targets: tuple[str, ...]
    widths: tuple[int, ...]
    band: tuple[str, int]
    floor_widths: tuple[int, ...]
    steepnesses: tuple[float, ...]
    relu_targets: tuple[str, ...]
    epsilons: tuple[float, ...]
    grown: str
    most_units: int
    series_targets: tuple[str, ...]
    series_widths: tuple[int, ...]
    series_drawn: int


FULL = Size(
    targets=("sine", "runge"),
    widths=(1, 2, 4, 8, 16, 32, 64, 128),
    band=("planck", 4),
    floor_widths=(1, 2, 4, 16, 64, 256),
    steepnesses=tuple(float(s) for s in (10, 30, 100, 300, 1000, 3000, 10_000)),
    relu_targets=("sine", "square", "kink", "root", "runge", "wave", "oscillator", "planck"),
    epsilons=(1e-1, 1e-2, 1e-3, 1e-4),
    grown="wave",
    most_units=16,
    series_targets=("kink", "wave"),
    series_widths=(1, 2, 4, 8, 16, 32),
    series_drawn=8,
)
QUICK = Size(
    targets=("sine",),
    widths=(1, 2),
    band=("planck", 4),
    floor_widths=(1, 2),
    steepnesses=(10.0, 100.0, 1000.0),
    relu_targets=("sine", "square"),
    epsilons=(1e-1, 3e-2),
    grown="sine",
    most_units=3,
    series_targets=("kink",),
    series_widths=(1, 4),
    series_drawn=4,
)


def draw_approximation_figures(folder: Path, size: Size, stages: Stages) -> list[Path]:
    """Compute and draw the five figures and the animation.

    Args:
        folder: made if it is missing; files that are there already are replaced.
        size: how much is computed; FULL takes about three minutes.
        stages: told the title of each stage and how far it is.

    Returns: the files, in order.

    Raises:
        UsageError: a folder that cannot be made or written.
    """
    make_folder(folder)
    steps: dict[str, Callable[[Path, Size, Stages], Path]] = {
        "error against width": draw_error_by_width,
        "certified band": draw_band,
        "two limits": draw_limits,
        "ReLU widths from both sides": draw_relu_widths,
        "polynomials and waves beside networks": draw_series,
        "growth": draw_growth,
    }
    files = []
    for title, draw in steps.items():
        stages.start(title)
        files.append(draw(folder, size, stages))
    return files


def draw_error_by_width(folder: Path, size: Size, stages: Stages) -> Path:
    """Every way to a network, at growing width."""
    panels = [survey_widths(target, size.widths, progress=stages.advance) for target in size.targets]
    title = "Error against width: what networks can do, and what training finds"
    return plot_error_by_width(folder / "error_by_width.png", panels, title=title)


def draw_band(folder: Path, size: Size, stages: Stages) -> Path:
    """One network, its terms and its proof."""
    target, width = size.band
    return plot_band(folder / "certified_band.png", approximate(target, width=width, certify=True))


def draw_limits(folder: Path, size: Size, stages: Stages) -> Path:
    """The floor of polynomials and the jump."""
    limits = survey_limits("sine", (2, 3), size.floor_widths, size.steepnesses)
    return plot_limits(folder / "two_limits.png", limits)


def draw_relu_widths(folder: Path, size: Size, stages: Stages) -> Path:
    """The least ReLU width, from below and from above."""
    targets = survey_relu_widths(size.relu_targets, size.epsilons, progress=stages.advance)
    title = "How many ReLU units: proved from below and from above"
    return plot_relu_widths(folder / "relu_widths.png", targets, title=title)


def draw_series(folder: Path, size: Size, stages: Stages) -> Path:
    """Bernstein's polynomials and Fejér's means beside networks."""
    surveys = [
        survey_series(target, size.series_widths, size.series_drawn, progress=stages.advance)
        for target in size.series_targets
    ]
    return plot_beside_networks(folder / "beside_series.png", surveys)


def draw_growth(folder: Path, size: Size, stages: Stages) -> Path:
    """The animation."""
    widths = range(1, size.most_units + 1)
    networks = grow_step_by_step(size.grown, widths, certify=True, progress=stages.advance)
    return animate_growth(folder / "growth.gif", networks, widths)
