"""Mistakes with shapes and with the order of loops: reshaped for transposed, sums not reset, what a loop left over."""

from __future__ import annotations

from backprop.codegen.lowering.nodes import Call, Expression, Name, Shape, SumRows
from backprop.diagnosis.mistakes.biases import from_error, has_bias
from backprop.diagnosis.mistakes.mistake import DELTA, ENDS, PRODUCT, Mistakes, in_line, is_hidden
from backprop.diagnosis.mistakes.recursion import times_slope
from backprop.diagnosis.mistakes.slopes import has_slope, in_terms_of_a
from backprop.diagnosis.model.cause import Cause
from backprop.diagnosis.model.net import Net

__all__ = ["SHAPES"]

SHAPES: list[Cause] = []
weight = Mistakes(SHAPES, "BP4", in_line("dW", finish=Net.with_penalty_W))
hidden = Mistakes(SHAPES, "BP2", in_line("delta", is_hidden, times_slope))
bias = Mistakes(SHAPES, "BP3", in_line("db", has_bias, from_error))


def can_bend(shape: Shape) -> bool:
    """Whether reshaping differs from transposing, and from doing nothing."""
    return 1 not in shape and shape[0] != shape[1]


@weight(PRODUCT, ("factor", "inward", "outward"))
def weight_gradient_reshaped(net: Net, layer: int, way: str) -> Expression | None:
    """Where the weight gradient needs a transpose there is a reshape: the shape is right, the entries are in other
    places."""
    a, delta = net.a(layer - 1), net.delta(layer)
    if way == "factor":
        return Call("reshaped", a) @ delta
    if not can_bend(net.W(layer).shape):
        return None
    return Call("reshaped", delta.T @ a) if way == "inward" else Call("reshaped", net.weight_core(layer)).T


@hidden(PRODUCT, where=lambda net, layer: can_bend(net.W(layer + 1).shape))
def weights_reshaped(net: Net, layer: int) -> Expression:
    """The error goes back through W reshaped instead of W transposed: the shape is right, the entries are in other
    places."""
    return net.returned(layer, weights=Call("reshaped", net.W(layer + 1)))


@hidden("collapse", ("running_sum", "running_sum_of_all"), lambda net, layer: net.sizes[layer] > 1)
def error_sum_not_reset(net: Net, layer: int, way: str) -> Expression:
    """The sum over the units above is not set to zero for each unit: every unit's error also holds those of the units
    before it."""
    return Call(way, net.returned(layer))


@weight("product rule")
def weight_for_input_in_weight_gradient(net: Net, layer: int) -> Expression:
    """The error is multiplied with the weight instead of with the activation that enters through it."""
    return net.W(layer) * SumRows(net.delta(layer))


@weight(PRODUCT, ENDS)
def input_of_one_sample_for_all(net: Net, layer: int, way: str) -> Expression:
    """The errors of all samples are multiplied with the activation of one sample (the last or the first): a loop
    variable is left over from an earlier loop."""
    return net.a(layer - 1).T @ Name(f"{way}_column", ("n", 1)) * SumRows(net.delta(layer))


@bias(DELTA, ("formula", "function"), has_slope)
def bias_gradient_with_slope_at_bias(net: Net, layer: int, way: str) -> Expression | None:
    """In the bias gradient f' is taken at the bias instead of at z."""
    error, b = net.error(layer), net.b(layer)
    slope = in_terms_of_a(net.activation(layer), b) if way == "formula" else net.slope(layer, b)
    return None if error is None or slope is None else error * slope
