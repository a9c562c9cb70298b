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
from backprop.layers import Activation, BatchNorm, Dense, Dropout, Gated, Layer, LayerNorm, PReLU, Residual

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

    `kind` is "weights", "gated", "activation", "prelu", "batch_norm", "layer_norm", "dropout", or "fork" and
    "join", the two ends of a residual connection; `tag` numbers its own letters, `out` is the name of what it
    hands on, `function` the activation or gate.
    """

    kind: str
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

    def __init__(self, inputs: int) -> None:
        self.width, self.block = inputs, 0
        self.used: Counter[str] = Counter()
        self.elements: list[Element] = []

    def tag(self, letter: str) -> str:
        """1, then 1b, 1c …, for each letter and block."""
        key = f"{letter}{self.block}"
        self.used[key] += 1
        return f"{self.block}" + ("" if self.used[key] == 1 else suffix(self.used[key]))

    def add(self, kind: str, layer: Layer, letter: str, *, out: str, width: int = 0, function: str = "") -> None:
        """One more element."""
        tag, before = self.tag(letter), self.width
        self.width = width or before
        name = out + (self.tag(out) if out != letter else tag)
        owned = tuple(Parameter(field, field + tag, shape) for field, shape in shapes(kind, before, self.width).items())
        self.elements.append(Element(kind, layer, self.block, tag, name, before, self.width, function, owned))

    def visit(self, layer: Layer) -> None:
        """A layer as one element or several."""
        if isinstance(layer, Dense):
            self.block += 1
            self.add("weights", layer, "z", out="z", width=layer.units)
            if layer.activation != "identity":
                self.add("activation", layer, "a", out="a", function=layer.activation)
        elif isinstance(layer, Gated):
            self.block += 1
            self.add("gated", layer, "z", out="h", width=layer.units, function=layer.gate)
        elif isinstance(layer, Activation):
            self.add("activation", layer, "a", out="a", function=layer.name)
        elif isinstance(layer, PReLU):
            self.add("prelu", layer, "a", out="a", function="relu")
        elif isinstance(layer, BatchNorm | LayerNorm):
            kind = "batch_norm" if isinstance(layer, BatchNorm) else "layer_norm"
            self.add(kind, layer, "norm", out="h")
        elif isinstance(layer, Dropout):
            self.add("dropout", layer, "mask", out="h")
        elif isinstance(layer, Residual):
            self.visit_residual(layer)

    def visit_residual(self, layer: Residual) -> None:
        """A fork, the layers inside, a join."""
        before = self.width
        self.elements.append(Element("fork", layer, self.block, "", "", before, before))
        for inner in layer.layers:
            self.visit(inner)
        if self.width != before:
            raise UsageError(
                f"a residual connection adds what goes in to what comes out, got {before} units in and {self.width} "
                f"out of {layer!r:.80}; end it with Dense({before})"
            )
        self.add("join", layer, "h", out="h")


def suffix(count: int) -> str:
    """b, c, …, z, then b27, b28: letters that cannot be read as a number."""
    return chr(ord("a") + count - 1) if count <= 26 else f"b{count}"


def shapes(kind: str, before: int, width: int) -> dict[str, tuple[int, ...]]:
    """What each kind of element owns."""
    dense: dict[str, tuple[int, ...]] = {"W": (before, width), "b": (width,)}
    owned: dict[str, dict[str, tuple[int, ...]]] = {
        "weights": dense,
        "gated": {**dense, "V": (before, width), "c": (width,)},
        "batch_norm": {"gamma": (width,), "beta": (width,)},
        "layer_norm": {"gamma": (width,), "beta": (width,)},
        "prelu": {"slope": (width,)},
    }
    return owned.get(kind, {})


def list_elements(inputs: int, layers: Iterable[Layer]) -> tuple[Element, ...]:
    """All elements in order.

    >>> [(e.kind, e.out) for e in list_elements(4, (Dense(3), BatchNorm(), Activation("relu"), Dropout(0.1), Dense(2)))]
    [('weights', 'z1'), ('batch_norm', 'h1'), ('activation', 'a1'), ('dropout', 'h1b'), ('weights', 'z2')]
    """
    planner = Planner(inputs)
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
        depth -= element.kind == "join"
        if element.kind == "activation" and isinstance(element.layer, Dense):
            continue
        name = {"fork": "Residual", "join": "+ what went in"}.get(element.kind, repr(element.layer))
        count = sum(prod(p.shape) for p in element.parameters)
        owned = ", ".join(f"{p.name} {p.shape}" for p in element.parameters)
        output = "" if element.kind == "fork" else f"(n, {element.width})"
        rows.append(("  " * depth + name, output, f"{count:,}" if count else "", owned))
        depth += element.kind == "fork"
    first = max(len(row[0]) for row in (*rows, (cost, "")))
    second = max(len(row[1]) for row in rows) + 1
    head = ("layer", "output", "parameters", "")
    total = (cost, "", f"{count_parameters(elements):,}", "")
    lines = [f"{a:<{first}}  {b:<{second}}  {c:>10}  {d}".rstrip() for a, b, c, d in (head, *rows, total)]
    rule = "-" * (first + second + 14 + 9)
    return "\n".join([lines[0], rule, *lines[1:-1], rule, lines[-1]])
