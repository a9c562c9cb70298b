"""Vector plots inside a page: the network, an activation and its slope, how finely a gradient was compared."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from markupsafe import Markup
from matplotlib.figure import Figure
from matplotlib.ticker import NullFormatter

from backprop.drawing.layout import plot_layout
from backprop.examiner.saying.report import Entry
from backprop.pictures.style import Palette, open_figure, save_figure
from backprop.runtime.activation_functions import activation
from backprop.specification.network import Network

__all__ = ["Drawing", "draw_activation", "draw_entries", "draw_evidence", "draw_network"]

SPAN = 5.0


@dataclass(frozen=True)
class Drawing:
    """An SVG element and what it shows."""

    svg: Markup
    says: str


def take_svg(path: Path) -> Markup:
    """The element alone, in the width of its place, its identifiers its own."""
    text = path.read_text(encoding="utf-8")
    text = text[text.index("<svg") :]
    text = re.sub(r"<metadata>.*?</metadata>", "", text, flags=re.DOTALL)
    text = re.sub(r'\b(id="|url\(#|href="#)', rf"\g<1>{path.stem}-", text)
    head, rest = text.split(">", 1)
    return Markup(re.sub(r' (?:width|height)="[^"]*"', "", head) + ">" + rest)


def inline(figure: Figure, name: str) -> Markup:
    """A figure as SVG."""
    with tempfile.TemporaryDirectory() as folder:
        return take_svg(save_figure(figure, Path(folder) / f"{name}.svg"))


def draw_network(network: Network) -> Drawing:
    """Units, layers and shapes."""
    with tempfile.TemporaryDirectory() as folder:
        svg = take_svg(plot_layout(Path(folder) / "net.svg", network))
    return Drawing(svg, f"The network {network}: every layer with its width, its parameters and their shapes.")


def draw_activation(name: str) -> Drawing:
    """f and f'."""
    unit = activation(name)
    z = np.linspace(-SPAN, SPAN, 401)
    with open_figure(3.0) as figure:
        axes = figure.add_subplot()
        axes.plot(z, unit.f(z), color=Palette.blue, label="f(z)")
        axes.plot(z, unit.f_prime(z), color=Palette.orange, linestyle="--", label="f′(z)")
        axes.set_xlabel("z")
        axes.legend()
        svg = inline(figure, "unit")
    return Drawing(
        svg, f"The activation {name} (solid line) and its derivative (dashed line), a factor in BP1 and BP2."
    )


def draw_evidence(tensors: Mapping[str, Any]) -> Drawing | None:
    """The stated uncertainty of the comparison of each tensor."""
    rows = [(name, t["uncertainty"]) for name, t in tensors.items() if t["uncertainty"]]
    if not rows:
        return None
    names, sizes = zip(*rows, strict=True)
    with open_figure(0.8 + 0.32 * len(rows)) as figure:
        axes = figure.add_subplot()
        axes.hlines(range(len(rows)), min(sizes) / 1e3, sizes, color=Palette.grey, linewidth=1.2)
        axes.plot(sizes, range(len(rows)), "o", color=Palette.blue)
        axes.set(xscale="log", yticks=range(len(rows)), yticklabels=names, ylim=(len(rows) - 0.5, -0.5))
        axes.set_xlim(10.0 ** np.floor(np.log10(min(sizes) / 3)), 10.0 ** np.ceil(np.log10(max(sizes) * 1.1)))
        axes.xaxis.set_minor_formatter(NullFormatter())
        axes.set_xlabel("a difference above this would be seen")
        svg = inline(figure, "seen")
    return Drawing(svg, "How finely each tensor was compared: an entry that is off by more than its dot is found.")


def draw_entries(entries: Sequence[Entry]) -> Drawing | None:
    """Yours against expected, entry by entry."""
    good = [e for e in entries if np.isfinite(e.yours) and np.isfinite(e.expected)]
    if not good:
        return None
    yours, expected = (np.array([getattr(e, name) for e in good]) for name in ("yours", "expected"))
    names = [f"{e.parameter}[{', '.join(map(str, e.index))}]" for e in good]
    with open_figure(0.9 + 0.34 * len(good)) as figure:
        axes = figure.add_subplot()
        rows = np.arange(len(good))
        axes.hlines(rows, yours, expected, color=Palette.grey, linewidth=1.2)
        axes.plot(expected, rows, "o", color=Palette.blue, label="expected")
        axes.plot(yours, rows, "x", color=Palette.orange, markersize=8, markeredgewidth=2, label="yours")
        axes.set(yticks=rows, yticklabels=names, ylim=(len(good) - 0.5, -0.5))
        axes.set_xlabel("the derivative of the cost")
        axes.legend(loc="center left", bbox_to_anchor=(1.0, 0.5))
        svg = inline(figure, "entries")
    return Drawing(svg, "The entries that differ most: crosses are yours, dots are expected, lines are the errors.")
