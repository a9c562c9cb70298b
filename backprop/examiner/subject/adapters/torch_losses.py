"""A loss of torch's own whose gradient is not the derivative of its value: measured where it is asked."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from backprop.examiner.saying.grounds import tell
from backprop.examiner.saying.remarks import LOSS_SLOPE

__all__ = ["is_own_operation", "mend_slopes"]

MOST = 512
"""Outputs whose slope is measured, the steepest first."""
SHARE, FINER, STEPS = 1e-3, 10.0, 14
"""The first step as a share of the output, what the next is divided by, how many."""
SAME = 1e-2
"""Two slopes that differ by less are one."""


def is_own_operation(value: Any, outputs: Any) -> bool:
    """Whether a loss is one operation of torch on the outputs; code of the reader's is examined as it is."""
    node = value.grad_fn
    into = [following for following, _ in getattr(node, "next_functions", ())]
    return (
        outputs.grad_fn is not None
        and outputs.grad_fn in into
        and type(node).__name__.endswith(("Backward0", "Backward1"))
    )


def mend_slopes(
    loss: Callable[[Any, Any], Any], outputs: Any, target: Any, slopes: Any, notes: list[str], version: str
) -> Any:
    """The gradient of a loss by the outputs, with the derivative of its value where that is clearly another; said once.

    `outputs` and `slopes` are tensors of one shape; nothing is replaced that differences cannot tell.
    """
    flat, given = outputs.detach().clone().reshape(-1), slopes.clone().reshape(-1)
    steepest = given.abs().argsort(descending=True)[:MOST].tolist()
    wrong = []
    for i in steepest:
        found = _measure(lambda o: float(loss(o.reshape(outputs.shape), target)), flat, i)
        if found is not None and abs(found - float(given[i])) > SAME * abs(found):
            wrong.append((float(flat[i]), float(given[i]), found))
            given[i] = found
    if wrong:
        output, theirs, true = wrong[0]
        tell(
            notes,
            LOSS_SLOPE,
            loss=_name(loss),
            version=version,
            wrong=len(wrong),
            output=output,
            theirs=theirs,
            true=true,
        )
    return given.reshape(slopes.shape)


def _name(loss: Any) -> str:
    return str(getattr(loss, "__name__", type(loss).__name__))


def _measure(value: Callable[[Any], float], flat: Any, i: int) -> float | None:
    """The slope along one output, where two steps agree; None where they do not, or rounding hides it."""
    at = float(flat[i])
    for k in range(STEPS):
        step = SHARE * abs(at) / FINER**k
        pair = [_slope(value, flat, i, at, h) for h in (step, step / 2)]
        if None in pair:
            continue
        (wide, noise), (narrow, finer) = pair  # type: ignore[misc]
        if max(noise, finer) > SAME / 10 * abs(narrow):
            return None
        if abs(wide - narrow) <= SAME / 10 * abs(narrow):
            return float(narrow)
    return None


def _slope(value: Callable[[Any], float], flat: Any, i: int, at: float, step: float) -> tuple[float, float] | None:
    """A central difference and its rounding."""
    ends = []
    for moved in (at + step, at - step):
        there = flat.clone()
        there[i] = moved
        try:
            ends.append((moved, value(there)))
        except Exception:  # torch takes no number beyond its range
            return None
    (right, up), (left, down) = ends
    if right == left or not np.isfinite([up, down]).all():
        return None
    return (up - down) / (right - left), 4 * np.finfo(float).eps * max(abs(up), abs(down)) / (right - left)
