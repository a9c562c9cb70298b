"""One submission of a folder: judged, and read where that is wanted and something is wrong."""

from __future__ import annotations

import threading
from pathlib import Path

from backprop.examiner.saying.report import Report
from backprop.verification.lines import read_lines
from backprop.verification.submission import verify_file

__all__ = ["grade_file"]

READING = 10.0
"""Seconds for the lines of one submission."""


def grade_file(
    path: Path,
    *,
    seed: int = 0,
    timeout: float | None = None,
    lines: bool = False,
    abandon: threading.Event | None = None,
) -> Report:
    """One submission: judged, and read where that is wanted and something is wrong."""
    if not path.read_bytes().strip():
        return Report("unusable", str(path), notes=(f"{path}: the file is empty",), reason="nothing")
    report = verify_file(path, seed=seed, timeout=timeout, abandon=abandon)
    wanted = lines and report.verdict == "wrong" and not (abandon is not None and abandon.is_set())
    return read_lines(report, path, seed=seed, timeout=timeout, seconds=READING) if wanted else report
