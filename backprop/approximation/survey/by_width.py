"""The largest error at growing widths: fitted, written down as in the proof, trained."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from backprop.approximation.searching.methods import approximate_by

__all__ = ["WAYS", "WidthCurve", "survey_widths"]

WAYS = (
    ("fit", "tanh"),
    ("fit", "sigmoid"),
    ("fit", "gelu"),
    ("fit", "relu"),
    ("constructive", "sigmoid"),
    ("adam", "tanh"),
)
"""Method and activation of each curve."""


@dataclass(frozen=True)
class WidthCurve:
    """One way to networks of growing width.

    Attributes:
        target, method, activation: of what, and how.
        widths: numbers of hidden units.
        errors: the largest error of each on its grid, in the unit of F: measured.
        bounds: the a-priori bound of each, proved; empty for other methods than "constructive".
        scale: half the distance from the lowest to the highest value of F.
    """

    target: str
    method: str
    activation: str
    widths: tuple[int, ...]
    errors: tuple[float, ...]
    bounds: tuple[float, ...]
    scale: float


def survey_widths(
    target: str,
    widths: Sequence[int],
    ways: Sequence[tuple[str, str]] = WAYS,
    progress: Callable[[int, int], None] = lambda done, whole: None,
) -> list[WidthCurve]:
    """A network of each width for each way.

    Errors: `UsageError` for a target, method, activation or width that cannot be.

    >>> for curve in survey_widths("square", (1, 3), [("constructive", "sigmoid")]):
    ...     print(curve.widths, [error <= bound for error, bound in zip(curve.errors, curve.bounds)])
    (1, 3) [True, True]
    """
    curves = []
    for row, (method, activation) in enumerate(ways):
        found = []
        for column, width in enumerate(widths):
            found.append(approximate_by(method, target, width=width, activation=activation))
            progress(row * len(widths) + column + 1, len(ways) * len(widths))
        curves.append(
            WidthCurve(
                target=target,
                method=method,
                activation=activation,
                widths=tuple(widths),
                errors=tuple(one.sup_error for one in found),
                bounds=tuple(one.bound.total for one in found if one.bound),
                scale=found[0].function.scale,
            )
        )
    return curves
