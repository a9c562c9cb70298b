"""`backprop.activation`: one activation as functions on arrays, with the mathematics they came from."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass, field
from html import escape
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sympy import Expr, latex

from backprop.arrays import as_array
from backprop.codegen.functions.elementwise import Accuracy, ElementwiseSource, check_accuracy, write_functions
from backprop.codegen.functions.promises import Promise, find_promise, require_full
from backprop.codegen.lowering.load import load_functions
from backprop.errors import UsageError
from theory.functions.elementwise import find

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

    def _repr_latex_(self) -> str:
        return rf"$f(x) = {latex(self.expression)}, \quad f'(x) = {latex(self.derivative)}$"

    def _repr_markdown_(self) -> str:
        return f"**{self.name}**: {self._repr_latex_()}"

    def _repr_html_(self) -> str:
        return f"<p><b>{escape(self.name)}</b>: {escape(self._repr_latex_())}</p>"

    @property
    def promise(self) -> Promise:
        """How many units in the last place the best forms are off at most: proved and tested for the catalogue,
        measured for an expression (which takes a second).

        >>> activation("x**3 - x").promise.is_full
        False
        """
        return find_promise(self.name)


def activation(name_or_expression: str, accuracy: Accuracy | None = None) -> ElementwiseActivation:
    """Return the activation of that name, or the one an expression in x states, as functions on arrays.

    z has any shape, and the values have it too; float32 stays float32.  `accuracy`: None for the best forms that
    there are (what they keep says `promise`), "full" to refuse an expression whose digits are lost, or "fast".

    Equation: a = f(z), a' = f'(z), elementwise; f' is computed from f.

    Errors: `UsageError` for a name or an expression that cannot be used.

    Source: the reference in the catalogue, `theory.functions.activation_catalogue`.

    >>> activation("relu").f_prime(np.array([-1.0, 0.0, 2.0]))
    array([0., 0., 1.])
    >>> activation("x*tanh(x)").derivative
    x*(1 - tanh(x)**2) + tanh(x)
    """
    try:
        found = find(name_or_expression)
    except ValueError as error:
        raise UsageError(str(error)) from None
    chosen = "full" if accuracy is None else check_accuracy(accuracy)
    if accuracy == "full":
        require_full(found.name)
    return _build(found.name, chosen)


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
        f=admit(functions["f"]),
        f_prime=admit(functions["f_prime"]),
    )


def admit(function: Callable[[Array], Array]) -> Callable[[Array], Array]:
    """The function, with arrays of any kind made plain first.  Errors: UsageError for one that holds no numbers."""

    @functools.wraps(function)
    def admitted(z: Array) -> Array:
        return function(as_array(z, "z") if isinstance(z, np.ndarray) else z)

    return admitted
