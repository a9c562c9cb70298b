"""The width that reaches an error: widen along a list, then look between the last two; and until it is proved."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from backprop.approximation.ground.outcome import Outcome

__all__ = ["find_width", "grow_until"]

Found = TypeVar("Found", bound=Outcome)


def find_width(
    measure: Callable[[int], float], widths: Sequence[int], wanted: float, step: Callable[[int], int]
) -> int | None:
    """A width whose error is below the one wanted; None if none of the list is wide enough.

    `measure(width)` is the error; `step(width)` says how near, at such a width, is near enough to the smallest one.

    >>> find_width(lambda width: 1 / width, (1, 2, 4, 8, 16), 0.2, lambda width: 1)
    6
    """
    short = 0
    for enough in widths:
        if measure(enough) < wanted:
            return _narrow(measure, short, enough, wanted, step)
        short = enough
    return None


def _narrow(measure: Callable[[int], float], short: int, enough: int, wanted: float, step: Callable[[int], int]) -> int:
    while enough - short > step(enough):
        middle = (short + enough) // 2
        if measure(middle) < wanted:
            enough = middle
        else:
            short = middle
    return enough


def grow_until(
    is_settled: Callable[[Found], bool],
    grow: Callable[[float], Found],
    certify: Callable[[Found, float], Found],
    shares: Sequence[float],
    epsilon: float,
) -> Found:
    """Ask for less and less error on the grid, these shares of epsilon, until what is proved of it settles the matter.

    The last one tried is returned; one whose grid does not even show epsilon is not tried.
    """
    found: Found | None = None
    for share in shares:
        grown = grow(share * epsilon)
        if found is not None and not grown.sup_error < epsilon:
            break
        found = certify(grown, epsilon)
        if is_settled(found):
            break
    assert found is not None
    return found
