"""The function of two variables to be approximated: read safely, checked on a grid of its rectangle."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import sympy

from backprop.approximation.ground.named import NAMED_SURFACES
from backprop.approximation.ground.target import UNIT, Floats, Valued, check_values, read_domain
from backprop.codegen.functions.elementwise import evaluate
from backprop.errors import UsageError
from theory.functions.elementwise import parse, transcribe
from theory.language.tokens import ExpressionError, split_tokens

__all__ = ["GRID_SIDE", "PLACE", "VARIABLES", "Rectangle", "Surface", "is_surface", "read_surface"]

VARIABLES = ("x", "y")
PLACE = "x = {:.6g}, y = {:.6g}"
GRID_SIDE = 201
"""Equispaced points of the grid along each side, ends included."""

Rectangle = tuple[tuple[float, float], tuple[float, float]]


@dataclass(frozen=True, eq=False)
class Surface(Valued):
    """A function F on a rectangle.

    Attributes:
        text: as it was written.
        expression, as_written: the same as a SymPy expression in x and y, simplified and not.
        domain: ((a, b), (c, d)): a <= x <= b, c <= y <= d.
        grid: (GRID_SIDE², 2), the points at which errors are measured; x varies fastest.
        values: F on the grid, (GRID_SIDE²,).
    """

    text: str
    expression: sympy.Expr
    as_written: sympy.Expr
    domain: Rectangle
    grid: Floats
    values: Floats
    function: Callable[[Any, Any], Any]

    def __call__(self, points: Floats) -> Floats:
        """Evaluate F at points (n, 2); NaN or infinity where it has no finite value."""
        with np.errstate(all="ignore"):
            return np.asarray(self.function(points[:, 0], points[:, 1]), dtype=np.float64)


def is_surface(text: object) -> bool:
    """Whether a target is a named function of two variables, or an expression that names both of them.

    >>> is_surface("franke"), is_surface("x*y"), is_surface("sin(x)"), is_surface("sin(y)")
    (True, True, False, False)
    """
    if not isinstance(text, str):
        return False
    if text in NAMED_SURFACES:
        return True
    try:
        names = {token.text for token in split_tokens(text) if token.kind == "name"}
    except ExpressionError:
        return False
    return names.issuperset(VARIABLES)


def read_surface(text: str, domain: Sequence[Sequence[float]] = (UNIT, UNIT)) -> Surface:
    """Read a function of x and y on a rectangle.

    Raises:
        UsageError: text that is no expression in x and y, an impossible rectangle, or a function without a finite
            value of reasonable size somewhere on the grid (it says where).

    >>> surface = read_surface("x + 2*y")
    >>> surface.values[-1], surface.grid[-1].tolist()
    (np.float64(3.0), [1.0, 1.0])
    """
    if not isinstance(text, str):
        raise UsageError(f"the target must be text, such as 'sin(x*y)'; got {type(text).__name__}")
    try:
        expression, as_written = (read(NAMED_SURFACES.get(text, text), VARIABLES) for read in (parse, transcribe))
    except ExpressionError as error:
        raise UsageError(f"target {error}; or the name {', '.join(NAMED_SURFACES)}") from None
    rectangle = _read_rectangle(domain)
    sides = [np.linspace(low, high, GRID_SIDE) for low, high in rectangle]
    grid = np.column_stack([side.ravel() for side in np.meshgrid(*sides)])
    function = evaluate(expression, VARIABLES)
    values = Surface(text, expression, as_written, rectangle, grid, grid[:, 0], function)(grid)
    check_values(f"{text!r:.80}", grid, values, PLACE)
    return Surface(text, expression, as_written, rectangle, grid, values, function)


def _read_rectangle(domain: Sequence[Sequence[float]]) -> Rectangle:
    try:
        first, second = domain
    except (TypeError, ValueError):
        raise UsageError(f"the domain must be two intervals, such as ((0, 1), (0, 1)); got {domain!r:.80}") from None
    return read_domain(first), read_domain(second)
