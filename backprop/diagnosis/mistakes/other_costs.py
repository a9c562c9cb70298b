"""The gradient of a cost that can be named, where the subject's own cost is not of the table (weights, smoothing …)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType

from backprop.codegen.lowering.nodes import Call, Expression, Name, SumColumns
from backprop.diagnosis.mistakes.mistake import Mistakes, in_line, is_output
from backprop.diagnosis.model.cause import Cause
from backprop.diagnosis.model.net import KAPPA, MEASURED, Net

__all__ = ["OTHER_COSTS"]

Error = Callable[[Name, Name], Expression]


def gap(function: str) -> Error:
    """f(z) − y"""
    return lambda z, y: Call(function, z) - y


def squared(function: str) -> Error:
    """(f(z) − y) f'(z)"""
    return lambda z, y: (Call(function, z) - y) * Call(f"{function}_prime", z)


def squared_softmax(z: Name, y: Name) -> Expression:
    a = Call("softmax", z)
    back = a - y
    return a * (back - SumColumns(a * back))


ERRORS: Mapping[str, Error] = MappingProxyType(
    {
        "the plain cross-entropy of a softmax": gap("softmax"),
        "the plain cross-entropy of a sigmoid": gap("sigmoid"),
        "the plain squared error": lambda z, y: z - y,
        "the squared error of a sigmoid": squared("sigmoid"),
        "the squared error of a tanh": squared("tanh"),
        "the squared error of a softmax": squared_softmax,
        "the absolute error": lambda z, y: Call("sign", z - y),
        "the cubed difference": lambda z, y: (z - y) ** 3,
    }
)
"""Names of costs, and ∂C/∂z^L of each up to a factor."""

OTHER_COSTS: list[Cause] = []
output = Mistakes(OTHER_COSTS, "BP1", in_line("delta", is_output), {"spreads": False})


def list_errors(net: Net) -> Iterable[object]:
    return [name for name in ERRORS if "softmax" not in name or net.sizes[-1] > 1]


@output("definition", list_errors, fitted=True, chapter="cost", given=MEASURED)
def gradient_of_plain_cost(net: Net, layer: int, way: str) -> Expression:
    """The output error is that of a plain cost, but the cost stated is another one: with weights of samples or classes,
    smoothed targets, another corner or power, or more terms, say."""
    return KAPPA * ERRORS[way](net.z(layer), net.Y)
