"""One file or module, judged and explained in processes of its own; who asks loads neither NumPy nor the judge."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from backprop.examiner.apart.asking import examine_file
from backprop.examiner.saying.report import Report

__all__ = ["verify_file"]

LOADER = "backprop.attaching.entry:load"
JUDGE = "backprop.verification.explanation:judge_and_explain"


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
