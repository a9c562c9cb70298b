"""A network, what its units add up to, and the proof: the error inside its certified band, the boxes as ticks."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from backprop.approximation.ground.wording import describe_above
from backprop.approximation.searching.result import Approximation
from backprop.errors import UsageError
from backprop.pictures.approximation import choose_unit, draw_fit
from backprop.pictures.style import INK, Palette, open_figure, save_figure, shorten, write_title

__all__ = ["plot_band"]

BAND = "#DCEBF5"
NAMES = {"fit": "fitted", "constructive": "of the proof", "adam": "trained with Adam"}


def plot_band(path: str | os.PathLike[str], approximation: Approximation) -> Path:
    """Draw F and f; the terms c_k σ(w_k x + b_k) that add up to f; and F − f inside the band that is proved.

    Args:
        approximation: with a certificate that proves a bound.

    Raises:
        UsageError: an approximation without a proved bound, a file that cannot be written.
    """
    proof = approximation.certificate
    if proof is None or proof.verdict != "proved":
        raise UsageError(f"there is no proved band to draw: {approximation.describe_proof()}; ask for certify=True")
    x = approximation.function.grid
    with open_figure(8.2) as figure:
        grid = figure.add_gridspec(3, 1, height_ratios=(2.4, 1.6, 2), hspace=0.42)
        top = figure.add_subplot(grid[0])
        middle, bottom = (figure.add_subplot(grid[row], sharex=top) for row in (1, 2))
        draw_fit(top, approximation, x)
        _draw_terms(middle, approximation)
        _draw_error(bottom, approximation, proof.bound, proof.edges)
        for axes in (top, middle):
            axes.tick_params(labelbottom=False)
        bottom.set(xlabel="x", xlim=approximation.domain)
        plural = "s" if approximation.width > 1 else ""
        title = (
            f"{shorten(approximation.target, 30)} by {approximation.width} {approximation.activation} unit{plural}, "
            f"{NAMES[approximation.method]}: within {describe_above(proof.bound, 3)} everywhere"
        )
        write_title(figure, title, x=0.09)
        return save_figure(figure, path)


def _draw_terms(axes: Axes, approximation: Approximation) -> None:
    """Each term less its value on the left, which the constant takes up: they begin together at 0."""
    x = approximation.function.grid
    with np.errstate(all="ignore"):
        terms = approximation.sigma(np.outer(x, approximation.w) + approximation.b) * approximation.c
    terms = terms - terms[0]
    axes.plot(x, terms, color=Palette.green, linewidth=1.2, alpha=float(np.clip(12 / len(approximation.w), 0.35, 0.9)))
    axes.plot(x, terms.sum(axis=1), color=Palette.blue, linewidth=2)
    axes.set_title(r"The terms $c_k\,\sigma(w_k x + b_k)$, each from 0 on (thin), add up to $f$ (thick)")
    axes.set_ylabel("change from\nthe left end")


def _draw_error(axes: Axes, approximation: Approximation, bound: float, edges: tuple[float, ...]) -> None:
    unit, words = choose_unit(bound)
    x = approximation.function.grid
    error = approximation.function.values - approximation.f(x)
    axes.axhspan(-bound / unit, bound / unit, color=BAND, zorder=0)
    for sign in (-1, 1):
        axes.axhline(sign * bound / unit, color=Palette.blue, linewidth=1.6)
    axes.plot(x, error / unit, color=Palette.orange, linewidth=1.4)
    axes.plot(edges, np.full(len(edges), -1.45 * bound / unit), "|", color=INK, ms=11, mew=1.0, clip_on=False)
    axes.set_title(f"Error: within ±{describe_above(bound)} everywhere, proved on {len(edges) - 1:,} boxes (ticks)")
    axes.set_ylabel("F(x) − f(x)" + words)
    axes.set_ylim(-1.75 * bound / unit, 1.35 * bound / unit)
    ticks = MaxNLocator(5).tick_values(-bound / unit, bound / unit)
    axes.set_yticks([tick for tick in ticks if abs(tick) <= bound / unit])
