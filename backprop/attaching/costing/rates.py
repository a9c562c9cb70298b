"""How a step is made of a gradient: at one rate, by an optimiser, beside a decay, or shown by nothing but itself."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from backprop.attaching.costing.levels import FlowLevel
from backprop.attaching.running.leaves import NumberLeaf
from backprop.attaching.running.repeating import Iteration
from backprop.attaching.running.replaying import IterationRecorder

__all__ = [
    "LINEAR", "USES", "GradientFlow", "by_displacement", "by_step", "find_common", "find_decay", "find_first",
    "is_share", "list_numbers", "with_decay",
]  # fmt: skip

LINEAR = 1e-6
MOST_NUMBERS = 12
USES = (ast.Name, ast.Attribute, ast.Subscript)


@dataclass(frozen=True)
class GradientFlow:
    """How the parameters of an iteration get their gradients.

    `rates`: each common rate with a level for every parameter (None where only the displacement shows it);
    `adaptive`: where no common rate exists, the first whole level of each parameter.
    """

    iteration: Iteration
    rates: tuple[tuple[float, tuple[FlowLevel | None, ...]], ...]
    adaptive: tuple[FlowLevel, ...] | None
    library: bool = False
    decays: tuple[float, ...] = ()
    """The share of each parameter that its step takes beside its gradient: a weight decay."""
    behind: tuple[FlowLevel, ...] = ()
    """What an optimiser is given with a decay that it adds itself, where `adaptive` is before that."""
    numbers: tuple[float, ...] = ()
    """Single numbers that the update names: its rate may be one of them."""

    @property
    def leaves(self) -> tuple[NumberLeaf, ...]:
        """The parameters."""
        return self.iteration.leaves


def find_common(levels: Sequence[list[FlowLevel]]) -> list[tuple[float, tuple[FlowLevel | None, ...]]]:
    """Rates that every parameter has a level for, in the order in which the values are made."""
    out: list[tuple[float, tuple[FlowLevel | None, ...]]] = []
    full = max(levels, key=len, default=[])
    for level in sorted(full, key=lambda one: one.order):
        if level.rate is None or any(abs(level.rate / rate - 1) < LINEAR for rate, _ in out):
            continue
        chosen = [
            [one for one in mine if one.rate is not None and abs(one.rate / level.rate - 1) < LINEAR] for mine in levels
        ]
        # A number that is spread over a parameter has no level of the parameter's shape; its step shows it.
        if all(one or not any(other.rate for other in mine) for one, mine in zip(chosen, levels, strict=True)):
            out.append(
                (level.rate, tuple(max(one, key=lambda x: (x.used, x.order)) if one else None for one in chosen))
            )
    return out


def find_first(wholes: Sequence[list[FlowLevel]]) -> list[FlowLevel]:
    """What an optimiser is given: the earliest value that all parameters have at one place, else each its earliest."""
    shared = set.intersection(*({level.key[0] for level in one} for one in wholes)) if wholes else set()
    if shared:
        site = min((level.order, level.key[0]) for level in wholes[0] if level.key[0] in shared)[1]
        wholes = [[level for level in one if level.key[0] == site] for one in wholes]
    return [min(one, key=lambda level: level.order) for one in wholes if one]


def with_decay(
    iteration: Iteration, levels: Sequence[list[FlowLevel]], recorder: IterationRecorder
) -> GradientFlow | None:
    """Where some steps are a gradient and a share of the parameter itself, and the others are gradients."""
    shown = [
        [level if level.decay is None else replace(level, rate=level.decay[0])
         for level in one if level.rate is not None or level.decay is not None]
        for one in levels
    ]  # fmt: skip
    rates = find_common(shown) if all(shown) else []
    if not rates:
        return None
    decays = [level.decay[1] if level is not None and level.decay else 0.0 for level in rates[0][1]]
    return GradientFlow(iteration, tuple(rates[:1]), None, numbers=list_numbers(iteration, recorder),
                        decays=tuple(decays))  # fmt: skip


def by_step(flow: GradientFlow) -> GradientFlow:
    """The same with what the step takes of a parameter counted to its gradient, as that of a penalty."""
    if flow.behind:
        return replace(flow, adaptive=flow.behind, behind=(), decays=())
    (rate, levels), *_ = flow.rates
    shown = tuple(None if share else level for level, share in zip(levels, flow.decays, strict=True))
    return replace(flow, rates=((rate, shown),), decays=())


def by_displacement(iteration: Iteration, recorder: IterationRecorder, plain: Sequence[Any]) -> GradientFlow | None:
    """Where no value shows the gradient (numbers one by one, in lists): the step itself, over a rate that the update
    names."""
    if not any(map(np.any, plain)):
        return None
    nothing = tuple(None for _ in iteration.leaves)
    return GradientFlow(iteration, ((1.0, nothing),), None, numbers=list_numbers(iteration, recorder))


def list_numbers(iteration: Iteration, recorder: IterationRecorder) -> tuple[float, ...]:
    """Numbers that the update's own lines name or hold."""
    rewritten = iteration.program.rewritten
    statements = [rewritten.statements[number] for number in iteration.held]
    lines = {line for one in statements for line in range(one.lineno, (one.end_lineno or one.lineno) + 1)}
    held = {
        float(part.value)
        for one in statements
        for part in ast.walk(one)
        if isinstance(part, ast.Constant) and isinstance(part.value, float)
    }
    values: dict[int, set[float]] = {}
    for event in recorder.events:
        node: Any = rewritten.sites[event.key[0]].node
        if event.value.size == 1 and isinstance(node, USES) and getattr(node, "lineno", 0) in lines:
            values.setdefault(event.key[0], set()).add(abs(float(event.value.reshape(()).real)))
    # A rate is one number however often it is read.
    read = {number for numbers in values.values() if len(numbers) == 1 for number in numbers}
    return tuple(sorted(number for number in held | read if 0 < number < 1e6))[:MOST_NUMBERS]


def find_decay(start: Any, plain: Any, half: Any, rate: float, value: Any, room: float) -> tuple[float, float] | None:
    """(rate, share) where a step is −rate times a value and −share times the parameter, entry by entry."""
    if start.size < 2 or np.any(np.abs(half - plain - rate * value / 2) > room):
        return None
    left = -(plain + rate * value)
    return (rate, _find_share(start, left)) if is_share(start, left, room) else None


def is_share(start: Any, left: Any, room: float) -> bool:
    """Whether something is a share of a parameter, entry by entry; all of it taken is what stores a new one."""
    share = _find_share(start, left)
    return start.size > 1 and abs(share) < 0.5 and bool(np.all(np.abs(left - share * start) <= room))


def _find_share(start: Any, left: Any) -> float:
    return float(np.sum(left * start)) / (float(np.sum(start**2)) or 1.0)
