"""The looks of all figures: colours, letters, sizes; no global state, files written whole."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import Any, BinaryIO

import matplotlib as mpl
import numpy as np
from cycler import cycler
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from numpy.typing import NDArray
from PIL import Image

from backprop.errors import UsageError
from backprop.files import write_atomically

__all__ = [
    "FAINT", "INK", "STYLE", "Floats", "Palette", "open_figure", "save_animation",
    "save_figure", "shorten", "take_picture", "write_title",
]  # fmt: skip

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
SCREEN_DOTS, COLOURS, MILLISECONDS = 84, 64, 700  # of an animation, and how long a picture of it stays

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
    "pdf.fonttype": 42,  # letters as TrueType in the file: to be searched, copied and edited, as publishers ask
    "ps.fonttype": 42,
    "svg.fonttype": "none",  # letters as text: to be searched, copied, read aloud
    "svg.hashsalt": "backprop",  # identifiers without chance: the same figure is the same file
}
"""Everything about the looks that is not the data; applied while a figure is made, never globally."""


@contextmanager
def open_figure(height: float) -> Iterator[Figure]:
    """Make a figure in the house style; the style ends with the block."""
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(WIDTH_INCHES, height), dpi=DOTS_PER_INCH)
        FigureCanvasAgg(figure)
        yield figure


def save_figure(figure: Figure, path: str | os.PathLike[str]) -> Path:
    """Write a figure whole, in the format that the ending names.  Errors: `UsageError` for an unknown ending."""
    ending = Path(path).suffix.lower().lstrip(".") or "png"
    known = figure.canvas.get_supported_filetypes()
    if ending not in known:
        raise UsageError(f"cannot write a figure as .{ending} ({os.fspath(path)!r}); use png, svg or pdf")

    def write(stream: BinaryIO) -> None:
        figure.savefig(stream, format=ending, bbox_inches="tight", pad_inches=0.25, metadata=_drop_date(ending))

    return write_atomically(path, write)


def write_title(figure: Figure, text: str, *, x: float = 0.07, y: float = 0.98) -> None:
    """The heading, from the left, as it is: a dollar sign in it is a dollar sign."""
    figure.suptitle(text, x=x, y=y, ha="left", fontsize=16, fontweight="bold", parse_math=False)


def _drop_date(ending: str) -> dict[str, None] | None:
    """The same figure gives the same file."""
    return {"svg": {"Date": None}, "pdf": {"CreationDate": None}}.get(ending)


def shorten(text: str, length: int) -> str:
    """Cut a text that would leave the picture."""
    return text if len(text) <= length else text[: length - 1] + "…"


def take_picture(figure: Figure) -> Image.Image:
    """The figure as a picture of few colours."""
    stream = BytesIO()
    figure.savefig(stream, format="png", dpi=SCREEN_DOTS)
    return Image.open(stream).convert("RGB").quantize(COLOURS)


def save_animation(path: str | os.PathLike[str], pictures: Sequence[Image.Image], last: int) -> Path:
    """Write a GIF whole; the last picture stays for so many milliseconds."""
    times = [MILLISECONDS] * (len(pictures) - 1) + [last]

    def write(stream: BinaryIO) -> None:
        pictures[0].save(stream, format="GIF", save_all=True, append_images=pictures[1:], duration=times, loop=0)

    return write_atomically(path, write)
