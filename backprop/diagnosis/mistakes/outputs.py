"""Mistakes in the output error, BP1: its sign, softmax (in a hidden layer too), the cross-entropy, the targets."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from backprop.codegen.lowering.nodes import Call, Expression, SumColumns, SumRows
from backprop.diagnosis.mistakes.mistake import CHAIN, DELTA, TWO, Mistakes, in_line, is_hidden, is_output
from backprop.diagnosis.mistakes.slopes import has_slope, in_terms_of_a
from backprop.diagnosis.model.activations import USUAL_OUTPUTS
from backprop.diagnosis.model.cause import Cause
from backprop.diagnosis.model.net import UNIT, Net

__all__ = ["OUTPUTS"]

OUTPUTS: list[Cause] = []
output = Mistakes(OUTPUTS, "BP1", in_line("delta", is_output), {"spreads": False})
hidden = Mistakes(OUTPUTS, "BP2", in_line("delta", is_hidden))
HIDDEN: dict[str, Any] = {"equation": "BP2", "spreads": True}
"""What is different where a mistake with the outputs is made in a hidden layer."""


SPOILT = ("sign", "off-diagonal only", "diagonal without a", "column")
"""Ways to get the Jacobian of softmax wrong."""


def is_softmax(net: Net, layer: int) -> bool:
    return net.activation(layer) == "softmax"


def is_linear(net: Net, layer: int) -> bool:
    return net.activation(layer) == "identity"


def is_fused(net: Net, layer: int) -> bool:
    return net.fused


def is_fused_elementwise(net: Net, layer: int) -> bool:
    return net.fused and not is_softmax(net, layer)


def right(net: Net, layer: int) -> Expression:
    return net.right(f"delta{layer}")


def own_slope(a: Expression) -> Expression:
    """The diagonal of the Jacobian of softmax, as of a sigmoid."""
    return a * (1 - a)


def error_of_outputs(net: Net, layer: int) -> Expression:
    """∂C/∂a behind a softmax."""
    return -(UNIT * (net.Y / net.a(layer))) if net.fused else UNIT * (net.a(layer) - net.Y)


@output(DELTA)
def output_error_sign_flipped(net: Net, layer: int) -> Expression:
    """The output error has the wrong sign: y − a instead of a − y, which is right only where it is added in the
    update."""
    return -right(net, layer)


@output(where=is_fused_elementwise, chapter="fused")
def extra_sigmoid_derivative_with_cross_entropy(net: Net, layer: int) -> Expression:
    """The output error is multiplied with the derivative of the output activation although the cross-entropy has
    cancelled it already: with it the error is a − y."""
    return right(net, layer) * net.slope(layer)


@output(where=is_softmax, chapter="Jacobian")
def softmax_treated_elementwise(net: Net, layer: int) -> Expression:
    """Softmax is treated as if every output depended on its own z only: just the diagonal a(1 − a) of its Jacobian is
    used."""
    a, y = net.a(layer), net.Y
    return -(UNIT * (y * (1 - a))) if net.cost == "cross-entropy" else UNIT * (a - y) * own_slope(a)


@hidden.also(softmax_treated_elementwise, where=is_softmax, **HIDDEN)
def hidden_softmax_treated_elementwise(net: Net, layer: int) -> Expression:
    """The same of the error that comes back."""
    return net.returned(layer) * own_slope(net.a(layer))


@output(ways=("diagonal", "whole"), where=is_softmax, chapter="fused")
def extra_softmax_derivative(net: Net, layer: int, way: str) -> Expression | None:
    """The output error is multiplied with the derivative of softmax once more; with the cross-entropy it is a − y
    already."""
    if way == "whole":
        return net.through(layer, right(net, layer))
    return right(net, layer) * own_slope(net.a(layer)) if net.cost == "cross-entropy" else None


@output(where=is_softmax, chapter="Jacobian")
def softmax_derivative_missing(net: Net, layer: int) -> Expression:
    """The derivative of softmax is left out: ∂C/∂a is used as if it were the error ∂C/∂z."""
    return error_of_outputs(net, layer)


@hidden.also(softmax_derivative_missing, where=is_softmax, **HIDDEN)
def hidden_softmax_derivative_missing(net: Net, layer: int) -> Expression:
    """The same of the error that comes back."""
    return net.returned(layer)


def spoil_jacobian(a: Expression, v: Expression, way: str) -> Expression:
    """The Jacobian of softmax applied to v, with a mistake."""
    kinds = {
        "sign": a * (v + SumColumns(a * v)),
        "off-diagonal only": -(a * SumColumns(a * v)),
        "diagonal without a": v - SumColumns(a * v),
        "column": a * (v - SumRows(a * v)),
    }
    return kinds[way]


@output(ways=SPOILT, where=is_softmax, chapter="Jacobian")
def softmax_jacobian_wrong(net: Net, layer: int, way: str) -> Expression:
    """The Jacobian of softmax, a_j(δ_jk − a_k), has a wrong sign or lacks a term."""
    return spoil_jacobian(net.a(layer), error_of_outputs(net, layer), way)


@hidden.also(softmax_jacobian_wrong, SPOILT, is_softmax, **HIDDEN)
def hidden_softmax_jacobian_wrong(net: Net, layer: int, way: str) -> Expression:
    """The same of the error that comes back."""
    return spoil_jacobian(net.a(layer), net.returned(layer), way)


@output(ways=("softmax_columns", "softmax_all"), where=is_softmax, chapter="Jacobian")
def softmax_over_wrong_axis(net: Net, layer: int, way: str) -> Expression:
    """In the backward pass softmax runs over the wrong axis (the samples, or everything) instead of the outputs of one
    sample."""
    return UNIT * (Call(way, net.z(layer)) - net.Y)


@output(where=lambda net, layer: net.activation(layer) in ("softmax", "sigmoid"), chapter="fused")
def output_activation_applied_twice(net: Net, layer: int) -> Expression:
    """The output function is applied a second time to outputs that have passed it already."""
    a = net.a(layer)
    return UNIT * ((Call("softmax", a) if is_softmax(net, layer) else net.value(layer, a)) - net.Y)


@output("definition", TWO, has_slope)
def logits_instead_of_outputs(net: Net, layer: int, way: str) -> Expression:
    """The output error compares the pre-activation z with the target instead of the output a."""
    raw = UNIT * (net.z(layer) - net.Y)
    return raw if way == "first" or is_softmax(net, layer) else raw * net.slope(layer)


@output(CHAIN, where=is_fused_elementwise)
def cross_entropy_derivative_unfinished(net: Net, layer: int) -> Expression | None:
    """∂C/∂a of the cross-entropy is used as the error; the factor f' of the output activation, which would make it a −
    y, is missing."""
    return net.error(layer)


@output(ways=("true", "others", "sum", "one"), where=is_fused, chapter="cost")
def cross_entropy_term_missing(net: Net, layer: int, way: str) -> Expression:
    """Only a part of the cross-entropy's error is there (only the entries of the true class, or one of the two terms,
    or one with a wrong sign)."""
    a, y = net.a(layer), net.Y
    true, others = y * (a - 1), (1 - y) * a
    return UNIT * {"true": true, "others": others, "sum": true + -others, "one": a - 1}[way]


def list_slopes(net: Net) -> Iterable[object]:
    """Functions whose f' may have been applied, some by their formula in a."""
    usual = [name for name in USUAL_OUTPUTS if name not in ("identity", "softmax")]
    return (*usual, "sigmoid of a", "tanh of a", *(net.activations[:1] if net.depth > 1 else ()))


@output(CHAIN, list_slopes, is_linear)
def derivative_on_linear_output(net: Net, layer: int, way: str) -> Expression:
    """A derivative is applied in the output layer although its activation is the identity, whose derivative is 1."""
    formula = in_terms_of_a(way.removesuffix(" of a"), net.a(layer)) if way.endswith(" of a") else None
    return right(net, layer) * (formula or Call(f"{way}_prime", net.z(layer)))


@output(CHAIN, TWO, is_fused)
def hidden_derivative_on_output(net: Net, layer: int, way: str) -> Expression | None:
    """The derivative of the hidden layers' activation is applied in the output layer as well."""
    name = net.activations[0]
    if net.depth < 2 or name == net.activation(layer):
        return None
    return right(net, layer) * Call(f"{name}_prime", net.z(layer) if way == "first" else net.a(layer))
