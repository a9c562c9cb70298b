"""The README shows only what comes out of a run."""

from __future__ import annotations

import re

import pytest
from kit.readme_page import BLOCK, README, ROOT, assurance, not_shown, run

TEXT = README.read_text(encoding="utf-8")
BLOCKS = [(m["command"], m["output"]) for m in BLOCK.finditer(TEXT)]
NUMBER = re.compile(r"(?<![\w.])[-+]?\d+(?:\.\d+)?e[-+]?\d+|(?<![\w.])[-+]?\d+\.\d+")
GROUPED = re.compile(r"\b\d{1,3}(?:,\d{3})+\b")  # counts of grid points follow the weights
DIGITS = 4  # of a printed number that must agree on another machine
SMALL = 1e-6  # uncertainties and errors below this are rounding, which differs between machines


def coarse(text: str) -> list[str]:
    """The text with numbers rounded, so that another linear-algebra library prints the same."""

    def shorten(match: re.Match[str]) -> str:
        value = float(match[0])
        return "tiny" if abs(value) < SMALL else f"{value:.{DIGITS}g}"

    text = GROUPED.sub("many", text)
    return [" ".join(NUMBER.sub(shorten, line).split()) for line in text.strip().splitlines()]


def test_there_is_a_worked_page():
    assert len(BLOCKS) >= 5


@pytest.mark.parametrize(("command", "output"), BLOCKS, ids=[command[:40] for command, _ in BLOCKS])
def test_a_command_of_the_readme_prints_what_stands_there(command, output):
    assert coarse(run(command)) == coarse(output), "refresh the page with: python tests/kit/readme_page.py"


def test_the_table_of_assurance_is_the_one_in_the_code():
    assert assurance() in TEXT
    assert not_shown() in TEXT


def test_the_python_of_the_readme_runs():
    blocks = re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)
    assert len(blocks) == 2
    for block in blocks:
        exec(compile(block, "README.md", "exec"), {})


ROOMS = ("backprop", "theory", "examples")
PAGES = [README, *(page for room in ROOMS for page in (ROOT / room).rglob("README.md"))]
NAMED = re.compile(r"(?<![\w./-])(?:tests|theory|backprop|examples)(?:/[\w.-]*\w)+|(?<=\]\()[^)#\s]+")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_file_a_page_names_or_links_exists(page):
    """Names from the root of the project, with or without `.py`; links from the folder of the page."""
    names = {name for name in NAMED.findall(page.read_text(encoding="utf-8")) if not name.startswith("http")}
    places = {name: [page.parent / name, ROOT / name, ROOT / f"{name}.py"] for name in names}
    assert [name for name, tried in places.items() if not any(path.exists() for path in tried)] == []
