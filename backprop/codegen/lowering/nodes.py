"""The nodes of a program: arrays by their names and what is done with them; every node knows its shape.

A node is written as NumPy writes it:

>>> delta, W = Name("delta2", ("n", 10)), Name("W2", (32, 10))
>>> delta @ W.T
MatMul(Name('delta2', ('n', 10)), Transpose(Name('W2', (32, 10))))
>>> (delta @ W.T).shape, 1 - 2 * delta**2 == Subtract(Number(1), Multiply(Number(2), Power(delta, 2)))
(('n', 32), True)
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from typing import Any, ClassVar, TypeAlias, dataclass_transform

__all__ = [
    "Add", "Binary", "Call", "Divide", "Expression", "MatMul", "Multiply", "Name", "Negate", "Number", "Power", "Shape",
    "Size", "Subtract", "SumAll", "SumColumns", "SumRows", "SumSteps", "Transpose", "rewrite", "walk",
]  # fmt: skip

Size: TypeAlias = int | str
Shape: TypeAlias = tuple[Size, ...]


@dataclass_transform(frozen_default=True)
class Expression:
    """A node: immutable, compared by value, made from the fields its class annotates; every node knows its shape.

    (Twenty classes made by `dataclasses` would cost a tenth of the time in which a network is built.)
    """

    __slots__ = ()
    _fields: ClassVar[tuple[str, ...]] = ()

    def __init_subclass__(cls) -> None:
        cls._fields = (*cls._fields, *inspect.get_annotations(cls))

    def __init__(self, *values: Any) -> None:
        for name, value in zip(self._fields, values, strict=True):
            object.__setattr__(self, name, value)

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"a {type(self).__name__} does not change; make a new one")

    @property
    def values(self) -> tuple[Any, ...]:
        """The fields in order."""
        return tuple(getattr(self, name) for name in self._fields)

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and isinstance(other, Expression) and self.values == other.values

    def __hash__(self) -> int:
        return hash((type(self), *self.values))

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(map(repr, self.values))})"

    @property
    def shape(self) -> Shape:
        raise NotImplementedError

    @property
    def children(self) -> tuple[Expression, ...]:
        """The arguments that are nodes."""
        return tuple(value for value in self.values if isinstance(value, Expression))

    def __add__(self, other: Expression | int) -> Expression:
        return Add(self, as_node(other))

    def __radd__(self, other: int) -> Expression:
        return Add(as_node(other), self)

    def __sub__(self, other: Expression | int) -> Expression:
        return Subtract(self, as_node(other))

    def __rsub__(self, other: int) -> Expression:
        return Subtract(as_node(other), self)

    def __mul__(self, other: Expression | int) -> Expression:
        return Multiply(self, as_node(other))

    def __rmul__(self, other: int) -> Expression:
        return Multiply(as_node(other), self)

    def __truediv__(self, other: Expression | int) -> Expression:
        return Divide(self, as_node(other))

    def __matmul__(self, other: Expression) -> Expression:
        return MatMul(self, other)

    def __pow__(self, exponent: int) -> Expression:
        return Power(self, exponent)

    def __neg__(self) -> Expression:
        return Negate(self)

    @property
    def T(self) -> Expression:
        """The transpose of a matrix."""
        return Transpose(self)


class Name(Expression):
    """An array or the batch size by its name in the program."""

    id: str
    dims: Shape

    @property
    def shape(self) -> Shape:
        return self.dims


class Number(Expression):
    """An integer.  Other constants belong to the functions of the table."""

    value: int

    @property
    def shape(self) -> Shape:
        return ()


class Unary(Expression):
    """A node with one argument, whose shape it has."""

    of: Expression

    @property
    def shape(self) -> Shape:
        return self.of.shape


class Negate(Unary):
    """-of"""


class Transpose(Expression):
    """Of a matrix."""

    of: Expression

    @property
    def shape(self) -> Shape:
        return self.of.shape[::-1]


class SumRows(Expression):
    """Sum over the rows: one number for each column."""

    of: Expression

    @property
    def shape(self) -> Shape:
        return self.of.shape[1:]


class SumColumns(Expression):
    """Sum over each row, kept as a column."""

    of: Expression

    @property
    def shape(self) -> Shape:
        return (self.of.shape[0], 1)


class SumAll(Expression):
    """Sum of all entries."""

    of: Expression

    @property
    def shape(self) -> Shape:
        return ()


class SumSteps(Unary):
    """Sum over the steps of a sequence, `t in steps`."""


class Call(Expression):
    """A function of the module on an array, entry by entry or row by row."""

    function: str
    of: Expression

    @property
    def shape(self) -> Shape:
        return self.of.shape


class Binary(Expression):
    """A node with two arguments, broadcast against each other."""

    left: Expression
    right: Expression

    @property
    def shape(self) -> Shape:
        longer, shorter = sorted((self.left.shape, self.right.shape), key=len, reverse=True)
        if len(longer) == 2 and shorter:
            shorter = shorter if len(shorter) == 2 else (longer[0], *shorter)
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


class Power(Unary):
    """An integer power, entry by entry."""

    exponent: int


class MatMul(Expression):
    """left @ right"""

    left: Expression
    right: Expression

    @property
    def shape(self) -> Shape:
        return (*self.left.shape[:-1], *self.right.shape[1:])


def as_node(value: Expression | int) -> Expression:
    """A node, or an integer as one."""
    return Number(value) if isinstance(value, int) else value


def walk(node: Expression) -> Iterator[Expression]:
    """Every node, parents first."""
    yield node
    for child in node.children:
        yield from walk(child)


def rewrite(node: Expression, rule: Callable[[Expression], Expression | None]) -> Expression:
    """Apply a rule bottom-up; None means unchanged.

    >>> a = Name("a", ("n", 2))
    >>> rewrite(Add(a, a), lambda node: Name("b", node.shape) if node == a else None)
    Add(Name('b', ('n', 2)), Name('b', ('n', 2)))
    """
    values = [rewrite(value, rule) if isinstance(value, Expression) else value for value in node.values]
    node = type(node)(*values) if node.children else node
    return rule(node) or node
