"""What has to hold of a reading before it reaches the judge, found by running."""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from backprop.attaching.costing.costs import CostCandidate
from backprop.attaching.costing.fitting import gradient_reader
from backprop.attaching.costing.levels import MANY
from backprop.attaching.costing.rates import GradientFlow
from backprop.attaching.leftovers import evaluate, is_sum, matters
from backprop.attaching.nesting import tidy
from backprop.attaching.running.leaves import NumberLeaf, Place, find_leaves, size_of, to_array
from backprop.attaching.running.repeating import Iteration
from backprop.attaching.running.replaying import IterationRecorder, MadeValue
from backprop.attaching.running.shaking import adds
from backprop.attaching.running.states import Old

__all__ = [
    "is_computed", "is_normalised", "is_of_more_data", "is_repeatable", "list_idle", "list_siblings", "order_by_use",
    "takes_several_steps", "tell_order", "widen_flow",
]  # fmt: skip

LAST = 10**6
ORDER = 1e-13
"""What the order of a sum may change, in shares of the largest entry."""
MOST_IDLE = 16
FEW, ONE_SIZE = 4, 1e-2
NEARLY_ALL, MOST_ASKED = 0.8, 6
"""Entries without a gradient, in shares of all, where a step is of few samples; so many of them are moved."""
LITTLE, FELT = 1e-3, 1e-6


def is_repeatable(iteration: Iteration) -> bool:
    """Whether the iteration, run again, with and without its values written down, gives the same bits; but for
    rounding, where a set may be gone through in another order."""
    first, again = iteration.run(), iteration.run()
    written = iteration.run(None, IterationRecorder(wanted=None))
    iteration.program.forget()
    fresh = iteration.run()
    room = ORDER if find_set(iteration) is not None else 0.0
    return all(
        a is not None and all(b is not None and _is_same(a, b, room) for b in rest)
        for a, *rest in zip(first, again, written, fresh, strict=True)
    )


def _is_same(a: Any, b: Any, room: float) -> bool:
    if a.shape != b.shape or not room:
        return np.array_equal(a, b, equal_nan=True)
    return np.allclose(a, b, rtol=0.0, atol=room * float(np.nanmax(np.abs(a), initial=0.0)), equal_nan=True)


def is_normalised(flow: GradientFlow, fitting: int) -> bool:
    """Whether what was read as gradients has entries of one size in every array, and is not all that of the cost: the
    first step of an adaptive rule is the sign of a gradient, and no gradient."""
    if flow.library or flow.adaptive or fitting == len(flow.leaves):
        return False
    moved = [np.abs(g[g != 0.0]) for g in gradient_reader(flow)(flow.iteration.start) if g is not None and np.size(g)]
    sizes = [one for one in moved if one.size >= FEW]
    return bool(sizes) and all(float(np.ptp(one)) <= ONE_SIZE * float(np.max(one)) for one in sizes)


def is_of_more_data(flow: GradientFlow, candidate: CostCandidate) -> bool:
    """Whether a cost feels entries of every parameter of which the gradient is nothing at all, and nearly all are such:
    the step is one of some samples, the cost is over others as well, and says nothing about it."""
    iteration = flow.iteration
    looked = False
    for k, g in enumerate(gradient_reader(flow)(iteration.start)):
        if g is None or np.size(g) < FEW:
            continue
        silent = np.flatnonzero(np.asarray(g) == 0.0)
        if silent.size < NEARLY_ALL * np.size(g):
            return False
        asked = silent[:: max(1, silent.size // MOST_ASKED)][:MOST_ASKED]
        felt = sum(matters(iteration, candidate, _move_entry(iteration.start, k, int(i))) for i in asked)
        if 2 * felt < asked.size:
            return False
        looked = True
    return looked


def _move_entry(start: Sequence[Any], k: int, entry: int) -> list[Any]:
    values = [np.array(value) for value in start]
    values[k].flat[entry] += 0.1 * size_of(values[k])
    return values


def takes_several_steps(flow: GradientFlow) -> bool:
    """Whether only the whole of what an iteration does shows the gradient, and that is no multiple of a little of it:
    later steps feel the ones before."""
    if flow.library or flow.adaptive or any(flow.rates[0][1]):
        return False
    iteration = flow.iteration
    whole, little = (
        [(a - b) / factor for a, b in zip(iteration.run(None, IterationRecorder(held=iteration.held, factor=factor)),
                                          iteration.start, strict=True)]
        for factor in (1.0, LITTLE)
    )  # fmt: skip
    size = max(float(np.max(np.abs(one), initial=0.0)) for one in whole)
    return any(float(np.max(np.abs(a - b), initial=0.0)) > FELT * size for a, b in zip(whole, little, strict=True))


def find_set(iteration: Iteration) -> int | None:
    """The first line that makes a set of something; None where none does."""
    lines = [
        node.lineno
        for node in ast.walk(iteration.program.document.tree)
        if isinstance(node, ast.Set | ast.SetComp)
        or (isinstance(node, ast.Call) and node.args and ast.unparse(node.func) in ("set", "frozenset"))
    ]
    return min(lines, default=None)


def tell_order(iteration: Iteration) -> str:
    """What a set has to do with numbers that are others in every run; "" where there is none."""
    line = find_set(iteration)
    if line is None:
        return ""
    return (
        f"; a set is made at {iteration.program.document.place(line)}, and objects in a set come in an order that "
        "changes from run to run: a backward pass whose numbers depend on it, by more than rounding, is not right "
        "in every order; with dict.fromkeys(...) in place of set(...) the order stays, and it can be examined"
    )


def list_siblings(iteration: Iteration, flow: GradientFlow, candidate: CostCandidate) -> list[str]:
    """Arrays beside the parameters, in their lists or under their names but for a number, that the iteration does not
    move though the cost depends on them: a gradient of zeros there, or a step that leaves one out."""
    known = {place for leaf in iteration.leaves for place in leaf.places}
    stems = {stem_of(place) for leaf in flow.leaves for place in leaf.places}
    others = [
        leaf
        for leaf in find_leaves(iteration.snapshot.names)
        if not known & set(leaf.places) and stems & {stem_of(place) for place in leaf.places}
        and to_array(leaf.value) is not None
    ]  # fmt: skip
    others += [leaf for leaf, _ in list_unmoved(iteration) if leaf not in others]
    wider = Iteration(iteration.program, iteration.snapshot, [*iteration.leaves, *others])
    wider.held = iteration.held
    lost = []
    count = len(iteration.leaves)
    together = [*wider.start[:count], *(value + 0.05 * (np.abs(value) + 0.1) for value in wider.start[count:])]
    if not others or not matters(wider, candidate, together):
        return []
    for k in range(len(iteration.leaves), len(wider.leaves)):
        values = list(wider.start)
        values[k] = values[k] + 0.05 * (np.abs(values[k]) + 0.1)
        if matters(wider, candidate, values) and not is_sum(wider, candidate, values, k):
            lost.append(tidy(wider.leaves[k]))
    return lost


def list_idle(flow: GradientFlow, candidate: CostCandidate) -> list[str]:
    """Arrays beside the parameters on which the cost does not depend: a bias before a batch normalisation."""
    iteration = flow.iteration
    known = {place for leaf in flow.leaves for place in leaf.places}
    stems = {stem_of(place) for leaf in flow.leaves for place in leaf.places}
    others = [
        leaf for leaf in find_leaves(iteration.snapshot.names)
        if not known & set(leaf.places) and stems & {stem_of(place) for place in leaf.places}
        and isinstance(leaf.value, np.ndarray) and leaf.value.dtype.kind == "f"
    ][:MOST_IDLE]  # fmt: skip
    wider = Iteration(iteration.program, iteration.snapshot, [*iteration.leaves, *others])
    wider.held, idle = iteration.held, []
    for k, leaf in enumerate(others, len(iteration.leaves)):
        values = list(wider.start)
        values[k] = values[k] + 0.05 * (np.abs(values[k]) + 0.1)
        if not matters(wider, candidate, values):
            idle.append(tidy(leaf))
    return idle


def is_computed(iteration: Iteration, flow: GradientFlow, candidate: CostCandidate, name: str, factor: float) -> bool:
    """Whether the iteration computes the gradient of an array that it does not move: then its step leaves that out."""
    others = [leaf for leaf in find_leaves(iteration.snapshot.names) if tidy(leaf) == name]
    if not others or to_array(others[0].value) is None:
        return False
    wider = Iteration(iteration.program, iteration.snapshot, [*iteration.leaves, others[0]])
    wider.held, wider.emptied = iteration.held, flow.iteration.emptied
    start = wider.start[-1]
    recorder = wider.freeze(wanted=None)
    wider.run(None, recorder)
    same = [event.value for event in recorder.events if event.value.shape == start.shape and start.size > 1]
    rng = np.random.default_rng(3)
    for _ in range(2):
        u = rng.standard_normal(start.shape)
        step = 1e-5 * size_of(start)
        ends = [evaluate(wider, candidate, [*wider.start[:-1], start + sign * step * u]) for sign in (1.0, -1.0)]
        slope = factor * float(np.real(ends[0] - ends[1])) / (2 * step)
        same = [value for value in same if slope and abs(float(np.sum(np.real(value) * u)) / slope - 1) < 1e-5]
    return bool(same)


class _StatementRecorder(IterationRecorder):
    """Which statements that store were come to."""

    def __init__(self, held: frozenset[int]) -> None:
        super().__init__(held=held)
        self.visited: set[int] = set()

    def scale(self, statement: int, old: Old, change: Any) -> Any:
        self.visited.add(statement)
        return super().scale(statement, old, change)

    def blend(self, statement: int, old: Old, new: Any) -> Any:
        self.visited.add(statement)
        return super().blend(statement, old, new)


def list_unmoved(iteration: Iteration) -> list[tuple[NumberLeaf, frozenset[int]]]:
    """What the iteration adds to, or takes from, though what it adds was nothing this time: a bias whose first gradient
    is zero, weights behind a slope that is wrong and zero; with the statements that do so."""
    recorder = _StatementRecorder(iteration.held)
    iteration.run(None, recorder)
    rewritten = iteration.program.rewritten
    inside = {ast.unparse(node) for node in ast.walk(rewritten.originals[iteration.snapshot.loop][0])}
    ends: dict[tuple[str, str], set[int]] = {}
    for number in recorder.visited:
        statement: Any = rewritten.statements[number]
        if not adds(statement):
            continue
        target = statement.target if isinstance(statement, ast.AugAssign) else statement.targets[0]
        while isinstance(target, ast.Subscript):
            target = target.value
        # A name is the loop's own where the statement stands in it; an attribute, wherever it does.
        if isinstance(target, ast.Name) and ast.unparse(statement) in inside:
            ends.setdefault(("name", target.id), set()).add(number)
        elif isinstance(target, ast.Attribute):
            ends.setdefault(("attr", target.attr), set()).add(number)
    known = {place for leaf in iteration.leaves for place in leaf.places}
    found = []
    for leaf in find_leaves(iteration.snapshot.names):
        numbers = {n for place in leaf.places for step in place[-2:] for n in ends.get(step, ())}
        if numbers and not known & set(leaf.places) and to_array(leaf.value) is not None:
            found.append((leaf, frozenset(numbers)))
    return found


def widen_flow(flow: GradientFlow, names: Sequence[str]) -> GradientFlow | None:
    """With parameters that the iteration moves by nothing: their gradient is their step. None where it has no rate."""
    more = [(leaf, numbers) for leaf, numbers in list_unmoved(flow.iteration) if tidy(leaf) in names]
    if {tidy(leaf) for leaf, _ in more} != set(names) or not flow.rates:
        return None
    iteration = flow.iteration.like([*flow.iteration.leaves, *(leaf for leaf, _ in more)])
    iteration.held = flow.iteration.held | {n for _, numbers in more for n in numbers}
    nothing = tuple(None for _ in more)
    rates = tuple((rate, (*levels, *nothing)) for rate, levels in flow.rates[:1])
    return replace(flow, iteration=iteration, rates=rates)


def stem_of(place: Place) -> tuple[Any, ...]:
    """A place but for numbers: of an item, or at the end of a name."""
    return tuple((kind, re.sub(r"\d+$", "", key) if isinstance(key, str) else "") for kind, key in place)


def order_by_use(flow: GradientFlow) -> list[int]:
    """The parameters by when a change of them first changes what the iteration computes; many single numbers in the
    order in which they are held."""
    iteration = flow.iteration
    plain = iteration.freeze(wanted=None)
    iteration.run(None, plain)
    base = {event.key: event for event in plain.events}
    beside = iteration.program.rewritten.beside
    if len(iteration.start) > MANY:
        return list(range(len(iteration.start)))
    first: list[int] = []
    for k, value in enumerate(iteration.start):
        values = list(iteration.start)
        values[k] = value + 1e-3 * size_of(value)
        moved = iteration.freeze(wanted=None)
        iteration.run(values, moved)
        first.append(next((e.order for e in moved.events if e.key[0] not in beside and _is_new(e, base)), LAST))
    return sorted(range(len(first)), key=lambda k: (first[k], k))


def _is_new(event: MadeValue, base: Mapping[Any, MadeValue]) -> bool:
    before = base.get(event.key)
    return before is None or not np.array_equal(before.value, event.value, equal_nan=True)
