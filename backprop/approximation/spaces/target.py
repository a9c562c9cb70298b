"""The function of three and more variables to be approximated: read safely, checked at the points of a bounded grid."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import sympy
from scipy.stats import qmc

from backprop.approximation.ground.target import Floats, Valued, check_values, read_domain
from backprop.codegen.functions.elementwise import evaluate
from backprop.errors import UsageError
from theory.functions.elementwise import parse
from theory.language.tokens import ExpressionError, split_tokens

__all__ = ["FEWEST", "MOST", "Box", "Space", "find_variables", "is_space", "read_space", "scatter"]

LETTERS = ("x", "y", "z", "w")
NUMBERED = re.compile(r"x[1-9]")
FEWEST, MOST = 3, 6
"""Numbers of variables."""
MOST_POINTS = 51_000
"""Of the grid: 37 along each side in three dimensions, 15 in four, 8 in five, 6 in six."""
SCATTERED = 20_000
"""Points more, that lie evenly but on no grid: between its points a grid in many dimensions is blind."""

Box = tuple[tuple[float, float], ...]


@dataclass(frozen=True, eq=False)
class Space(Valued):
    """A function F on a box.

    Attributes:
        text: as it was written.
        variables: the names of its coordinates, in order.
        domain: a pair (low, high) for each of them.
        side: points of the grid along each side, ends included.
        grid: (n, d), the points at which errors are measured: the grid, and scattered ones.
        values: F there, (n,).
    """

    text: str
    variables: tuple[str, ...]
    expression: sympy.Expr
    domain: Box
    side: int
    grid: Floats
    values: Floats
    function: Callable[..., Any]

    def __call__(self, points: Floats) -> Floats:
        """Evaluate F at points (n, d); NaN or infinity where it has no finite value."""
        with np.errstate(all="ignore"):
            found = np.asarray(self.function(*points.T), dtype=np.float64)
        return np.broadcast_to(found, len(points)).copy()

    @property
    def place(self) -> str:
        """A format that says where a point is."""
        return ", ".join(f"{name} = {{:.6g}}" for name in self.variables)


def find_variables(text: object) -> tuple[str, ...]:
    """x, y, z or x, y, z, w, or x1 … xn, if an expression names all of them and no other; empty if it does not.

    >>> find_variables("x*y*z"), find_variables("x1 + x2*x3"), find_variables("x*y"), find_variables("x*z")
    (('x', 'y', 'z'), ('x1', 'x2', 'x3'), (), ())
    """
    if not isinstance(text, str):
        return ()
    try:
        names = {token.text for token in split_tokens(text) if token.kind == "name"}
    except ExpressionError:
        return ()
    numbered = sorted(name for name in names if NUMBERED.fullmatch(name))
    named = tuple(numbered or (name for name in LETTERS if name in names))
    wanted = tuple(f"x{k + 1}" for k in range(len(named))) if numbered else LETTERS[: len(named)]
    return named if named == wanted and len(named) >= FEWEST else ()


def is_space(text: object) -> bool:
    """Whether a target is a function of three or more variables.

    >>> is_space("sin(x*y)*exp(-z**2)"), is_space("sin(x)")
    (True, False)
    """
    return bool(find_variables(text))


def read_space(text: str, domain: Sequence[Sequence[float]] | None = None) -> Space:
    """Read a function of several variables on a box; without a domain on the unit cube.

    Raises:
        UsageError: text that is no expression in its variables, too many of them, an impossible box, or a function
            without a finite value of reasonable size at a point that is looked at (it says where).

    >>> space = read_space("x + 2*y + 3*z")
    >>> space.side, space.values.max()
    (37, np.float64(6.0))
    """
    variables = find_variables(text)
    if not FEWEST <= len(variables) <= MOST:
        raise UsageError(f"the target must name x, y and z, or these and w, or x1, x2, x3 … up to x{MOST}, and all of "
                         f"them; got {text!r:.80}")  # fmt: skip
    try:
        expression = parse(text, variables)
    except ExpressionError as error:
        raise UsageError(f"target {error}") from None
    box = _read_box(domain, len(variables))
    side = int(MOST_POINTS ** (1 / len(variables)))
    sides = [np.linspace(low, high, side) for low, high in box]
    points = np.column_stack([part.ravel() for part in np.meshgrid(*sides, indexing="ij")])
    low, high = np.transpose(box)
    grid = np.vstack([points, low + (high - low) * scatter(len(variables), SCATTERED, seed=0)])
    space = Space(text, variables, expression, box, side, grid, grid[:, 0], evaluate(expression, variables))
    values = space(grid)
    check_values(f"{text!r:.80}", grid, values, space.place)
    return Space(text, variables, expression, box, side, grid, values, space.function)


def scatter(dimensions: int, count: int, seed: int) -> Floats:
    """Points of the unit cube that leave no large gaps, (count, d).

    Source: J. Halton (1960), scrambled as A. Owen (2017); SciPy's.
    """
    return np.asarray(qmc.Halton(dimensions, rng=np.random.default_rng(seed)).random(count), dtype=np.float64)


def _read_box(domain: Sequence[Sequence[float]] | None, count: int) -> Box:
    if domain is None:
        return ((0.0, 1.0),) * count
    try:
        sides = tuple(domain)
    except TypeError:
        sides = ()
    if len(sides) != count:
        raise UsageError(f"the domain must be {count} intervals, one for each variable; got {domain!r:.80}")
    return tuple(read_domain(side) for side in sides)
