"""What the caller gave: a function or a table; and the widths that a table allows."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np

from backprop.approximation.ground.table import TableTarget, read_arrays
from backprop.approximation.ground.table_file import is_table_file, read_table_file
from backprop.approximation.ground.target import UNIT, Target, read_target
from backprop.errors import UsageError

__all__ = ["Given", "check_width", "list_widths", "read_given"]

Given: TypeAlias = "str | os.PathLike[str] | Sequence[Any]"
"""An expression or a name; a file of two columns; a pair (x, y) of arrays."""


def read_given(given: Given, domain: Sequence[float] | None, continued: bool = False) -> Target:
    """Read whatever it is.

    Errors: `UsageError`, of the reader in charge.

    >>> read_given("x**2", None).domain, read_given(([1, 2, 3, 4], [1, 4, 9, 16]), None).domain
    ((0.0, 1.0), (1.0, 4.0))
    """
    if continued and not isinstance(given, str):
        raise UsageError("--continue is for functions: data have no limits")
    if isinstance(given, str | os.PathLike) and is_table_file(given):
        return read_table_file(given, domain)
    if isinstance(given, tuple | list | np.ndarray):
        return read_arrays(given, domain)
    return read_target(given, UNIT if domain is None else domain, continued)  # type: ignore[arg-type]  # it says what is wrong


def check_width(target: Target, width: int) -> int:
    """Refuse a network with more numbers than there are points: it meets them all and says nothing."""
    if isinstance(target, TableTarget) and width > target.widest:
        raise UsageError(
            f"width {width} is too many for {len(target.grid):,} points: that network has {3 * width + 1} numbers, "
            f"enough to meet the points whatever they say; at most {target.widest} units, or more points"
        )
    return width


def list_widths(target: Target, widths: Sequence[int]) -> list[int]:
    """The widths of a list that a target allows; for a table the widest one last."""
    if not isinstance(target, TableTarget) or target.widest >= widths[-1]:
        return list(widths)
    return [*(width for width in widths if width < target.widest), target.widest]
