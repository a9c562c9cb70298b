"""The judge on a folder of real mistakes and of right but unusual code, where one is given."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from backprop.examiner.judge import judge

CORPUS = os.environ.get("BACKPROP_CORPUS", "")
pytestmark = pytest.mark.skipif(not CORPUS, reason="set BACKPROP_CORPUS to a folder with wrong/ and right/")


def list_files(kind: str) -> list[Path]:
    return sorted(Path(CORPUS, kind).glob("*.py")) if CORPUS else []


def test_the_corpus_has_both_kinds() -> None:
    assert list_files("wrong")
    assert list_files("right")


@pytest.mark.parametrize("path", list_files("wrong"), ids=lambda p: p.stem)
def test_a_real_mistake_is_called_wrong_with_an_equation(path: Path) -> None:
    report = judge(path)
    assert report.verdict == "wrong", str(report)
    assert report.findings[0].equation is not None


@pytest.mark.parametrize("path", list_files("right"), ids=lambda p: p.stem)
def test_right_but_unusual_code_is_verified(path: Path) -> None:
    report = judge(path)
    assert report.verdict == "verified", str(report)
