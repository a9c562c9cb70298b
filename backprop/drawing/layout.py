"""A network as it is built: columns of units, what stands between them, shapes; values and errors of one sample."""

from __future__ import annotations

import os
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap, TwoSlopeNorm
from matplotlib.patches import Circle, FancyArrowPatch, FancyBboxPatch

from backprop.errors import UsageError
from backprop.pictures.style import FAINT, INK, Floats, Palette, open_figure, save_figure, shorten
from backprop.specification.layers import Residual
from backprop.specification.network import Network
from backprop.specification.plan import Element

__all__ = ["INCHES", "Column", "Shades", "draw_columns", "list_columns", "measure_columns", "plot_layout"]

MOST_SHOWN, FIRST, LAST = 8, 4, 3
"""A column of more units shows its first and its last ones."""
STEP, BAR_STEP, RISE = 3.0, 1.3, 1.0
"""Between columns of units, before a bar, and between units."""
RADIUS = 0.34
INCHES = 0.55
"""Of one unit of length: the picture is as large as the network."""
ABOVE, BELOW, LINE = 2.2, 1.0, 0.36
"""Room for titles, for captions, and for a line of one."""
LETTERS = 18
SIGNED = LinearSegmentedColormap.from_list("signed", [Palette.blue, "#FFFFFF", Palette.orange])


@dataclass(frozen=True)
class Column:
    """What stands at one place from left to right: units, or a bar for what leaves their number as it is.

    `value` names the array of the forward pass that it hands on, `error` the parameter whose gradient is δ there.
    """

    title: str
    width: int
    caption: tuple[str, ...] = ()
    value: str = ""
    error: str = ""
    is_bar: bool = False
    around: tuple[int, ...] = field(default=())
    """The first columns of the residual connections that end here."""

    @property
    def shown(self) -> list[int | None]:
        """Numbers of the units that are drawn, from above; None where some are left out."""
        if self.width <= MOST_SHOWN:
            return list(range(self.width))
        return [*range(FIRST), None, *range(self.width - LAST, self.width)]

    def place(self) -> list[tuple[int, float]]:
        """The units that are drawn and how high."""
        top = (len(self.shown) - 1) / 2
        return [(unit, RISE * (top - row)) for row, unit in enumerate(self.shown) if unit is not None]


@dataclass(frozen=True)
class Shades:
    """Numbers of one sample as colours: one array of shape (width,) a column, None where there is nothing to show."""

    title: str
    columns: Sequence[Floats | None]
    edges: Mapping[int, Floats] = field(default_factory=dict)
    """Column -> numbers (units before, units) for the lines that come in."""


def list_columns(network: Network) -> list[Column]:
    """The columns of a network: its inputs, then one for each layer of the specification.

    >>> from backprop.specification.network import Network
    >>> [(column.title, column.width) for column in list_columns(Network.parse("3-4-2", "tanh"))]
    [('inputs', 3), ('tanh', 4), ('identity', 2)]
    """
    columns = [Column("inputs", network.inputs, (f"X (n, {network.inputs})",), "X")]
    open_forks: list[int] = []
    for group in _group(network.elements):
        first, last = group[0], group[-1]
        if first.kind is None:
            open_forks.append(len(columns) - 1)
        elif isinstance(first.layer, Residual):
            before = columns.pop()
            columns.append(replace(before, value=last.out, around=(*before.around, open_forks.pop())))
        else:
            column = _make_column(first, last, group)
            nothing = column.is_bar and last.function == "identity"  # has no line of its own in the program
            columns.append(replace(column, value=columns[-1].value) if nothing else column)
    return columns


def _group(elements: Sequence[Element]) -> Iterator[list[Element]]:
    """The elements of one layer: weights and the activation behind them."""
    group: list[Element] = []
    for element in elements:
        alone = element.kind is None or isinstance(element.layer, Residual)
        if group and (alone or (element.layer, element.block) != (group[-1].layer, group[-1].block)):
            yield group
            group = []
        group.append(element)
    if group:
        yield group


def _make_column(first: Element, last: Element, group: Sequence[Element]) -> Column:
    parameters = [parameter for element in group for parameter in element.parameters]
    caption = [f"{one.name} {_write_shape(one.shape)}" for one in parameters]
    error = next((one.name for one in parameters if one.field in ("b", "beta")), "")
    assert first.kind is not None
    has_units = any(one.field == "W" for one in parameters)
    kind = "" if first.kind.title in ("weights", "activation") else first.kind.title
    title = " ".join(word for word in (kind, last.function or ("identity" if has_units else "")) if word)
    return Column(title, last.width, tuple(caption), last.out, error, not has_units)


def _write_shape(shape: tuple[int, ...]) -> str:
    return f"({', '.join(map(str, shape))}{',' if len(shape) == 1 else ''})"


def plot_layout(path: str | os.PathLike[str], network: Network, shades: Sequence[Shades] = ()) -> Path:
    """Draw a network: units, layers, shapes, activations; below each other once for every set of shades.

    Args:
        path: the file to write (svg, pdf, png).
        network: any layers; columns of more than 8 units are abbreviated.
        shades: numbers of one sample as colours, blue below 0, orange above.

    Raises:
        UsageError: an ending that is no picture, a file that cannot be written, shades of another network.
    """
    columns = list_columns(network)
    for one in shades:
        sizes = [None if numbers is None else np.shape(numbers) for numbers in one.columns]
        if len(sizes) != len(columns) or any(
            size not in (None, (column.width,)) for size, column in zip(sizes, columns, strict=True)
        ):
            raise UsageError(f"shades need one array of shape (width,) for each of {len(columns)} columns, got {sizes}")
    panels: list[Shades | None] = [*shades] or [None]
    wide, tall = (INCHES * length for length in measure_columns(columns))
    with open_figure(len(panels) * tall + 0.8) as figure:
        figure.set_size_inches(max(wide, 5.0), len(panels) * tall + 0.8)
        figure.subplots_adjust(left=0.02, right=0.98, bottom=0.02, top=1 - 0.8 / (len(panels) * tall + 0.8), hspace=0.1)
        for number, panel in enumerate(panels):
            axes = figure.add_subplot(len(panels), 1, number + 1)
            draw_columns(axes, columns, panel)
        figure.text(
            0.02, 0.99, _break(str(network), max(wide, 5.0)), va="top", fontsize=11, fontweight="bold", parse_math=False
        )
        return save_figure(figure, path)


def measure_columns(columns: Sequence[Column]) -> tuple[float, float]:
    """Width and height of what is drawn, in units of length."""
    low, high = _reach(columns)
    return _place(columns)[-1] + 3, high - low


def _break(text: str, inches: float) -> str:
    return "\n".join(textwrap.wrap(text, max(30, int(10 * inches))))


def _reach(columns: Sequence[Column]) -> tuple[float, float]:
    """The lowest and the highest point that is drawn."""
    tallest = max((len(column.shown) - 1) * RISE / 2 for column in columns)
    lines = max(len(column.caption) if not column.is_bar else 4 for column in columns)
    bridge = 1.6 if any(column.around for column in columns) else 0.0
    return -tallest - BELOW - LINE * lines - bridge, tallest + ABOVE


def draw_columns(axes: Axes, columns: Sequence[Column], shades: Shades | None = None) -> None:
    """Draw all columns and the lines between their units; what is not known yet in the shades stays white."""
    places = _place(columns)
    axes.set_axis_off()
    axes.set_aspect("equal")
    axes.set_xlim(-1.5, places[-1] + 1.5)
    low, high = _reach(columns)
    axes.set_ylim(low, high)
    if shades is not None:
        axes.text(-1.5, high, shades.title, va="top", fontsize=10, parse_math=False)
    norms = [_scale(numbers) for numbers in shades.columns] if shades else [None] * len(columns)
    for k, (before, column) in enumerate(pairwise(columns), start=1):
        _connect(axes, (before, column), (places[k - 1], places[k]), shades.edges.get(k) if shades else None)
    for k, column in enumerate(columns):
        numbers = shades.columns[k] if shades else None
        _draw_column(axes, column, places[k], numbers, norms[k])
        for start in column.around:
            _bridge(axes, places[start], places[k], low + 0.9)


def _place(columns: Sequence[Column]) -> list[float]:
    places = [0.0]
    for before, column in pairwise(columns):
        places.append(places[-1] + (BAR_STEP if column.is_bar or before.is_bar else STEP))
    return places


def _scale(numbers: Floats | None) -> TwoSlopeNorm | None:
    if numbers is None:
        return None
    largest = float(np.max(np.abs(numbers), initial=0.0)) or 1.0
    return TwoSlopeNorm(0.0, -largest, largest)


def _connect(axes: Axes, columns: tuple[Column, Column], places: tuple[float, float], numbers: Floats | None) -> None:
    """Lines: each unit with each for weights, each with its own for a bar."""
    before, column = columns
    left, right = before.place(), column.place()
    if column.is_bar or (before.width == column.width and not column.caption):
        pairs = [(a, b) for a, b in zip(left, right, strict=True)]
    else:
        pairs = [(a, b) for a in left for b in right]
    norm = _scale(numbers)
    for (i, low), (j, high) in pairs:
        colour, width = FAINT, 0.9
        if numbers is not None and norm is not None:
            share = abs(norm(float(numbers[i, j])) - 0.5) * 2
            colour, width = mpl.colors.to_hex(SIGNED(norm(float(numbers[i, j])))), 0.4 + 2.4 * share
        axes.plot(places, (low, high), color=colour, linewidth=width, zorder=1, solid_capstyle="round")


def _draw_column(axes: Axes, column: Column, x: float, numbers: Floats | None, norm: Any) -> None:
    top = max((y for _, y in column.place()), default=0.0)
    if column.is_bar:
        box = FancyBboxPatch((x - 0.2, -top - 0.35), 0.4, 2 * top + 0.7, boxstyle="round,pad=0.05")
        box.set(facecolor="#F1F3F5", edgecolor=Palette.grey, linewidth=1.2, zorder=2)
        axes.add_patch(box)
    for unit, y in column.place():
        colour = "white" if numbers is None or norm is None else SIGNED(norm(float(numbers[unit])))
        radius = RADIUS * 0.45 if column.is_bar else RADIUS
        edge = Palette.grey if column.is_bar else INK
        axes.add_patch(Circle((x, y), radius, facecolor=colour, edgecolor=edge, linewidth=1.2, zorder=3))
        if numbers is not None and not column.is_bar:
            dark = norm is not None and abs(norm(float(numbers[unit])) - 0.5) > 0.4
            said = f"{float(numbers[unit]):.2g}"
            said = said if len(said) < 6 else f"{float(numbers[unit]):.0e}".replace("e-0", "e-")
            axes.text(x, y, said, ha="center", va="center", fontsize=6.5, color="white" if dark else INK, zorder=4)
    if None in column.shown:
        row = column.shown.index(None)
        y = RISE * ((len(column.shown) - 1) / 2 - row)
        axes.text(x, y, "⋮", ha="center", va="center", fontsize=14, zorder=4)
    turn = 90 if column.is_bar else 0
    said = column.title if column.is_bar else f"{shorten(column.title, LETTERS)}\n{column.width}"
    axes.text(x, top + 0.55, said, ha="center", va="bottom", fontsize=9, rotation=turn, parse_math=False)
    caption = "\n".join(column.caption)
    axes.text(x, -top - 0.55, caption, ha="center", va="top", fontsize=7.5, color=Palette.grey, rotation=turn)


def _bridge(axes: Axes, start: float, end: float, low: float) -> None:
    """A residual connection: what goes in is added behind."""
    arrow = FancyArrowPatch((start, low), (end, low), connectionstyle="arc3,rad=0.2", arrowstyle="-|>")
    arrow.set(color=Palette.green, linewidth=1.6, mutation_scale=12)
    axes.add_patch(arrow)
    axes.text((start + end) / 2, low + 0.1, "+ what came in", ha="center", fontsize=7.5, color=Palette.green)
