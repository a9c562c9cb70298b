"""The plan of a network: its layers one after the other, numbered, named, with widths and parameter shapes.

Layers are counted 1..L over those with weights; what follows belongs to the block before it.  A second quantity
of the same letter in a block is called h1b, a third h1c.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from math import prod

from backprop.errors import UsageError
from backprop.specification.layers import ForwardStep, Layer, Residual
from theory.language.notation import Variable, Width, l
from theory.layers.kind import Kind

__all__ = ["Element", "Parameter", "count_parameters", "list_elements", "write_table"]


@dataclass(frozen=True)
class Parameter:
    """One array: its letter in the protocol (W, b, V, c, gamma, beta, slope), its name here, its shape."""

    field: str
    name: str
    shape: tuple[int, ...]


@dataclass(frozen=True)
class Element:
    """One step of the forward pass.

    `kind` is its kind of layer, None where a residual connection begins (it ends with one of its own); `tag` numbers
    its own letters, `out` is the name of what it hands on, `function` the activation or gate.
    """

    kind: Kind | None
    layer: Layer
    block: int
    tag: str
    out: str
    before: int
    width: int
    function: str = ""
    parameters: tuple[Parameter, ...] = ()


class Planner:
    """Goes through the layers and gives out numbers."""

    def __init__(self, inputs: int, is_plain: bool) -> None:
        self.width, self.block, self.is_plain = inputs, 0, is_plain
        self.used: Counter[str] = Counter()
        self.elements: list[Element] = []

    def tag(self, letter: str) -> str:
        """1, then 1b, 1c …, for each letter and block."""
        key = f"{letter}{self.block}"
        self.used[key] += 1
        return f"{self.block}" + ("" if self.used[key] == 1 else suffix(self.used[key]))

    def add(self, layer: Layer, part: ForwardStep) -> None:
        """One more element."""
        kind, before = part.kind, self.width
        self.block += bool(part.units)
        self.width = part.units or before
        tag = self.tag(kind.counted)
        name = kind.out + (tag if kind.out == kind.counted else self.tag(kind.out))
        owned = tuple(Parameter(own, own + tag, self.shape(quantity, before)) for own, quantity in kind.parameters)
        self.elements.append(Element(kind, layer, self.block, tag, name, before, self.width, part.function, owned))

    def shape(self, quantity: Variable, before: int) -> tuple[int, ...]:
        """The shape of a parameter: one axis an index, M_{l-1} or M_l long."""
        return tuple(before if index.size == Width(l - 1) else self.width for index in quantity.indices)

    def visit(self, layer: Layer) -> None:
        """A layer as one element or several; the identity after weights is a line in plain networks only."""
        if isinstance(layer, Residual):
            self.visit_residual(layer)
            return
        for place, part in enumerate(layer.parts()):
            if self.is_plain or not place or part.function != "identity":
                self.add(layer, part)

    def visit_residual(self, layer: Residual) -> None:
        """A fork, the layers inside, a join."""
        before = self.width
        self.elements.append(Element(None, layer, self.block, "", "", before, before))
        for inner in layer.layers:
            self.visit(inner)
        if self.width != before:
            raise UsageError(
                f"a residual connection adds what goes in to what comes out, got {before} units in and {self.width} "
                f"out of {layer!r:.80}; end it with Dense({before})"
            )
        self.add(layer, ForwardStep(layer.kind))


def suffix(count: int) -> str:
    """b, c, …, z, then b27, b28: letters that cannot be read as a number."""
    return chr(ord("a") + count - 1) if count <= 26 else f"b{count}"


def list_elements(inputs: int, layers: Iterable[Layer], is_plain: bool = False) -> tuple[Element, ...]:
    """All elements in order; a plain network has an activation after all weights, be it the identity.

    >>> from backprop.specification.layers import Activation, BatchNorm, Dense, Dropout
    >>> layers = (Dense(3), BatchNorm(), Activation("relu"), Dropout(0.1), Dense(2))
    >>> [(e.kind.title, e.out) for e in list_elements(4, layers)]
    [('weights', 'z1'), ('batch norm', 'h1'), ('activation', 'a1'), ('dropout', 'h1b'), ('weights', 'z2')]
    """
    planner = Planner(inputs, is_plain)
    for layer in layers:
        planner.visit(layer)
    return tuple(planner.elements)


def count_parameters(elements: Iterable[Element]) -> int:
    """The number of all entries."""
    return sum(prod(parameter.shape) for element in elements for parameter in element.parameters)


def write_table(inputs: int, elements: Iterable[Element], cost: str) -> str:
    """Layer, shape of its output, number and names of its parameters."""
    rows = [("inputs", f"(n, {inputs})", "", "")]
    depth = 0
    for element in elements:
        is_fork, is_join = element.kind is None, isinstance(element.layer, Residual) and element.kind is not None
        depth -= is_join
        if not is_fork and element.kind != element.layer.parts()[0].kind:
            continue  # the activation of a Dense layer stands in the line of its weights
        name = "Residual" if is_fork else "+ what went in" if is_join else repr(element.layer)
        count = sum(prod(p.shape) for p in element.parameters)
        owned = ", ".join(f"{p.name} {p.shape}" for p in element.parameters)
        output = "" if is_fork else f"(n, {element.width})"
        rows.append(("  " * depth + name, output, f"{count:,}" if count else "", owned))
        depth += is_fork
    first = max(len(row[0]) for row in (*rows, (cost, "")))
    second = max(len(row[1]) for row in rows) + 1
    head = ("layer", "output", "parameters", "")
    total = (cost, "", f"{count_parameters(elements):,}", "")
    lines = [f"{a:<{first}}  {b:<{second}}  {c:>10}  {d}".rstrip() for a, b, c, d in (head, *rows, total)]
    rule = "-" * (first + second + 14 + 9)
    return "\n".join([lines[0], rule, *lines[1:-1], rule, lines[-1]])
