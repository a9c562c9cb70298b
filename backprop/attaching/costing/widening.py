"""Parameters whose gradient feels nothing where it is measured, as that of a hinge: found by their step alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from backprop.attaching.costing.flowing import find_levels
from backprop.attaching.costing.levels import ASIDE, FlowLevel
from backprop.attaching.costing.rates import GradientFlow
from backprop.attaching.costing.turns import Measuring
from backprop.attaching.nesting import tidy
from backprop.attaching.running.leaves import NumberLeaf, find_leaves
from backprop.attaching.running.tracing import find_updates

__all__ = ["widen_by_steps"]

SAME = 1e-6


def widen_by_steps(flow: GradientFlow, names: Sequence[str]) -> GradientFlow | None:
    """The flow with further arrays that are stepped at its rate by a value of their own; None where one is not."""
    if not flow.rates:
        return None
    known = {place for leaf in flow.leaves for place in leaf.places}
    leaves = [
        leaf for leaf in find_leaves(flow.iteration.snapshot.names)
        if tidy(leaf) in names and not known & set(leaf.places)
    ]  # fmt: skip
    if {tidy(leaf) for leaf in leaves} != set(names):
        return None
    iteration = flow.iteration.like([*flow.leaves, *leaves])
    iteration.held = flow.iteration.held | find_updates(iteration)
    rate = flow.rates[0][0]
    more = _find_levels_at(flow, leaves, rate)
    if more is None:
        return None
    decays = (*flow.decays, *(0.0 for _ in leaves)) if flow.decays else ()
    return replace(flow, iteration=iteration, rates=((rate, (*flow.rates[0][1], *more)),), decays=decays)


def _find_levels_at(flow: GradientFlow, leaves: Sequence[NumberLeaf], rate: float) -> list[FlowLevel] | None:
    beside = flow.iteration.like([*flow.leaves, *leaves]).beside(ASIDE)
    beside.held = flow.iteration.held | find_updates(beside)
    measuring = Measuring(beside)
    recorder = measuring.record()
    ahead = [event for event in recorder.events if event.order <= recorder.latest]
    plain, found = measuring.displace(), []
    for k in range(len(flow.leaves), len(beside.leaves)):
        same = [
            level for level in find_levels(measuring, k, ahead, plain)
            if level.rate is not None and level.whole and abs(level.rate / rate - 1) < SAME
        ]  # fmt: skip
        if not same:
            return None
        found.append(max(same, key=lambda level: (level.used, level.order)))
    return found
