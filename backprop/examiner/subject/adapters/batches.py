"""Batches from data that was given: some of its rows, drawn by a seed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np

__all__ = ["Functions", "give_rows"]

Functions: TypeAlias = dict[str, Callable[..., Any]]
"""The functions of the protocol by their names."""


def give_rows(X: Any, Y: Any) -> Callable[..., tuple[Any, Any]]:
    """Make `data(rng, n=None)`: the whole batch, or n of its rows (the same one twice only if there are fewer).

    >>> X, Y = give_rows(np.eye(4), np.arange(4))(np.random.default_rng(0), n=2)
    >>> X.shape, bool((X.argmax(axis=1) == Y).all())
    ((2, 4), True)
    """
    inputs, targets = np.array(X), np.array(Y)

    def data(rng: np.random.Generator, n: int | None = None) -> tuple[Any, Any]:
        if n is None:
            return inputs, targets
        rows = rng.choice(len(inputs), size=n, replace=n > len(inputs))
        return inputs[rows], targets[rows]

    return data
