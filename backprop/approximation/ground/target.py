"""What is approximated; a function is read safely and checked on its domain, with the points where it breaks."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np
import sympy
from numpy.typing import NDArray

from backprop.approximation.ground.continued import Continuation, continue_at_holes, list_candidates
from backprop.approximation.ground.named import NAMED, NAMED_SURFACES, read_named, read_written
from backprop.approximation.proving.ranges import NoValue
from backprop.approximation.proving.undecided import Undecided
from backprop.approximation.proving.values import enclose_values
from backprop.codegen.functions.elementwise import evaluate
from backprop.errors import UsageError
from theory.functions.elementwise import parse
from theory.functions.pieces import split
from theory.language.spelling import respell

__all__ = [
    "CONTINUE", "GRID_POINTS", "LARGEST", "UNIT", "Floats", "FunctionTarget", "Target", "Valued", "check_values",
    "read_domain", "read_target",
]  # fmt: skip

Floats = NDArray[np.float64]

UNIT = (0.0, 1.0)
"""The domain where none is given."""
GRID_POINTS = 10_001
"""Equispaced points of the grid on which errors are measured, ends included."""

HALVINGS = (14, 41)
"""Distances to an end or a break at which the grid has a point: these powers of 1/2, times b - a."""

MOST_JUMPS = 1000
"""Of a whole part, that are looked for."""

LOOKED_AT = 100
"""Of so many points of the grid one is looked at for a value of the text as it is written."""

CONTINUE = ", or add --continue (continued=True) if the limit there is meant"
"""What may help where F has no value."""

LARGEST = 1e100
"""Targets beyond this are refused: their squares leave the range of a float."""


class Valued:
    """What has values on a grid."""

    values: Floats

    @property
    def scale(self) -> float:
        """Half the distance between the largest and the smallest value, or 1 if F is constant."""
        return float(np.max(self.values) / 2 - np.min(self.values) / 2) or 1.0


@dataclass(frozen=True, eq=False)
class Target(Valued, ABC):
    """What a network shall come near, as the search and the pictures know it.

    Attributes:
        text: as it was written, or what it is called.
        domain: (a, b), a < b.
        breaks: the points inside the domain where F or its slope may jump, as far as they can be found.
        grid: the increasing points of [a, b] at which errors are measured.
        values: F on the grid.
    """

    text: str
    domain: tuple[float, float]
    breaks: tuple[float, ...]
    grid: Floats
    values: Floats

    known_between: ClassVar[bool] = True
    """Whether F has a value between the points of the grid as well."""

    @abstractmethod
    def __call__(self, x: Floats) -> Floats:
        """Evaluate F; NaN or infinity where it has no finite value."""

    def list_continued(self) -> tuple[float, ...]:
        """Where F has no value by itself and is extended by its limit."""
        return ()


@dataclass(frozen=True, eq=False)
class FunctionTarget(Target):
    """A function given by an expression in x: simplified, and as it is written, which is what proofs are about.

    Its grid has `GRID_POINTS` equispaced points, and more that close in on the ends and on the breaks, halving the
    distance, up to the neighbour among the floats.
    """

    expression: sympy.Expr
    as_written: sympy.Expr
    function: Callable[[Any], Any]
    continued_at: tuple[float, ...] = ()
    """Where F has no value by itself and is extended by its limit."""

    def __call__(self, x: Floats) -> Floats:
        """Evaluate F; NaN or infinity where it has no finite value."""
        with np.errstate(all="ignore"):
            return np.asarray(self.function(np.asarray(x, dtype=np.float64)), dtype=np.float64)

    def list_continued(self) -> tuple[float, ...]:
        return self.continued_at


def read_target(text: str, domain: Sequence[float] = UNIT, continued: bool = False) -> FunctionTarget:
    """Read a function of x on an interval; `continued` takes its limits where it has no value by itself.

    Raises:
        UsageError: text that is no expression in x, an impossible interval, or a function without a
            finite value of reasonable size somewhere on the grid (it says where).

    >>> target = read_target("abs(x - 1/4)", (0, 1))
    >>> target.breaks, len(target.grid) > GRID_POINTS
    ((0.25,), True)
    >>> read_target("sin(x)/x", (-1, 1), continued=True).continued_at
    (0.0,)
    """
    interval = read_domain(domain)
    text = respell(text) if isinstance(text, str) else text
    expression = read_named(text) if text in NAMED else _read_expression(text)
    breaks = _find_breaks(expression, interval)
    grid = _make_grid(interval, breaks)
    function = evaluate(expression)
    as_written = read_written(text)
    found = Continuation(as_written, (), function)
    if continued:
        with np.errstate(all="ignore"):
            found = continue_at_holes(text, as_written, function, interval)
    target = FunctionTarget(text, interval, breaks, grid, np.zeros_like(grid), expression, found.as_written,
                            found.function, found.points)  # fmt: skip
    values = target(grid)
    check_values(repr(text), grid, values, "x = {:.6g}", "" if continued else CONTINUE)
    looked_at = [*interval, *breaks, *grid[::LOOKED_AT].tolist(), *list_candidates(as_written, interval)]
    _refuse_holes(text, found.as_written, looked_at, continued)
    return replace(target, values=values)


def _refuse_holes(text: str, as_written: sympy.Expr, points: Sequence[float], continued: bool) -> None:
    """What SymPy simplifies may have a value where the text has none."""
    for point in points:
        try:
            enclose_values(as_written, point, point)
        except NoValue as error:
            what_where = f"no value at x = {point:.6g} ({error})"
            advice = f"choose a domain without it{'' if continued else CONTINUE}"
            raise UsageError(f"target {text!r} has {what_where}; {advice}") from None
        except Undecided:
            continue  # it may have one


def _read_expression(text: str) -> sympy.Expr:
    if not isinstance(text, str):
        raise UsageError(f"the target must be text, such as 'sin(2*pi*x)'; got {type(text).__name__}")
    if text in NAMED_SURFACES:
        raise UsageError(f"target {text!r} is a function of x and y; give it to approximate_2d")
    try:
        return parse(text)
    except ValueError as error:
        names = ", ".join(NAMED)
        raise UsageError(f"target {error}; or one of the names {names}") from None


def read_domain(domain: Sequence[float]) -> tuple[float, float]:
    """An interval.  Errors: `UsageError` for what is none, or one that floats cannot divide."""
    try:
        low, high = (float(end) for end in domain)
    except (TypeError, ValueError):
        raise UsageError(f"the domain must be two numbers, such as (0, 1); got {domain!r}") from None
    if not (math.isfinite(low) and math.isfinite(high) and low < high):
        raise UsageError(f"the domain must be a finite interval from low to high; got from {low} to {high}")
    if high - low < 1e-9 * max(abs(low), abs(high)) or not 1e-100 < high - low < LARGEST:
        raise UsageError(f"the domain from {low} to {high} is too short or too long for floats; shift or scale x")
    return low, high


def _find_breaks(expression: sympy.Expr, domain: tuple[float, float]) -> tuple[float, ...]:
    places = _find_jumps(expression, domain)
    try:
        edges = [piece.upper for piece in split(expression)]
        places += [float(edge) for edge in edges if edge.is_finite]
    except (ValueError, TypeError):
        pass  # abs(sin(x)) and its like: the grid does without
    return tuple(sorted({place for place in places if domain[0] < place < domain[1]}))


def _find_jumps(expression: sympy.Expr, domain: tuple[float, float]) -> list[float]:
    """Where a whole part of a linear argument jumps."""
    found: list[float] = []
    for node in expression.atoms(sympy.floor, sympy.ceiling):
        (x,) = node.free_symbols or (None,)
        line = sympy.Poly(node.args[0], x) if x is not None and node.args[0].is_polynomial(x) else None
        if line is None or line.degree() != 1:
            continue
        slope, offset = map(float, line.all_coeffs())
        low, high = sorted(slope * end + offset for end in domain)
        if high - low <= MOST_JUMPS:
            found += [(whole - offset) / slope for whole in range(math.ceil(low), math.floor(high) + 1)]
    return found


def _make_grid(domain: tuple[float, float], breaks: tuple[float, ...]) -> Floats:
    low, high = domain
    steps = (high - low) * 2.0 ** -np.arange(HALVINGS[0], HALVINGS[1])
    places = np.array([low, *breaks, high])[:, None]
    near = np.hstack([places - steps, places, places + steps, np.nextafter(places, np.array([low, high]))])
    grid = np.union1d(np.linspace(low, high, GRID_POINTS), near)
    return grid[(grid >= low) & (grid <= high)]


def check_values(shown: str, points: Floats, values: Floats, place: str, advice: str = "") -> None:
    """Refuse a function without finite values of reasonable size: `UsageError`, with the first such point.

    `place` is a format that says where a point is, as "x = {:.6g}".
    """
    bad = np.flatnonzero(~np.isfinite(values))
    if bad.size:
        what = f"no finite value at {place.format(*np.atleast_1d(points[bad[0]]))} (it gives {float(values[bad[0]])})"
        raise UsageError(f"target {shown} has {what}; choose a domain without it{advice}")
    largest = float(np.max(np.abs(values)))
    if largest > LARGEST:
        where = place.format(*np.atleast_1d(points[np.argmax(np.abs(values))]))
        raise UsageError(f"target {shown} reaches {largest:.1e} at {where}; scale it to below {LARGEST:.0e}")
