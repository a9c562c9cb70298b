"""Finds a network that is near in the mean square with a density, and proves how near."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from backprop.approximation.ground.arguments import MAX_WIDTH, read_epsilon, read_width
from backprop.approximation.ground.given import read_given
from backprop.approximation.ground.target import FunctionTarget
from backprop.approximation.measures.density import Density, read_density
from backprop.approximation.measures.fitting import find_support, fit_in_mean, measure_in_mean, put_in_place
from backprop.approximation.measures.proving import enclose_mean_square
from backprop.approximation.measures.result import MeanApproximation
from backprop.approximation.searching.certified import make_claim
from backprop.approximation.searching.methods import approximate_by
from backprop.approximation.searching.result import Approximation
from backprop.approximation.searching.search import approximate
from backprop.errors import UsageError

__all__ = ["approximate_in_mean"]

GROWN_WIDTHS = (1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64)
"""Widths tried, in this order, when an error is asked for and no width."""
SHORTEST, SHORTER = 1e-6, 0.8
"""Of the domain: a density that lives on less than that gets a start of its own, but on a point."""


def approximate_in_mean(
    target: str,
    density: str,
    *,
    width: int | None = None,
    epsilon: float | None = None,
    activation: str | None = None,
    domain: Sequence[float] | None = None,
    seed: int = 0,
    method: str = "fit",
    certify: bool = True,
    continued: bool = False,
) -> MeanApproximation:
    """Find a network f whose √ ∫ p (F − f)² dx is small, and enclose that root: both over the domain, nowhere else.

    The network of `approximate` is fitted anew with p as weight (output weights by least squares, hidden units moved).
    F may jump: in the mean that costs little (K. Hornik, Neural Networks 4 (1991) 251, theorem 1).

    Args:
        target: F as an expression in x or a name.
        density: p as an expression in x: finite, at least 0, not 0 everywhere; its area need not be 1.
        width: number of hidden units; None: the first of 1, 2, 3, 4, 6, 8, … 64 that reaches `epsilon`.
        epsilon: what the root is to be below. With a width it is only compared.
        activation, domain, seed, continued: as for `approximate`.
        method: as for `approximate_by`; only "fit" fits with p, the others take the network as it is.
        certify: prove the bound; else it is measured.

    Raises:
        UsageError: what `approximate` refuses, data in place of a function, or a density that is none.

    >>> found = approximate_in_mean("abs(x)", "exp(-x**2)", width=4, domain=(-3, 3))
    >>> found.certified, found.certificate.root_at_least <= found.bound < 0.05
    (True, True)
    """
    wanted = None if epsilon is None else read_epsilon(epsilon)
    widths = _list_widths(width, grows=wanted is not None and method == "fit")
    weight = _read_weight(target, density, domain, continued)
    asked: Any = {"activation": activation, "domain": domain, "seed": seed, "continued": continued}
    for tried in widths:
        found = _find(approximate_by(method, target, width=tried, **asked), weight, wanted, seed, continued)
        found = _prove(found) if certify and (found.reached or tried == widths[-1]) else found
        if found.reached:
            break
    return found


def _find(
    near: Approximation, density: Density, epsilon: float | None, seed: int, continued: bool
) -> MeanApproximation:
    """The network of a width, fitted anew with the density if it was fitted."""
    near = _fit(near, density, seed, continued) if near.method == "fit" else near
    return MeanApproximation(near, density, measure_in_mean(near, density), epsilon)


def _list_widths(width: int | None, *, grows: bool) -> tuple[int, ...]:
    """The width that is asked for, or those that are tried."""
    if width is not None:
        return (read_width(width, MAX_WIDTH),)
    if not grows:
        raise UsageError("--measure needs a width (number of hidden units), or with --method fit an epsilon (the root "
                         "of the mean square error)")  # fmt: skip
    return GROWN_WIDTHS


def _read_weight(target: str, density: str, domain: Sequence[float] | None, continued: bool) -> Density:
    """The density, on the domain of a target that is a function."""
    if domain is not None and any(isinstance(end, float) and math.isinf(end) for end in domain):
        raise UsageError("--measure needs a finite domain: cut the density off where it is as good as 0, as with "
                         "--domain -6 6; what is claimed is claimed there")  # fmt: skip
    function = read_given(target, domain, continued)
    if not isinstance(function, FunctionTarget):
        raise UsageError("--measure is for functions: between data points there is nothing to integrate")
    return read_density(density, function.domain)


def _fit(near: Approximation, density: Density, seed: int, continued: bool) -> Approximation:
    """Fitted anew with the density, from this network and from one that was found where the density lives."""
    starts = [near, *_start_inside(near, density, seed, continued)]
    return min((fit_in_mean(one, density) for one in starts), key=lambda one: measure_in_mean(one, density))


def _start_inside(near: Approximation, density: Density, seed: int, continued: bool) -> list[Approximation]:
    """A network found where p has nearly all of its area, if that is shorter than the domain."""
    low, high = find_support(near, density)
    if not SHORTEST < (high - low) / (near.domain[1] - near.domain[0]) < SHORTER:
        return []
    inside = approximate(near.target, width=near.width, activation=near.activation, domain=(low, high), seed=seed,
                         continued=continued)  # fmt: skip
    return [put_in_place(near, inside.network)]


def _prove(found: MeanApproximation) -> MeanApproximation:
    """The same with its certificate."""
    claim, target = make_claim(found.approximation), found.approximation.function
    certificate = enclose_mean_square(claim, found.density, target.scale, found.epsilon)
    return replace(found, certificate=certificate)
