"""`approximate` for what is not one function at every point: means with a density, two variables, three and more."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from backprop.errors import UsageError

if TYPE_CHECKING:
    from backprop.approximation import SurfaceApproximation
    from backprop.approximation.measures import MeanApproximation
    from backprop.approximation.spaces import SpaceApproximation

__all__ = ["approximate_several", "approximate_with_measure", "has_several_variables"]


def has_several_variables(expression: str) -> bool:
    """Whether it is a function of two or more variables."""
    from backprop.approximation.spaces import is_space
    from backprop.approximation.surfaces import is_surface

    return is_space(expression) or is_surface(expression)


def approximate_several(
    expression: str,
    *,
    method: str,
    domain: tuple[float, float] | None,
    activation: str | None,
    certify: bool,
    plot: Path | None,
    certificate: Path | None,
    refused: dict[str, bool],
    **asked: Any,
) -> SurfaceApproximation | SpaceApproximation:
    """A function of two variables, with a proof if it is asked for; of three and more, measured only.

    Errors: UsageError for what such functions have not.
    """
    from backprop.approximation import approximate_2d
    from backprop.approximation.spaces import approximate_nd
    from backprop.approximation.spaces.target import find_variables

    if certificate is not None:
        raise UsageError("no certificate file in two dimensions and more: check-certificate reads proofs of one "
                         "variable; use --certify for a function of x and y")  # fmt: skip
    for name in (name for name, given in refused.items() if given):
        raise UsageError(f"{name} is for functions of one variable; leave it out for a function of several")
    if method != "fit":
        raise UsageError(f"--method {method} is for functions of one variable; leave it out for a function of several")
    interval, unit, variables = domain or (0.0, 1.0), activation or "tanh", find_variables(expression)
    if not variables:
        return approximate_2d(expression, activation=unit, domain=(interval,) * 2, certify=certify, **asked)
    if certify:
        raise UsageError("--certify is for functions of one variable and of two: with three and more the error is "
                         "measured on a grid; leave it out")  # fmt: skip
    if plot is not None:
        raise UsageError("--plot is for functions of one variable and of two; leave it out")
    return approximate_nd(expression, activation=unit, domain=(interval,) * len(variables), **asked)


def approximate_with_measure(
    expression: str,
    measure: str,
    *,
    certify: bool | None,
    certificate: Path | None,
    derivative: bool,
    **asked: Any,
) -> MeanApproximation:
    """A network near in the mean square, with its proof unless that is not wanted; and the proof in a file."""
    from backprop.approximation.measures import approximate_in_mean
    from backprop.files import write_atomically

    if has_several_variables(expression):
        raise UsageError("--measure is for functions of one variable; leave it out for a function of several")
    if derivative:
        raise UsageError("--derivative is about every point, --measure about a mean; leave one of them out")
    if certify is False and certificate is not None:
        raise UsageError("--no-certify and --certificate: without a proof there is no certificate; leave one out")
    result = approximate_in_mean(expression, measure, certify=certify is not False, **asked)
    if certificate is not None:
        write_atomically(certificate, json.dumps(result.to_dict(), allow_nan=False, indent=1) + "\n")
    return result
