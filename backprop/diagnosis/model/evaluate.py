"""evaluate: a program runs on arrays without becoming text first, so that many mutants can be tried quickly."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from backprop.codegen.lowering import nodes
from backprop.codegen.lowering.nodes import Expression, Name, walk
from backprop.codegen.lowering.program import Assignment

__all__ = ["OPERATIONS", "Array", "Function", "Values", "evaluate", "names_in", "run_lines"]

Array: TypeAlias = NDArray[np.float64]
Function: TypeAlias = Callable[[Array], Array]
Values: TypeAlias = dict[str, Array]

OPERATIONS: dict[type, Callable[..., Array]] = {
    nodes.Add: np.add,
    nodes.Subtract: np.subtract,
    nodes.Multiply: np.multiply,
    nodes.Divide: np.divide,
    nodes.MatMul: np.matmul,
    nodes.Negate: np.negative,
    nodes.Transpose: np.transpose,
    nodes.SumAll: np.sum,
    nodes.SumRows: lambda x: np.sum(x, axis=0),
    nodes.SumColumns: lambda x: np.sum(x, axis=1, keepdims=True),
}


def evaluate(
    node: Expression,
    values: Mapping[str, Array],
    functions: Mapping[str, Function],
    operations: Mapping[type, Callable[..., Array]] = OPERATIONS,
) -> Array:
    """The value of a node, with the arrays of its names and the functions of its calls.

    `operations` say what the nodes do, where arrays are stacked in another way than a program has them.

    >>> z = nodes.Name("z", ("n", 2))
    >>> evaluate(2 * nodes.Call("f", z), {"z": np.ones((1, 2))}, {"f": np.negative})
    array([[-2., -2.]])
    """
    if isinstance(node, Name):
        return values[node.id]
    if isinstance(node, nodes.Number):
        return np.float64(node.value)  # type: ignore[return-value]
    if isinstance(node, nodes.Call):
        return functions[node.function](evaluate(node.of, values, functions, operations))
    if isinstance(node, nodes.Power):
        return evaluate(node.of, values, functions, operations) ** node.exponent
    return operations[type(node)](*(evaluate(child, values, functions, operations) for child in node.children))


def names_in(node: Expression) -> frozenset[str]:
    """The names that a node reads."""
    return frozenset(inner.id for inner in walk(node) if isinstance(inner, Name))


def run_lines(lines: tuple[Assignment, ...], values: Values, functions: Mapping[str, Function]) -> Values:
    """Run assignments in their order; a new dictionary with the given and the computed values."""
    found = dict(values)
    for line in lines:
        found[line.target.id] = evaluate(line.value, found, functions)
    return found
