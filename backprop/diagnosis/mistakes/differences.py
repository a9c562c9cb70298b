"""Mistakes with the difference of outputs and targets: a side missing, another shape, another cost's derivative."""

from __future__ import annotations

from backprop.codegen.lowering.nodes import Call, Expression, SumColumns, SumRows
from backprop.diagnosis.mistakes.mistake import CHAIN, TWO, Mistakes, in_line, is_output
from backprop.diagnosis.mistakes.slopes import in_terms_of_a
from backprop.diagnosis.model.cause import Cause
from backprop.diagnosis.model.net import ROWS, UNIT, Net

__all__ = ["DIFFERENCES"]

DIFFERENCES: list[Cause] = []


def finish(net: Net, layer: int, core: Expression) -> Expression:
    """Put f' behind a wrong difference where the right one has it."""
    whole = UNIT * core
    if net.fused or net.activation(layer) == "identity":
        return whole
    return net.through(layer, whole)


difference = Mistakes(DIFFERENCES, "BP1", in_line("delta", is_output, finish), {"spreads": False})
whole_error = Mistakes(DIFFERENCES, "BP1", in_line("delta", is_output), {"spreads": False})


def has_one_output(net: Net, layer: int) -> bool:
    return net.sizes[-1] == 1


def has_several_outputs(net: Net, layer: int) -> bool:
    return net.sizes[-1] > 1


@difference(ways=TWO, chapter="cost")
def targets_or_outputs_missing(net: Net, layer: int, way: str) -> Expression:
    """The output error lacks one side of the difference a − y."""
    return net.a(layer) if way == "first" else -net.Y


@difference(ways=TWO, where=has_one_output, chapter="cost")
def targets_broadcast_wrongly(net: Net, layer: int, way: str) -> Expression:
    """Outputs of shape (n, 1) and targets of shape (n,) were subtracted: broadcasting compares every output with every
    target."""
    core = net.a(layer) - SumRows(net.Y) / ROWS
    return core if way == "first" else ROWS * core


@difference("collapse", TWO, has_several_outputs)
def error_summed_over_outputs(net: Net, layer: int, way: str) -> Expression:
    """The differences of all outputs are added (or averaged), so that every output unit gets the same error."""
    shared = 0 * net.a(layer) + SumColumns(net.a(layer) - net.Y)
    return shared if way == "first" else shared / net.sizes[-1]


@difference(ways=TWO, chapter="cost")
def cost_instead_of_its_derivative(net: Net, layer: int, way: str) -> Expression:
    """The squared difference itself goes back instead of its derivative."""
    core = (net.a(layer) - net.Y) ** 2
    return core if way == "first" else core / 2


@difference(ways=TWO, where=lambda net, layer: net.residual, chapter="cost")
def derivative_of_other_cost(net: Net, layer: int, way: str) -> Expression:
    """The output error belongs to the squared error, though the cost is another function of the difference a − y."""
    gap = net.a(layer) - net.Y
    return gap if way == "first" else 2 * gap


@difference(ways=TWO, chapter="cost")
def size_of_error_lost(net: Net, layer: int, way: str) -> Expression:
    """Only the sign (or only the absolute value) of the difference a − y goes back, as for another cost."""
    return Call("sign" if way == "first" else "absolute", net.a(layer) - net.Y)


@difference("definition", TWO)
def outputs_rounded_before_error(net: Net, layer: int, way: str) -> Expression:
    """The error is taken from rounded outputs (the predicted class) instead of the outputs themselves."""
    return Call("rounded" if way == "first" else "winner", net.a(layer)) - net.Y


@difference(ways=("next_column", "previous_column"), where=has_several_outputs, chapter="cost")
def targets_of_wrong_class(net: Net, layer: int, way: str) -> Expression:
    """The targets are shifted by one class in the backward pass: labels counted from 1 are used as if counted from 0,
    or the other way round."""
    return net.a(layer) - Call(way, net.Y)


@whole_error(CHAIN, TWO, lambda net, layer: not net.fused)
def output_overwritten_by_error(net: Net, layer: int, way: str) -> Expression | None:
    """The output a is overwritten by a − y before f' is computed from it, so that f' is taken at the difference."""
    gap = net.a(layer) - net.Y
    slope = in_terms_of_a(net.activation(layer), gap if way == "first" else UNIT * gap)
    return None if slope is None else UNIT * gap * slope
