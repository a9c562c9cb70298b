"""A mistake is a function: its name is its identifier, its docstring the sentence, and a decorator enters it.

What it returns stands in the place of what is right, in one layer; None where it cannot be made.

>>> slope = Mistakes([], "slope", in_line("delta", finish=lambda net, layer, made: net.returned(layer) * made))
>>> @slope("elementwise chain", where=is_hidden)
... def derivative_cubed(net: Net, layer: int) -> Expression:
...     '''The factor f'(z) is applied three times.'''
...     return net.slope(layer) ** 3
>>> [cause.sentence for cause in slope.table]
["The factor f'(z) is applied three times."]
>>> del KNOWN["derivative_cubed"]
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

from backprop.codegen.lowering.nodes import Expression
from backprop.codegen.lowering.program import Program
from backprop.diagnosis.model.cause import Cause
from backprop.diagnosis.model.net import Net, Rewrite, set_line

__all__ = [
    "CHAIN", "DELTA", "ENDS", "KNOWN", "PRODUCT", "TWO", "Mistakes", "everywhere", "in_line", "in_program", "is_hidden",
    "is_output", "list_layers", "pick_layer", "pick_twin",
]  # fmt: skip

CHAIN, DELTA, PRODUCT = "elementwise chain", "definition of δ", "a sum is a matrix product"
"""Steps of a derivation."""
TWO, ENDS = ("first", "second"), ("last", "first")
"""Ways to make a mistake: one or another, with one end of the batch or the other."""

Make = Callable[..., Any]
"""(net, layer) or, where there are several ways, (net, layer, way) -> Expression | None; of a whole program, (net,
program, layer) or (net, program, layer, way) -> Program | None."""
Where = Callable[[Net, int], bool]
Ways = Sequence[object] | Callable[[Net], Iterable[object]]
Place = Callable[[Make, Where], Rewrite]
"""How what a mistake makes gets into the program."""
M = TypeVar("M", bound=Make)

KNOWN: dict[str, Cause] = {}
"""The first entry of each identifier."""


@dataclass(frozen=True)
class Mistakes:
    """A decorator for the mistakes in one place: `usual` is what holds for all of them."""

    table: list[Cause]
    equation: str
    place: Place
    usual: dict[str, Any] = field(default_factory=dict)

    def __call__(self, step: str = "", ways: Ways = (), where: Where | None = None, **more: Any) -> Callable[[M], M]:
        """Enter a function under its name.

        `step` is the step of the derivation to read again, `ways` are those in which the mistake can be made, `where`
        says in which layers, `more` are further fields of the entry.
        """

        def enter(make: M) -> M:
            self.name(make, step, **more)
            return self.also(make, ways, where)(make)

        return enter

    def name(self, known: Make, step: str = "", **more: Any) -> None:
        """Make a mistake known by the name and the sentence of a function."""
        sentence = known.__doc__ or f"{known.__name__.replace('_', ' ')}."
        cause = Cause(known.__name__, self.equation, " ".join(sentence.split()), step, **self.usual | more)
        if cause.identifier in KNOWN:
            raise ValueError(f"the mistake {cause.identifier} is known already")
        KNOWN[cause.identifier] = cause

    def also(self, known: Make, ways: Ways = (), where: Where | None = None, **more: Any) -> Callable[[M], M]:
        """Enter another function for a mistake that is known."""

        def enter(make: M) -> M:
            rewrite = self.place(make, where or everywhere)
            chosen = ways if callable(ways) else lambda net: ways or (None,)
            self.table.append(replace(KNOWN[known.__name__], rewrite=rewrite, values=chosen, **more))
            return make

        return enter


def everywhere(net: Net, layer: int) -> bool:
    return True


def is_hidden(net: Net, layer: int) -> bool:
    return layer < net.depth


def is_output(net: Net, layer: int) -> bool:
    return layer == net.depth


def in_line(
    target: str, where: Where = everywhere, finish: Callable[[Net, int, Expression], Expression | None] | None = None
) -> Place:
    """What is made becomes the right-hand side of delta{l}, dW{l}, db{l} …; `finish` adds what belongs to it."""

    def place(make: Make, there: Where) -> Rewrite:
        def rewrite(net: Net, program: Program, layer: int, way: object) -> Program | None:
            if not (where(net, layer) and there(net, layer)):
                return None
            made = make(net, layer) if way is None else make(net, layer, way)
            value = made if made is None or finish is None else finish(net, layer, made)
            return None if value is None else set_line(program, f"{target}{layer}", value)

        return rewrite

    return place


def in_program(where: Where = everywhere) -> Place:
    """What is made is the program itself."""

    def place(make: Make, there: Where) -> Rewrite:
        def rewrite(net: Net, program: Program, layer: int, way: object) -> Program | None:
            if not (where(net, layer) and there(net, layer)):
                return None
            made: Program | None = make(net, program, layer) if way is None else make(net, program, layer, way)
            return made

        return rewrite

    return place


def list_layers(net: Net) -> Iterable[object]:
    """Other layers by their number (0 is the input), or counted from the layer at hand."""
    return (*range(net.depth + 1), "+0", "+1", "-1", "+2", "-2")


def pick_layer(net: Net, layer: int, way: object) -> int | None:
    """The layer that is meant; None if there is no such layer."""
    found = layer + int(way) if isinstance(way, str) else int(str(way))
    return found if 0 <= found <= net.depth else None


def pick_twin(net: Net, layer: int, way: object, of: int, lowest: int = 1) -> int | None:
    """The layer that is meant, if it is another one than `of` and as wide."""
    other = pick_layer(net, layer, way)
    return None if other is None or other in (of, *range(lowest)) or net.sizes[other] != net.sizes[of] else other
