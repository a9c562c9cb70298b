"""The page of one approximation: how near networks of growing width come, each with its proved band, to be dragged."""

from __future__ import annotations

import json
import math
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from markupsafe import Markup

from backprop.approximation import Approximation, approximate
from backprop.approximation.ground.target import FunctionTarget
from backprop.approximation.ground.wording import describe_above
from backprop.errors import UsageError
from backprop.pictures import plot_approximation
from backprop.reporting.pages.figures import Drawing, take_svg
from backprop.reporting.pages.template import PagePart, fill, write_page

__all__ = ["describe_frame", "list_frames", "write_approximation_page"]

WIDTHS = (1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64)
"""Of the narrower networks that are shown before the one that was found."""
POINTS = 400
MOST_UNITS = 24
"""Up to so many units each is drawn by itself."""
DIGITS = 6

Step = Callable[[int, int], None]


def write_approximation_page(found: Approximation, seed: int = 0, progress: Step | None = None) -> str:
    """The page of an approximation of a function of x, with those of fewer units beside it.

    Errors: UsageError for data, which have nothing between their points.

    >>> page = write_approximation_page(approximate("x**2", width=2, certify=True))
    >>> page.count('<input type="range"'), page.count("<section")
    (2, 3)
    """
    if not isinstance(found.function, FunctionTarget):
        raise UsageError("a page of an approximation is about a function of x; of data use --plot")
    frames = list_frames(found, seed, progress)
    low, high = found.domain
    rows = [(str(one.width), describe_frame(one)) for one in frames]
    units = f"{found.activation} unit" + "s" * (found.width != 1)
    error = "largest error, " + ("proved" if found.certified else "on a grid")
    facts = [(str(found.width), units), (describe_above(_bound(found), 3), error)]
    parts = [
        PagePart("drag", "Drag the width, or the error that is allowed", fill("explorer", _write_data(frames))),
        PagePart("found", "The network that was found", fill("picture", _draw(found))),
        PagePart("widths", "What each width reaches", fill("widths", rows)),
    ]
    lead = (f"The function on [{low:g}, {high:g}], and networks f(x) = c_0 + Σ c_k σ(w_k x + b_k) of one hidden layer "
            "near it. Where a bound is proved it holds at every point, not only at those that are drawn.")  # fmt: skip
    words = f"backprop approximate {json.dumps(found.target)} --width {found.width} --certify"
    return write_page(f"{found.target} by {found.activation} units", lead, facts, parts, words)


def list_frames(found: Approximation, seed: int = 0, progress: Step | None = None) -> list[Approximation]:
    """The networks of fewer units, each with its proof, and the one that was found."""
    widths = [width for width in WIDTHS if width < found.width]
    frames = []
    for place, width in enumerate(widths):
        frames.append(
            approximate(found.target, width=width, activation=found.activation, domain=found.domain, seed=seed,
                        certify=True, continued=bool(found.function.list_continued()))
        )  # fmt: skip
        if progress is not None:
            progress(place + 1, len(widths))
    return [*frames, found]


def describe_frame(one: Approximation) -> str:
    """What is known of the error of one of the networks."""
    if one.certified:
        return f"at most {describe_above(_bound(one), 3)} at every point: proved"
    return f"{_bound(one):.2e} on a grid; between its points nothing is proved"


def _bound(one: Approximation) -> float:
    return one.certificate.bound if one.certified and one.certificate is not None else one.sup_error


def _draw(found: Approximation) -> Drawing:
    with tempfile.TemporaryDirectory() as folder:
        svg = take_svg(plot_approximation(found, Path(folder) / "found.svg"))
    return Drawing(svg, f"The function and the network of {found.width} units, and the error between them.")


def _write_data(frames: Sequence[Approximation]) -> Markup:
    """What the page draws, as JSON that cannot end the element it stands in."""
    low, high = frames[-1].domain
    x = np.linspace(low, high, POINTS + 1)
    told = {"x": _round(x), "F": _round(frames[-1].function(x)), "frames": [_tell(one, x) for one in frames]}
    text = json.dumps(told, allow_nan=False).replace("<", "\\u003c").replace("&", "\\u0026")
    return Markup(text)


def _tell(one: Approximation, x: np.ndarray[Any, Any]) -> dict[str, Any]:
    units: list[list[float]] = []
    if one.width <= MOST_UNITS:
        values = np.asarray(one.sigma(np.outer(x, one.w) + one.b)) * np.sign(one.c)
        units = [_round(column) for column in values.T]
    return {"width": one.width, "f": _round(one.f(x)), "units": units, "bound": _bound(one), "certified": one.certified,
            "says": f"{one.width} {one.activation} unit{'s' * (one.width != 1)}: {describe_frame(one)}"}  # fmt: skip


def _round(values: np.ndarray[Any, Any]) -> list[float]:
    """So many digits of each: a picture needs no more."""
    return [float(f"{value:.{DIGITS}g}") if math.isfinite(value) else 0.0 for value in values]
