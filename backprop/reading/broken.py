"""Read a subject that raises, or whose cost or gradient is not finite: where that began, and what does not break."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from backprop.examiner.measuring.cases import Case, draw_case
from backprop.examiner.subject.adapters.detection import recognise
from backprop.examiner.subject.protocol.subjects import Subject, Unusable
from backprop.reading.proposing.edits import Proposal
from backprop.reading.proposing.mending import Mend
from backprop.reading.proposing.stable import stabilise
from backprop.reading.reader import SourceReading, read
from backprop.reading.running.bench import Bench, load_module
from backprop.reading.running.breaking import Break, find_break, place_of_error
from backprop.reading.running.workshop import Premises
from backprop.reading.source import Source

__all__ = ["read_broken"]

MOST_MENDS = 4
SEEDS = (21, 22, 23)
SMALL = (0.3, 0.03, 3e-3, 3e-4)
"""Parts of the parameters at which a cost that overflows may be finite."""
SAME, MOVED = 1e-9, 1e-3


def read_broken(premises: Premises) -> SourceReading:
    """Find where a subject breaks, and mends after which it does not; an empty reading where it does not break.

    Errors: `Unusable` where no line of the file took part.
    """
    source = premises.source
    try:
        bench = premises.open_bench()
    except (SyntaxError, Unusable) as error:
        place = place_of_error(source, error)
        if place is None:
            raise Unusable(f"{source.path}: no line of it took part in what was raised") from error
        return SourceReading(source, place.spot, (), (), broke=place.said)
    with bench.counting():
        broke = find_break(bench)
    if broke is None:
        return SourceReading(source, None, (), ())
    mends = tuple(_heal(bench, broke))
    if not mends and not broke.in_cost:
        mends = _read_on(premises)
    return SourceReading(source, broke.spot, mends, (), broke=broke.said)


def _read_on(premises: Premises) -> tuple[Mend, ...]:
    """A gradient that breaks while the cost does not is mended like a wrong one."""
    try:
        return read(premises).mends
    except Unusable:
        return ()


def _heal(bench: Bench, broke: Break) -> Iterator[Mend]:
    """Stable forms after which cost and gradient are finite there, and the cost is what it was where it was finite."""
    if broke.case is None:
        return
    calm = list(_calm_cases(bench.subject))
    found = 0
    for proposal in stabilise(bench.source):
        subject = _load(bench.source, proposal)
        if subject is None or found == MOST_MENDS:
            continue
        if _is_finite(replace(broke.case, subject=subject)) and calm and _agrees(subject, calm):
            found += 1
            yield Mend(proposal.edits, proposal.kind, proposal.weight)


def _load(source: Source, proposal: Proposal) -> Subject | None:
    try:
        code = compile(source.replace(proposal.edits), str(source.path), "exec")
        return recognise(load_module(code, source.path, {}), str(source.path), str(source.path))
    except (SyntaxError, Unusable):
        return None


def _is_finite(case: Case) -> bool:
    try:
        made = [case.cost(case.values), *case.gradients(case.values)]
    except Unusable:
        return False
    return all(g is not None and bool(np.isfinite(g).all()) for g in made)


def _calm_cases(subject: Subject) -> Iterator[list[tuple[Case, float]]]:
    """Points where the cost as written is finite and not what it is at zero, and what it is, in groups of one seed."""
    for seed in SEEDS:
        try:
            case = draw_case(subject, seed, jitter=True)
        except Unusable:
            continue
        still = _evaluate(case, subject, 0.0)
        parts = [replace(case, values=[part * value for value in case.values]) for part in SMALL]
        found = [(one, _evaluate(one, subject, 1.0)) for one in parts]
        moved = [(one, cost) for one, cost in found if abs(cost - still) > MOVED * max(abs(still), 1.0)]
        if moved:
            yield moved


def _evaluate(case: Case, subject: Subject, part: float) -> float:
    """The cost at a part of the parameters, NaN where there is none."""
    try:
        cost = replace(case, subject=subject).cost([part * value for value in case.values])
        return float(np.real(cost))
    except Unusable:
        return float("nan")


def _agrees(subject: Subject, calm: Sequence[Sequence[tuple[Case, float]]]) -> bool:
    """Whether the cost is the same: a mend may not change it to suit anything.

    One point of each group is enough: where the cost is about to overflow, its own rounding is large.
    """
    return all(
        any(abs(_evaluate(case, subject, 1.0) - cost) <= SAME * max(abs(cost), 1.0) for case, cost in group)
        for group in calm
    )
