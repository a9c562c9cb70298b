"""What a statement sees: names with their values, functions that may be called, ways to say n."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from backprop.reading.running.recorder import is_number

__all__ = ["Change", "Surroundings", "number"]

Change = tuple[ast.expr, str, float]
"""The new node, what kind of change it is, and its weight (less is more natural)."""


DATA = ("Y", "X")


@dataclass(frozen=True)
class Surroundings:
    """What a statement sees: names with their values, functions of the file that may be called, ways to say n."""

    values: Mapping[str, Any]
    helpers: Mapping[str, int]
    """Name -> number of arguments."""
    counts: tuple[str, ...] = ()
    constants: tuple[str, ...] = ()
    """Pieces of the file that are one number whatever the parameters: `np.sqrt(3)`, `2 * LAM`."""
    functions: tuple[str, ...] = ()
    """Functions of NumPy that the file calls with one argument."""
    shapes: Mapping[ast.AST, tuple[int, ...]] = field(default_factory=dict)
    """What nodes were like when they ran."""
    lines: Mapping[ast.AST, ast.stmt] = field(default_factory=dict)
    """The statements of those nodes."""
    reachable: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    """Texts of names, items and attributes that lead to numbers, each value once, with their shapes."""
    turns: frozenset[str] = frozenset()
    """Names that loops give their values."""
    made: frozenset[str] = frozenset()
    """Names that the function makes."""
    idle: frozenset[str] = frozenset()
    """Names that the function makes and nobody reads: what was forgotten, most likely."""

    @cached_property
    def numbers(self) -> dict[str, tuple[int, ...]]:
        """Names of arrays and numbers with their shapes."""
        return {
            name: tuple(np.shape(value)) if not hasattr(value, "shape") else tuple(value.shape)
            for name, value in self.values.items()
            if is_number(value) and not isinstance(value, bool)
        }

    @property
    def factors(self) -> dict[str, tuple[int, ...]]:
        """Names that may be a factor or a term: no place in a loop, no index, no count."""
        numbers = self.numbers
        return {
            name: shape
            for name, shape in numbers.items()
            if shape or (name not in self.turns and isinstance(self.values[name], float | np.floating | np.ndarray))
        }

    def pieces(self, node: ast.AST) -> dict[str, tuple[int, ...]]:
        """Items and attributes of the line of a node, with what they were like when they ran."""
        mine = self.lines.get(node)
        return {
            ast.unparse(one): shape
            for one, shape in self.shapes.items()
            if isinstance(one, ast.Subscript) and one is not node and self.lines.get(one) is mine
        }

    @property
    def lengths(self) -> list[str]:
        """Ways to say how long the axes of the data are that are no samples."""
        arrays = {name: value for name, value in self.values.items() if name in DATA and isinstance(value, np.ndarray)}
        shapes = {name: array.shape for name, array in arrays.items()}
        return [f"{name}.shape[{k}]" for name, shape in shapes.items() for k in range(1, len(shape))]

    @property
    def labels(self) -> list[str]:
        """Names of lists of whole numbers: classes, most likely."""
        return [
            name
            for name, value in self.values.items()
            if isinstance(value, np.ndarray) and value.ndim == 1 and value.dtype.kind in "iu"
        ]

    @property
    def masks(self) -> list[str]:
        """Names of arrays of truth values."""
        return [
            name for name, value in self.values.items() if getattr(value, "dtype", None) == np.bool_ and np.ndim(value)
        ]


def number(c: float) -> ast.expr:
    """A constant; negative ones as people write them."""
    return ast.UnaryOp(ast.USub(), ast.Constant(-c)) if c < 0 else ast.Constant(c)
