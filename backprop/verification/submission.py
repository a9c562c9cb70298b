"""One file or module, judged and explained in processes of its own; who asks loads neither NumPy nor the judge."""

from __future__ import annotations

import threading
from pathlib import Path

from backprop.examiner.apart.asking import examine_file
from backprop.examiner.saying.report import Report

__all__ = ["verify_file"]

JUDGE = "backprop.verification.explanation:judge_and_explain"


def verify_file(
    target: str | Path, *, seed: int = 0, timeout: float | None = None, abandon: threading.Event | None = None
) -> Report:
    """A file or package.module[:object], in a process of its own; the parameters are those of `examine_file`."""
    return examine_file(target, seed=seed, timeout=timeout, judge=JUDGE, abandon=abandon)
