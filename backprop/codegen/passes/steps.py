"""steps: what the passes work on: one operation after the other, each result named once.

    value1 = product(X, W1);  z1 = add(value1, b1);  a1 = f(z1);  …

A value is known by its name; `Flow` says what it is (`ValueKind`) and its shape.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from enum import Enum

from backprop.codegen.lowering.nodes import Shape

__all__ = ["ELEMENTWISE", "TEMPORARY", "Flow", "Instruction", "Unsupported", "ValueKind"]


class Unsupported(TypeError):
    """This program has no fast form; the readable one runs instead."""


class ValueKind(Enum):
    """What stands behind the name of a value."""

    INPUT = "comes in beside the parameters"
    PARAMETER = "a piece of theta"
    RESULT = "a piece of the gradient"
    CONSTANT = "one number, known when n is known"
    VALUE = "computed, lives in a buffer"


TEMPORARY = "value"
"""value1, value2 …: what the program gives no name."""

ELEMENTWISE = frozenset(
    [
        "add",
        "subtract",
        "multiply",
        "divide",
        "negative",
        "square",
        "absolute",
        "exp",
        "expm1",
        "log",
        "log1p",
        "tanh",
        "sin",
        "cos",
        "sqrt",
        "power",
        "maximum",
        "minimum",
        "reciprocal",
        "heaviside",
        "sign",
        "call",
    ]
)
"""Operations whose result may lie where one of their operands lay."""


@dataclass(frozen=True, slots=True)
class Instruction:
    """result = function(operands).

    `function`: a ufunc; "product" (`turned` says which operands are transposed), "sum_rows", "sum_columns",
    "row_max", "sum_all", "copy", or "call" of the function `called` of the module, with work arrays;
    `also` is a second result: f' beside f.
    """

    result: str
    function: str
    operands: tuple[str, ...]
    turned: tuple[bool, ...] = ()
    called: str = ""
    work: tuple[str, ...] = ()
    also: str = ""

    def renamed(self, names: dict[str, str]) -> Instruction:
        """The same step on other values."""
        return replace(self, operands=tuple(names.get(name, name) for name in self.operands))

    @property
    def key(self) -> tuple[object, ...]:
        """Two steps with one key have one result."""
        return (self.function, self.operands, self.turned, self.called)


@dataclass(slots=True)
class Flow:
    """A list of steps; passes return changed copies."""

    steps: list[Instruction] = field(default_factory=list)
    shapes: dict[str, Shape] = field(default_factory=dict)
    kinds: dict[str, ValueKind] = field(default_factory=dict)
    constants: dict[str, str] = field(default_factory=dict)
    kept: tuple[str, ...] = ()
    wide: dict[str, str] = field(default_factory=dict)
    total: str = ""

    def with_steps(self, steps: Iterable[Instruction]) -> Flow:
        """The same values, other steps."""
        return replace(self, steps=list(steps), shapes=dict(self.shapes), kinds=dict(self.kinds),
                       constants=dict(self.constants), wide=dict(self.wide))  # fmt: skip

    def constant(self, text: str) -> str:
        """The name of one number, given as the text of an expression in n."""
        for name, known in self.constants.items():
            if known == text:
                return name
        name = f"number{len(self.constants) + 1}"
        self.constants[name], self.kinds[name], self.shapes[name] = text, ValueKind.CONSTANT, ()
        return name

    def last_uses(self) -> dict[str, int]:
        """The number of the last step that reads a value."""
        return {name: k for k, step in enumerate(self.steps) for name in step.operands}
