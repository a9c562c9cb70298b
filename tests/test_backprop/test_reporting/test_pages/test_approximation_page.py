"""The page of an approximation: whole without scripts, alive with them, nothing fetched, every bound a proof's."""

from __future__ import annotations

import functools
import json
import re

import pytest
from kit import browser

from backprop.approximation import approximate
from backprop.door.cli import main
from backprop.errors import UsageError
from backprop.reporting.pages.approximation_page import list_frames, write_approximation_page

needs_browser = pytest.mark.skipif(browser.CHROMIUM is None, reason="chromium is not installed (Debian: chromium)")
DATA = re.compile(r'<script type="application/json">(.*?)</script>', re.DOTALL)


@functools.cache
def find():
    return approximate("sin(3*x)", width=3, certify=True)


@functools.cache
def write():
    return write_approximation_page(find())


def test_every_width_is_there_with_the_bound_of_its_own_proof():
    told = json.loads(DATA.search(write())[1])
    frames = list_frames(find())
    assert [one["width"] for one in told["frames"]] == [1, 2, 3]
    assert [one["bound"] for one in told["frames"]] == [one.certificate.bound for one in frames]
    assert all(one["certified"] for one in told["frames"])
    for one, frame in zip(told["frames"], frames, strict=True):
        errors = [abs(f - F) for f, F in zip(one["f"], told["F"], strict=True)]
        assert 0.5 * frame.sup_error < max(errors) <= one["bound"] + 1e-5


def test_what_a_person_types_is_escaped():
    found = approximate("where(x < 1/2, x, 1/2)", width=1)
    page = write_approximation_page(found)
    assert "where(x &lt; 1/2, x, 1/2) by tanh units" in page
    assert "<" not in DATA.search(page)[1]


@needs_browser
def test_dragging_moves_the_network_and_what_is_said(tmp_path):
    script = """
        const place = document.querySelector('.explorer'), says = () => place.querySelector('.says').textContent;
        const [width, error] = [...place.querySelectorAll('input[type=range]')], heard = [says()];
        width.value = 0; width.oninput(); heard.push(says());
        error.value = 0; error.oninput(); heard.push(width.value, says());
        const lines = place.querySelectorAll('svg polyline').length;
        return [heard, document.documentElement.scrollWidth <= innerWidth, lines];
    """
    heard, fits, lines = browser.ask(write(), script, tmp_path, "--window-size=390,844")
    assert heard[0].startswith("3 tanh units: at most")
    assert heard[0].count("; below the allowed") == 1
    assert heard[1].startswith("1 tanh unit: at most")
    assert "NOT below" in heard[1]
    assert heard[2] == "0"  # the narrowest is enough where much is allowed
    assert fits is True
    assert lines >= 5


@needs_browser
def test_it_asks_the_network_for_nothing(tmp_path):
    page = tmp_path / "page.html"
    page.write_text(write(), encoding="utf-8")
    assert browser.list_requests(page, tmp_path) == set()


def test_the_command_writes_it_and_refuses_what_has_no_page(tmp_path, capsys):
    file = tmp_path / "page.html"
    assert main(["approximate", "x**2", "--width", "1", "--page", str(file)]) == 0
    assert len(file.read_bytes()) < 1_000_000
    assert main(["approximate", "x*y", "--width", "1", "--page", str(file)]) == 2
    assert main(["approximate", "x**2", "--width", "1", "--page", "page.png"]) == 2
    assert "ends in .html" in capsys.readouterr().err
    data = tmp_path / "data.csv"
    data.write_text("\n".join(f"{k},{k * k}" for k in range(12)))
    assert main(["approximate", str(data), "--width", "1", "--page", str(file)]) == 2
    with pytest.raises(UsageError, match="data"):
        write_approximation_page(approximate(str(data), width=1))
