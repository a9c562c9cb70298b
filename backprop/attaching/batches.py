"""The batch that a program keeps to itself: the arrays of its iteration that are no parameter's doing, for a diagnosis
that asks which network this is. They decide nothing: what is named rests on costs and gradients at other points."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from backprop.attaching.running.leaves import find_leaves
from backprop.attaching.running.repeating import Iteration
from backprop.attaching.running.replaying import read_numbers

__all__ = ["list_constants"]

BESIDE = 0.05
MOST, LARGEST = 12, 200_000
"""So many arrays, each of so many numbers at most."""


def list_constants(iteration: Iteration) -> list[Any]:
    """Vectors and matrices of an iteration that stay as they are when the parameters move, each once."""
    here, there = (_list_arrays(one) for one in (iteration, iteration.beside(BESIDE)))
    unmoved = {_sign(array) for array in there}
    found = {_sign(array): array for array in here}
    return [array for sign, array in found.items() if sign in unmoved][:MOST]


def _list_arrays(iteration: Iteration) -> list[Any]:
    """What the names hold behind the iteration, then what it made on the way."""
    recorder = iteration.freeze(wanted=None)
    names = iteration.run_names(None, recorder)
    held = (leaf.value for leaf in find_leaves(names))
    return list(_keep([*held, *(event.value for event in recorder.events)]))


def _keep(values: list[Any]) -> Iterator[Any]:
    for value in values:
        array = read_numbers(value)
        if array is not None and array.ndim in (1, 2) and 1 < array.size <= LARGEST and np.isfinite(array).all():
            yield array


def _sign(array: Any) -> tuple[Any, bytes]:
    return array.shape, array.tobytes()
