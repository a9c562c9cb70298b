"""The least width of ReLU networks within ε of a target, proved from both sides, and the law it follows.

A piece of length h on which F'' is constant can be met within ε = |F''| h²/16 by a line; so

    n ≈ ∫ √|F''| dx / (4 √ε)

pieces are needed as ε goes to 0: an asymptotic law, where F has two derivatives; no bound.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from backprop.approximation.certified import narrow_relu
from backprop.approximation.hidden import read_sigma
from backprop.approximation.result import Network, measure
from backprop.approximation.target import Target, read_target
from backprop.codegen.elementwise import evaluate
from theory.activations import X
from theory.differentiation import differentiate

__all__ = ["ReluTarget", "ReluWidth", "integrate_bend", "survey_relu_widths"]

PATIENCE = 20.0
"""Seconds that one width may be expected to take: a smaller ε is not tried after one that took a good part of them."""
GROWTH = 8.0
"""About how many times longer a tenth of an ε takes."""
PANELS, NODES, CLOSING_IN = 400, 6, 4
"""Gauss's rule on panels that close in on the ends, where F'' may be infinite."""


@dataclass(frozen=True)
class ReluWidth:
    """Every network within ε has `lower` units or more: proved. One with `upper` units is: proved; None: not tried, or
    not proved in the time it was given."""

    epsilon: float
    lower: int | None
    upper: int | None
    bound: float | None
    boxes: int
    seconds: float


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
    patience: float = PATIENCE,
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
            is_soon = not widths or widths[-1].seconds * GROWTH < patience
            widths.append(
                bound_width(target, epsilon) if is_soon else ReluWidth(epsilon, None, None, None, 0, patience)
            )
            progress(row * len(epsilons) + column + 1, len(names) * len(epsilons))
        found.append(ReluTarget(name, tuple(widths), integrate_bend(target)))
    return found


def bound_width(target: Target, epsilon: float) -> ReluWidth:
    """Both bounds for one ε."""
    began, nothing = time.perf_counter(), np.zeros(1)
    idle = measure(target, read_sigma("relu"), Network(nothing, nothing, nothing, 0.0), "fit", epsilon)
    found = narrow_relu(idle, epsilon)
    proof = found.certificate
    return ReluWidth(
        epsilon=epsilon,
        lower=found.width_lower_bound,
        upper=found.width if found.certified else None,
        bound=proof.bound if proof is not None and found.certified else None,
        boxes=len(proof.edges) - 1 if proof is not None and found.certified else 0,
        seconds=time.perf_counter() - began,
    )


def integrate_bend(target: Target) -> float | None:
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
