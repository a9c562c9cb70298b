"""The program: what a network computes, as lines of nodes.  Emitters print it; rewrites act on it."""

from __future__ import annotations

from dataclasses import dataclass

from backprop.codegen.lowering.nodes import Call, Expression, Name, walk

__all__ = ["Assignment", "Group", "Mask", "Prediction", "Program", "Statistic"]


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
