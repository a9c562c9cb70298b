"""The text of a subject: spots in characters, edits that leave the rest alone, a difference that `patch` takes."""

from __future__ import annotations

import ast
import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backprop.reading.source import Edit, Source

WIDE = "def f(α, x):\n\tβ = α * 'é' if x else α  # çà\n\treturn β @ α.T\n"


def find(source: Source, text: str) -> ast.AST:
    return next(node for node in ast.walk(source.tree) if hasattr(node, "lineno") and source.segment(node) == text)


def test_columns_are_counted_in_characters():
    source = Source(Path("f.py"), WIDE)
    spot = source.spot(find(source, "α.T"))
    assert (spot.line, spot.column, spot.end_column) == (3, 12, 15)


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_line_ends_and_tabs_stay_as_they_are(end, tmp_path):
    path = tmp_path / "f.py"
    path.write_bytes(WIDE.replace("\n", end).encode())
    source = Source.read(path)
    edited = source.replace([Edit(source.spot(find(source, "α.T")), "α")])
    assert edited == WIDE.replace("α.T", "α").replace("\n", end)


def test_a_byte_order_mark_is_remembered(tmp_path):
    path = tmp_path / "f.py"
    path.write_bytes(b"\xef\xbb\xbf" + b"x = 1\n")
    source = Source.read(path)
    assert source.bom
    assert source.text == "x = 1\n"


@given(st.lists(st.sampled_from(["a = b + c", "d = a.T @ b", "é = 'ü' * n", "if a:\n    b = c", "\x0c"]), min_size=1))
def test_every_spot_gives_the_text_that_python_gives(lines):
    text = "\n".join(lines) + "\n"
    source = Source(Path("f.py"), text)
    for node in ast.walk(source.tree):
        if isinstance(node, ast.expr):
            assert source.segment(node) == ast.get_source_segment(text, node)


@pytest.mark.skipif(shutil.which("patch") is None, reason="there is no command `patch`")
@pytest.mark.parametrize("text", [WIDE, WIDE.rstrip("\n")])
def test_patch_takes_the_difference(text, tmp_path):
    path = tmp_path / "f.py"
    path.write_text(text, encoding="utf-8")
    source = Source.read(path)
    edits = [Edit(source.spot(find(source, "α.T")), "x")]
    subprocess.run(["patch", "-s", "f.py"], input=source.diff(edits).encode(), cwd=tmp_path, check=True)
    assert path.read_text(encoding="utf-8") == source.replace(edits)
