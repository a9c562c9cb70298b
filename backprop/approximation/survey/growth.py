"""Networks of 1, 2, 3, … units: the frames of an animation."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from backprop.approximation.searching.result import Approximation
from backprop.approximation.searching.search import approximate

__all__ = ["grow_step_by_step"]


def grow_step_by_step(
    target: str,
    widths: Sequence[int],
    activation: str = "tanh",
    *,
    domain: Sequence[float] = (0.0, 1.0),
    certify: bool = False,
    progress: Callable[[int, int], None] = lambda done, whole: None,
) -> list[Approximation]:
    """A network of each width; where a wider one was found to be worse, the narrower one stays.

    Args:
        target, activation, domain: as for `approximate`.
        certify: prove a bound of the error of each.

    Returns: the networks, one a width; some may be narrower than asked for.

    >>> errors = [one.sup_error for one in grow_step_by_step("sine", (1, 2, 3))]
    >>> errors == sorted(errors, reverse=True)
    True
    """
    found: list[Approximation] = []
    for done, width in enumerate(widths, start=1):
        grown = approximate(target, width=width, activation=activation, domain=domain, certify=certify)
        found.append(min([*found[-1:], grown], key=lambda one: one.sup_error))
        progress(done, len(widths))
    return found
