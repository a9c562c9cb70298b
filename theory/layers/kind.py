"""A kind of layer is one record beside its statement: what follows in a network follows from it.

Parameters, their shapes and their names come from the statement itself; only what a statement cannot say stands here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from theory.language.glossary import GLOSSARY
from theory.language.notation import Variable
from theory.language.statement import System

__all__ = ["CATALOGUE", "Kind", "Statement"]

Statement = Callable[[], System]
"""A function of `theory.layers` that states the forward definitions."""

CATALOGUE: dict[str, Kind] = {}
"""Every kind of layer by its title."""


@dataclass(frozen=True)
class Kind:
    """One kind of layer.

    `forward` states it in training, `prediction` in prediction (None: there it is left out).  `out` is the letter by
    which a network calls what it hands on, `counted` the one by which its copies in a layer are counted.  `owner` is
    what its parameters are called together, `starts` the number (or the setting of the layer) at which a parameter
    starts that is not drawn, `function` the activation that every layer of this kind has.  `mask` is the letter that
    comes in with the batch in training; `statistics` are the letters, each with its word, that are measured in
    training and come in for prediction.
    """

    title: str
    forward: Statement
    prediction: Statement | None
    out: str
    counted: str
    owner: str = ""
    starts: Mapping[str, float | str] = field(default_factory=dict, compare=False)
    function: str = ""
    mask: str = ""
    statistics: Mapping[str, str] = field(default_factory=dict, compare=False)

    def __post_init__(self) -> None:
        CATALOGUE[self.title] = self

    @cached_property
    def parameters(self) -> tuple[tuple[str, Variable], ...]:
        """What is learned, in order: its name in programs (W, b, gamma …), and the quantity.

        >>> from theory.layers.gated import GATED
        >>> [name for name, _ in GATED.parameters]
        ['W', 'b', 'V', 'c']
        """
        return tuple((GLOSSARY[p.name].python, p) for p in self.forward().parameters)
