"""Read a subject whose gradient is wrong: the line, and mends of it that hold at every point tried here."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from backprop.examiner.subject.protocol.subjects import Unusable
from backprop.reading.labels import Label, label_lines
from backprop.reading.proposing.edits import Proposal
from backprop.reading.proposing.mending import LIGHT, Mend, Search
from backprop.reading.proposing.renewal import renew
from backprop.reading.proposing.scenes import look_around
from backprop.reading.proposing.sufficiency import Sufficient, find_sufficient
from backprop.reading.running.bench import Bench, Point
from backprop.reading.running.entrances import by_step
from backprop.reading.running.workshop import Premises, Workshop
from backprop.reading.source import BOM, HEADED, SIMPLE, Source, Spot

__all__ = ["SourceReading", "annotate", "read"]

PLANS = ((11, 2), (12, 3), (13, 5))
"""Seeds and rows: n = 2 and 3 for what is measured entry by entry, one more against chance."""
FIRST_SUSPECTS = 6
RENEWED = 8
LABELLED = ((11, 2), (12, 3), (14, 4))
"""Where labels are found: in few rows all targets are the same too often."""
MIDDLE, SHORT, ALL = 1.9, 2.2, 9.0
TELLING = ("print(", "pprint(", "logging.", "logger.", "plt.", "sys.stdout.")
LEFT_OUT = ("factor", "factor n", "term")


@dataclass(frozen=True)
class SourceReading:
    """What was read: the suspect spot, and mends that hold at every point tried, the most natural first."""

    source: Source
    spot: Spot | None
    mends: tuple[Mend, ...]
    labels: tuple[Label, ...]
    runs: int = 0
    broke: str = ""
    """What raised, or which value was the first that is not finite."""

    def to_dict(self) -> dict[str, Any]:
        """As plain data."""
        return {
            "location": None if self.spot is None else self.source.locate(self.spot),
            "mends": [describe_mend(self.source, mend) for mend in self.mends],
            "source": self.source.text,
            "bom": BOM if self.source.bom else "",
            "labels": [{"line": label.line, "labels": list(label.texts)} for label in self.labels],
            "runs": self.runs,
            "broke": self.broke,
        }


def describe_mend(source: Source, mend: Mend) -> dict[str, Any]:
    """Edits, the text after them, and the difference."""
    text = source.replace(mend.edits)
    place = source.locate(mend.edits[0].spot)
    return {
        "location": place,
        "edits": source.describe(mend.edits),
        "diff": source.diff(mend.edits),
        "text": text,
        "kind": mend.kind,
        "weight": mend.weight,
    }


def read(premises: Premises) -> SourceReading:
    """Find the line of a subject whose gradient was judged wrong, and how it could be mended.

    Errors: `Unusable` where the file cannot be read or no point works.
    """
    bench = premises.open_bench()
    source = bench.source
    points = sorted(bench.draw_points(PLANS), key=lambda p: sum(p.given))
    if points and all(all(p.given) for p in points) and bench.subject.has("step"):
        bench = premises.open_bench(by_step)
        points = sorted(bench.draw_points(PLANS), key=lambda p: sum(p.given))
    if not points or all(all(p.given) for p in points):
        raise Unusable("the gradient is not wrong at the points where its lines were read")
    if premises.looks_elsewhere:
        return SourceReading(source, None, (), tuple(label_lines(bench, points)))
    wrong = [p for p in points if not all(p.given)]
    shared = _statements_of_cost(bench, wrong[0])
    found = find_sufficient(bench, wrong[0], shared)
    suspects = _rank(bench, wrong[0], found, shared)
    ordered = [*wrong, *(p for p in points if p not in wrong)]
    search = _begin(bench, ordered, premises.open_shop(bench, ordered))
    _search(bench, search, wrong, found, suspects)
    disturbs = {source.statement_of(one.node).lineno: one.disturbs for one in reversed(found)}
    mends = tuple(sorted(search.full, key=lambda mend: _rank_mend(mend, disturbs)))
    labels = tuple(label_lines(bench, points))
    return SourceReading(bench.source, _locate(bench, mends, suspects), mends, labels, search.shop.runs)


def _rank_mend(mend: Mend, disturbs: Mapping[int, int]) -> tuple[float, int, int]:
    """The most natural first; then what reaches nothing that is right; of what was left out the earliest, since later
    lines only hand the value on."""
    line = mend.lines[0]
    return round(mend.weight, 6), disturbs.get(line, 0), line if mend.kind in LEFT_OUT else 0


def annotate(premises: Premises, plans: Sequence[tuple[int, int]] = LABELLED) -> SourceReading:
    """The labels of a subject's lines alone, for one that is right as well.

    Errors: as for `read`.
    """
    bench = premises.open_bench()
    points = bench.draw_points(plans)
    if not points:
        raise Unusable("no point works where its lines could be read")
    return SourceReading(bench.source, None, (), tuple(label_lines(bench, points)))


def _rank(bench: Bench, point: Point, found: Sequence[Sufficient], shared: Set[ast.stmt]) -> list[ast.stmt]:
    """Statements by what their values could mend, then all others that ran for the gradients, the last first.

    What runs for the cost as well is not touched: that would change the cost to suit the gradient.
    """
    source, sites = bench.source, bench.instrumented.sites
    events, _ = bench.record(point.case)
    ran = [source.statement_of(sites[event.key[0]]) for event in events]
    # A name that hands on what another suspect made, as in `return`, stands behind that.
    made_first = sorted(found, key=lambda one: (-len(one.mends), one.disturbs, _hands_on(one, found)))
    sufficient = [source.statement_of(one.node) for one in made_first]
    misshapen = _find_misshapen(bench, point)
    around = [one for s in set(ran) for one in (*_heads_around(source, s), *source.block_of(s))]
    ranked = dict.fromkeys([*misshapen, *sufficient, *sorted({*ran, *around}, key=lambda s: -s.lineno)])
    kept = [s for s in ranked if (s not in shared or _is_table(s)) and not _only_tells(s)]
    return [s for s in kept if isinstance(s, (*SIMPLE, *HEADED))]


def _only_tells(statement: ast.stmt) -> bool:
    """Whether a statement prints, or draws, and computes nothing for anybody."""
    return isinstance(statement, ast.Expr) and ast.unparse(statement).startswith(TELLING)


def _is_table(statement: ast.stmt) -> bool:
    """Whether a statement holds several functions: the cost may use one, and the gradients another."""
    return sum(isinstance(node, ast.Lambda) for node in ast.walk(statement)) > 1


def _heads_around(source: Source, statement: ast.stmt) -> list[ast.stmt]:
    """The loops and conditions around a statement."""
    found: list[ast.stmt] = []
    node: ast.AST = statement
    while node in source.parents:
        node = source.parents[node]
        if isinstance(node, HEADED):
            found.append(node)
    return found


def _statements_of_cost(bench: Bench, point: Point) -> set[ast.stmt]:
    events = bench.record_cost(point.case)
    return {bench.source.statement_of(bench.instrumented.sites[event.key[0]]) for event in events}


def _find_misshapen(bench: Bench, point: Point) -> list[ast.stmt]:
    """Where a gradient of the wrong shape was made: the first value that is it."""
    events, given = bench.record(point.case)
    found = []
    for leaf, g in zip(point.case.leaves, given, strict=True):
        if g is not None and g.shape != leaf.shape:
            same = [e for e in events if e.value.shape == g.shape and np.array_equal(e.value, g)]
            found += [bench.source.statement_of(bench.instrumented.sites[e.key[0]]) for e in same[:1]]
    return found


def _search(
    bench: Bench,
    search: Search,
    wrong: Sequence[Point],
    found: Sequence[Sufficient],
    suspects: Sequence[ast.stmt],
) -> None:
    """From small and likely to large and unlikely; ends as soon as there are mends."""
    scenes = look_around(bench, search.points[0], suspects)
    first, others = suspects[:FIRST_SUSPECTS], suspects[FIRST_SUSPECTS:]
    renewals = cache(lambda: list(_list_renewals(bench, wrong[:2], found)))
    steps: tuple[Callable[[], None], ...] = (
        lambda: search.try_edits(scenes, first, LIGHT),
        lambda: search.try_edits(scenes, others, LIGHT),
        lambda: search.try_edits(scenes, first, MIDDLE),
        lambda: search.try_all(p for p in renewals() if p.weight <= SHORT),
        lambda: search.try_edits(scenes, first, ALL),
        lambda: search.try_all(renewals()),
        lambda: search.try_edits(scenes, others, ALL),
        search.join,
    )
    for step in steps:
        if not search.full:
            step()


def _begin(bench: Bench, points: Sequence[Point], shop: Workshop) -> Search:
    """A search that counts what its runs cost."""
    events = len(bench.record(points[0].case)[0])
    return Search(bench.source, points, shop, events, bench.pace)


def _list_renewals(bench: Bench, points: Sequence[Point], found: Sequence[Sufficient]) -> Iterator[Proposal]:
    """New expressions for the suspects whose needed value is known."""
    chosen = [one for one in found if isinstance(one.node, ast.expr) and not _hands_on(one, found)][:RENEWED]
    sites = {one.site for one in chosen}
    more = [find_sufficient(bench, point, set(), sites) for point in points[1:]]
    for one in chosen:
        assert isinstance(one.node, ast.expr)
        yield from renew(bench, points, [found, *more], one.node)


def _hands_on(one: Sufficient, found: Sequence[Sufficient]) -> bool:
    """Whether a name only hands on what an expression made that is itself a suspect."""
    if not isinstance(one.node, ast.Name):
        return False
    mine = list(one.needed.values())
    for other in found:
        theirs = list(other.needed.values())
        made = isinstance(other.node, ast.BinOp | ast.Call | ast.UnaryOp) and len(theirs) == len(mine)
        if made and all(
            a.shape == b.shape and np.allclose(a, b, equal_nan=True) for a, b in zip(mine, theirs, strict=True)
        ):
            return True
    return False


def _locate(bench: Bench, mends: Sequence[Mend], suspects: Sequence[ast.stmt]) -> Spot | None:
    if mends:
        return mends[0].edits[0].spot
    return bench.source.spot(suspects[0]) if suspects else None
