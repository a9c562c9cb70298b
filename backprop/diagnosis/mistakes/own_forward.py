"""Mistakes in the forward pass that a backward pass computes for itself."""

from __future__ import annotations

from dataclasses import replace

from backprop.codegen.lowering.nodes import Call, Expression
from backprop.codegen.lowering.program import Program
from backprop.diagnosis.mistakes.masks import is_masked
from backprop.diagnosis.mistakes.mistake import Mistakes, in_line, in_program, is_hidden, is_output
from backprop.diagnosis.model.activations import CATALOGUE, USUAL_OUTPUTS
from backprop.diagnosis.model.cause import Cause
from backprop.diagnosis.model.net import Net, set_line

__all__ = ["OWN_FORWARD"]

OWN_FORWARD: list[Cause] = []
weighted = Mistakes(OWN_FORWARD, "forward", in_line("z"), {"chapter": "F1"})
activated = Mistakes(OWN_FORWARD, "forward", in_line("a"))
hidden = Mistakes(OWN_FORWARD, "forward", in_program(is_hidden))
masked = Mistakes(OWN_FORWARD, "forward", in_program(is_masked), {"chapter": "mask"})


@weighted()
def bias_missing_in_forward(net: Net, layer: int) -> Expression:
    """The backward pass computes its own forward pass without the bias."""
    return net.a(layer - 1) @ net.W(layer)


@hidden(ways=CATALOGUE)
def other_activation_in_forward(net: Net, program: Program, layer: int, way: str) -> Program | None:
    """The backward pass computes its own forward pass with another activation than the cost's."""
    if way == net.activation(layer):
        return None
    value = Call(way, net.z(layer))
    program = set_line(program, f"a{layer}", value * net.mask(layer) if is_masked(net, layer) else value)
    return set_line(program, f"delta{layer}", net.returned(layer) * Call(f"{way}_prime", net.z(layer)))


@activated.also(other_activation_in_forward, CATALOGUE, is_hidden)
def other_value_in_forward(net: Net, layer: int, way: str) -> Expression | None:
    """Another activation, f' stays."""
    return None if way == net.activation(layer) else Call(way, net.z(layer))


@activated(ways=USUAL_OUTPUTS, where=is_output, spreads=False)
def other_output_in_forward(net: Net, layer: int, way: str) -> Expression | None:
    """The backward pass computes its own forward pass with another output function than the cost's."""
    if way == net.activation(layer) or (way == "softmax" and net.sizes[-1] == 1):
        return None
    return net.z(layer) if way == "identity" else Call(way, net.z(layer))


@masked(ways=("both", "forward"))
def dropout_missing_in_forward(net: Net, program: Program, layer: int, way: str) -> Program:
    """The backward pass computes its own forward pass without the dropout mask of the cost's."""
    program = set_line(program, f"a{layer}", net.value(layer, net.z(layer)))
    if way == "forward":
        return program
    bare = replace(net, masked=frozenset())
    return set_line(program, f"delta{layer}", net.through(layer, bare.returned(layer)))


@activated(where=is_hidden)
def activation_applied_twice_in_forward(net: Net, layer: int) -> Expression:
    """The backward pass applies the activation twice in its own forward pass."""
    return net.value(layer, net.value(layer, net.z(layer)))
