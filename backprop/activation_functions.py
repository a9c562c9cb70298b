"""`backprop.activation`: one activation as functions on arrays, with the mathematics they came from."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sympy import Expr

from backprop.codegen.elementwise import Accuracy, ElementwiseSource, check_accuracy, write_functions
from backprop.codegen.load import load_functions
from backprop.errors import UsageError
from theory.elementwise import find

__all__ = ["ElementwiseActivation", "activation"]

Array = NDArray[np.inexact[Any]]


@dataclass(frozen=True)
class ElementwiseActivation:
    """An activation ready for numbers: `f` and `f_prime` take and return arrays of the same shape.

    `expression` and `derivative` are SymPy expressions in the real symbol x, `kinks` the points where f'
    jumps (there f' takes its value from the left), `source` the printed code behind the two functions.
    """

    name: str
    expression: Expr
    derivative: Expr
    kinks: tuple[Expr, ...]
    source: ElementwiseSource = field(repr=False)
    f: Callable[[Array], Array] = field(repr=False, compare=False)
    f_prime: Callable[[Array], Array] = field(repr=False, compare=False)


def activation(name_or_expression: str, accuracy: Accuracy = "full") -> ElementwiseActivation:
    """Return the activation of that name, or the one an expression in x states, as functions on arrays.

    z has any shape, and the values have it too; float32 stays float32.

    Equation: a = f(z), a' = f'(z), elementwise; f' is computed from f.

    Errors: `UsageError` for a name or an expression that cannot be used.

    Source: the reference in the catalogue, `theory.activations`.

    >>> activation("relu").f_prime(np.array([-1.0, 0.0, 2.0]))
    array([0., 0., 1.])
    >>> activation("x*tanh(x)").derivative
    x*(1 - tanh(x)**2) + tanh(x)
    """
    try:
        found = find(name_or_expression)
    except ValueError as error:
        raise UsageError(str(error)) from None
    check_accuracy(accuracy)
    return _build(found.name, accuracy)


@functools.lru_cache(maxsize=256)
def _build(name: str, accuracy: Accuracy) -> ElementwiseActivation:
    found = find(name)
    source = write_functions(found, accuracy=accuracy)
    functions = load_functions(source.text, f"activation {name}")
    return ElementwiseActivation(
        name=found.name,
        expression=found.expression,
        derivative=found.derivative,
        kinks=found.kinks,
        source=source,
        f=functions["f"],
        f_prime=functions["f_prime"],
    )
