"""Mistakes in the gradient of a bias, BP3, made from a right error, and in penalties on biases."""

from __future__ import annotations

from backprop.codegen.lowering.program import (
    Add,
    Divide,
    Expression,
    MatMul,
    Multiply,
    Name,
    Number,
    SumAll,
    SumColumns,
    SumRows,
)
from backprop.diagnosis.mistakes.weights import BATCH, Make, list_ends, list_scales, slope_again
from backprop.diagnosis.model.cause import Cause, is_number
from backprop.diagnosis.model.net import KAPPA, LETTERS, Net, Rewrite, bind, list_layers, pick_layer

__all__ = ["BIASES"]

ROWS = LETTERS["rows"]


def bias(make: Make) -> Rewrite:
    """db^l = what is made, with the penalty where there is one."""

    def line(net: Net, layer: int, value: object) -> Expression | None:
        made = make(net, layer, value)
        return None if made is None or layer not in net.biased else net.with_penalty_b(layer, made)

    return bind(line, "db")


def row(which: object) -> Name:
    """A vector that picks one sample."""
    return Name(str(which), ("n",))


def scalar_sum(net: Net, layer: int, value: object) -> Expression | None:
    total = SumAll(net.delta(layer))
    if net.sizes[layer] == 1:
        return None
    if value == "sum":
        return total
    mean = Divide(total, ROWS)
    return mean if value == "mean" else Divide(mean, Number(net.sizes[layer]))


def not_summed(net: Net, layer: int, value: object) -> Expression | None:
    return net.delta(layer)


def wrong_axis(net: Net, layer: int, value: object) -> Expression | None:
    total = SumColumns(net.delta(layer))
    if value == "mean":
        return Divide(total, Number(net.sizes[layer]))
    return Divide(total, ROWS) if value == "mean of all" else total


def before_slope(net: Net, layer: int, value: object) -> Expression | None:
    error = None if net.activation(layer) == "identity" else net.error(layer)
    return None if error is None else SumRows(error)


def bias_of_other(net: Net, layer: int, value: object) -> Expression | None:
    other = pick_layer(net, layer, value)
    if not other or other == layer or net.sizes[other] != net.sizes[layer]:
        return None
    return SumRows(net.delta(other))


def on_bias(make: Make) -> Make:
    """The sum over the batch of a changed error."""

    def changed(net: Net, layer: int, value: object) -> Expression | None:
        error = make(net, layer, value)
        return None if error is None else SumRows(error)

    return changed


def scaled_bias(net: Net, layer: int, value: object) -> Expression | None:
    return Multiply(KAPPA, net.bias_core(layer))


def penalty_b(net: Net, layer: int, value: object) -> Expression | None:
    if layer not in net.penalised_b:
        return None
    term = Multiply(Name(f"penalty_b{layer}", ()), net.b(layer))
    return Add(net.bias_core(layer), Multiply(KAPPA, term))


def added_b(net: Net, layer: int, value: object) -> Expression | None:
    if layer in net.penalised_b or layer not in net.biased:
        return None
    return Add(net.right(f"db{layer}"), Multiply(KAPPA, net.b(layer)))


def times_itself(net: Net, layer: int, value: object) -> Expression | None:
    return Multiply(net.bias_core(layer), net.b(layer))


def bias_from_weights(net: Net, layer: int, value: object) -> Expression | None:
    return SumRows(net.weight_core(layer))


def whole_b(make: Make) -> Rewrite:
    """db^l with the penalty already inside."""

    def line(net: Net, layer: int, value: object) -> Expression | None:
        return make(net, layer, value) if layer in net.biased else None

    return bind(line, "db")


BIASES: tuple[Cause, ...] = (
    Cause("bias_gradient_mean_instead_of_sum", "BP3",
          "The bias gradient is the mean of the errors over the batch where the cost asks for their sum (1/n once too "
          "often).", "", bias(lambda net, layer, _: Divide(net.bias_core(layer), ROWS)), chapter="scale"),
    Cause("bias_gradient_sum_instead_of_mean", "BP3",
          "The bias gradient lacks the factor 1/n of the cost.", "",
          bias(lambda net, layer, _: Multiply(ROWS, net.bias_core(layer))), chapter="scale"),
    Cause("bias_gradient_not_reduced", "BP3",
          "The bias gradient keeps one row for each sample: the sum over the batch is missing.", BATCH,
          bias(not_summed)),
    Cause("bias_gradient_scalar_sum", "BP3",
          "The bias gradient is summed over everything (a sum without an axis): one number for all units of the layer.",
          BATCH, bias(scalar_sum), list_scales),
    Cause("bias_gradient_over_wrong_axis", "BP3",
          "The bias gradient is summed over the units instead of over the "
          "samples.", BATCH, bias(wrong_axis), list_scales),
    Cause("bias_gradient_of_one_sample_only", "BP3",
          "The bias gradient comes from one sample of the batch only: the last (or first) one, instead of the sum.",
          BATCH, bias(lambda net, layer, value: MatMul(row(value), net.delta(layer))), list_ends),
    Cause("bias_gradient_before_activation_derivative", "BP3",
          "The bias gradient sums the error before f' is applied, ∂C/∂a, instead of δ = ∂C/∂z.", "definition of δ",
          bias(before_slope)),
    Cause("bias_gradient_derivative_applied_twice", "BP3",
          "f' is applied once more to the error before it is summed for the bias.", "definition of δ",
          bias(on_bias(slope_again))),
    Cause("bias_gradient_of_wrong_layer", "BP3",
          "The bias gradient is made from the error of another layer.", "collapse", bias(bias_of_other), list_layers),
    Cause("bias_gradient_zero", "BP3", "The bias gradient is zero: never computed, or never applied.", "collapse",
          whole_b(scaled_bias), fitted=True, accepts=is_number(0)),
    Cause("bias_gradient_sign_flipped", "BP3", "The bias gradient has the wrong sign.", "collapse",
          whole_b(lambda net, layer, _: Multiply(KAPPA, net.right(f"db{layer}"))), fitted=True, accepts=is_number(-1)),
    Cause("bias_gradient_times_bias", "BP3", "The bias gradient is multiplied with the bias itself; ∂z/∂b is 1.",
          "independence", bias(times_itself)),
    Cause("bias_gradient_from_weight_gradient", "BP3",
          "The bias gradient is summed from the weight gradient instead of from the error.", "collapse",
          bias(bias_from_weights)),
    Cause("bias_penalty_missing", "BP3",
          "The cost has a penalty on the biases, but the bias gradient lacks its derivative.", "",
          whole_b(penalty_b), fitted=True, accepts=is_number(0), chapter="penalty"),
    Cause("bias_penalty_wrong", "BP3",
          "The penalty on the biases enters the gradient with a wrong factor or sign.", "",
          whole_b(penalty_b), fitted=True, chapter="penalty"),
    Cause("bias_penalty_not_in_cost", "BP3",
          "The bias gradient contains a penalty on the biases that the cost does not have.", "",
          whole_b(added_b), fitted=True, chapter="penalty"),
    Cause("bias_gradient_factor_wrong", "BP3",
          "The bias gradient carries a wrong constant factor.", "",
          bias(scaled_bias), fitted=True, chapter="scale"),
)  # fmt: skip
