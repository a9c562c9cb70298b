"""Mistakes in the gradient of a weight, BP4, made from a right error, and in penalties on weights.

Penalties have no equation of their own: their derivative is added to BP3 or BP4.
"""

from __future__ import annotations

from backprop.codegen.lowering.nodes import Call, Expression, Name, SumRows
from backprop.diagnosis.mistakes.mistake import (
    DELTA,
    ENDS,
    PRODUCT,
    Mistakes,
    in_line,
    list_layers,
    pick_layer,
    pick_twin,
)
from backprop.diagnosis.mistakes.slopes import has_slope
from backprop.diagnosis.model.cause import Cause, is_number
from backprop.diagnosis.model.net import KAPPA, ROWS, Net

__all__ = ["SUMS", "WEIGHTS", "slope_again"]

SUMS = ("sum", "mean", "mean of all")
WEIGHTS: list[Cause] = []


def has_layer_below(net: Net, layer: int) -> bool:
    return layer > 1


def is_penalised(net: Net, layer: int) -> bool:
    return layer in net.penalised_W


def from_error(net: Net, layer: int, error: Expression) -> Expression:
    """The weight gradient that is made from another error."""
    return net.with_penalty_W(layer, net.a(layer - 1).T @ error)


def from_input(net: Net, layer: int, entered: Expression) -> Expression:
    """The weight gradient that is made from other values than those that enter."""
    return net.with_penalty_W(layer, entered.T @ net.delta(layer))


weight = Mistakes(WEIGHTS, "BP4", in_line("dW", finish=Net.with_penalty_W))
entered = Mistakes(WEIGHTS, "BP4", in_line("dW", finish=from_input))
error = Mistakes(WEIGHTS, "BP4", in_line("dW", finish=from_error))
whole = Mistakes(WEIGHTS, "BP4", in_line("dW"))
penalty = Mistakes(WEIGHTS, "BP4", in_line("dW", is_penalised), {"chapter": "penalty"})


def slope_again(net: Net, layer: int) -> Expression | None:
    """f' once more on the error."""
    return None if net.activation(layer) in ("softmax", "identity") else net.delta(layer) * net.slope(layer)


@weight(PRODUCT)
def weight_gradient_transposed(net: Net, layer: int) -> Expression | None:
    """The weight gradient is stored transposed (δ aᵀ instead of a δᵀ); the layer is square, so no shape tells."""
    return net.weight_core(layer).T if net.sizes[layer] == net.sizes[layer - 1] > 1 else None


@entered("definition", where=has_layer_below)
def preactivation_in_weight_gradient(net: Net, layer: int) -> Expression:
    """The weight gradient uses the pre-activation z of the layer below instead of its activation a = f(z)."""
    return net.z(layer - 1)


@entered("definition", where=lambda net, layer: has_layer_below(net, layer) and net.activation(layer - 1) != "softmax")
def derivative_in_weight_gradient(net: Net, layer: int) -> Expression:
    """The weight gradient uses f'(z) of the layer below instead of its activation a = f(z)."""
    return net.slope(layer - 1)


@entered("collapse", list_layers)
def activation_of_wrong_layer_in_weight_gradient(net: Net, layer: int, way: object) -> Expression | None:
    """The weight gradient uses the activation of another layer than the one that enters these weights."""
    other = pick_twin(net, layer, way, layer - 1, lowest=0)
    return None if other is None else net.a(other)


@entered.also(activation_of_wrong_layer_in_weight_gradient, list_layers)
def preactivation_of_wrong_layer_in_weight_gradient(net: Net, layer: int, way: object) -> Expression | None:
    """Another layer's z."""
    other = pick_twin(net, layer, way, layer - 1)
    return None if other is None else net.z(other)


@entered("definition", where=has_layer_below)
def activation_applied_twice_in_weight_gradient(net: Net, layer: int) -> Expression:
    """The weight gradient applies the activation to what is an activation already."""
    return net.value(layer - 1, net.a(layer - 1))


@entered("definition", where=lambda net, layer: layer - 1 in net.masked)
def dropout_mask_missing_in_weight_gradient(net: Net, layer: int) -> Expression:
    """The weight gradient uses the activations before dropout; the forward pass used those after it."""
    return net.value(layer - 1, net.z(layer - 1))


@error(DELTA, where=has_slope)
def weight_gradient_before_activation_derivative(net: Net, layer: int) -> Expression | None:
    """The weight gradient is made from the error before f' is applied, ∂C/∂a, instead of δ = ∂C/∂z."""
    return net.error(layer)


@error(DELTA)
def weight_gradient_derivative_applied_twice(net: Net, layer: int) -> Expression | None:
    """f' is applied once more to the error before it enters the weight gradient."""
    return slope_again(net, layer)


@error("collapse", list_layers)
def weight_gradient_of_wrong_layer(net: Net, layer: int, way: object) -> Expression | None:
    """The weight gradient is made from the error of another layer."""
    other = pick_twin(net, layer, way, layer)
    return None if other is None else net.delta(other)


@entered(PRODUCT, ENDS)
def weight_gradient_of_one_sample_only(net: Net, layer: int, way: str) -> Expression:
    """The weight gradient comes from one sample of the batch only, instead of from the sum."""
    return net.a(layer - 1) * Name(f"{way}_column", ("n", 1))


@weight(PRODUCT, SUMS)
def weight_gradient_from_sums(net: Net, layer: int, way: str) -> Expression:
    """Activations and errors are summed (or averaged) over the batch before they are multiplied; the sum of products is
    not the product of sums."""
    ones = Name("ones_row", (1, "n"))
    product = (ones @ net.a(layer - 1)).T @ (ones @ net.delta(layer))
    return {"sum": product, "mean": product / ROWS, "mean of all": product / (ROWS * ROWS)}[way]


@weight("product rule")
def weight_gradient_without_inputs(net: Net, layer: int) -> Expression:
    """The weight gradient lacks the activation that enters: every row is the bias gradient."""
    return 0 * net.W(layer) + SumRows(net.delta(layer))


@weight(chapter="scale")
def weight_gradient_mean_instead_of_sum(net: Net, layer: int) -> Expression:
    """The weight gradient is averaged over the batch where the cost asks for the sum (1/n once too often)."""
    return net.weight_core(layer) / ROWS


@weight(chapter="scale")
def weight_gradient_sum_instead_of_mean(net: Net, layer: int) -> Expression:
    """The weight gradient lacks the factor 1/n of the cost."""
    return ROWS * net.weight_core(layer)


@weight("product rule")
def weight_gradient_times_weight(net: Net, layer: int) -> Expression:
    """The weight gradient is multiplied with the weight itself."""
    return net.weight_core(layer) * net.W(layer)


@whole("collapse", fitted=True, accepts=is_number(0))
def weight_gradient_zero(net: Net, layer: int) -> Expression:
    """The weight gradient is zero: never computed, or never applied."""
    return KAPPA * net.weight_core(layer)


@whole("collapse", fitted=True, accepts=is_number(-1))
def weight_gradient_sign_flipped(net: Net, layer: int) -> Expression:
    """The weight gradient has the wrong sign."""
    return KAPPA * net.right(f"dW{layer}")


def scaled_penalty(net: Net, layer: int) -> Expression:
    """The penalty's part times a free number."""
    return net.weight_core(layer) + KAPPA * net.pull(layer)


@penalty(fitted=True, accepts=is_number(0))
def penalty_missing(net: Net, layer: int) -> Expression:
    """The cost has a penalty on the weights, but the weight gradient lacks its derivative: λW for ½λΣw², λ sign(W) for
    λΣ|w|."""
    return scaled_penalty(net, layer)


@penalty(fitted=True, accepts=is_number(-1))
def penalty_sign_flipped(net: Net, layer: int) -> Expression:
    """The penalty enters the weight gradient with the wrong sign."""
    return scaled_penalty(net, layer)


@penalty(fitted=True)
def penalty_factor_wrong(net: Net, layer: int) -> Expression:
    """The penalty enters the weight gradient with a wrong factor (2 or ½, or 1/n of the cost left out)."""
    return scaled_penalty(net, layer)


@penalty(ways=list_layers)
def penalty_of_wrong_layer(net: Net, layer: int, way: object) -> Expression | None:
    """The penalty's part of the weight gradient holds the weights of another layer."""
    other = pick_layer(net, layer, way)
    if not other or other == layer or net.W(other).shape != net.W(layer).shape:
        return None
    return net.weight_core(layer) + net.pull(layer, net.W(other))


@entered(ways=ENDS, where=lambda net, layer: layer == 1, given="X_earlier")
def stale_cache(net: Net, layer: int, way: str) -> Expression:
    """The backward pass uses values kept from an earlier call (its batch, its activations), not those of the present
    one."""
    return Name(f"X_earlier_{way}", net.a(0).shape)


@penalty(fitted=True)
def penalty_of_other_kind(net: Net, layer: int) -> Expression:
    """The cost penalises the squares of the weights, the gradient their absolute values (a sign instead of W), or the
    other way round."""
    W = net.W(layer)
    return net.weight_core(layer) + KAPPA * (W if net.absolute else Call("sign", W))


@whole(ways=("square", "absolute"), fitted=True, chapter="penalty")
def penalty_not_in_cost(net: Net, layer: int, way: str) -> Expression:
    """The weight gradient contains a penalty (weight decay) that the cost does not have."""
    W = net.W(layer)
    return net.right(f"dW{layer}") + KAPPA * (W if way == "square" else Call("sign", W))


@weight(fitted=True, chapter="scale")
def weight_gradient_factor_wrong(net: Net, layer: int) -> Expression:
    """The weight gradient carries a wrong constant factor."""
    return KAPPA * net.weight_core(layer)
