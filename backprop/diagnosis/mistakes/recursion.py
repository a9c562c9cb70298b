"""Mistakes in the way of the error down through the layers, BP2: which weights, which error, which mask."""

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
    Power,
    Program,
    Subtract,
    SumColumns,
    SumRows,
    Transpose,
)
from backprop.diagnosis.model.cause import Cause
from backprop.diagnosis.model.functions import LIMITS
from backprop.diagnosis.model.net import KAPPA, LETTERS, Net, Rewrite, bind, list_layers, pick_layer, set_line

__all__ = ["RECURSION"]

ROWS = LETTERS["rows"]
Make = Callable[[Net, int, object], "Expression | None"]
PRODUCT = "a sum is a matrix product"


def sent(net: Net, layer: int, returned: Expression | None) -> Expression | None:
    """delta^l = (what came back) · f'."""
    return None if returned is None else Multiply(returned, net.slope(layer))


def untransposed(net: Net, layer: int, value: object) -> Expression | None:
    if net.sizes[layer] != net.sizes[layer + 1] or net.sizes[layer] < 2:
        return None
    return sent(net, layer, net.returned(layer, weights=net.W(layer + 1)))


def other_weights(net: Net, layer: int, value: object) -> Expression | None:
    other = pick_layer(net, layer, value)
    if not other or other == layer + 1:
        return None
    own, W = net.W(layer + 1), net.W(other)
    if W.shape == own.shape:
        return sent(net, layer, net.returned(layer, weights=Transpose(W)))
    if W.shape == own.shape[::-1]:
        return sent(net, layer, net.returned(layer, weights=W))
    return None


def updated_weights(net: Net, layer: int, value: object) -> Expression | None:
    above = layer + 1
    step: Expression = MatMul(Transpose(net.a(layer)), net.delta(above))
    changed = Subtract(net.W(above), Multiply(KAPPA, net.with_penalty_W(above, step)))
    return sent(net, layer, net.returned(layer, weights=Transpose(changed)))


def updated_by_sample(net: Net, layer: int, value: object) -> Expression | None:
    above = layer + 1
    size = SumColumns(Power(net.delta(above), 2))
    moved = Multiply(KAPPA, Multiply(net.a(layer), size))
    return sent(net, layer, Subtract(net.returned(layer), moved))


def weights_left_out(net: Net, layer: int, value: object) -> Expression | None:
    """The errors of the layer above, summed or passed on without weights."""
    delta = net.delta(layer + 1)
    if value == "sum":
        ones = Add(Multiply(Number(0), net.a(layer)), SumColumns(delta))
        return sent(net, layer, ones)
    return sent(net, layer, delta) if net.sizes[layer] == net.sizes[layer + 1] else None


def list_ways(net: Net) -> Iterable[object]:
    return ("sum", "pass")


def normalised_weights(net: Net, layer: int, value: object) -> Expression | None:
    W = net.W(layer + 1)
    return sent(net, layer, net.returned(layer, weights=Transpose(Divide(W, SumRows(W)))))


def error_of_other_layer(net: Net, layer: int, value: object) -> Expression | None:
    """delta of a layer further up, of equal width."""
    other = pick_layer(net, layer, value)
    if other is None or other <= layer + 1 or net.sizes[other] != net.sizes[layer + 1]:
        return None
    return sent(net, layer, net.returned(layer, net.delta(other)))


def layer_skipped(net: Net, layer: int, value: object) -> Expression | None:
    """delta^{l+2} W^{l+2} goes straight into layer l, past the layer between, of equal width."""
    if layer + 2 > net.depth or net.sizes[layer] != net.sizes[layer + 1]:
        return None
    return sent(net, layer, MatMul(net.delta(layer + 2), Transpose(net.W(layer + 2))))


def raw_error(net: Net, layer: int, value: object) -> Expression | None:
    above = layer + 1
    if net.activation(above) == "identity":
        return None
    error = net.error(above)
    if error is None:
        error = Multiply(LETTERS["unit"], Subtract(net.a(above), net.Y)) if not net.fused else None
    return None if error is None else sent(net, layer, net.returned(layer, error))


def raw_chain(net: Net, layer: int, value: object) -> Expression | None:
    """No f' of any hidden layer above: each applies its own, and hands down what it got."""
    if layer > net.depth - 2:
        return None
    error = net.returned(net.depth - 1)
    for lower in range(net.depth - 2, layer - 1, -1):
        error = MatMul(error, Transpose(net.W(lower + 1)))
        error = Multiply(error, net.mask(lower)) if lower in net.masked else error
    return sent(net, layer, error)


def drop_wrong_end(net: Net, layer: int, value: object) -> Expression | None:
    """The row of the bias kept and another row dropped, where the bias is a row of the weights."""
    above = net.W(layer + 1)
    return sent(net, layer, net.returned(layer, weights=Transpose(Name(f"shifted_W{layer + 1}", above.shape))))


def slope_above_again(net: Net, layer: int, value: object) -> Expression | None:
    above = layer + 1
    if net.activation(above) in ("softmax", "identity"):
        return None
    again = Multiply(net.delta(above), net.slope(above))
    returned = net.returned(layer, again)
    return returned if value == "instead" else sent(net, layer, returned)


def list_again(net: Net) -> Iterable[object]:
    return ("again", "instead")


def averaged_error(net: Net, layer: int, value: object) -> Expression | None:
    mean = Divide(SumRows(net.delta(layer + 1)), ROWS)
    whole = Add(Multiply(Number(0), net.delta(layer + 1)), mean)
    return sent(net, layer, net.returned(layer, whole))


def averaged_again(net: Net, layer: int, value: object) -> Expression | None:
    factor = Divide(net.right(f"delta{layer}"), ROWS)
    return factor if value == "once" else Multiply(ROWS, net.right(f"delta{layer}"))


def list_once(net: Net) -> Iterable[object]:
    return ("once", "back")


def clipped(net: Net, layer: int, value: object) -> Expression | None:
    """What comes back, or the finished error, cut off at a limit."""
    limit, place = divmod(int(str(value)), 2)
    if place:
        return sent(net, layer, Call(f"clip_{limit}", net.returned(layer)))
    return Call(f"clip_{limit}", net.right(f"delta{layer}"))


def list_limits(net: Net) -> Iterable[object]:
    return range(2 * len(LIMITS))


def unit_left_out(net: Net, layer: int, value: object) -> Expression | None:
    """The errors of the layer above but one, its first or its last."""
    if net.sizes[layer + 1] < 2:
        return None
    return sent(net, layer, net.returned(layer, delta=Call(f"without_{value}", net.delta(layer + 1))))


def list_ends(net: Net) -> Iterable[object]:
    return ("last", "first")


def earlier_weights(net: Net, layer: int, value: object) -> Expression | None:
    """The weights of the layer above as they were at an earlier call."""
    W = net.W(layer + 1)
    return sent(net, layer, net.returned(layer, weights=Transpose(Name(f"W_earlier_{value}{layer + 1}", W.shape))))


def bias_added(net: Net, layer: int, value: object) -> Expression | None:
    return sent(net, layer, Add(net.returned(layer), net.b(layer)))


def without_mask(net: Net, layer: int, value: object) -> Expression | None:
    if layer not in net.masked:
        return None
    product = MatMul(net.delta(layer + 1), Transpose(net.W(layer + 1)))
    kinds: dict[object, Expression] = {
        "none": product,
        "scale kept": Multiply(Call("keep_scale", net.mask(layer)), product),
    }
    return sent(net, layer, kinds[value])


def other_mask(net: Net, layer: int, value: object) -> Expression | None:
    """The mask of another layer of equal width."""
    others = [k for k in sorted(net.masked) if k != layer and net.sizes[k] == net.sizes[layer]]
    if layer not in net.masked or not others:
        return None
    product = MatMul(net.delta(layer + 1), Transpose(net.W(layer + 1)))
    return sent(net, layer, Multiply(product, net.mask(others[0])))


def list_mask_faults(net: Net) -> Iterable[object]:
    return ("none", "scale kept")


def mask_unscaled(net: Net, layer: int, value: object) -> Expression | None:
    if layer not in net.masked:
        return None
    product = MatMul(net.delta(layer + 1), Transpose(net.W(layer + 1)))
    return sent(net, layer, Multiply(Call("keep_pattern", net.mask(layer)), product))


def mask_twice(net: Net, layer: int, value: object) -> Expression | None:
    return sent(net, layer, Multiply(net.returned(layer), net.mask(layer))) if layer in net.masked else None


def slope_from_masked(net: Net, program: Program, layer: int, value: object) -> Program | None:
    """f' by its formula in a, where a already went through the mask."""
    if layer not in net.masked or layer == net.depth:
        return None
    a = net.a(layer)
    kinds: dict[str, Expression] = {
        "sigmoid": Multiply(a, Subtract(Number(1), a)),
        "tanh": Subtract(Number(1), Power(a, 2)),
    }
    made = kinds.get(net.activation(layer))
    return None if made is None else set_line(program, f"delta{layer}", Multiply(net.returned(layer), made))


def hidden(make: Make) -> Rewrite:
    """A rewrite of the error of a hidden layer."""
    return bind(make, "delta", only="hidden")


RECURSION: tuple[Cause, ...] = (
    Cause("dropout_mask_missing_in_backward", "BP2",
          "The dropout mask of the forward pass is not applied to the error that comes back: units that were switched "
          "off get an error.", "definition",
          hidden(without_mask), list_mask_faults, chapter="dropout"),
    Cause("dropout_scale_missing_in_backward", "BP2",
          "The error is masked but not divided by the keep probability as the forward pass is (inverted dropout).",
          "definition", hidden(mask_unscaled), chapter="dropout"),
    Cause("dropout_mask_applied_twice", "BP2",
          "The dropout mask with its scale is applied twice to the error.", "definition", hidden(mask_twice),
          chapter="dropout"),
    Cause("dropout_masks_exchanged", "BP2",
          "The dropout mask of another layer is applied to the error.", "definition", hidden(other_mask),
          chapter="dropout"),
    Cause("derivative_from_masked_activation", "BP2",
          "f' is computed from the activation after dropout instead of before it.", "elementwise chain",
          slope_from_masked),
    Cause("weights_not_transposed", "BP2",
          "The error goes back through W instead of its transpose; the layers are equally wide, so no shape tells.",
          PRODUCT, hidden(untransposed)),
    Cause("weights_of_wrong_layer", "BP2",
          "The error goes back through the weights of another "
          "layer.", "definition", hidden(other_weights), list_layers),
    Cause("error_before_derivative_propagated", "BP2",
          "What goes back is the error of the layer above before its f' is applied (the raw difference a − y, say) "
          "instead of δ^{l+1}.", "definition of δ", hidden(raw_error)),
    Cause("error_before_derivative_propagated", "BP2",
          "What goes back is the error of the layer above before its f' is applied (the raw difference a − y, say) "
          "instead of δ^{l+1}.", "definition of δ", hidden(raw_chain)),
    Cause("bias_row_dropped_at_wrong_end", "BP2",
          "The bias is a row of the weights: on the way back that row has to be dropped, and another one was.",
          "definition", hidden(drop_wrong_end), given="shifted_W"),
    Cause("error_of_wrong_layer_propagated", "BP2",
          "Not the error of the layer directly above goes back but that of another layer, such as the output error in "
          "every layer.", "chain over the cut", hidden(error_of_other_layer), list_layers),
    Cause("layer_skipped_on_the_way_back", "BP2",
          "The error jumps over a layer on its way down.", "chain over the cut", hidden(layer_skipped)),
    Cause("derivative_of_layer_above_applied_again", "BP2",
          "f' of the layer above is multiplied in although δ^{l+1} holds it already.", "definition of δ",
          hidden(slope_above_again), list_again),
    Cause("weights_left_out", "BP2",
          "The errors of the layer above are added or passed on without their weights.", "definition",
          hidden(weights_left_out), list_ways),
    Cause("weights_normalised_on_the_way_back", "BP2",
          "The error is shared out in proportion to the weights (divided by their sum) instead of multiplied with "
          "them.",
          "definition", hidden(normalised_weights)),
    Cause("error_averaged_over_batch_too_early", "BP2",
          "The error is averaged over the batch before it goes further back; every sample has its own error.",
          PRODUCT, hidden(averaged_error)),
    Cause("averaged_again_in_every_layer", "BP2",
          "The factor 1/n of the cost is applied again (or taken back) in a hidden layer; δ^{l+1} holds it already.",
          "definition of δ", hidden(averaged_again), list_once),
    Cause("error_clipped_on_the_way_back", "BP2",
          "The error is cut off at a limit on its way back; the cost knows nothing of that limit.", "elementwise chain",
          hidden(clipped), list_limits),
    Cause("unit_left_out_on_the_way_back", "BP2",
          "One unit of the layer above (its last or first) sends no error back: the sum over k ends one too early or "
          "begins one too late.", "chain over the cut", hidden(unit_left_out), list_ends),
    Cause("weights_of_earlier_call", "BP2",
          "The error goes back through weights kept from an earlier call, not through the present ones.", "definition",
          hidden(earlier_weights), list_ends, given="W_earlier"),
    Cause("bias_in_the_way_back", "BP2",
          "A bias is added to the error that comes back; it does not depend on z.", "independence", hidden(bias_added)),
    Cause("weights_updated_before_error_goes_back", "update",
          "The weights of the layer above are updated first, and the error goes back through the changed weights; use "
          "the old weights for δ, update afterwards.", "definition",
          hidden(updated_weights), fitted=True, chapter="BP2"),
    Cause("weights_updated_before_error_goes_back", "update",
          "The weights of the layer above are updated first, and the error goes back through the changed weights; use "
          "the old weights for δ, update afterwards.", "definition",
          hidden(updated_by_sample), fitted=True, chapter="BP2"),
)  # fmt: skip
