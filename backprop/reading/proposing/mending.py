"""The search for a mend: small edits of the suspect lines, screened at every point, joined where each mends a part."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations, pairwise

import numpy as np

from backprop.reading.proposing.edits import Proposal, propose
from backprop.reading.proposing.surroundings import Surroundings
from backprop.reading.running.bench import Point
from backprop.reading.running.workshop import Workshop
from backprop.reading.source import Edit, Source

__all__ = ["Mend", "Search"]

MOST_RUNS = 8_000
MOST_WORK = 4_000_000
"""Runs of edited code in one search, each one call of the gradients of a small batch, and values that they make."""
ENOUGH = 12
LIGHT = 1.3
"""Weight up to which an edit is tried on lines that are no suspects."""
KEPT_PARTS = 6
MOST_JOINTS = 80
LARGEST_JOINT = 4


@dataclass(frozen=True)
class Mend:
    """Edits after which every tensor is right at every point, the lines they change, and how much they change."""

    edits: tuple[Edit, ...]
    kind: str
    weight: float

    @property
    def lines(self) -> tuple[int, ...]:
        """First lines of the changed pieces."""
        return tuple(sorted({edit.spot.line for edit in self.edits}))


@dataclass
class Search:
    """One search: what mended all, what mended a part, and the work done."""

    source: Source
    points: Sequence[Point]
    shop: Workshop
    events: int
    """Values that one run makes."""
    pace: int = 1
    """How many runs of an ordinary program one run counts for."""
    full: list[Mend] = field(default_factory=list)
    parts: dict[tuple[bool, ...], list[Mend]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.tried: set[tuple[Edit, ...]] = set()

    @property
    def spent(self) -> bool:
        """Whether the work that it may do is done."""
        return self.pace * self.shop.runs >= min(MOST_RUNS, MOST_WORK // max(self.events, 1))

    def try_edits(self, scenes: Mapping[ast.stmt, Surroundings], statements: Iterable[ast.stmt], most: float) -> None:
        """Small edits of these statements up to a weight, the most natural first; none heavier than what mended all."""
        for statement in statements:
            best = min([most, *(mend.weight for mend in self.full)])
            if statement in scenes and not self.spent and len(self.full) < ENOUGH:
                proposals = [p for p in propose(self.source, statement, scenes[statement], best) if p.weight <= best]
                self.try_all(sorted(proposals, key=lambda p: p.weight))

    def try_all(self, proposals: Iterable[Proposal]) -> None:
        """Screen proposals at the first point; what mends all there, at the others."""
        first = self.points[0]
        for proposal in proposals:
            if proposal.edits in self.tried or self.spent:
                continue
            self.tried.add(proposal.edits)
            found = self.shop.right_at(proposal.edits, [first])
            if not found or found[0] == first.given:
                continue
            mend = Mend(proposal.edits, proposal.kind, proposal.weight)
            if all(found[0]):
                if self.holds(mend.edits):
                    self.full.append(mend)
            elif all(after or not before for before, after in zip(first.given, found[0], strict=True)):
                self.parts.setdefault(found[0], []).append(mend)

    def holds(self, edits: Sequence[Edit]) -> bool:
        """Whether everything is right at every point after the edits."""
        found = self.shop.right_at(edits, self.points)
        return len(found) == len(self.points) and all(all(right) for right in found)

    def join(self) -> None:
        """Sets of partial mends that make everything right together."""
        pool = [
            (right, mend)
            for right, mends in self.parts.items()
            for mend in sorted(mends, key=lambda m: m.weight)[:KEPT_PARTS]
        ]
        for size in range(2, LARGEST_JOINT + 1):
            for edits, mends in self._joints(pool, size):
                if self.holds(edits):
                    kinds = " and ".join(dict.fromkeys(m.kind for m in mends))
                    self.full.append(Mend(edits, kinds, sum(m.weight for m in mends)))
                    return

    def _joints(
        self, pool: Sequence[tuple[tuple[bool, ...], Mend]], size: int
    ) -> Iterator[tuple[tuple[Edit, ...], list[Mend]]]:
        chosen = [c for c in combinations(pool, size) if _covers([right for right, _ in c])]
        chosen.sort(key=lambda c: sum(mend.weight for _, mend in c))
        for one in chosen[:MOST_JOINTS]:
            edits = tuple(sorted({e for _, m in one for e in m.edits}, key=lambda e: e.spot))
            if not _overlap(edits):
                yield edits, [mend for _, mend in one]


def _covers(rights: Sequence[tuple[bool, ...]]) -> bool:
    """Together all tensors, and none of them for nothing."""
    if not all(np.any(rights, axis=0)):
        return False
    return all(not all(np.any([*rights[:k], *rights[k + 1 :]], axis=0)) for k in range(len(rights)))


def _overlap(edits: Sequence[Edit]) -> bool:
    places = [((e.spot.line, e.spot.column), (e.spot.end_line, e.spot.end_column)) for e in edits]
    return any(end > start for (_, end), (start, _) in pairwise(places))
