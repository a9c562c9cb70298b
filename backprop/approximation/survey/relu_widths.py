"""The least width of ReLU networks within ε of a target, proved from both sides, and the law it follows.

A piece of length h on which F'' is constant can be met within ε = |F''| h²/16 by a line; so

    n ≈ ∫ √|F''| dx / (4 √ε)

pieces are needed as ε goes to 0: an asymptotic law, where F has two derivatives; no bound.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from backprop.approximation.ground.hidden import read_sigma
from backprop.approximation.ground.outcome import ShallowNetwork
from backprop.approximation.ground.target import FunctionTarget, read_target
from backprop.approximation.searching.certified import narrow_relu
from backprop.approximation.searching.result import measure
from backprop.codegen.functions.elementwise import evaluate
from theory.functions.differentiation import differentiate
from theory.functions.half_line import X

__all__ = ["ReluTarget", "ReluWidth", "integrate_bend", "survey_relu_widths"]

MOST_UNITS = 130
"""A smaller ε is not tried if more units than this are expected: about 20 seconds. Not seconds: the same everywhere."""
PANELS, NODES, CLOSING_IN = 400, 6, 4
"""Gauss's rule on panels that close in on the ends, where F'' may be infinite."""


@dataclass(frozen=True)
class ReluWidth:
    """Every network within ε has `lower` units or more, and one with `upper` units is: both proved.

    None where it was not tried, or not found. `bound` and `boxes` are those of the certificate.
    """

    epsilon: float
    lower: int | None = None
    upper: int | None = None
    bound: float | None = None
    boxes: int = 0
    seconds: float = 0.0
    jumps: bool = False
    """Whether `lower` is enough for 1 + 1e-6 times epsilon and too little for 1 − 1e-6 times."""


@dataclass(frozen=True)
class ReluTarget:
    """One target: its widths, and ∫√|F''| dx, or None where F has a kink."""

    name: str
    widths: tuple[ReluWidth, ...]
    bend: float | None

    def expect_width(self, epsilon: float) -> float | None:
        """The law ∫√|F''| dx / (4 √ε)."""
        return None if self.bend is None else self.bend / (4 * epsilon**0.5)


def survey_relu_widths(
    names: Sequence[str],
    epsilons: Sequence[float],
    *,
    most_units: int = MOST_UNITS,
    progress: Callable[[int, int], None] = lambda done, whole: None,
) -> list[ReluTarget]:
    """Both bounds for each target on [0, 1] and each ε, from large to small.

    >>> (square,) = survey_relu_widths(["square"], [1e-3])
    >>> square.widths[0].lower, square.widths[0].upper, round(square.expect_width(1e-3), 2)
    (11, 11, 11.18)
    """
    found = []
    for row, name in enumerate(names):
        target = read_target(name, (0, 1))
        widths: list[ReluWidth] = []
        for column, epsilon in enumerate(epsilons):
            few = not widths or expect_next(widths[-1], epsilon) <= most_units
            widths.append(bound_width(target, epsilon) if few else ReluWidth(epsilon))
            progress(row * len(epsilons) + column + 1, len(names) * len(epsilons))
        found.append(ReluTarget(name, tuple(widths), integrate_bend(target)))
    return found


def expect_next(last: ReluWidth, epsilon: float) -> float:
    """Units for a smaller ε, from those for a larger: n ~ ε^(-1/2); infinite where those are not known."""
    return math.inf if last.upper is None else last.upper * (last.epsilon / epsilon) ** 0.5


def bound_width(target: FunctionTarget, epsilon: float) -> ReluWidth:
    """Both bounds for one ε."""
    began, nothing = time.perf_counter(), np.zeros(1)
    idle = measure(target, read_sigma("relu"), ShallowNetwork(nothing, nothing, nothing, 0.0), "fit", epsilon)
    found = narrow_relu(idle, epsilon)
    proof = found.certificate
    return ReluWidth(
        epsilon=epsilon,
        lower=found.width_lower_bound,
        upper=found.width if found.certified else None,
        bound=proof.bound if proof is not None and found.certified else None,
        boxes=len(proof.edges) - 1 if proof is not None and found.certified else 0,
        seconds=time.perf_counter() - began,
        jumps=found.width_jumps,
    )


def integrate_bend(target: FunctionTarget) -> float | None:
    """∫√|F''| dx over the domain, F'' derived; None where F has breaks.

    With x = a + (b − a) t^4 from the left, and likewise from the right, the points close in on the ends.

    >>> round(integrate_bend(read_target("sqrt(x)", (0, 1))), 4)
    2.0
    """
    if target.breaks:
        return None
    second = evaluate(differentiate(differentiate(target.expression, X), X))
    low, high = target.domain
    half = (high - low) / 2
    places, weights = np.polynomial.legendre.leggauss(NODES)
    edges = np.linspace(0, 1, PANELS + 1)
    t = (edges[:-1] + edges[1:])[:, None] / 2 + places / (2 * PANELS)
    weight = weights / (2 * PANELS) * CLOSING_IN * t ** (CLOSING_IN - 1) * half
    near = half * t**CLOSING_IN
    with np.errstate(all="ignore"):
        return float(sum(np.sum(weight * np.sqrt(np.abs(second(x)))) for x in (low + near, high - near)))
