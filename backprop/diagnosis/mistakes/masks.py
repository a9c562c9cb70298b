"""Mistakes with dropout masks on the way back, BP2."""

from __future__ import annotations

from backprop.codegen.lowering.nodes import Call, Expression
from backprop.diagnosis.mistakes.mistake import CHAIN, Mistakes, in_line, is_hidden
from backprop.diagnosis.mistakes.recursion import times_slope
from backprop.diagnosis.mistakes.slopes import in_terms_of_a
from backprop.diagnosis.model.cause import Cause
from backprop.diagnosis.model.net import Net

__all__ = ["MASKS", "is_masked"]

MASKS: list[Cause] = []


def is_masked(net: Net, layer: int) -> bool:
    return layer in net.masked


def is_masked_hidden(net: Net, layer: int) -> bool:
    return is_hidden(net, layer) and is_masked(net, layer)


dropout = Mistakes(MASKS, "BP2", in_line("delta", is_masked_hidden, times_slope), {"chapter": "dropout"})
slope = Mistakes(MASKS, "BP2", in_line("delta", is_masked_hidden, lambda net, layer, made: net.returned(layer) * made))


def unmasked(net: Net, layer: int) -> Expression:
    """What comes back before the mask."""
    return net.delta(layer + 1) @ net.W(layer + 1).T


@dropout("definition", ("none", "scale kept"))
def dropout_mask_missing_in_backward(net: Net, layer: int, way: str) -> Expression:
    """The dropout mask of the forward pass is not applied to the error that comes back: units that were switched off
    get an error."""
    product = unmasked(net, layer)
    return product if way == "none" else Call("keep_scale", net.mask(layer)) * product


@dropout("definition")
def dropout_scale_missing_in_backward(net: Net, layer: int) -> Expression:
    """The error is masked but not divided by the keep probability as the forward pass is (inverted dropout)."""
    return Call("keep_pattern", net.mask(layer)) * unmasked(net, layer)


@dropout("definition")
def dropout_mask_applied_twice(net: Net, layer: int) -> Expression:
    """The dropout mask with its scale is applied twice to the error."""
    return net.returned(layer) * net.mask(layer)


@dropout("definition")
def dropout_masks_exchanged(net: Net, layer: int) -> Expression | None:
    """The dropout mask of another layer is applied to the error."""
    others = [k for k in sorted(net.masked) if k != layer and net.sizes[k] == net.sizes[layer]]
    return unmasked(net, layer) * net.mask(others[0]) if others else None


@slope(CHAIN)
def derivative_from_masked_activation(net: Net, layer: int) -> Expression | None:
    """f' is computed from the activation after dropout instead of before it."""
    return in_terms_of_a(net.activation(layer), net.a(layer))
