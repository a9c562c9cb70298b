"""fold: the bias becomes one more row of the matrix, the activations get a column of ones.

    Z = A W + 1 bᵀ  =  [A 1] [W; b]        [∂C/∂W; ∂C/∂b] = [A 1]ᵀ Δ

One product does the work of a product and a sum, forwards and backwards.  In the flat vector b lies right behind
W, so that [W; b] is a view.  This wins where a call costs more than the numbers it works on.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from backprop.codegen.passes.steps import Flow, Instruction, ValueKind

__all__ = ["WIDE", "fold_biases"]

WIDE = "_1"


def fold_biases(flow: Flow, neighbours: Iterable[tuple[str, str]], *, inputs_too: bool) -> Flow:
    """The flow with biases in the matrices: `neighbours` are the pairs (W, b) that lie together in the vector.

    `inputs_too`: X is copied beside a column of ones as well.
    """
    pairs = dict(neighbours)
    flow = flow.with_steps(copy_inputs(flow, pairs) if inputs_too else flow.steps)
    readers = count_readers(flow)
    steps: list[Instruction] = []
    for step in flow.steps:
        last = steps[-1] if steps else None
        folded = last and (fold_sum(flow, last, step, pairs, readers) or fold_gradient(flow, last, step, pairs))
        if folded:
            steps[-1] = folded
        else:
            steps.append(step)
    return flow.with_steps(steps)


def copy_inputs(flow: Flow, pairs: dict[str, str]) -> Iterator[Instruction]:
    """X, where it is multiplied by such a matrix, is copied into a buffer first and read from there."""
    first = [s.operands[0] for s in flow.steps if s.function == "product" and s.operands[1] in pairs]
    names = {name: name + "_0" for name in first if flow.kinds[name] is ValueKind.INPUT}
    for name, copy in names.items():
        flow.shapes[copy], flow.kinds[copy] = flow.shapes[name], ValueKind.VALUE
        yield Instruction(copy, "copy", (name,))
    yield from (step.renamed(names) for step in flow.steps)


def count_readers(flow: Flow) -> dict[str, int]:
    """How often each value is read."""
    readers: dict[str, int] = {}
    for step in flow.steps:
        for name in step.operands:
            readers[name] = readers.get(name, 0) + 1
    return readers


def fold_sum(
    flow: Flow, product: Instruction, add: Instruction, pairs: dict[str, str], readers: dict[str, int]
) -> Instruction | None:
    """A W, then + b."""
    if (product.function, add.function, any(product.turned)) != ("product", "add", False):
        return None
    left, W = product.operands
    if add.operands != (product.result, pairs.get(W)) or readers[product.result] != 1:
        return None
    return widen(flow, replace(product, result=add.result), left, W)


def fold_gradient(flow: Flow, product: Instruction, total: Instruction, pairs: dict[str, str]) -> Instruction | None:
    """Aᵀ Δ, then the sum over the rows of Δ."""
    if (product.function, total.function, product.turned) != ("product", "sum_rows", (True, False)):
        return None
    left, delta = product.operands
    dW, db = product.result, total.result
    if total.operands != (delta,) or not dW.startswith("d") or pairs.get(dW[1:]) != db[1:] or not db.startswith("d"):
        return None
    return widen(flow, product, left, dW)


def widen(flow: Flow, step: Instruction, left: str, matrix: str) -> Instruction | None:
    """The step with [A 1] for A and [W; b] for W."""
    if flow.kinds[left] is not ValueKind.VALUE:
        return None
    rows, columns = flow.shapes[matrix]
    whole, block = left + WIDE, matrix + WIDE
    assert isinstance(rows, int)
    flow.wide[left] = whole
    flow.shapes[whole], flow.kinds[whole] = (flow.shapes[left][0], rows + 1), ValueKind.VALUE
    flow.shapes[block], flow.kinds[block] = (rows + 1, columns), flow.kinds[matrix]
    names = {left: whole, matrix: block}
    return replace(step.renamed(names), result=names.get(step.result, step.result))
