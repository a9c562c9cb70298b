"""Mistakes with the difference of outputs and targets: a side missing, another shape, another cost's derivative."""

from __future__ import annotations

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
from backprop.diagnosis.mistakes.outputs import ROWS, UNIT, list_two, output, through_softmax
from backprop.diagnosis.mistakes.slopes import in_terms_of_a
from backprop.diagnosis.model.cause import Cause
from backprop.diagnosis.model.net import Net

__all__ = ["DIFFERENCES"]


def finish(net: Net, layer: int, core: Expression) -> Expression:
    """Put f' behind a wrong difference where the right one has it."""
    with_slope = not net.fused and net.activation(layer) not in ("softmax", "identity")
    whole = Multiply(UNIT, core)
    if not net.fused and net.activation(layer) == "softmax":
        return through_softmax(net, layer, whole)
    return Multiply(whole, net.slope(layer)) if with_slope else whole


def broadcast_targets(net: Net, layer: int, value: object) -> Expression | None:
    if net.sizes[-1] != 1:
        return None
    total = Divide(SumRows(net.Y), ROWS)
    core = Subtract(net.a(layer), total)
    if value == "first":
        return finish(net, layer, core)
    return finish(net, layer, Multiply(ROWS, core))


def sum_over_outputs(net: Net, layer: int, value: object) -> Expression | None:
    if net.sizes[-1] == 1:
        return None
    total = SumColumns(Subtract(net.a(layer), net.Y))
    shared = Add(Multiply(Number(0), net.a(layer)), total)
    return finish(net, layer, shared if value == "first" else Divide(shared, Number(net.sizes[-1])))


def square_difference(net: Net, layer: int, value: object) -> Expression | None:
    core = Power(Subtract(net.a(layer), net.Y), 2)
    return finish(net, layer, core if value == "first" else Divide(core, Number(2)))


def sign_of_difference(net: Net, layer: int, value: object) -> Expression | None:
    wrap = "sign" if value == "first" else "absolute"
    return finish(net, layer, Call(wrap, Subtract(net.a(layer), net.Y)))


def round_outputs(net: Net, layer: int, value: object) -> Expression | None:
    return finish(net, layer, Subtract(Call("rounded" if value == "first" else "winner", net.a(layer)), net.Y))


def differentiate_other(net: Net, layer: int, value: object) -> Expression | None:
    """The difference of the squared error where the cost is another function of the difference."""
    gap = Subtract(net.a(layer), net.Y)
    if not net.residual:
        return None
    return finish(net, layer, gap if value == "first" else Multiply(Number(2), gap))


def forget_targets(net: Net, layer: int, value: object) -> Expression | None:
    return finish(net, layer, net.a(layer) if value == "first" else Negate(net.Y))


def shift_targets(net: Net, layer: int, value: object) -> Expression | None:
    """The class beside the right one."""
    if net.sizes[-1] < 2:
        return None
    return finish(net, layer, Subtract(net.a(layer), Call(str(value), net.Y)))


def list_shifts(net: Net) -> tuple[object, ...]:
    return ("next_column", "previous_column")


def slope_of_difference(net: Net, layer: int, value: object) -> Expression | None:
    """(a − y) f', with f' from a − y, because a − y was written where a stood."""
    gap: Expression = Subtract(net.a(layer), net.Y)
    kept = gap if value == "first" else Multiply(UNIT, gap)
    slope = None if net.fused else in_terms_of_a(net, layer, kept)
    return None if slope is None else Multiply(Multiply(UNIT, gap), slope)


DIFFERENCES: tuple[Cause, ...] = (
    output("targets_or_outputs_missing", "The output error lacks one side of the difference a − y.", forget_targets,
           list_two, chapter="cost"),
    output("targets_broadcast_wrongly", "Outputs of shape (n, 1) and targets of shape (n,) were subtracted: "
           "broadcasting "
           "compares every output with every target.", broadcast_targets, list_two, chapter="cost"),
    output("error_summed_over_outputs", "The differences of all outputs are added (or averaged), so that every output "
           "unit gets the same error.", sum_over_outputs, list_two, "collapse"),
    output("cost_instead_of_its_derivative", "The squared difference itself goes back instead of its derivative.",
           square_difference, list_two, chapter="cost"),
    output("derivative_of_other_cost", "The output error belongs to the squared error, though the cost is another "
           "function of the difference a − y.", differentiate_other, list_two, chapter="cost"),
    output("size_of_error_lost", "Only the sign (or only the absolute value) of the difference a − y goes back, as for "
           "another cost.", sign_of_difference, list_two, chapter="cost"),
    output("outputs_rounded_before_error", "The error is taken from rounded outputs (the predicted class) instead of "
           "the "
           "outputs themselves.", round_outputs, list_two, "definition"),
    output("targets_of_wrong_class", "The targets are shifted by one class in the backward pass: labels counted from 1 "
           "are used as if counted from 0, or the other way round.", shift_targets, list_shifts, chapter="cost"),
    output("output_overwritten_by_error", "The output a is overwritten by a − y before f' is computed from it, so that "
           "f' is taken at the difference.", slope_of_difference, list_two, step="elementwise chain"),
)  # fmt: skip
