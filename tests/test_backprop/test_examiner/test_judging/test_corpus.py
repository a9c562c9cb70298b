"""The examiner on a folder of real mistakes and of right but unusual code, where one is given."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from corpus_table import expected, fits, read_constants, strip

from backprop.verification.submission import verify_file

CORPUS = os.environ.get("BACKPROP_CORPUS", "")
pytestmark = pytest.mark.skipif(not CORPUS, reason="set BACKPROP_CORPUS to a folder with wrong/ and right/")


def list_files(kind: str) -> list[Path]:
    return sorted(Path(CORPUS, kind).glob("*.py")) if CORPUS else []


def examine_bare(path: Path, folder: Path):
    """The report about the code alone, without comments, names and what tells."""
    bare = folder / "code.py"
    bare.write_text(strip(path), encoding="utf-8")
    return verify_file(bare)


def test_the_corpus_has_both_kinds() -> None:
    assert list_files("wrong")
    assert list_files("right")


@pytest.mark.parametrize("path", list_files("wrong"), ids=lambda p: p.stem)
def test_a_real_mistake_is_put_in_its_place_and_named(path: Path, tmp_path: Path) -> None:
    report = examine_bare(path, tmp_path)
    assert report.verdict == "wrong", str(report)
    first = report.findings[0]
    assert fits(expected(read_constants(path)), first.equation, first.layer), str(report)
    assert first.cause != "unknown", str(report)


@pytest.mark.parametrize("path", list_files("right"), ids=lambda p: p.stem)
def test_right_but_unusual_code_is_verified(path: Path, tmp_path: Path) -> None:
    report = examine_bare(path, tmp_path)
    assert report.verdict == "verified", str(report)
