"""The right program of a recognised network: generated for its sizes, with its masks, penalties and normalisations."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from backprop.codegen.lowering.nodes import Call, Expression, rewrite
from backprop.codegen.lowering.program import Assignment, Program
from backprop.diagnosis.model.evaluate import Function
from backprop.diagnosis.model.functions import NetFunctions, pair_of
from backprop.diagnosis.model.layout import NetLayout
from backprop.diagnosis.model.net import SCALE, Net
from backprop.diagnosis.model.normalising import write_backward, write_forward
from backprop.diagnosis.recognition.costs import FUSED, RESIDUALS, CostFit, program_for
from backprop.diagnosis.recognition.hidden import Stack

__all__ = ["complete", "make_net", "name_calls", "own_functions", "placeholder"]


def placeholder(output: str) -> str:
    """The output function to lower with; every elementwise one gives the same program."""
    return output if output in ("identity", *dict(FUSED)) else "tanh"


def name_calls(program: Program, stack: Stack) -> Program:
    """Layer l calls f{l} and f{l}_prime; hidden layers behind a mask are multiplied with it."""

    def renamed(line: Assignment) -> Assignment:
        layer = int("".join(filter(str.isdigit, line.target.id)))
        known = {program.functions[layer - 1]: f"f{layer}", f"{program.functions[layer - 1]}_prime": f"f{layer}_prime"}

        def rule(node: Expression) -> Expression | None:
            if isinstance(node, Call) and node.function in known and node.function != "softmax":
                return Call(known[node.function], node.of)
            return None

        return replace(line, value=rewrite(line.value, rule))

    forward, backward = tuple(map(renamed, program.forward)), tuple(map(renamed, program.backward))
    return replace(program, forward=forward, backward=backward)


def own_functions(stack: Stack, output: str, cost: str = "half-sse") -> NetFunctions:
    """f1, f1_prime … of the recognised network."""
    own: dict[str, Function] = {}
    for layer, (f, slope) in enumerate(stack.pairs, start=1):
        own |= {f"f{layer}": f} if slope is None else {f"f{layer}": f, f"f{layer}_prime": slope}
    for layer, norm in stack.norms.items():
        own |= {f"normalise{layer}": norm.normalise, f"shrink{layer}": norm.shrink}
    last = len(stack.pairs) + 1
    names = ((output, f"f{last}", f"f{last}_prime"), (RESIDUALS.get(cost, ""), "residual_cost", "cost_prime"))
    for stated, f_name, slope_name in names:
        pair = None if stated == "softmax" else pair_of(stated)
        if pair is not None:
            own |= {f_name: pair[0], slope_name: pair[1]}
    return NetFunctions(own)


def make_net(layout: NetLayout, stack: Stack, output: str, cost: str, fits: Sequence[CostFit]) -> Net:
    """The network with its right program."""
    depth = layout.depth
    layers = range(1, depth + 1)
    biased = frozenset(l for l in layers if layout.fold or layout.biases[l - 1] is not None)
    net = Net(
        layout.sizes,
        (*stack.names, output),
        cost,
        name_calls(program_for(layout.sizes, placeholder(output), cost), stack),
        own_functions(stack, output, cost),
        frozenset(l for l in layers if any(fit.penalty_W[l - 1] for fit in fits)),
        frozenset(l for l in layers if any(fit.penalty_b[l - 1] for fit in fits)),
        frozenset(layer for layer in stack.masks if layer),
        biased,
        frozenset(stack.norms),
        any(norm.axis for norm in stack.norms.values()),
        any(fit.absolute for fit in fits),
        max((norm.spare for norm in stack.norms.values()), default=0),
    )
    return replace(net, program=complete(net))


def complete(net: Net) -> Program:
    """The program with the scale of the cost, the penalties and the masks put in."""
    forward = tuple(
        replace(line, value=line.value * net.mask(layer))
        if (layer := int(line.target.id[1:])) in net.masked and line.target.id[0] == "a"
        else line
        for line in net.program.forward
    )
    backward = []
    for line in net.program.backward:
        kind, layer = line.target.id.rstrip("0123456789"), int("".join(filter(str.isdigit, line.target.id)))
        value = line.value
        if kind == "delta":
            whole = layer == net.depth
            value = SCALE * value if whole else net.through(layer, net.returned(layer))
        elif kind == "dW":
            value = net.with_penalty_W(layer, value)
        else:
            value = net.with_penalty_b(layer, value)
        if kind in ("dW", "db") and layer in net.normalised:
            value = net.with_penalty_W(layer, net.weight_core(layer)) if kind == "dW" else value
            value = net.with_penalty_b(layer, net.bias_core(layer)) if kind == "db" else value
        backward.append(replace(line, value=value))
        if kind == "delta" and layer in net.normalised:
            backward += write_backward(net, layer)
    forward = tuple(made for line in forward for made in write_forward(net, line))
    return replace(net.program, forward=forward, backward=tuple(backward))
