"""Entrances: which function of a subject is read, its gradients, or what its step moves the parameters by."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, TypeAlias

import numpy as np

from backprop.examiner.subject.protocol.nests import Nest, flatten, rebuild
from backprop.examiner.subject.protocol.subjects import Subject

__all__ = ["Entrance", "by_gradients", "by_step"]

Entrance: TypeAlias = Callable[[Subject], Subject]
RATE = 0.5
"""Not small: what goes wrong while parameters change shall show."""


def by_gradients(subject: Subject) -> Subject:
    """The subject as it is."""
    return subject


def by_step(subject: Subject) -> Subject:
    """The same subject with (params - step(params)) / rate for its gradient.

    >>> import numpy as np
    >>> functions = {"parameters": lambda rng: [np.ones(2)], "data": lambda rng: (np.ones(1), np.ones(1)),
    ...              "cost": lambda p, X, Y: p[0] @ p[0], "step": lambda p, X, Y, rate: [p[0] - rate * 2 * p[0]]}
    >>> by_step(Subject(functions, "s")).call("gradients", [np.ones(2)], 0, 0)
    [array([2., 2.])]
    """

    def gradients(params: Nest, X: Any, Y: Any, **context: Any) -> Nest:
        old = [np.array(leaf, dtype=float) for leaf in flatten(params)]
        returned = subject.call("step", params, X, Y, RATE, **context)
        new = [np.asarray(leaf, dtype=float) for leaf in flatten(params if returned is None else returned)]
        return rebuild(params, [(a - b) / RATE for a, b in zip(old, new, strict=True)])

    def data(rng: np.random.Generator, n: int | None = None) -> tuple[Any, Any]:
        return subject.data(rng, n)

    def own_data(rng: np.random.Generator) -> tuple[Any, Any]:
        return subject.data(rng)

    functions: dict[str, Callable[..., Any]] = {
        "parameters": subject.parameters,
        "data": data if subject.takes_rows else own_data,
        "cost": partial(subject.call, "cost"),
        "context": subject.context,
        "gradients": gradients,
    }
    return Subject(functions, subject.label, subject.file)
