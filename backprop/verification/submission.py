"""One file or module, judged and explained in processes of its own; who asks loads neither NumPy nor the judge."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from backprop.copies import prepared
from backprop.examiner.apart.asking import CHILD, examine_file
from backprop.examiner.saying.report import Report

__all__ = ["prepare", "verify_file"]

LOADER = "backprop.attaching.entry:load"
JUDGE = "backprop.verification.explanation:judge_and_explain"
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
) -> Report:
    """A file or package.module[:object], in a process of its own; the parameters are those of `examine_file`.

    A file that is no subject is taken as it is (`backprop.attaching`); `options` are those of its `attach_file`.
    """
    how: Any = {"seed": seed, "timeout": timeout, "abandon": abandon, "options": options}
    return examine_file(target, judge=JUDGE, loader=LOADER, **how)
