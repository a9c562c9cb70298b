"""The published table: every mistake the diagnosis can name. `backprop verify --list-causes` prints it."""

from __future__ import annotations

from backprop.diagnosis.mistakes.biases import BIASES
from backprop.diagnosis.mistakes.differences import DIFFERENCES
from backprop.diagnosis.mistakes.masks import MASKS
from backprop.diagnosis.mistakes.normalisation import NORMALISATION
from backprop.diagnosis.mistakes.other_costs import OTHER_COSTS
from backprop.diagnosis.mistakes.outputs import OUTPUTS
from backprop.diagnosis.mistakes.own_forward import OWN_FORWARD
from backprop.diagnosis.mistakes.pattern_causes import PATTERNS
from backprop.diagnosis.mistakes.recursion import RECURSION
from backprop.diagnosis.mistakes.shapes import SHAPES
from backprop.diagnosis.mistakes.slopes import SLOPES
from backprop.diagnosis.mistakes.weights import WEIGHTS
from backprop.diagnosis.mistakes.whole import FACTORS, WHOLE
from backprop.diagnosis.model.cause import Cause

__all__ = ["CAUSES", "find_cause", "list_causes"]

CAUSES: list[Cause] = [
    *OUTPUTS,
    *DIFFERENCES,
    *OTHER_COSTS,
    *FACTORS,
    *SLOPES,
    *NORMALISATION,
    *MASKS,
    *RECURSION,
    *WHOLE,
    *OWN_FORWARD,
    *BIASES,
    *WEIGHTS,
    *SHAPES,
    *PATTERNS,
]
"""Where two mistakes give the same numbers the first is named and the others are mentioned, so order means likelihood.
A mistake that can be made in several ways has several entries under one identifier."""


def list_causes() -> list[Cause]:
    """One entry for each identifier."""
    unique: dict[str, Cause] = {}
    for cause in CAUSES:
        unique.setdefault(cause.identifier, cause)
    return list(unique.values())


def find_cause(identifier: str) -> Cause:
    """The first entry of an identifier."""
    return next(cause for cause in CAUSES if cause.identifier == identifier)
