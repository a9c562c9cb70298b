"""Mistakes in the gradient of a weight, BP4, made from a right error, and in penalties on weights."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from backprop.codegen.lowering.program import (
    Add,
    Call,
    Divide,
    Expression,
    MatMul,
    Multiply,
    Name,
    Number,
    SumRows,
    Transpose,
)
from backprop.diagnosis.model.cause import Cause, is_number
from backprop.diagnosis.model.net import KAPPA, LETTERS, Net, Rewrite, bind, list_layers, pick_layer

__all__ = ["BATCH", "WEIGHTS", "Make", "list_ends", "list_scales", "slope_again"]

ROWS = LETTERS["rows"]
ZERO = Number(0)
BATCH = "a sum is a matrix product"
Make = Callable[[Net, int, object], "Expression | None"]


def list_ends(net: Net) -> Iterable[object]:
    return ("last", "first")


def list_scales(net: Net) -> Iterable[object]:
    return ("sum", "mean", "mean of all")


def slope_again(net: Net, layer: int, value: object) -> Expression | None:
    if net.activation(layer) in ("softmax", "identity"):
        return None
    return Multiply(net.delta(layer), net.slope(layer))


def error_before_slope(net: Net, layer: int, value: object) -> Expression | None:
    return None if net.activation(layer) == "identity" else net.error(layer)


def error_of_other(net: Net, layer: int, value: object) -> Expression | None:
    other = pick_layer(net, layer, value)
    if not other or other == layer or net.sizes[other] != net.sizes[layer]:
        return None
    return net.delta(other)


def weight(make: Make) -> Rewrite:
    """dW^l = what is made, with the penalty where there is one."""

    def line(net: Net, layer: int, value: object) -> Expression | None:
        made = make(net, layer, value)
        return None if made is None else net.with_penalty_W(layer, made)

    return bind(line, "dW")


def column(which: object) -> Name:
    """The same as a column of zeros and a one."""
    return Name(f"{which}_column", ("n", 1))


def on_weight(make: Make) -> Make:
    """a^{l-1}ᵀ times a changed error."""

    def changed(net: Net, layer: int, value: object) -> Expression | None:
        error = make(net, layer, value)
        return None if error is None else MatMul(Transpose(net.a(layer - 1)), error)

    return changed


def transposed(net: Net, layer: int, value: object) -> Expression | None:
    square = net.sizes[layer] == net.sizes[layer - 1] and net.sizes[layer] > 1
    return Transpose(net.weight_core(layer)) if square else None


def with_input(net: Net, layer: int, entered: Expression) -> Expression:
    return MatMul(Transpose(entered), net.delta(layer))


def preactivation(net: Net, layer: int, value: object) -> Expression | None:
    return None if layer == 1 else with_input(net, layer, net.z(layer - 1))


def slope_below(net: Net, layer: int, value: object) -> Expression | None:
    return None if layer == 1 else with_input(net, layer, net.slope(layer - 1))


def other_activation(net: Net, layer: int, value: object) -> Expression | None:
    other = pick_layer(net, layer, value)
    if other is None or other == layer - 1 or net.sizes[other] != net.sizes[layer - 1]:
        return None
    return with_input(net, layer, net.a(other))


def other_preactivation(net: Net, layer: int, value: object) -> Expression | None:
    other = pick_layer(net, layer, value)
    if not other or other == layer - 1 or net.sizes[other] != net.sizes[layer - 1]:
        return None
    return with_input(net, layer, net.z(other))


def activation_again(net: Net, layer: int, value: object) -> Expression | None:
    return None if layer == 1 else with_input(net, layer, net.value(layer - 1, net.a(layer - 1)))


def mask_below_missing(net: Net, layer: int, value: object) -> Expression | None:
    below = layer - 1
    return with_input(net, layer, net.value(below, net.z(below))) if below in net.masked else None


def one_sample(net: Net, layer: int, value: object) -> Expression | None:
    return MatMul(Transpose(Multiply(net.a(layer - 1), column(value))), net.delta(layer))


def sums_first(net: Net, layer: int, value: object) -> Expression | None:
    ones = Name("ones_row", (1, "n"))
    product: Expression = MatMul(Transpose(MatMul(ones, net.a(layer - 1))), MatMul(ones, net.delta(layer)))
    if value == "sum":
        return product
    return Divide(product, ROWS) if value == "mean" else Divide(product, Multiply(ROWS, ROWS))


def inputs_left_out(net: Net, layer: int, value: object) -> Expression | None:
    return Add(Multiply(ZERO, net.W(layer)), SumRows(net.delta(layer)))


def scaled_weight(net: Net, layer: int, value: object) -> Expression | None:
    return Multiply(KAPPA, net.weight_core(layer))


def penalty_W(net: Net, layer: int, value: object) -> Expression | None:
    if layer not in net.penalised_W:
        return None
    return Add(net.weight_core(layer), Multiply(KAPPA, net.pull(layer)))


def added_W(net: Net, layer: int, value: object) -> Expression | None:
    term = net.W(layer) if value == "square" else Call("sign", net.W(layer))
    return Add(net.right(f"dW{layer}"), Multiply(KAPPA, term))


def penalty_of_other(net: Net, layer: int, value: object) -> Expression | None:
    """The penalty with the weights of another layer of equal shape."""
    other = pick_layer(net, layer, value)
    if layer not in net.penalised_W or not other or other == layer or net.W(other).shape != net.W(layer).shape:
        return None
    return Add(net.weight_core(layer), net.pull(layer, net.W(other)))


def earlier_batch(net: Net, layer: int, value: object) -> Expression | None:
    """The first layer's weights with the batch of an earlier call."""
    if layer != 1:
        return None
    return MatMul(Transpose(Name(f"X_earlier_{value}", net.a(0).shape)), net.delta(layer))


def other_kind_W(net: Net, layer: int, value: object) -> Expression | None:
    """The penalty's derivative replaced by a sign, or a sign by the weights."""
    if layer not in net.penalised_W:
        return None
    W = net.W(layer)
    return Add(net.weight_core(layer), Multiply(KAPPA, W if net.absolute else Call("sign", W)))


def list_penalties(net: Net) -> Iterable[object]:
    return ("square", "absolute")


def times_weight(net: Net, layer: int, value: object) -> Expression | None:
    return Multiply(net.weight_core(layer), net.W(layer))


def whole_W(make: Make) -> Rewrite:
    """dW^l with the penalty already inside."""
    return bind(make, "dW")


WEIGHTS: tuple[Cause, ...] = (
    Cause("weight_gradient_transposed", "BP4",
          "The weight gradient is stored transposed (δ aᵀ instead of a δᵀ); the layer is square, so no shape tells.",
          BATCH, weight(transposed)),
    Cause("preactivation_in_weight_gradient", "BP4",
          "The weight gradient uses the pre-activation z of the layer below instead of its activation a = f(z).",
          "definition", weight(preactivation)),
    Cause("derivative_in_weight_gradient", "BP4",
          "The weight gradient uses f'(z) of the layer below instead of its activation a = f(z).", "definition",
          weight(slope_below)),
    Cause("activation_of_wrong_layer_in_weight_gradient", "BP4",
          "The weight gradient uses the activation of another layer than the one that enters these "
          "weights.", "collapse",
          weight(other_activation), list_layers),
    Cause("activation_of_wrong_layer_in_weight_gradient", "BP4",
          "The weight gradient uses the activation of another layer than the one that enters these "
          "weights.", "collapse",
          weight(other_preactivation), list_layers),
    Cause("activation_applied_twice_in_weight_gradient", "BP4",
          "The weight gradient applies the activation to what is an activation already.", "definition",
          weight(activation_again)),
    Cause("dropout_mask_missing_in_weight_gradient", "BP4",
          "The weight gradient uses the activations before dropout; the forward pass used those after "
          "it.", "definition",
          weight(mask_below_missing)),
    Cause("weight_gradient_before_activation_derivative", "BP4",
          "The weight gradient is made from the error before f' is applied, ∂C/∂a, instead of δ = ∂C/∂z.",
          "definition of δ", weight(on_weight(error_before_slope))),
    Cause("weight_gradient_derivative_applied_twice", "BP4",
          "f' is applied once more to the error before it enters the weight gradient.", "definition of δ",
          weight(on_weight(slope_again))),
    Cause("weight_gradient_of_wrong_layer", "BP4", "The weight gradient is made from the error of another layer.",
          "collapse", weight(on_weight(error_of_other)), list_layers),
    Cause("weight_gradient_of_one_sample_only", "BP4",
          "The weight gradient comes from one sample of the batch only, instead of from the sum.", BATCH,
          weight(one_sample), list_ends),
    Cause("weight_gradient_from_sums", "BP4",
          "Activations and errors are summed (or averaged) over the batch before they are multiplied; the sum of "
          "products is not the product of sums.", BATCH, weight(sums_first), list_scales),
    Cause("weight_gradient_without_inputs", "BP4",
          "The weight gradient lacks the activation that enters: every row is the bias gradient.", "product rule",
          weight(inputs_left_out)),
    Cause("weight_gradient_mean_instead_of_sum", "BP4",
          "The weight gradient is averaged over the batch where the cost asks for the sum (1/n once too often).", "",
          weight(lambda net, layer, _: Divide(net.weight_core(layer), ROWS)), chapter="scale"),
    Cause("weight_gradient_sum_instead_of_mean", "BP4",
          "The weight gradient lacks the factor 1/n of the cost.", "",
          weight(lambda net, layer, _: Multiply(ROWS, net.weight_core(layer))), chapter="scale"),
    Cause("weight_gradient_times_weight", "BP4", "The weight gradient is multiplied with the weight itself.",
          "product rule", weight(times_weight)),
    Cause("weight_gradient_zero", "BP4", "The weight gradient is zero: never computed, or never applied.", "collapse",
          whole_W(scaled_weight), fitted=True, accepts=is_number(0)),
    Cause("weight_gradient_sign_flipped", "BP4", "The weight gradient has the wrong sign.", "collapse",
          whole_W(lambda net, layer, _: Multiply(KAPPA, net.right(f"dW{layer}"))), fitted=True, accepts=is_number(-1)),
    Cause("penalty_missing", "BP4",
          "The cost has a penalty on the weights, but the weight gradient lacks its derivative: λW for ½λΣw², "
          "λ sign(W) for λΣ|w|.", "",
          whole_W(penalty_W), fitted=True, accepts=is_number(0), chapter="penalty"),
    Cause("penalty_sign_flipped", "BP4", "The penalty enters the weight gradient with the wrong sign.", "",
          whole_W(penalty_W), fitted=True, accepts=is_number(-1), chapter="penalty"),
    Cause("penalty_factor_wrong", "BP4",
          "The penalty enters the weight gradient with a wrong factor (2 or ½, or 1/n of the cost left out).", "",
          whole_W(penalty_W), fitted=True, chapter="penalty"),
    Cause("penalty_of_wrong_layer", "BP4",
          "The penalty's part of the weight gradient holds the weights of another layer.", "",
          whole_W(penalty_of_other), list_layers, chapter="penalty"),
    Cause("stale_cache", "BP4",
          "The backward pass uses values kept from an earlier call (its batch, its activations), not those of the "
          "present one.", "", weight(earlier_batch), list_ends, given="X_earlier"),
    Cause("penalty_of_other_kind", "BP4",
          "The cost penalises the squares of the weights, the gradient their absolute values (a sign instead of W), "
          "or the other way round.", "",
          whole_W(other_kind_W), fitted=True, chapter="penalty"),
    Cause("penalty_not_in_cost", "BP4",
          "The weight gradient contains a penalty (weight decay) that the cost does not have.", "",
          whole_W(added_W), list_penalties, fitted=True, chapter="penalty"),
    Cause("weight_gradient_factor_wrong", "BP4",
          "The weight gradient carries a wrong constant factor.", "",
          weight(scaled_weight), fitted=True, chapter="scale"),
)  # fmt: skip
"""Penalties have no equation of their own: their derivative is added to BP3 or BP4."""
