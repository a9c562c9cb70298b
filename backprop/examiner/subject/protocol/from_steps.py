"""A bare step(params, X, Y, rate) without gradients: the gradient that its steps imply as the rate goes to zero."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from backprop.examiner.subject.protocol.nests import Nest, flatten, flatten_like, rebuild

__all__ = ["imply_gradients"]

FIRST_RATE = 0.25
RATE_RATIO = 4.0
MOST_RATES = 7
COLUMNS = 4
ENOUGH = 1e-11
"""Part of a gradient's largest entry below which its extrapolation stops."""
ROUNDING = 2.0**-52


def imply_gradients(step: Callable[..., Any]) -> Callable[..., Nest]:
    """Make `gradients(params, X, Y)` of a step: the limit of (old − new) / rate for rate → 0.

    A right step gives the same quotient at every rate. One that changes weights while the error is still going
    back gives a polynomial in the rate: its limit is a right gradient, and what it does at a rate that is not
    zero is compared with that limit, so that the fault shows. Rates 1/4, 1/16 … are extrapolated (Neville).

    >>> gradients = imply_gradients(lambda w, X, Y, rate: w - rate * (2 * w + rate * w**2))
    >>> bool(np.allclose(gradients(np.array([1.0, 3.0]), None, None), [2.0, 6.0], rtol=1e-12))
    True
    """

    def gradients(params: Nest, X: Any, Y: Any, **context: Any) -> Nest:
        old = [np.array(leaf, dtype=float) for leaf in flatten(params)]
        rows: list[list[Any]] = [[] for _ in old]
        for level in range(MOST_RATES):
            rate = FIRST_RATE / RATE_RATIO**level
            moved = _move(step, params, X, Y, rate, context)
            for row, before, after in zip(rows, old, moved, strict=True):
                row.append((before - after) / rate)
            found = [_extrapolate(row, before) for row, before in zip(rows, old, strict=True)]
            if level and all(error <= ENOUGH * np.max(np.abs(value), initial=0.0) for value, error in found):
                break
        return rebuild(_as_arrays(params, old), [value for value, _ in found])

    return gradients


def _move(step: Callable[..., Any], params: Nest, X: Any, Y: Any, rate: float, context: dict[str, Any]) -> list[Any]:
    """Step once on copies; it may return the parameters or write into them."""
    mine, inputs, targets = copy.deepcopy((params, X, Y))
    returned = step(mine, inputs, targets, rate, **copy.deepcopy(context))
    leaves = flatten_like(params, mine if returned is None else returned)
    return [np.array(leaf, dtype=float) for leaf in leaves]


def _as_arrays(params: Nest, old: Sequence[Any]) -> Nest:
    """The same structure with arrays as leaves, so that what is put in keeps its precision."""
    return rebuild(params, old) if all(isinstance(leaf, np.ndarray) for leaf in flatten(params)) else list(old)


def _extrapolate(quotients: Sequence[Any], old: Any) -> tuple[Any, float]:
    """The limit of the quotients and its error: disagreement of neighbours plus rounding."""
    size = float(np.max(np.abs(old), initial=0.0))
    best, least = quotients[0], np.inf
    above: list[Any] = []
    for level, quotient in enumerate(quotients):
        row = [quotient]
        for j in range(1, min(level + 1, COLUMNS)):
            row.append(row[j - 1] + (row[j - 1] - above[j - 1]) / (RATE_RATIO**j - 1))
        rounding = ROUNDING * size * RATE_RATIO**level / FIRST_RATE
        for j, value in enumerate(row[: len(above)]):
            error = float(np.max(np.abs(value - above[j]), initial=0.0)) + rounding
            if error < least:
                best, least = value, error
        above = row
    return best, least
