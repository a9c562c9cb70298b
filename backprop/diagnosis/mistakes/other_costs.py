"""The gradient of a cost that can be named, where the subject's own cost is not of the table (weights, smoothing …)."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from backprop.codegen.lowering.program import Call, Expression, Multiply, Name, Power, Subtract, SumColumns
from backprop.diagnosis.model.cause import Cause
from backprop.diagnosis.model.net import KAPPA, MEASURED, Net, bind

__all__ = ["OTHER_COSTS"]


def gap(function: str) -> Callable[[Name, Name], Expression]:
    """f(z) − y"""
    return lambda z, y: Subtract(Call(function, z), y)


def squared(function: str) -> Callable[[Name, Name], Expression]:
    """(f(z) − y) f'(z)"""
    return lambda z, y: Multiply(Subtract(Call(function, z), y), Call(f"{function}_prime", z))


def squared_softmax(z: Name, y: Name) -> Expression:
    a = Call("softmax", z)
    back = Subtract(a, y)
    return Multiply(a, Subtract(back, SumColumns(Multiply(a, back))))


ERRORS: dict[str, Callable[[Name, Name], Expression]] = {
    "the plain cross-entropy of a softmax": gap("softmax"),
    "the plain cross-entropy of a sigmoid": gap("sigmoid"),
    "the plain squared error": Subtract,
    "the squared error of a sigmoid": squared("sigmoid"),
    "the squared error of a tanh": squared("tanh"),
    "the squared error of a softmax": squared_softmax,
    "the absolute error": lambda z, y: Call("sign", Subtract(z, y)),
    "the cubed difference": lambda z, y: Power(Subtract(z, y), 3),
}
"""Names of costs, and ∂C/∂z^L of each up to a factor."""


def differentiate(net: Net, layer: int, value: object) -> Expression | None:
    return Multiply(KAPPA, ERRORS[str(value)](net.z(layer), net.Y))


def list_errors(net: Net) -> Iterable[object]:
    return [name for name in ERRORS if "softmax" not in name or net.sizes[-1] > 1]


OTHER_COSTS: tuple[Cause, ...] = (
    Cause("gradient_of_plain_cost", "BP1", "The output error is that of a plain cost, but the cost stated is "
          "another one: with weights of samples or classes, smoothed targets, another corner or power, or more terms, "
          "say.", "definition",
          bind(differentiate, "delta", only="output"), list_errors, fitted=True, spreads=False, chapter="cost",
          given=MEASURED),
)  # fmt: skip
