"""A cause: one entry of the published table, with the rewrite that makes the mistake on purpose."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from backprop.diagnosis.model.net import Net, Rewrite

__all__ = ["Cause", "is_number", "nothing_to_choose"]

EXACT = 1e-6
PLACES = {
    **{label: ("four_equations", label) for label in ("BP1", "BP2", "BP3", "BP4", "F1", "F2")},
    "forward": ("four_equations", "F2"),
    "cost": ("costs", "∂C/∂a"),
    "scale": ("costs", "scale"),
    "penalty": ("penalties", "BP4"),
    "Jacobian": ("softmax", "Jacobian"),
    "fused": ("softmax", "BP1"),
    "statistics": ("batch_norm", "mean"),
    "batch_norm": ("batch_norm", ""),
    "dropout": ("dropout", "BP2"),
    "mask": ("dropout", "mask"),
    "prelu": ("prelu", "BP4"),
    "update": ("optimisers", "gradient descent"),
    "momentum": ("optimisers", "gradient descent with momentum"),
}
"""Where the book speaks of a mistake: a chapter, and the label of a derivation or a formula in it."""


def is_number(*wanted: float, power: int = 0) -> Callable[[float, int, Net], bool]:
    """A test for a fitted number: one of some constants, times that power of n."""
    return lambda number, found, net: (
        found == power and any(abs(number - w) <= EXACT * max(abs(w), 1.0) for w in wanted)
    )


def nothing_to_choose(net: Net) -> Iterable[object]:
    """One way only to make the mistake."""
    return (None,)


@dataclass(frozen=True)
class Cause:
    """A mistake that people make.

    `equation` is where it stands; "slope" means BP1 in the output layer and BP2 in a hidden one. `rewrite` changes
    nodes of the right program in one layer; `values` lists the ways to make it (another activation's name, say);
    `fitted` says that the mutant holds a free number; `spreads`: written in a loop, it shows in several layers.
    A cause without a rewrite is known by a pattern or by the behaviour between calls.
    """

    identifier: str
    equation: str
    sentence: str
    step: str = ""
    rewrite: Rewrite | None = None
    values: Callable[[Net], Iterable[object]] = nothing_to_choose
    fitted: bool = False
    spreads: bool = True
    accepts: Callable[[float, int, Net], bool] | None = None
    """(c, p, network): which fitted numbers c·n^p mean this cause; None: all but 1, or all where 1 means something."""
    chapter: str = ""
    given: str = ""
    """The name of an array that only some subjects give: weights with a bias row, the batch of an earlier call."""

    def equation_at(self, layer: int | None, depth: int) -> str:
        """The equation's label for a report."""
        if self.equation == "slope":
            return "BP1" if layer == depth else "BP2"
        return self.equation

    def reference(self, layer: int | None, depth: int) -> tuple[str, str, str]:
        """The chapter of the book, the label in it, and the rule of a step there ("": all of it)."""
        equation = self.equation_at(layer, depth)
        chapter, label = PLACES[self.chapter or equation]
        return chapter, label or equation, self.step

    def reread(self, layer: int | None, depth: int) -> str:
        """The line of the derivation to read again."""
        chapter, label, step = self.reference(layer, depth)
        return f"{label} in `backprop derive {chapter}`" + (f", step '{step}'" if step else "")

    def to_dict(self) -> dict[str, str]:
        """As in the published table."""
        equation = "BP1 or BP2" if self.equation == "slope" else self.equation
        return {"identifier": self.identifier, "equation": equation, "sentence": self.sentence}
