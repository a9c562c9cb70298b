"""The program: what a network computes, as small nodes with shapes.  Emitters print it; rewrites act on it.

The value of a node is an array.  Shapes are tuples of integers and the letter "n" (rows of the batch).

>>> delta, W = Name("delta2", ("n", 10)), Name("W2", (32, 10))
>>> MatMul(delta, Transpose(W)).shape
('n', 32)
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, ClassVar, TypeAlias, dataclass_transform

__all__ = [
    "Add", "Assignment", "Binary", "Call", "Divide", "Expression", "Group", "Mask", "MatMul", "Multiply", "Name",
    "Negate", "Number", "Power", "Prediction", "Program", "Shape", "Size", "Statistic", "Subtract", "SumAll",
    "SumColumns", "SumRows", "Transpose", "rewrite", "walk",
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
    """A node with one argument of the same shape."""

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


class Power(Expression):
    """An integer power, entry by entry."""

    of: Expression
    exponent: int

    @property
    def shape(self) -> Shape:
        return self.of.shape


class MatMul(Expression):
    """left @ right"""

    left: Expression
    right: Expression

    @property
    def shape(self) -> Shape:
        return (*self.left.shape[:-1], *self.right.shape[1:])


@dataclass(frozen=True)
class Assignment:
    """target = value, with the equation it comes from (F1, F2, BP1 … BP4)."""

    target: Name
    value: Expression
    label: str


@dataclass(frozen=True)
class Group:
    """The parameters of one layer: what kind of layer, and the names by which the program calls its arrays."""

    kind: str
    fields: tuple[str, ...]
    names: tuple[Name, ...]


@dataclass(frozen=True)
class Mask:
    """A dropout mask that comes in with the batch."""

    name: Name
    rate: float


@dataclass(frozen=True)
class Statistic:
    """Mean and variance of a batch normalisation: as computed in training, as given in prediction."""

    seen: tuple[Name, Name]
    given: tuple[Name, Name]
    momentum: float


@dataclass(frozen=True)
class Prediction:
    """The forward pass and the cost without dropout and with given statistics, where that is another program."""

    forward: tuple[Assignment, ...]
    cost: Expression


@dataclass(frozen=True)
class Program:
    """Everything a network computes.

    `forward` defines z_l and a_l for l = 1..L, `cost` the scalar C, `backward` the errors and gradients in the
    order in which they are computed.  `functions` maps layer -> name of its activation in the module.

    A network of more than dense layers also says how its parameters are grouped, what each function of the module
    states (`statements`: name -> activation, or an expression in x; `penalties` likewise; `roots`: name -> ε), and
    what comes in beside the batch.
    """

    sizes: tuple[int, ...]
    forward: tuple[Assignment, ...]
    cost: Expression
    backward: tuple[Assignment, ...]
    functions: tuple[str, ...]
    targets: str
    groups: tuple[Group, ...] = ()
    statements: tuple[tuple[str, str], ...] = ()
    penalties: tuple[tuple[str, str], ...] = ()
    roots: tuple[tuple[str, float], ...] = ()
    masks: tuple[Mask, ...] = ()
    statistics: tuple[Statistic, ...] = ()
    weights: Name | None = None
    prediction: Prediction | None = None
    output: Name | None = None

    @property
    def depth(self) -> int:
        return len(self.sizes) - 1

    def calls(self) -> tuple[str, ...]:
        """The functions that the program calls, in order of first use."""
        lines = (*self.forward, *self.backward, *(self.prediction.forward if self.prediction else ()))
        values = [line.value for line in lines]
        found = [node.function for value in (*values, self.cost) for node in walk(value) if isinstance(node, Call)]
        return tuple(dict.fromkeys(found))


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
