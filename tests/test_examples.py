"""Every example runs as it stands, in an empty folder, quick mode; the README's tests run two as commands."""

from __future__ import annotations

import re
import runpy
import shlex
import sys
from pathlib import Path

import pytest

from backprop.door.cli import main

ROOT = Path(__file__).resolve().parents[1]
EXAMPLES = sorted((ROOT / "examples").glob("*.py"))
PICTURES = {
    "04_train_digits.py": "digits.png",
    "05_approximate.py": "approximation.png",
    "07_gates.py": "gates.png",
    "08_mnist.py": "mnist.png",
    "09_vanishing_gradients.py": "gradients.png",
    "10_franke.py": "franke.png",
    "11_vanishing_slopes.py": "slopes.png",
    "25_recurrent.py": "recurrent.png",
    "26_boundary_value.py": "boundary_value.png",
    "24_which_activation.py": "activations.png",
    "27_parallels_from_analysis.py": "parallels.png",
    "14_universal_approximation.py": "universal-approximation/relu_widths.png",
}


def test_there_are_examples():
    assert len(EXAMPLES) >= 6


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_an_example_runs_and_leaves_its_picture(path, tmp_path, monkeypatch, capfd):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("QUICK", "1")
    monkeypatch.setattr(sys, "argv", [str(path)])
    runpy.run_path(str(path), run_name="__main__")
    out, err = capfd.readouterr()
    assert out.strip()
    assert err == ""
    if path.name in PICTURES:
        assert (tmp_path / PICTURES[path.name]).read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_an_example_is_short(path):
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 80


TABLE = (ROOT / "examples" / "README.md").read_text(encoding="utf-8").partition("## Every heading")[2]
ROWS = re.findall(r"^\| (.+?) \| (.+?) \|$", TABLE, re.MULTILINE)[1:]
COMMANDS = sorted({command for _, answer in ROWS for command in re.findall(r"`backprop ([^`]+)`", answer)})
FILES = sorted({f for _, answer in ROWS for f in re.findall(r"`((?:examples|tests)/[^`]+)`", answer)})
FEWEST_HEADINGS = 60


def test_no_heading_is_left_without_an_answer():
    assert len(ROWS) >= FEWEST_HEADINGS
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
