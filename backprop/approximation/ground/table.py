"""A table of values as a target: points with the values that were measured there, and nothing between them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from backprop.approximation.ground.target import LARGEST, Floats, Target, read_domain
from backprop.errors import UsageError

__all__ = ["FEWEST_ROWS", "MOST_ROWS", "TableTarget", "build_table", "read_arrays"]

FEWEST_ROWS, MOST_ROWS = 4, 100_000
"""A network of one unit has four numbers; more rows than the most would take minutes, not seconds."""
NUMBERS_A_UNIT = 3
"""w, b and c; the constant is one more."""


@dataclass(frozen=True, eq=False)
class TableTarget(Target):
    """Values at points. The grid is the points themselves: errors are measured there and nowhere else.

    There is no value between the points; the polygon through them only helps to place the units.
    """

    known_between: ClassVar[bool] = False

    def __call__(self, x: Floats) -> Floats:
        """Evaluate the polygon through the points."""
        return np.asarray(np.interp(np.asarray(x, dtype=np.float64), self.grid, self.values))

    @property
    def gap(self) -> float:
        """A distance of neighbours that nine of ten exceed."""
        return float(np.quantile(np.diff(self.grid), 0.1))

    @property
    def widest(self) -> int:
        """The most units for which the points say more than the network has numbers: 3 width + 1 <= points."""
        return (len(self.grid) - 1) // NUMBERS_A_UNIT


def read_arrays(columns: Sequence[Any], domain: Sequence[float] | None = None) -> TableTarget:
    """Read a pair (x, y) of arrays of the same length, in any order.

    Raises:
        UsageError: what is no pair of finite real vectors of one length, too few or too many points, two values
            at one point.

    >>> table = read_arrays(([3, 1, 2, 0], [9, 1, 4, 0]))
    >>> table.text, table.grid.tolist(), table.values.tolist()
    ('4 data points', [0.0, 1.0, 2.0, 3.0], [0.0, 1.0, 4.0, 9.0])
    """
    if len(columns) != 2:
        raise UsageError(f"data must be a pair (x, y) of arrays; got {len(columns)} of them")
    x, y = (_read_vector(name, values) for name, values in zip("xy", columns, strict=True))
    if len(x) != len(y):
        raise UsageError(f"data must be a pair (x, y) of arrays of the same length; got {len(x)} and {len(y)}")
    if len(x) > MOST_ROWS:
        raise UsageError(f"{len(x):,} data points are too many (at most {MOST_ROWS:,}); thin them out")
    return build_table(f"{len(x):,} data points", x, y, [f"index {k}" for k in range(len(x))], domain)


def _read_vector(name: str, values: Any) -> Floats:
    try:
        given = np.asarray(values)
        vector = given.astype(np.float64) if given.dtype.kind in "biuf" else None
    except (TypeError, ValueError):
        vector = None
    if vector is None or vector.ndim != 1:
        shown = " ".join(repr(values)[:60].split())
        raise UsageError(f"{name} of the data must be a vector of real numbers; got {shown}")
    if not np.all(np.isfinite(vector)):
        place = int(np.flatnonzero(~np.isfinite(vector))[0])
        raise UsageError(f"{name} of the data is {vector[place]} at index {place}; leave that point out")
    return vector


def build_table(
    text: str, x: Floats, y: Floats, rows: Sequence[str], domain: Sequence[float] | None = None
) -> TableTarget:
    """Sort finite points, join equal ones, and keep those of the domain if one is given.

    Args:
        text: what the table is called.
        x, y: (n,), finite.
        rows: where each point stands, for messages.

    Raises:
        UsageError: two values at one x (a function has one; an average would be a choice that is not ours), too
            few points, values or distances that floats cannot bear.
    """
    name, order = text, np.argsort(x, kind="stable")
    x, y = x[order], y[order]
    if domain is not None:
        low, high = read_domain(domain)
        inside = (x >= low) & (x <= high)
        x, y, order = x[inside], y[inside], order[inside]
        text = text if np.all(inside) else f"{text}, {len(x):,} of {len(inside):,} rows"
    _check_single(text, x, y, [rows[int(k)] for k in order])
    first = np.append(True, np.diff(x) > 0)[: len(x)]
    x, y = x[first], y[first]
    if len(x) < FEWEST_ROWS:
        where = "" if domain is None else f" from {domain[0]} to {domain[1]}"
        raise UsageError(f"{name} has {len(x)} different x{where}; at least {FEWEST_ROWS} are needed")
    largest = float(np.max(np.abs(np.append(x, y))))
    if largest > LARGEST:
        raise UsageError(f"{text} reaches {largest:.1e}; scale it to below {LARGEST:.0e}")
    try:
        return TableTarget(text, read_domain((x[0], x[-1])), (), x, y)
    except UsageError as error:
        raise UsageError(f"{name}: {error}") from None


def _check_single(text: str, x: Floats, y: Floats, rows: Sequence[str]) -> None:
    """Refuse two values at one x."""
    clash = np.flatnonzero((np.diff(x) == 0) & (y[1:] != y[:-1]))
    if clash.size:
        k = int(clash[0])
        values = f"{float(y[k])!r} ({rows[k]}) and {float(y[k + 1])!r} ({rows[k + 1]})"
        raise UsageError(
            f"{text} has two values at x = {float(x[k])!r}: {values}; a function has one: average them or leave one out"
        )
