"""A pair of functions of one vector, as SciPy's optimisers take them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from backprop.examiner.subject.protocol.subjects import Subject

__all__ = ["subject_from_functions"]


def subject_from_functions(
    fun: Callable[[Any], Any], grad: Callable[[Any], Any] | bool, theta0: Any, *, label: str = "fun and grad"
) -> Subject:
    """Make a subject of fun(theta) and grad(theta), as given to `scipy.optimize.minimize(fun, theta0, jac=grad)`.

    Parameters: `grad` is the function of the gradient, or True if `fun` returns the pair (value, gradient).
    `theta0` is a vector, or a function of a random generator that draws one. There are no layers, so that
    findings name entries and patterns only.

    >>> import backprop
    >>> subject = backprop.subject_from_functions(lambda x: float(np.sum(x**4)), lambda x: 4 * x**3, [1.0, -2.0])
    >>> backprop.verify(subject).verdict
    'verified'
    """
    functions: dict[str, Any] = {
        "fun": (lambda theta: fun(theta)[0]) if grad is True else fun,
        "grad": (lambda theta: fun(theta)[1]) if grad is True else grad,
        "theta0": theta0 if callable(theta0) else lambda rng: np.array(theta0, dtype=float),
    }
    return Subject(functions, label)
