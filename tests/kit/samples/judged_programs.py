"""A program as a file, judged as it is."""

from __future__ import annotations

from pathlib import Path

from backprop.attaching.entry import load
from backprop.examiner.judging.judge import judge
from backprop.examiner.saying.report import Report


def judge_text(folder: Path, text: str) -> Report:
    """The verdict on a program that trains."""
    file = folder / "program.py"
    file.write_text(text, encoding="utf-8")
    return judge(load(file))
