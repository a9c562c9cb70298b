"""buffers: where each value lives.  Memory is used again as soon as what it held is read no more.

A result goes over an operand that dies with it (f(z) over z, the delta of a layer over the product it comes from).
The homes that remain are placed in one stretch of memory, in units of n numbers.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from math import prod

from backprop.codegen.passes.layout import is_batch
from backprop.codegen.passes.steps import ELEMENTWISE, TEMPORARY, Flow, ValueKind

__all__ = ["Home", "Plan", "plan_buffers"]


@dataclass(eq=False)
class Home:
    """One place: the values that live in it one after the other, from step `begin` to step `end`."""

    values: list[str]
    begin: int
    end: int
    columns: int
    wide: str = ""
    offset: int = 0

    def overlaps(self, other: Home) -> bool:
        """Do both hold something at the same time?"""
        return self.begin <= other.end and other.begin <= self.end

    @property
    def name(self) -> str:
        """The last of its values that the program names."""
        named = [value for value in self.values if not value.startswith(TEMPORARY)]
        return (named or self.values)[-1]

    @property
    def stop(self) -> int:
        return self.offset + self.columns


@dataclass
class Plan:
    """The homes of all values: matrices in units of n numbers, vectors in single numbers."""

    matrices: list[Home] = field(default_factory=list)
    vectors: list[Home] = field(default_factory=list)

    @property
    def size(self) -> int:
        """How much memory the matrices need, in units of n numbers."""
        return max((home.stop for home in self.matrices), default=0)

    @property
    def vector_size(self) -> int:
        """How much memory the vectors need."""
        return max((home.stop for home in self.vectors), default=0)


def plan_buffers(flow: Flow, orders: Mapping[str, str]) -> Plan:
    """Find a home for every value.

    Matrices with a column of ones come first and are never used for anything else.
    """
    homes = share_homes(flow, orders)
    plan = Plan()
    pinned = [home for home in homes if home.wide]
    for home in pinned:
        home.offset = plan.size
        plan.matrices.append(home)
    begin = plan.size
    free = [home for home in homes if not home.wide and is_batch(flow, home.values[0])]
    place_best(free, begin, middle(flow))
    plan.matrices += free
    plan.vectors = [home for home in homes if not is_batch(flow, home.values[0])]
    place_first_fit(plan.vectors, 0)
    return plan


def share_homes(flow: Flow, orders: Mapping[str, str]) -> list[Home]:
    """One home for each value, or the home of an operand that is read for the last time."""
    last = flow.last_uses() | dict.fromkeys(flow.kept, len(flow.steps))
    homes: dict[str, Home] = {}
    narrow = {whole: name for name, whole in flow.wide.items()}
    for k, step in enumerate(flow.steps):
        for name in step.operands:
            home = homes.get(narrow.get(name, name))
            if home:
                home.end = max(home.end, k)
        name = step.result
        if flow.kinds[name] is not ValueKind.VALUE or not flow.shapes[name]:
            continue
        home = find_dying(flow, orders, homes, last, k) if step.function in ELEMENTWISE else None
        if home is None:
            home = Home([], k, k, size_of(flow, name))
        elif name in flow.wide and not home.wide:
            home.columns += 1
        home.values.append(name)
        home.wide = home.wide or flow.wide.get(name, "")
        if name in flow.wide and len(home.values) == 1:
            home.columns += 1
        homes[name] = home
        more = (*step.work, step.also) if step.also else step.work
        homes |= {other: Home([other], k, k, size_of(flow, other)) for other in more}
    for home in homes.values():
        home.end = max([home.end, *(last.get(name, home.end) for name in home.values)])
    return list(dict.fromkeys(homes.values()))


def find_dying(
    flow: Flow, orders: Mapping[str, str], homes: Mapping[str, Home], last: Mapping[str, int], k: int
) -> Home | None:
    """The home of an operand of step k that is like the result and read here for the last time."""
    step = flow.steps[k]
    for name in step.operands:
        home = homes.get(name)
        whole = flow.wide.get(name, name)
        alike = flow.shapes[name] == flow.shapes[step.result] and orders.get(name) == orders.get(step.result)
        if home and alike and home.values[-1] == name and max(last[name], last.get(whole, 0)) <= k:
            return None if home.wide and step.result in flow.wide else home
    return None


def size_of(flow: Flow, name: str) -> int:
    """Columns of a matrix with n rows, entries of anything else."""
    return prod(size for size in flow.shapes[name] if isinstance(size, int))


def middle(flow: Flow) -> int:
    """The first step that yields a piece of the gradient."""
    return next((k for k, s in enumerate(flow.steps) if flow.kinds[s.result] is ValueKind.RESULT), len(flow.steps))


def place_best(homes: list[Home], begin: int, half: int) -> None:
    """Place homes from `begin` on, by whichever of two ways needs less."""
    place_apart(homes, begin, half)
    apart = max((home.stop for home in homes), default=begin)
    offsets = [home.offset for home in homes]
    place_first_fit(homes, begin)
    if max((home.stop for home in homes), default=begin) > apart:
        for home, offset in zip(homes, offsets, strict=True):
            home.offset = offset


def place_first_fit(homes: Iterable[Home], begin: int) -> None:
    """In order of time, each at the lowest place that is free as long as it is needed."""
    placed: list[Home] = []
    for home in homes:
        taken = sorted((other for other in placed if home.overlaps(other)), key=lambda other: other.offset)
        home.offset = begin
        for other in taken:
            if other.offset >= home.offset + home.columns:
                break
            home.offset = max(home.offset, other.stop)
        placed.append(home)


def place_apart(homes: Iterable[Home], begin: int, half: int) -> None:
    """What is kept from the forward to the backward pass one after the other; the rest behind it, left and right in
    turn, so that two neighbouring deltas fit in the memory of both."""
    kept = [home for home in homes if home.begin < half <= home.end]
    rest = [home for home in homes if home not in kept]
    for home in kept:
        home.offset = begin
        begin = home.stop
    load = max(
        (sum(o.columns for o in rest if o is h or (h.overlaps(o) and o.begin <= h.begin)) for h in rest), default=0
    )
    placed: list[Home] = []
    for home in rest:
        busy = [other for other in placed if home.overlaps(other)]
        for offset in (begin, begin + load - home.columns):
            if all(offset >= o.stop or offset + home.columns <= o.offset for o in busy) and offset >= begin:
                home.offset = offset
                break
        else:
            home.offset = max([begin, *(other.stop for other in busy)])
        placed.append(home)
