"""layout: in which order the entries of a matrix lie, row after row ("C") or column after column ("F").

Values that meet entry by entry must lie alike.  Few rows of many units: rows.  Where n is the longer side, columns:
sums over a row of ten classes then run along n, and a column of ones is one piece of memory.
"""

from __future__ import annotations

from collections.abc import Iterator

from backprop.codegen.passes.steps import ELEMENTWISE, Flow, Instruction, ValueKind

__all__ = ["choose_orders", "is_batch", "turn_inputs"]

NARROW = 32  # outputs up to this width lie column after column


def choose_orders(flow: Flow, *, columns: bool) -> dict[str, str]:
    """name -> "C" or "F" for every matrix that is computed; `columns`: all of them "F"."""
    matrices = [name for name, kind in flow.kinds.items() if kind is ValueKind.VALUE and is_batch(flow, name)]
    if columns:
        return dict.fromkeys(matrices, "F")
    groups = {name: name for name in matrices}
    for step in flow.steps:
        names = list(meet(flow, step))
        for name in names[1:]:
            groups = merge(groups, names[0], name)
    narrow = {groups[name] for name in find_row_work(flow, groups)}
    return {name: "F" if groups[name] in narrow else "C" for name in matrices}


def turn_inputs(flow: Flow, orders: dict[str, str]) -> tuple[Flow, dict[str, str]]:
    """Targets that meet values lying column after column are copied into that order first: once, not in every step."""
    steps: list[Instruction] = []
    turned: dict[str, str] = {}
    flow, orders = flow.with_steps(flow.steps), dict(orders)
    for step in flow.steps:
        other = any(orders.get(name) == "F" for name in meet(flow, step))
        for name in step.operands if other else ():
            if flow.kinds[name] is ValueKind.INPUT and is_batch(flow, name) and name not in turned:
                copy = turned[name] = name + "_F"
                flow.shapes[copy], flow.kinds[copy], orders[copy] = flow.shapes[name], ValueKind.VALUE, "F"
                steps.append(Instruction(copy, "copy", (name,)))
        steps.append(step.renamed(turned) if other else step)
    return flow.with_steps(steps), orders


def is_batch(flow: Flow, name: str) -> bool:
    """Has it a row for each sample?"""
    shape = flow.shapes[name]
    return len(shape) == 2 and shape[0] == "n"


def meet(flow: Flow, step: Instruction) -> Iterator[str]:
    """The matrices that a step reads and writes entry by entry."""
    if step.function in ELEMENTWISE or step.function == "where":
        for name in (step.result, *step.operands, *step.work, *([step.also] if step.also else [])):
            if flow.kinds.get(name) is ValueKind.VALUE and is_batch(flow, name) and flow.shapes[name][1] != 1:
                yield name


def find_row_work(flow: Flow, groups: dict[str, str]) -> Iterator[str]:
    """Narrow matrices that are summed along their rows."""
    for step in flow.steps:
        if step.function in ("sum_columns", "row_max"):
            name = step.operands[0]
            width = flow.shapes[name][1]
            if name in groups and isinstance(width, int) and width <= NARROW:
                yield name


def merge(groups: dict[str, str], one: str, other: str) -> dict[str, str]:
    """Both in one group."""
    kept, gone = groups[one], groups[other]
    return groups if kept == gone else {name: kept if group == gone else group for name, group in groups.items()}
