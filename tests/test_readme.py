"""README and pages show only what comes out of a run, and the pages hang together."""

from __future__ import annotations

import os
import re
import subprocess
import sys

import pytest
from kit.readme_page import BLOCK, PAGES, README, ROOT, assurance, not_shown, run

from backprop.reporting.demo import OVER_SPLITS

TEXT = README.read_text(encoding="utf-8")
TEXTS = {page: page.read_text(encoding="utf-8") for page in (README, *PAGES)}
BLOCKS = list(dict.fromkeys((m["command"], m["output"]) for text in TEXTS.values() for m in BLOCK.finditer(text)))
MOST_LINES = 150
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


def test_there_is_a_worked_page_and_it_is_short():
    assert len(list(BLOCK.finditer(TEXT))) >= 3
    assert len(TEXT.splitlines()) <= MOST_LINES


def test_a_command_that_stands_on_two_pages_prints_the_same_on_both():
    assert len({command for command, _ in BLOCKS}) == len(BLOCKS)


def test_readme_and_demo_tell_the_same_average():
    assert OVER_SPLITS in " ".join(TEXT.split())


@pytest.mark.parametrize(("command", "output"), BLOCKS, ids=[command[:40] for command, _ in BLOCKS])
def test_a_command_of_the_readme_prints_what_stands_there(command, output):
    assert coarse(run(command)) == coarse(output), "refresh the page with: python tests/kit/readme_page.py"


def test_the_table_of_assurance_is_the_one_in_the_code():
    page = TEXTS[ROOT / "docs" / "pages" / "assurance.md"]
    assert assurance() in page
    assert not_shown() in page


def test_the_python_of_the_pages_runs():
    blocks = [block for text in TEXTS.values() for block in re.findall(r"```python\n(.*?)```", text, re.DOTALL)]
    assert len(blocks) == 3
    for block in blocks:
        exec(compile(block, "README.md", "exec"), {})


def test_the_pages_are_a_site_whose_links_lead_somewhere(tmp_path):
    """Without a network; every page is in the table of contents, every link and anchor has its place."""
    pytest.importorskip("mkdocs", reason="mkdocs is not installed (python -m pip install '.[docs]')")
    pytest.importorskip("material", reason="mkdocs-material is not installed (python -m pip install '.[docs]')")
    command = [sys.executable, "-W", "ignore", "-m", "mkdocs", "build", "--strict", "-q"]
    command += ["-f", str(ROOT / "docs" / "mkdocs.yml"), "-d", str(tmp_path)]
    environment = {**os.environ, "NO_MKDOCS_2_WARNING": "1", "http_proxy": "http://127.0.0.1:9"}
    result = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    assert result.returncode == 0, result.stderr
    assert {page.stem for page in PAGES} <= {file.stem for file in tmp_path.glob("*.html")}


ROOMS = ("backprop", "theory", "examples")
NAMING = [README, *PAGES, *(page for room in ROOMS for page in (ROOT / room).rglob("README.md"))]
NAMED = re.compile(r"(?<![\w./-])(?:tests|theory|backprop|examples|docs)(?:/[\w.-]*\w)+|(?<=\]\()[^)#\s]+")


@pytest.mark.parametrize("page", NAMING, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_file_a_page_names_or_links_exists(page):
    """Names from the root of the project, with or without `.py`; links from the folder of the page."""
    names = {name for name in NAMED.findall(page.read_text(encoding="utf-8")) if not name.startswith("http")}
    places = {name: [page.parent / name, ROOT / name, ROOT / f"{name}.py"] for name in names}
    assert [name for name, tried in places.items() if not any(path.exists() for path in tried)] == []
