"""Every heading of the lecture is answered: each command of the table runs, each file is there."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from backprop.door.cli import main

ROOT = Path(__file__).resolve().parents[1]
TABLE = (ROOT / "examples" / "README.md").read_text(encoding="utf-8").partition("## Every heading")[2]
ROWS = re.findall(r"^\| (.+?) \| (.+?) \|$", TABLE, re.MULTILINE)[1:]
COMMANDS = sorted({command for _, answer in ROWS for command in re.findall(r"`backprop ([^`]+)`", answer)})
FILES = sorted({f for _, answer in ROWS for f in re.findall(r"`((?:examples|tests)/[^`]+)`", answer)})
FEWEST = 60


def test_no_heading_is_left_without_an_answer():
    assert len(ROWS) >= FEWEST
    assert all("`" in answer or answer.startswith("prose") for _, answer in ROWS)


@pytest.mark.parametrize(
    "file", sorted({f for _, answer in ROWS for f in re.findall(r"`((?:examples|tests)/[^`]+)`", answer)})
)
def test_a_file_of_the_table_is_there(file):
    assert (ROOT / file).is_file()


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_of_the_table_runs(command, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(shlex.split(command)) == 0
    assert capsys.readouterr().out.strip() or list(tmp_path.iterdir())
