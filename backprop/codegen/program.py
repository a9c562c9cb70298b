"""The program: what a network computes, as small nodes with shapes.  Emitters print it; rewrites act on it.

The value of a node is an array.  Shapes are tuples of integers and the letter "n" (rows of the batch).

>>> delta, W = Name("delta2", ("n", 10)), Name("W2", (32, 10))
>>> MatMul(delta, Transpose(W)).shape
('n', 32)
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields, replace
from typing import TypeAlias

__all__ = [
    "Add", "Assignment", "Binary", "Call", "Divide", "Expression", "MatMul", "Multiply", "Name", "Negate", "Number",
    "Power", "Program", "Shape", "Size", "Subtract", "SumAll", "SumColumns", "SumRows", "Transpose", "rewrite", "walk",
]  # fmt: skip

Size: TypeAlias = int | str
Shape: TypeAlias = tuple[Size, ...]


@dataclass(frozen=True, slots=True)
class Expression:
    """A node; every node knows its shape."""

    @property
    def shape(self) -> Shape:
        raise NotImplementedError


@dataclass(frozen=True, slots=True)
class Name(Expression):
    """An array or the batch size by its name in the program."""

    id: str
    dims: Shape

    @property
    def shape(self) -> Shape:
        return self.dims


@dataclass(frozen=True, slots=True)
class Number(Expression):
    """An integer.  Other constants belong to the functions of the table."""

    value: int

    @property
    def shape(self) -> Shape:
        return ()


@dataclass(frozen=True, slots=True)
class Unary(Expression):
    """A node with one argument of the same shape."""

    of: Expression

    @property
    def shape(self) -> Shape:
        return self.of.shape


class Negate(Unary):
    """-of"""


@dataclass(frozen=True, slots=True)
class Transpose(Expression):
    """Of a matrix."""

    of: Expression

    @property
    def shape(self) -> Shape:
        return self.of.shape[::-1]


@dataclass(frozen=True, slots=True)
class SumRows(Expression):
    """Sum over the rows: one number for each column."""

    of: Expression

    @property
    def shape(self) -> Shape:
        return self.of.shape[1:]


@dataclass(frozen=True, slots=True)
class SumColumns(Expression):
    """Sum over each row, kept as a column."""

    of: Expression

    @property
    def shape(self) -> Shape:
        return (self.of.shape[0], 1)


@dataclass(frozen=True, slots=True)
class SumAll(Expression):
    """Sum of all entries."""

    of: Expression

    @property
    def shape(self) -> Shape:
        return ()


@dataclass(frozen=True, slots=True)
class Call(Expression):
    """A function of the module on an array, entry by entry or row by row."""

    function: str
    of: Expression

    @property
    def shape(self) -> Shape:
        return self.of.shape


@dataclass(frozen=True, slots=True)
class Binary(Expression):
    """A node with two arguments, broadcast against each other."""

    left: Expression
    right: Expression

    @property
    def shape(self) -> Shape:
        longer, shorter = sorted((self.left.shape, self.right.shape), key=len, reverse=True)
        if len(longer) == len(shorter) == 2:
            return tuple(b if a == 1 else a for a, b in zip(longer, shorter, strict=True))
        return longer


class Add(Binary):
    """left + right"""


class Subtract(Binary):
    """left - right"""


class Multiply(Binary):
    """left * right, entry by entry"""


class Divide(Binary):
    """left / right, entry by entry"""


@dataclass(frozen=True, slots=True)
class Power(Expression):
    """An integer power, entry by entry."""

    of: Expression
    exponent: int

    @property
    def shape(self) -> Shape:
        return self.of.shape


@dataclass(frozen=True, slots=True)
class MatMul(Expression):
    """left @ right"""

    left: Expression
    right: Expression

    @property
    def shape(self) -> Shape:
        return (*self.left.shape[:-1], *self.right.shape[1:])


@dataclass(frozen=True, slots=True)
class Assignment:
    """target = value, with the equation it comes from (F1, F2, BP1 … BP4)."""

    target: Name
    value: Expression
    label: str


@dataclass(frozen=True)
class Program:
    """Everything a network computes.

    `forward` defines z_l and a_l for l = 1..L, `cost` the scalar C, `backward` the errors and gradients in the
    order in which they are computed.  `functions` maps layer -> name of its activation in the module.
    """

    sizes: tuple[int, ...]
    forward: tuple[Assignment, ...]
    cost: Expression
    backward: tuple[Assignment, ...]
    functions: tuple[str, ...]
    targets: str

    @property
    def depth(self) -> int:
        return len(self.sizes) - 1

    def calls(self) -> tuple[str, ...]:
        """The functions that the program calls, in order of first use."""
        values = [a.value for a in (*self.forward, *self.backward)]
        found = [node.function for value in (*values, self.cost) for node in walk(value) if isinstance(node, Call)]
        return tuple(dict.fromkeys(found))


def children(node: Expression) -> Iterator[tuple[str, Expression]]:
    """The arguments of a node with their field names."""
    for item in fields(node):
        value = getattr(node, item.name)
        if isinstance(value, Expression):
            yield item.name, value


def walk(node: Expression) -> Iterator[Expression]:
    """Every node, parents first."""
    yield node
    for _, child in children(node):
        yield from walk(child)


def rewrite(node: Expression, rule: Callable[[Expression], Expression | None]) -> Expression:
    """Apply a rule bottom-up; None means unchanged."""
    changed = {name: rewrite(child, rule) for name, child in children(node)}
    node = replace(node, **changed) if changed else node
    return rule(node) or node
