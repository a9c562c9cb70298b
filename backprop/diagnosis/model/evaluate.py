"""evaluate: a program runs on arrays without becoming text first, so that many mutants can be tried quickly."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from backprop.codegen.lowering.nodes import (
    Add,
    Call,
    Divide,
    Expression,
    MatMul,
    Multiply,
    Name,
    Negate,
    Number,
    Power,
    Subtract,
    SumAll,
    SumColumns,
    SumRows,
    Transpose,
    walk,
)
from backprop.codegen.lowering.program import Assignment

__all__ = ["Array", "Function", "Values", "evaluate", "names_in", "run_lines"]

Array: TypeAlias = NDArray[np.float64]
Function: TypeAlias = Callable[[Array], Array]
Values: TypeAlias = dict[str, Array]

OPERATIONS: dict[type, Callable[..., Array]] = {
    Add: np.add,
    Subtract: np.subtract,
    Multiply: np.multiply,
    Divide: np.divide,
    MatMul: np.matmul,
    Negate: np.negative,
    Transpose: np.transpose,
    SumAll: np.sum,
    SumRows: lambda x: np.sum(x, axis=0),
    SumColumns: lambda x: np.sum(x, axis=1, keepdims=True),
}


def evaluate(node: Expression, values: Mapping[str, Array], functions: Mapping[str, Function]) -> Array:
    """The value of a node, with the arrays of its names and the functions of its calls.

    >>> z = Name("z", ("n", 2))
    >>> evaluate(2 * Call("f", z), {"z": np.ones((1, 2))}, {"f": np.negative})
    array([[-2., -2.]])
    """
    if isinstance(node, Name):
        return values[node.id]
    if isinstance(node, Number):
        return np.float64(node.value)  # type: ignore[return-value]
    if isinstance(node, Call):
        return functions[node.function](evaluate(node.of, values, functions))
    if isinstance(node, Power):
        return evaluate(node.of, values, functions) ** node.exponent
    return OPERATIONS[type(node)](*(evaluate(child, values, functions) for child in node.children))


def names_in(node: Expression) -> frozenset[str]:
    """The names that a node reads."""
    return frozenset(inner.id for inner in walk(node) if isinstance(inner, Name))


def run_lines(lines: tuple[Assignment, ...], values: Values, functions: Mapping[str, Function]) -> Values:
    """Run assignments in their order; a new dictionary with the given and the computed values."""
    found = dict(values)
    for line in lines:
        found[line.target.id] = evaluate(line.value, found, functions)
    return found
