"""The three ways to a network, by name: fitted, written down as in the proof, trained."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from backprop.approximation.ground.arguments import read_epsilon, read_width
from backprop.approximation.ground.given import Given, read_given
from backprop.approximation.ground.target import FunctionTarget, Target
from backprop.approximation.searching.certified import certify as certify_network
from backprop.approximation.searching.certified import certify_slopes
from backprop.approximation.searching.constructive import ACTIVATION, MOST_UNITS, construct
from backprop.approximation.searching.result import METHODS, Approximation
from backprop.approximation.searching.search import approximate
from backprop.approximation.searching.trained import train_with_adam
from backprop.errors import UsageError, unknown_name

__all__ = ["approximate_by"]

DEFAULT_ACTIVATION = "tanh"


def approximate_by(
    method: str,
    target: Given,
    *,
    width: int | None = None,
    epsilon: float | None = None,
    activation: str | None = None,
    domain: Sequence[float] | None = None,
    seed: int = 0,
    certify: bool = False,
    continued: bool = False,
    derivative: bool = False,
) -> Approximation:
    """Find a network near a function by a named method.

    Args:
        method: "fit": `approximate`; "constructive": `construct`, sigmoid units only; "adam": `train_with_adam`, which
            needs a width.
        target, domain, seed: as for `approximate`.
        width, epsilon: how wide, or how near; "adam" only compares the epsilon.
        activation: None: tanh, for "constructive" sigmoid.
        certify: prove a bound of the error on the whole domain.
        continued: take the limit of F where it has no value by itself.
        derivative: prove a bound of |F' - f'| too.

    Raises:
        UsageError: an unknown method, or what the method refuses.

    >>> found = approximate_by("constructive", "sqrt(x)", width=15)
    >>> found.method, found.sup_error <= found.bound.total
    ('constructive', True)
    """
    if method not in METHODS:
        raise unknown_name("method", method, METHODS)
    sigma = activation or (ACTIVATION if method == "constructive" else DEFAULT_ACTIVATION)
    asked: Any = {"width": width, "epsilon": epsilon, "domain": domain, "certify": certify, "continued": continued}
    found = (
        approximate(target, activation=sigma, seed=seed, **asked)
        if method == "fit"
        else _find_otherwise(method, target, sigma, seed=seed, **asked)
    )
    return certify_slopes(found) if derivative else found


def _find_otherwise(
    method: str,
    target: Given,
    sigma: str,
    *,
    width: int | None,
    epsilon: float | None,
    domain: Sequence[float] | None,
    seed: int,
    certify: bool,
    continued: bool,
) -> Approximation:
    """Written down as in the proof, or trained."""
    wanted = None if epsilon is None else read_epsilon(epsilon)
    if method == "constructive":
        found = _construct(read_given(target, domain, continued), width, wanted, sigma)
    else:
        if width is None:
            raise UsageError("--method adam needs a width: training has no bound by which the width could grow")
        found = replace(train_with_adam(read_given(target, domain, continued), width, sigma, seed=seed), epsilon=wanted)
    return certify_network(found, wanted) if certify else found


def _construct(function: Target, width: int | None, epsilon: float | None, activation: str) -> Approximation:
    if activation != ACTIVATION:
        raise UsageError(
            f"--method constructive is about {ACTIVATION} units; got activation {activation!r}; leave it out or use "
            "--method fit"
        )
    count = None if width is None else read_width(width, MOST_UNITS)
    if not isinstance(function, FunctionTarget):
        raise UsageError("--method constructive needs a function, whose change over a cell can be bounded; got data")
    return construct(function, width=count, epsilon=epsilon)
