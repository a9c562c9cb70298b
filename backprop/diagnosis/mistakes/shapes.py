"""Mistakes with shapes and with the order of loops: reshaped for transposed, sums not reset, what a loop left over."""

from __future__ import annotations

from collections.abc import Iterable

from backprop.codegen.lowering.program import Call, Expression, MatMul, Multiply, Name, Shape, SumRows, Transpose
from backprop.diagnosis.mistakes.slopes import in_terms_of_a
from backprop.diagnosis.mistakes.weights import list_ends
from backprop.diagnosis.model.cause import Cause
from backprop.diagnosis.model.net import Net, bind

__all__ = ["SHAPES"]

PRODUCT = "a sum is a matrix product"


def reshape_activations(net: Net, layer: int, value: object) -> Expression | None:
    """a.reshape(M, n) @ delta, or the product itself kept the other way round and reshaped."""
    if value != "factor":
        if not can_bend(net.W(layer).shape):
            return None
        core, turned = net.weight_core(layer), MatMul(Transpose(net.delta(layer)), net.a(layer - 1))
        bent = Call("reshaped", turned) if value == "inward" else Transpose(Call("reshaped", core))
        return net.with_penalty_W(layer, bent)
    return net.with_penalty_W(layer, MatMul(Call("reshaped", net.a(layer - 1)), net.delta(layer)))


def can_bend(shape: Shape) -> bool:
    """Whether reshaping differs from transposing, and from doing nothing."""
    return 1 not in shape and shape[0] != shape[1]


def reshape_weights(net: Net, layer: int, value: object) -> Expression | None:
    """delta @ W.reshape(M_out, M_in)"""
    W = net.W(layer + 1)
    if not can_bend(W.shape):
        return None
    return Multiply(net.returned(layer, weights=Call("reshaped", W)), net.slope(layer))


def list_reshaped(net: Net) -> Iterable[object]:
    return ("factor", "inward", "outward")


def keep_summing(net: Net, layer: int, value: object) -> Expression | None:
    """The error of a unit holds those of the units before it (of the samples before it, too)."""
    if net.sizes[layer] < 2:
        return None
    return Multiply(Call(str(value), net.returned(layer)), net.slope(layer))


def list_sums(net: Net) -> Iterable[object]:
    return ("running_sum", "running_sum_of_all")


def weight_for_input(net: Net, layer: int, value: object) -> Expression | None:
    """dW_ij = w_ij Σ_n delta_nj"""
    return net.with_penalty_W(layer, Multiply(net.W(layer), SumRows(net.delta(layer))))


def input_left_over(net: Net, layer: int, value: object) -> Expression | None:
    """dW_ij = a_mi Σ_n delta_nj with one sample m for all."""
    picked = MatMul(Transpose(net.a(layer - 1)), Name(f"{value}_column", ("n", 1)))
    return net.with_penalty_W(layer, Multiply(picked, SumRows(net.delta(layer))))


def slope_at_bias(net: Net, layer: int, value: object) -> Expression | None:
    """db = Σ_n ∂C/∂a · f'(b)"""
    error, b = net.error(layer), net.b(layer)
    slope = in_terms_of_a(net, layer, b) if value == "formula" else net.slope(layer, b)
    if layer not in net.biased or error is None or slope is None or net.activation(layer) == "identity":
        return None
    return net.with_penalty_b(layer, SumRows(Multiply(error, slope)))


def list_slopes(net: Net) -> Iterable[object]:
    return ("formula", "function")


SHAPES: tuple[Cause, ...] = (
    Cause("weight_gradient_reshaped", "BP4",
          "Where the weight gradient needs a transpose there is a reshape: the shape is right, the entries are in "
          "other places.", PRODUCT, bind(reshape_activations, "dW"), list_reshaped),
    Cause("weights_reshaped", "BP2",
          "The error goes back through W reshaped instead of W transposed: the shape is right, the entries are in "
          "other places.", PRODUCT, bind(reshape_weights, "delta", only="hidden")),
    Cause("error_sum_not_reset", "BP2",
          "The sum over the units above is not set to zero for each unit: every unit's error also holds those of the "
          "units before it.", "collapse", bind(keep_summing, "delta", only="hidden"), list_sums),
    Cause("weight_for_input_in_weight_gradient", "BP4",
          "The error is multiplied with the weight instead of with the activation that enters through it.",
          "product rule", bind(weight_for_input, "dW")),
    Cause("input_of_one_sample_for_all", "BP4",
          "The errors of all samples are multiplied with the activation of one sample (the last or the first): a loop "
          "variable is left over from an earlier loop.", PRODUCT, bind(input_left_over, "dW"), list_ends),
    Cause("bias_gradient_with_slope_at_bias", "BP3",
          "In the bias gradient f' is taken at the bias instead of at z.", "definition of δ",
          bind(slope_at_bias, "db"), list_slopes),
)  # fmt: skip
