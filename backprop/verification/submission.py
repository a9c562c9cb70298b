"""One file or module, judged and explained in processes of its own; who asks loads neither NumPy nor the judge."""

from __future__ import annotations

import shlex
import threading
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path
from typing import Any

from backprop.attaching.words import (
    CHOICE,
    OTHERS,
    list_others,
    name_choice,
    name_loop,
    name_training_faults,
    write_options,
)
from backprop.copies import prepared
from backprop.examiner.apart.asking import CHILD, examine_file
from backprop.examiner.saying.report import Report

__all__ = ["prepare", "verify_file"]

LOADER = "backprop.attaching.entry:load"
JUDGE = "backprop.verification.explanation:judge_and_explain"
ALONE = "backprop.verification.explanation:judge_alone"
MOST_READINGS = 3
"""Further trainings of a file that are judged as well."""
DECIDED = ("verified", "wrong")
PREPARED = (*(entry.partition(":")[0] for entry in (CHILD, JUDGE, LOADER)), "backprop.examiner.judging.judge")
"""What every judge and every subject needs; nothing of a subject's."""
LOADED = "backprop.diagnosis.model.functions:load_all"
PREPARED_FOR_MANY = (*PREPARED, "backprop.diagnosis.matching.explain", "backprop.reading.reader", LOADED)
"""What pays where many are wrong: the book, from which a right program is made, and what reads their lines."""


def prepare(*, many: bool = False) -> AbstractContextManager[None]:
    """While this lasts, judges and readers are copies of one process that has imported them (Linux).

    With `many` it has imported what explains and reads a wrong one as well.
    """
    return prepared(PREPARED_FOR_MANY if many else PREPARED)


def verify_file(
    target: str | Path,
    *,
    seed: int = 0,
    timeout: float | None = None,
    abandon: threading.Event | None = None,
    options: Mapping[str, Any] | None = None,
    text: str | None = None,
    known: Callable[[Report], None] | None = None,
    explains: bool = True,
) -> Report:
    """A file or package.module[:object], in a process of its own; the parameters are those of `examine_file`.

    A file that is no subject is taken as it is (`backprop.attaching`); `options` are those of its `attach_file`. Where
    it trains more than one thing each is judged; where that gives different verdicts, it is ambiguous. `known` hears
    "wrong" as soon as nothing can change it any more; if not `explains`, no cause is looked for.
    """

    def hear(report: Report) -> None:
        if known is not None and not list_others(report):
            known(name_training_faults(report))

    def examine(reading: int) -> Report:
        chosen = {**(options or {}), **({"reading": reading} if reading else {})}
        how: Any = {"seed": seed, "timeout": timeout, "abandon": abandon, "options": chosen, "text": text}
        return examine_file(
            target, judge=JUDGE if explains else ALONE, loader=LOADER, known=None if reading else hear, **how
        )

    report = weigh_readings(examine(0), str(target), examine)
    return replace(report, reproduce=" ".join([report.reproduce, *write_options(options or {})]))


def weigh_readings(report: Report, target: str, examine: Callable[[int], Report]) -> Report:
    """The report of the first reading where all others agree with it; "ambiguous" where they do not.

    What cannot be read, or not be decided, is no other reading.
    """
    numbers = list_others(report)[:MOST_READINGS]
    if not numbers or report.verdict not in DECIDED:
        return report
    others = [one for one in map(examine, numbers) if one.verdict in DECIDED]
    if any(one.verdict != report.verdict for one in others):
        ways = "; ".join(
            f"{name_loop(one)} is {one.verdict}: backprop verify {shlex.quote(target)} {name_choice(one)}"
            for one in (report, *others)
        )
        said = f"{target}: it trains more than once, and it depends on which is meant: {ways}"
        return Report("unusable", report.subject, notes=(said,), reproduce=report.reproduce, reason="ambiguous")
    kept = tuple(note for note in report.notes if not str(note).startswith((OTHERS, CHOICE)))
    more = (f"what else it trains was judged as well, with the same verdict: {', '.join(map(name_loop, others))}",)
    evidence = {**report.evidence, "other_readings": len(others)}
    return replace(report, evidence=evidence, notes=(*kept, *(more if others else ())))
