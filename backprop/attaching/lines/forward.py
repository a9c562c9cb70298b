"""A mend of the forward pass or the cost: a backward pass that is right, for another function than the file's.

Tried only where no change of the backward pass was found, or the cost itself was judged to be another function; what
suits the gradients is told only after the whole judge has verified it, as everywhere.
"""

from __future__ import annotations

import ast
from collections.abc import Sequence
from typing import Any

import numpy as np

from backprop.attaching.lines.bench import AttachedBench, Stand
from backprop.attaching.lines.shop import AttachedShop
from backprop.attaching.running.leaves import size_of
from backprop.examiner.measuring.cases import Case
from backprop.examiner.subject.protocol.subjects import Unusable
from backprop.reading.proposing.mending import LIGHT, Search
from backprop.reading.proposing.scenes import look_around
from backprop.reading.reader import SourceReading
from backprop.reading.running.bench import Point
from backprop.reading.running.entrances import by_gradients
from backprop.reading.source import SIMPLE

__all__ = ["read_forward"]

PLANS = ((11, 2), (12, 3), (13, 5))
ALL = 2.2
TINY, STEP = 1e-30, 1e-5
SLIPS = ("axis", "sign", "constant", "constant factor", "factor n", "index", "key", "comparison")
"""Changes of a forward pass that nobody means. To take an activation or a mask away, or to make a product a sum, is
none: its slope was left out, rather."""
SAME, NEAR = 1e-8, 1e-5


class ForwardShop(AttachedShop):
    """The workshop in which the edited cost is asked whether the gradients are its derivative."""

    def _list_sites(self) -> set[int]:
        return super()._list_sites() | set(self.stand.attached.chosen.candidate.sites)

    def _list_more(self) -> list[ast.stmt]:
        program, loop = self.stand.program, self.stand.iteration.snapshot.loop
        return [program.rewritten.compute(site) for site in program.more.get(loop, ())]

    def _compare(self, point: Point, case: Case, given: Sequence[Any]) -> tuple[bool, ...]:
        return tuple(self._is_right(case, k, g) for k, g in enumerate(given))

    def _is_right(self, case: Case, k: int, g: Any) -> bool:
        """Along two directions."""
        if g is None or g.shape != case.values[k].shape or not np.any(g):
            return False  # a cost that depends on nothing has a gradient of nothing
        rng = np.random.default_rng(k)
        return all(self._agrees(case, k, g, rng.standard_normal(g.shape)) for _ in range(2 if g.size > 1 else 1))

    def _agrees(self, case: Case, k: int, g: Any, u: Any) -> bool:
        mine = float(np.sum(g * u))
        self._ticks = 0
        slope = self._ask(case, k, TINY * 1j * u)
        if slope is not None and abs(slope.imag / TINY - mine) <= SAME * max(abs(mine), 1e-6):
            return True
        size = STEP * size_of(case.values[k])
        ends = [self._ask(case, k, sign * size * u) for sign in (1, -1)]
        if ends[0] is None or ends[1] is None:
            return False
        return bool(abs((ends[0] - ends[1]).real / (2 * size) - mine) <= NEAR * max(abs(mine), 1e-6))

    def _ask(self, case: Case, k: int, by: Any) -> complex | None:
        values = [value + by if i == k else value for i, value in enumerate(case.values)]
        try:
            return complex(case.cost(values))
        except (Unusable, TypeError):
            return None


def read_forward(stand: Stand, *, far: bool) -> SourceReading:
    """Small edits of what the cost is made of, after which every gradient is its derivative; `far`: larger ones too.

    Errors: `Unusable` where no point works.
    """
    bench = AttachedBench(stand, by_gradients)
    points = bench.draw_points(PLANS)
    wrong = [point for point in points if not all(point.given)]
    if not wrong:
        raise Unusable("the gradient is not wrong at the points where its lines were read")
    statements = _list_statements(bench, wrong[0])
    shop = ForwardShop(stand, wrong, by_gradients)
    search = Search(bench.source, wrong, shop, len(bench.record(wrong[0].case)[0]), bench.pace)
    scenes = look_around(bench, wrong[0], statements)
    for most in (LIGHT, ALL) if far else (LIGHT,):
        if not search.full:
            search.try_edits(scenes, statements, most)
    kept = [mend for mend in search.full if far or mend.kind in SLIPS]
    mends = tuple(sorted(kept, key=lambda mend: round(mend.weight, 6)))
    spot = mends[0].edits[0].spot if mends else None
    return SourceReading(bench.source, spot, mends, (), shop.runs)


def _list_statements(bench: AttachedBench, point: Point) -> Sequence[ast.stmt]:
    """What the cost is made of, the last first."""
    events = bench.record_cost(point.case)
    found = {bench.source.statement_of(bench.instrumented.sites[event.key[0]]) for event in events}
    return [node for node in sorted(found, key=lambda node: -node.lineno) if isinstance(node, SIMPLE)]
