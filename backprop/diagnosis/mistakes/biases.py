"""Mistakes in the gradient of a bias, BP3, made from a right error, and in penalties on biases."""

from __future__ import annotations

from backprop.codegen.lowering.nodes import Expression, Name, SumAll, SumColumns, SumRows
from backprop.diagnosis.mistakes.mistake import DELTA, ENDS, PRODUCT, Mistakes, in_line, list_layers, pick_twin
from backprop.diagnosis.mistakes.slopes import has_slope
from backprop.diagnosis.mistakes.weights import SUMS, slope_again
from backprop.diagnosis.model.cause import Cause, is_number
from backprop.diagnosis.model.net import KAPPA, ROWS, Net

__all__ = ["BIASES", "has_bias"]

BIASES: list[Cause] = []


def has_bias(net: Net, layer: int) -> bool:
    return layer in net.biased


def is_penalised(net: Net, layer: int) -> bool:
    return layer in net.penalised_b


def from_error(net: Net, layer: int, error: Expression) -> Expression:
    """The bias gradient that is made from another error."""
    return net.with_penalty_b(layer, SumRows(error))


bias = Mistakes(BIASES, "BP3", in_line("db", has_bias, Net.with_penalty_b))
error = Mistakes(BIASES, "BP3", in_line("db", has_bias, from_error))
whole = Mistakes(BIASES, "BP3", in_line("db", has_bias))
penalty = Mistakes(BIASES, "BP3", in_line("db", has_bias), {"fitted": True, "chapter": "penalty"})


@bias(chapter="scale")
def bias_gradient_mean_instead_of_sum(net: Net, layer: int) -> Expression:
    """The bias gradient is the mean of the errors over the batch where the cost asks for their sum (1/n once too
    often)."""
    return net.bias_core(layer) / ROWS


@bias(chapter="scale")
def bias_gradient_sum_instead_of_mean(net: Net, layer: int) -> Expression:
    """The bias gradient lacks the factor 1/n of the cost."""
    return ROWS * net.bias_core(layer)


@bias(PRODUCT)
def bias_gradient_not_reduced(net: Net, layer: int) -> Expression:
    """The bias gradient keeps one row for each sample: the sum over the batch is missing."""
    return net.delta(layer)


@bias(PRODUCT, SUMS, lambda net, layer: net.sizes[layer] > 1)
def bias_gradient_scalar_sum(net: Net, layer: int, way: str) -> Expression:
    """The bias gradient is summed over everything (a sum without an axis): one number for all units of the layer."""
    total = SumAll(net.delta(layer))
    return {"sum": total, "mean": total / ROWS, "mean of all": total / ROWS / net.sizes[layer]}[way]


@bias(PRODUCT, SUMS)
def bias_gradient_over_wrong_axis(net: Net, layer: int, way: str) -> Expression:
    """The bias gradient is summed over the units instead of over the samples."""
    total = SumColumns(net.delta(layer))
    return {"sum": total, "mean": total / net.sizes[layer], "mean of all": total / ROWS}[way]


@bias(PRODUCT, ENDS)
def bias_gradient_of_one_sample_only(net: Net, layer: int, way: str) -> Expression:
    """The bias gradient comes from one sample of the batch only: the last (or first) one, instead of the sum."""
    return Name(way, ("n",)) @ net.delta(layer)


@error(DELTA, where=has_slope)
def bias_gradient_before_activation_derivative(net: Net, layer: int) -> Expression | None:
    """The bias gradient sums the error before f' is applied, ∂C/∂a, instead of δ = ∂C/∂z."""
    return net.error(layer)


@error(DELTA)
def bias_gradient_derivative_applied_twice(net: Net, layer: int) -> Expression | None:
    """f' is applied once more to the error before it is summed for the bias."""
    return slope_again(net, layer)


@error("collapse", list_layers)
def bias_gradient_of_wrong_layer(net: Net, layer: int, way: object) -> Expression | None:
    """The bias gradient is made from the error of another layer."""
    other = pick_twin(net, layer, way, layer)
    return None if other is None else net.delta(other)


@whole("collapse", fitted=True, accepts=is_number(0))
def bias_gradient_zero(net: Net, layer: int) -> Expression:
    """The bias gradient is zero: never computed, or never applied."""
    return KAPPA * net.bias_core(layer)


@whole("collapse", fitted=True, accepts=is_number(-1))
def bias_gradient_sign_flipped(net: Net, layer: int) -> Expression:
    """The bias gradient has the wrong sign."""
    return KAPPA * net.right(f"db{layer}")


@bias("independence")
def bias_gradient_times_bias(net: Net, layer: int) -> Expression:
    """The bias gradient is multiplied with the bias itself; ∂z/∂b is 1."""
    return net.bias_core(layer) * net.b(layer)


@bias("collapse")
def bias_gradient_from_weight_gradient(net: Net, layer: int) -> Expression:
    """The bias gradient is summed from the weight gradient instead of from the error."""
    return SumRows(net.weight_core(layer))


def scaled_penalty(net: Net, layer: int) -> Expression:
    """The penalty's part times a free number."""
    return net.bias_core(layer) + KAPPA * (Name(f"penalty_b{layer}", ()) * net.b(layer))


@penalty(where=is_penalised, accepts=is_number(0))
def bias_penalty_missing(net: Net, layer: int) -> Expression:
    """The cost has a penalty on the biases, but the bias gradient lacks its derivative."""
    return scaled_penalty(net, layer)


@penalty(where=is_penalised)
def bias_penalty_wrong(net: Net, layer: int) -> Expression:
    """The penalty on the biases enters the gradient with a wrong factor or sign."""
    return scaled_penalty(net, layer)


@penalty(where=lambda net, layer: not is_penalised(net, layer))
def bias_penalty_not_in_cost(net: Net, layer: int) -> Expression:
    """The bias gradient contains a penalty on the biases that the cost does not have."""
    return net.right(f"db{layer}") + KAPPA * net.b(layer)


@bias(fitted=True, chapter="scale")
def bias_gradient_factor_wrong(net: Net, layer: int) -> Expression:
    """The bias gradient carries a wrong constant factor."""
    return KAPPA * net.bias_core(layer)
