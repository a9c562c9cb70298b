"""A network that grows, as an animation: one unit more in each picture."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from PIL import Image

from backprop.approximation.ground.wording import describe_above
from backprop.approximation.searching.result import Approximation
from backprop.errors import UsageError
from backprop.pictures.approximation import draw_fit
from backprop.pictures.style import INK, Palette, open_figure, save_animation, shorten, take_picture, write_title

__all__ = ["animate_growth"]

LAST = 2500  # milliseconds that the last picture stays


def animate_growth(path: str | os.PathLike[str], networks: Sequence[Approximation], widths: Sequence[int]) -> Path:
    """Write a GIF: F and f, below it |F − f| on a logarithmic scale, with a line at its largest value.

    Args:
        networks: one for each width, as `grow_step_by_step` gives them: some may be narrower.
        widths: what is counted in the titles.

    Raises:
        UsageError: nothing to draw, an ending that is not .gif, a file that cannot be written.
    """
    if not networks or len(networks) != len(widths):
        raise UsageError(f"an animation needs a network for every width; got {len(networks)} for {len(widths)} widths")
    if Path(path).suffix.lower() != ".gif":
        raise UsageError(f"cannot write an animation as {os.fspath(path)!r}; use a name that ends in .gif")
    limits = _find_limits(networks)
    frames = [_draw_frame(network, width, limits) for network, width in zip(networks, widths, strict=True)]
    return save_animation(path, frames, LAST)


def _find_limits(networks: Sequence[Approximation]) -> tuple[float, float]:
    """The axis of the error: the same in every picture, a decade beyond the largest and the smallest error."""
    errors = [max(network.sup_error, 1e-16 * network.function.scale) for network in networks]
    return 10 ** np.floor(np.log10(min(errors)) - 1.5), 10 ** np.ceil(np.log10(max(errors)) + 0.2)


def _draw_frame(network: Approximation, width: int, limits: tuple[float, float]) -> Image.Image:
    with open_figure(6.2) as figure:
        grid = figure.add_gridspec(
            2, 1, height_ratios=(1.7, 1), hspace=0.45, top=0.83, bottom=0.1, left=0.1, right=0.97
        )
        top = figure.add_subplot(grid[0])
        bottom = figure.add_subplot(grid[1], sharex=top)
        draw_fit(top, network, network.function.grid)
        top.tick_params(labelbottom=False)
        low, high = float(np.min(network.function.values)), float(np.max(network.function.values))
        top.set_ylim(low - 0.2 * (high - low), high + 0.2 * (high - low))
        _draw_error(bottom, network, limits)
        bottom.set(xlabel="x", xlim=network.domain)
        title = f"{shorten(network.target, 30)}:  {width} {network.activation} unit{'s'[: width > 1]}"
        title += f" (no better than {network.width})" if network.width < width else ""
        write_title(figure, title, x=0.1, y=0.97)
        return take_picture(figure)


def _draw_error(axes: Axes, network: Approximation, limits: tuple[float, float]) -> None:
    x = network.function.grid
    error = np.maximum(np.abs(network.function.values - network.f(x)), limits[0] / 10)
    axes.semilogy(x, error, color=Palette.orange, linewidth=1.2)
    proof = network.certificate
    if proof is not None and proof.verdict == "proved":
        largest, words = proof.bound, f"{describe_above(proof.bound, 2)}, proved at every point"
    else:
        largest, words = network.sup_error, f"{network.sup_error:.1e}, on {network.grid_points:,} points"
    axes.axhline(largest, color=INK, linewidth=1.4, linestyle=(0, (4, 3)))
    axes.set_title(f"Largest error {words}")
    axes.set_ylabel("|F(x) − f(x)|")
    axes.set_ylim(limits)
    axes.set_yticks(_list_decades(limits))
    axes.minorticks_off()


def _list_decades(limits: tuple[float, float]) -> list[float]:
    first, last = (round(float(np.log10(limit))) for limit in limits)
    return [10.0**power for power in range(first, last + 1, max(1, (last - first) // 5))]
