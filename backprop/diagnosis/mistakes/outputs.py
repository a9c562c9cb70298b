"""Mistakes in the output error, BP1: its sign, softmax, the cross-entropy, the targets."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from backprop.codegen.lowering.program import (
    Add,
    Call,
    Divide,
    Expression,
    Multiply,
    Negate,
    Number,
    Power,
    Subtract,
    SumColumns,
    SumRows,
)
from backprop.diagnosis.model.cause import Cause, nothing_to_choose
from backprop.diagnosis.model.net import LETTERS, Net, bind

__all__ = ["ONE", "OUTPUTS", "ROWS", "UNIT", "list_two", "output", "through_softmax"]

ONE = Number(1)
ROWS, UNIT = LETTERS["rows"], LETTERS["unit"]


def right(net: Net, layer: int) -> Expression:
    return net.right(f"delta{layer}")


def difference(net: Net, layer: int) -> Expression:
    """a − y, in the scale of the cost."""
    return Multiply(UNIT, Subtract(net.a(layer), net.Y))


def own_slope(net: Net, layer: int) -> Expression:
    """a(1 − a)"""
    return Multiply(net.a(layer), Subtract(ONE, net.a(layer)))


def through_softmax(net: Net, layer: int, v: Expression, sign: int = -1) -> Expression:
    """The Jacobian of softmax applied to v."""
    a = net.a(layer)
    total = SumColumns(Multiply(a, v))
    return Multiply(a, Subtract(v, total) if sign < 0 else Add(v, total))


def flip(net: Net, layer: int, value: object) -> Expression | None:
    return Negate(right(net, layer))


def extra_sigmoid(net: Net, layer: int, value: object) -> Expression | None:
    if not net.fused or net.activation(layer) == "softmax":
        return None
    return Multiply(right(net, layer), net.slope(layer))


def list_jacobians(net: Net) -> Iterable[object]:
    return ("diagonal", "whole")


def extra_softmax_slope(net: Net, layer: int, value: object) -> Expression | None:
    if net.activation(layer) != "softmax":
        return None
    if value == "whole":
        return through_softmax(net, layer, right(net, layer))
    return Multiply(right(net, layer), own_slope(net, layer)) if net.cost == "cross-entropy" else None


def softmax_diagonal(net: Net, layer: int, value: object) -> Expression | None:
    if net.activation(layer) != "softmax":
        return None
    if net.cost == "cross-entropy":
        return Negate(Multiply(UNIT, Multiply(net.Y, Subtract(ONE, net.a(layer)))))
    return Multiply(difference(net, layer), own_slope(net, layer))


def softmax_jacobian(net: Net, layer: int, value: object) -> Expression | None:
    if net.activation(layer) != "softmax":
        return None
    a = net.a(layer)
    v = difference(net, layer) if not net.fused else Negate(Multiply(UNIT, Divide(net.Y, a)))
    if value == "sign":
        return through_softmax(net, layer, v, +1)
    if value == "diagonal without a":
        return Subtract(v, SumColumns(Multiply(a, v)))
    if value == "column":
        return Multiply(a, Subtract(v, SumRows(Multiply(a, v))))
    return Negate(Multiply(a, SumColumns(Multiply(a, v))))


def list_jacobian_faults(net: Net) -> Iterable[object]:
    return ("sign", "off-diagonal only", "diagonal without a", "column")


def softmax_left_out(net: Net, layer: int, value: object) -> Expression | None:
    if net.activation(layer) != "softmax":
        return None
    if not net.fused:
        return difference(net, layer)
    return Negate(Multiply(UNIT, Divide(net.Y, net.a(layer))))


def softmax_other_axis(net: Net, layer: int, value: object) -> Expression | None:
    if net.activation(layer) != "softmax":
        return None
    return Multiply(UNIT, Subtract(Call(str(value), net.z(layer)), net.Y))


def list_axes(net: Net) -> Iterable[object]:
    return ("softmax_columns", "softmax_all")


def squash_again(net: Net, layer: int, value: object) -> Expression | None:
    name = net.activation(layer)
    if name not in ("softmax", "sigmoid"):
        return None
    again = Call("softmax", net.a(layer)) if name == "softmax" else net.value(layer, net.a(layer))
    return Multiply(UNIT, Subtract(again, net.Y))


def use_logits(net: Net, layer: int, value: object) -> Expression | None:
    if net.activation(layer) == "identity":
        return None
    raw: Expression = Multiply(UNIT, Subtract(net.z(layer), net.Y))
    return raw if value == "first" or net.activation(layer) == "softmax" else Multiply(raw, net.slope(layer))


def list_two(net: Net) -> Iterable[object]:
    return ("first", "second")


def keep_true_class(net: Net, layer: int, value: object) -> Expression | None:
    if not net.fused:
        return None
    a, y = net.a(layer), net.Y
    kinds: dict[object, Expression] = {
        "true": Multiply(y, Subtract(a, ONE)),
        "others": Multiply(Subtract(ONE, y), a),
        "sum": Add(Multiply(y, Subtract(a, ONE)), Negate(Multiply(Subtract(ONE, y), a))),
        "one": Subtract(a, ONE),
    }
    return Multiply(UNIT, kinds[value])


def list_halves(net: Net) -> Iterable[object]:
    return ("true", "others", "sum", "one")


def keep_unfused(net: Net, layer: int, value: object) -> Expression | None:
    """∂C/∂a of a cross-entropy, without the derivative that would make it a − y."""
    return net.error(layer) if net.fused and net.activation(layer) != "softmax" else None


def slope_on_linear(net: Net, layer: int, value: object) -> Expression | None:
    if net.activation(layer) != "identity":
        return None
    a = net.a(layer)
    formulas: dict[str, Expression] = {"sigmoid of a": own_slope(net, layer), "tanh of a": Subtract(ONE, Power(a, 2))}
    factor = formulas.get(str(value)) or Call(f"{value}_prime", net.z(layer))
    return Multiply(right(net, layer), factor)


def list_slopes(net: Net) -> Iterable[object]:
    return ("sigmoid", "tanh", "sigmoid of a", "tanh of a", "relu", *(net.activations[:1] if net.depth > 1 else ()))


def apply_hidden_slope(net: Net, layer: int, value: object) -> Expression | None:
    """The hidden activation's derivative also behind a fused cross-entropy."""
    name = net.activations[0]
    if net.depth < 2 or not net.fused or name == net.activation(layer):
        return None
    return Multiply(right(net, layer), Call(f"{name}_prime", net.z(layer) if value == "first" else net.a(layer)))


def output(
    identifier: str,
    sentence: str,
    make: Callable[[Net, int, object], Expression | None],
    values: Callable[[Net], Iterable[object]] = nothing_to_choose,
    step: str = "",
    chapter: str = "",
    equation: str = "BP1",
) -> Cause:
    """An entry for the output error."""
    rewrite = bind(make, "delta", only="output")
    return Cause(identifier, equation, sentence, step, rewrite, values, spreads=False, chapter=chapter)


OUTPUTS: tuple[Cause, ...] = (
    output("output_error_sign_flipped", "The output error has the wrong sign: y − a instead of a − y, which is right "
           "only where it is added in the update.", flip, step="definition of δ"),
    output("extra_sigmoid_derivative_with_cross_entropy", "The output error is multiplied with the derivative of the "
           "output activation although the cross-entropy has cancelled it already: with it the error is a − y.",
           extra_sigmoid, chapter="fused"),
    output("softmax_treated_elementwise", "Softmax is treated as if every output depended on its own z only: just the "
           "diagonal a(1 − a) of its Jacobian is used.", softmax_diagonal, chapter="Jacobian"),
    output("extra_softmax_derivative", "The output error is multiplied with the derivative of softmax once more; with "
           "the cross-entropy it is a − y already.", extra_softmax_slope, list_jacobians, chapter="fused"),
    output("softmax_derivative_missing", "The derivative of softmax is left out: ∂C/∂a is used as if it were the error "
           "∂C/∂z.", softmax_left_out, chapter="Jacobian"),
    output("softmax_jacobian_wrong", "The Jacobian of softmax, a_j(δ_jk − a_k), has a wrong sign or lacks a term.",
           softmax_jacobian, list_jacobian_faults, chapter="Jacobian"),
    output("softmax_over_wrong_axis", "In the backward pass softmax runs over the wrong axis (the samples, or "
           "everything) instead of the outputs of one sample.", softmax_other_axis, list_axes, chapter="Jacobian"),
    output("output_activation_applied_twice", "The output function is applied a second time to outputs that have "
           "passed "
           "it already.", squash_again, chapter="fused"),
    output("logits_instead_of_outputs", "The output error compares the pre-activation z with the target instead of the "
           "output a.", use_logits, list_two, "definition"),
    output("cross_entropy_derivative_unfinished", "∂C/∂a of the cross-entropy is used as the error; the factor f' of "
           "the "
           "output activation, which would make it a − y, is missing.", keep_unfused, step="elementwise chain"),
    output("cross_entropy_term_missing", "Only a part of the cross-entropy's error is there (only the entries of the "
           "true class, or one of the two terms, or one with a wrong "
           "sign).", keep_true_class, list_halves, chapter="cost"),
    output("derivative_on_linear_output", "A derivative is applied in the output layer although its activation is the "
           "identity, whose derivative is 1.", slope_on_linear, list_slopes, "elementwise chain"),
    output("hidden_derivative_on_output", "The derivative of the hidden layers' activation is applied in the output "
           "layer as well.", apply_hidden_slope, list_two, "elementwise chain"),
)  # fmt: skip
