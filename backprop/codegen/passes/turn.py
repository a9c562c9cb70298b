"""turn: Δ Wᵀ is multiplied with a transposed copy of W where that is quicker than a product with a transposed matrix.

The copy needs no memory: it lies where ∂C/∂W will be, which has as many entries and is computed right afterwards.
"""

from __future__ import annotations

from dataclasses import replace

from backprop.codegen.passes.steps import Flow, Instruction, ValueKind

__all__ = ["TURNED", "turn_weights"]

TURNED = "_turned"


def turn_weights(flow: Flow) -> Flow:
    """The flow with copies: the delta of a layer first, then the gradient of the weights above it."""
    steps = list(flow.steps)
    flow = flow.with_steps(())
    for step in flow_backwards(steps):
        W = step.operands[1]
        own = next(
            (k for k, other in enumerate(steps) if other.result == "d" + W and other.function == "product"), None
        )
        if own is None or flow.kinds[W] is not ValueKind.PARAMETER:
            continue
        steps.remove(step)
        copy = "d" + W + TURNED
        flow.shapes[copy], flow.kinds[copy] = flow.shapes[W][::-1], ValueKind.RESULT
        product = replace(step, operands=(step.operands[0], copy), turned=(False, False))
        steps[own:own] = [Instruction(copy, "copy", (W,), (True,)), product]
    return flow.with_steps(steps)


def flow_backwards(steps: list[Instruction]) -> list[Instruction]:
    """The products with a transposed right side that come behind what they could come before."""
    return [step for step in steps if step.function == "product" and step.turned == (False, True)]
