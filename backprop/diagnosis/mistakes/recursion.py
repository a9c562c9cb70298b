"""Mistakes in the way of the error down through the layers, BP2: which weights, which error."""

from __future__ import annotations

from backprop.codegen.lowering.nodes import Call, Expression, Name, SumColumns, SumRows
from backprop.diagnosis.mistakes.mistake import (
    CHAIN,
    DELTA,
    ENDS,
    PRODUCT,
    Mistakes,
    in_line,
    is_hidden,
    list_layers,
    pick_layer,
    pick_twin,
)
from backprop.diagnosis.model.cause import Cause
from backprop.diagnosis.model.functions import LIMITS
from backprop.diagnosis.model.net import KAPPA, ROWS, UNIT, Net

__all__ = ["RECURSION", "times_slope"]

RECURSION: list[Cause] = []


def times_slope(net: Net, layer: int, returned: Expression) -> Expression:
    """delta^l = (what came back) · f'."""
    return net.through(layer, returned)


hidden = Mistakes(RECURSION, "BP2", in_line("delta", is_hidden, times_slope))
whole = Mistakes(RECURSION, "BP2", in_line("delta", is_hidden))
update = Mistakes(RECURSION, "update", in_line("delta", is_hidden, times_slope), {"fitted": True, "chapter": "BP2"})


def is_as_wide_as_above(net: Net, layer: int) -> bool:
    return net.sizes[layer] == net.sizes[layer + 1]


@hidden(PRODUCT, where=is_as_wide_as_above)
def weights_not_transposed(net: Net, layer: int) -> Expression | None:
    """The error goes back through W instead of its transpose; the layers are equally wide, so no shape tells."""
    return None if net.sizes[layer] < 2 else net.returned(layer, weights=net.W(layer + 1))


@hidden("definition", list_layers)
def weights_of_wrong_layer(net: Net, layer: int, way: object) -> Expression | None:
    """The error goes back through the weights of another layer."""
    other = pick_layer(net, layer, way)
    if not other or other == layer + 1:
        return None
    shape, W = net.W(layer + 1).shape, net.W(other)
    if W.shape == shape:
        return net.returned(layer, weights=W.T)
    return net.returned(layer, weights=W) if W.shape == shape[::-1] else None


@hidden(DELTA)
def error_before_derivative_propagated(net: Net, layer: int) -> Expression | None:
    """What goes back is the error of the layer above before its f' is applied (the raw difference a − y, say) instead
    of δ^{l+1}."""
    above = layer + 1
    if net.activation(above) == "identity":
        return None
    error = net.error(above)
    if error is None and not net.fused and above == net.depth:
        error = UNIT * (net.a(above) - net.Y)
    return None if error is None else net.returned(layer, error)


@hidden.also(error_before_derivative_propagated, where=lambda net, layer: layer <= net.depth - 2)
def error_without_hidden_derivatives(net: Net, layer: int) -> Expression:
    """No f' of any hidden layer above: each applies its own, and hands down what it got."""
    error = net.returned(net.depth - 1)
    for lower in range(net.depth - 2, layer - 1, -1):
        error = net.returned(lower, error)
    return error


@hidden("definition", given="shifted_W")
def bias_row_dropped_at_wrong_end(net: Net, layer: int) -> Expression:
    """The bias is a row of the weights: on the way back that row has to be dropped, and another one was."""
    return net.returned(layer, weights=Name(f"shifted_W{layer + 1}", net.W(layer + 1).shape).T)


@hidden("chain over the cut", list_layers)
def error_of_wrong_layer_propagated(net: Net, layer: int, way: object) -> Expression | None:
    """Not the error of the layer directly above goes back but that of another layer, such as the output error in every
    layer."""
    other = pick_twin(net, layer, way, layer + 1, lowest=layer + 1)
    return None if other is None else net.returned(layer, net.delta(other))


@hidden("chain over the cut", where=is_as_wide_as_above)
def layer_skipped_on_the_way_back(net: Net, layer: int) -> Expression | None:
    """The error jumps over a layer on its way down."""
    return None if layer + 2 > net.depth else net.delta(layer + 2) @ net.W(layer + 2).T


@whole(DELTA, ("again", "instead"))
def derivative_of_layer_above_applied_again(net: Net, layer: int, way: str) -> Expression | None:
    """f' of the layer above is multiplied in although δ^{l+1} holds it already."""
    above = layer + 1
    if net.activation(above) in ("softmax", "identity"):
        return None
    returned = net.returned(layer, net.delta(above) * net.slope(above))
    return returned if way == "instead" else times_slope(net, layer, returned)


@hidden("definition", ("sum", "pass"))
def weights_left_out(net: Net, layer: int, way: str) -> Expression | None:
    """The errors of the layer above are added or passed on without their weights."""
    delta = net.delta(layer + 1)
    if way == "sum":
        return 0 * net.a(layer) + SumColumns(delta)
    return delta if is_as_wide_as_above(net, layer) else None


@hidden("definition")
def weights_normalised_on_the_way_back(net: Net, layer: int) -> Expression:
    """The error is shared out in proportion to the weights (divided by their sum) instead of multiplied with them."""
    W = net.W(layer + 1)
    return net.returned(layer, weights=(W / SumRows(W)).T)


@hidden(PRODUCT)
def error_averaged_over_batch_too_early(net: Net, layer: int) -> Expression:
    """The error is averaged over the batch before it goes further back; every sample has its own error."""
    delta = net.delta(layer + 1)
    return net.returned(layer, 0 * delta + SumRows(delta) / ROWS)


@whole(DELTA, ("once", "back"))
def averaged_again_in_every_layer(net: Net, layer: int, way: str) -> Expression:
    """The factor 1/n of the cost is applied again (or taken back) in a hidden layer; δ^{l+1} holds it already."""
    right = net.right(f"delta{layer}")
    return right / ROWS if way == "once" else ROWS * right


@whole(CHAIN, range(2 * len(LIMITS)))
def error_clipped_on_the_way_back(net: Net, layer: int, way: int) -> Expression:
    """The error is cut off at a limit on its way back; the cost knows nothing of that limit."""
    limit, comes_back = divmod(way, 2)
    if comes_back:
        return times_slope(net, layer, Call(f"clip_{limit}", net.returned(layer)))
    return Call(f"clip_{limit}", net.right(f"delta{layer}"))


@hidden("chain over the cut", ENDS, lambda net, layer: net.sizes[layer + 1] > 1)
def unit_left_out_on_the_way_back(net: Net, layer: int, way: str) -> Expression:
    """One unit of the layer above (its last or first) sends no error back: the sum over k ends one too early or begins
    one too late."""
    return net.returned(layer, Call(f"without_{way}", net.delta(layer + 1)))


@hidden("definition", ENDS, given="W_earlier")
def weights_of_earlier_call(net: Net, layer: int, way: str) -> Expression:
    """The error goes back through weights kept from an earlier call, not through the present ones."""
    return net.returned(layer, weights=Name(f"W_earlier_{way}{layer + 1}", net.W(layer + 1).shape).T)


@hidden("independence")
def bias_in_the_way_back(net: Net, layer: int) -> Expression:
    """A bias is added to the error that comes back; it does not depend on z."""
    return net.returned(layer) + net.b(layer)


@update("definition")
def weights_updated_before_error_goes_back(net: Net, layer: int) -> Expression:
    """The weights of the layer above are updated first, and the error goes back through the changed weights; use the
    old weights for δ, update afterwards."""
    above = layer + 1
    step = net.with_penalty_W(above, net.weight_core(above))
    return net.returned(layer, weights=(net.W(above) - KAPPA * step).T)


@update.also(weights_updated_before_error_goes_back)
def weights_updated_by_each_sample(net: Net, layer: int) -> Expression:
    """Sample by sample: each sends its error back through weights that it has changed itself."""
    return net.returned(layer) - KAPPA * (net.a(layer) * SumColumns(net.delta(layer + 1) ** 2))
