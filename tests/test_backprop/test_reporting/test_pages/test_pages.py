"""One file that needs nothing: what it says, how it is linked, and how it behaves in a browser."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from itertools import pairwise

import pytest
from kit import browser

import backprop
from backprop.door.reporting import MOST_SHOWN
from backprop.examiner.saying.report import Report
from backprop.reporting.pages.homework_page import mark_file, write_homework_page
from backprop.reporting.pages.network_page import write_network_page
from backprop.reporting.pages.source_lines import list_lines
from backprop.verification.verify import verify_network

MOST = 1_000_000
NARROW = "--window-size=390,844"
needs_browser = pytest.mark.skipif(browser.CHROMIUM is None, reason="chromium is not installed (Debian: chromium)")

STUDENT = """import numpy as np


def parameters(rng):
    return [(rng.normal(size=(3, 4)), rng.normal(size=4)), (rng.normal(size=(4, 2)), rng.normal(size=2))]


def data(rng, n=6):
    return rng.normal(size=(n, 3)), rng.normal(size=(n, 2))


def cost(params, X, Y):
    (W1, b1), (W2, b2) = params
    return 0.5 * np.sum((np.tanh(X @ W1 + b1) @ W2 + b2 - Y) ** 2)


def gradients(params, X, Y):  # <script>alert(1)</script>
    (W1, b1), (W2, b2) = params
    a1 = np.tanh(X @ W1 + b1)
    delta2 = a1 @ W2 + b2 - Y
    delta1 = (delta2 @ W2.T) * (1 - a1)
    return [(X.T @ delta1, delta1.sum(axis=0)), (a1.T @ delta2, delta2.sum(axis=0))]
"""


class Reader(HTMLParser):
    """Identifiers, links, and whether every element that was opened is closed."""

    VOID = frozenset({"meta", "br", "img", "link", "hr", "input"})

    def __init__(self) -> None:
        super().__init__()
        self.identifiers: list[str] = []
        self.links: list[str] = []
        self.open: list[str] = []
        self.headings: list[int] = []

    def handle_starttag(self, tag, attrs):
        named = dict(attrs)
        self.identifiers += [named["id"]] if "id" in named else []
        self.links += [named[name] for name in ("href", "xlink:href", "src") if name in named]
        self.headings += [int(tag[1])] if re.fullmatch("h[1-6]", tag) else []
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        if tag not in self.VOID:
            self.handle_starttag(tag, attrs)
            self.open.pop()

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def read(html: str) -> Reader:
    reader = Reader()
    reader.feed(html)
    return reader


@pytest.fixture(scope="module")
def network_page():
    net = backprop.build("2-2-1", activation="tanh")
    return write_network_page(net, verify_network(net, 0))


@pytest.fixture(scope="module")
def homework(tmp_path_factory):
    path = tmp_path_factory.mktemp("homework") / "student.py"
    path.write_text(STUDENT, encoding="utf-8")
    return mark_file(path)


@pytest.fixture(scope="module", params=["network", "homework"])
def page(request, network_page, homework):
    return network_page if request.param == "network" else homework[0]


def test_a_page_is_one_small_file_whose_links_stay_in_it(page):
    assert len(page.encode()) < MOST
    reader = read(page)
    assert reader.open == []
    outside = [link for link in reader.links if not link.startswith(("#", "data:"))]
    assert outside == []
    assert not re.search(r"url\((?!data:|#|&#39;#|\"#)", page)


def test_every_link_has_its_place_and_no_place_is_twice(page):
    reader = read(page)
    assert len(set(reader.identifiers)) == len(reader.identifiers)
    assert {link[1:] for link in reader.links if link.startswith("#")} <= set(reader.identifiers)


def test_headings_go_down_by_one(page):
    levels = read(page).headings
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))


def test_equations_and_lines_are_linked_both_ways(network_page):
    net = backprop.build("2-2-1", activation="tanh")
    labelled = {line.number: line.label for line in list_lines(net.source) if line.label}
    assert set(labelled.values()) == {"F1", "F2", "BP1", "BP2", "BP3", "BP4"}
    for number, label in labelled.items():
        assert f'href="#line-{number}"' in network_page
        assert f'id="line-{number}" data-eq="{label}"' in network_page
        assert f'href="#eq-{label}"' in network_page


def test_numbers_go_along_each_step_and_never_change_within_a_derivation(network_page):
    stories = network_page.split('<div class="story"')[1:]
    assert len(stories) == 6
    for story in stories:
        told = re.findall(r'aria-label="numbers of step \d+">.*?</div>', story, re.DOTALL)
        values = {re.findall(r"<mn>([^<]*)</mn>", one)[-1] for one in told}
        assert len(told) == story.count('class="step"') - 1
        assert len(values) == 1


def test_no_formula_is_left_as_plain_text_between_typeset_ones(network_page):
    shown = re.sub(r"<(style|script|pre|svg|math|code)\b.*?</\1>", "", network_page, flags=re.DOTALL)
    shown = re.sub(r'<div class="code".*?</ol></div>', "", shown, flags=re.DOTALL)
    text = re.sub(r"<[^>]*>", "", shown)
    assert not re.search(r"\w[_^](\w|\{|\()|[Σ∂δ]", text)


def test_homework_shows_line_mend_and_the_step_to_read_again(homework):
    html, report = homework
    place = report.location
    assert report.verdict == "wrong"
    assert re.search(rf'<li id="line-{place["line"]}" class="bad">', html)
    assert 'class="mend"' in html
    assert re.search(r"<a href='#BP2-step-\d+'>Step \d+, elementwise chain</a>", html)
    assert "verified after this change" in html


def test_what_a_student_wrote_is_text_not_markup(homework):
    assert "<script>alert" not in homework[0]
    assert "&lt;script&gt;alert(1)" in homework[0]


@pytest.mark.parametrize("hint", ["verdict", "place", "line"])
def test_a_hint_limits_what_the_page_tells(homework, hint):
    html = write_homework_page(homework[1].tell(hint), "")
    assert 'class="mend"' not in html
    assert ('class="bad"' in html) == (hint == "line")
    assert ("Root cause" in html) == (hint != "verdict")


@pytest.mark.parametrize(("verdict", "reason"), [("unusable", "crashed"), ("undecided", "time"), ("verified", "")])
def test_every_verdict_has_a_page(verdict, reason):
    notes = ("it ended with <b>SystemExit</b>",) if reason else ()
    html = write_homework_page(Report(verdict, "a/b.py", notes=notes, reason=reason), "x = 1\n")
    assert f"b.py: {verdict}" in html
    assert "<b>SystemExit" not in html
    assert read(html).open == []


def test_every_kind_of_layer_has_a_page():
    net = backprop.build(
        backprop.Network(
            3, backprop.Dense(4, "relu"), backprop.BatchNorm(), backprop.Dropout(0.5), backprop.Dense(2), cost="mse"
        )
    )
    html = write_network_page(net, verify_network(net, 0))
    assert read(html).open == []
    assert len(html.encode()) < MOST
    assert "batch norm" in html


@needs_browser
def test_no_request_leaves_the_page(page, tmp_path):
    file = tmp_path / "page.html"
    file.write_text(page, encoding="utf-8")
    assert browser.list_requests(file, tmp_path) == set()


@needs_browser
def test_a_request_would_be_seen(tmp_path):
    file = tmp_path / "page.html"
    file.write_text("<img src='http://127.0.0.1:9/x.png'>", encoding="utf-8")
    assert browser.list_requests(file, tmp_path) == {"127.0.0.1:9"}


OVERFLOWING = """
  document.querySelectorAll('details').forEach((d) => { d.open = true; });
  const wide = (e) => e.closest('.wide, .code, .picture');
  return [document.documentElement.scrollWidth - innerWidth, [...document.querySelectorAll('section *')].filter((e) =>
    !wide(e) && e.getBoundingClientRect().right > e.closest('section').getBoundingClientRect().right + 1)
    .map((e) => e.outerHTML.slice(0, 80))];
"""


@needs_browser
def test_at_390_pixels_nothing_leaves_its_card(page, tmp_path):
    beyond, leaving = browser.ask(page, OVERFLOWING, tmp_path, NARROW)
    assert leaving == []
    assert beyond <= 0


STEPPING = """
  const story = document.querySelector('.story'), seen = () => [...story.querySelectorAll('.step')].filter((s) =>
    getComputedStyle(s).display !== 'none').length, next = story.querySelectorAll('.walk button')[1];
  const said = [seen()]; next.click(); said.push(seen());
  next.dispatchEvent(new KeyboardEvent('keydown', {key: 'ArrowRight', bubbles: true})); said.push(seen());
  next.dispatchEvent(new KeyboardEvent('keydown', {key: 'ArrowLeft', bubbles: true})); said.push(seen());
  story.querySelectorAll('.walk button')[2].click(); said.push(seen() === story.querySelectorAll('.step').length);
  const status = story.querySelector('[role=status]').textContent.slice(0, 3);
  return [said, status, document.fonts.check('12px "Backprop Math"')];
"""


@needs_browser
def test_a_derivation_unfolds_by_button_and_by_key(network_page, tmp_path):
    said, status, font = browser.ask(network_page, STEPPING, tmp_path)
    assert said == [2, 3, 4, 3, True]
    assert status == "all"
    assert font


@needs_browser
def test_without_its_script_the_page_is_whole(network_page, tmp_path):
    bare = re.sub(r"<script>.*?</script>", "", network_page, flags=re.DOTALL)
    hidden = "return [...document.querySelectorAll('.step')].filter((s) => s.classList.contains('later')).length;"
    assert browser.ask(bare, hidden, tmp_path) == 0


def test_the_deepest_network_that_is_shown_makes_a_small_file_too():
    net = backprop.build("-".join(["2", *["3"] * (MOST_SHOWN - 1), "1"]), activation="tanh")
    tensor = {
        "verdict": "right",
        "entries": 36,
        "directions": 0,
        "uncertainty": 1e-13,
        "escapes": "every entry was compared",
    }
    tensors = {f"{letter}{layer}": tensor for layer in range(1, MOST_SHOWN + 1) for letter in "Wb"}
    html = write_network_page(
        net, Report("verified", str(net.network), evidence={"tensors": tensors, "cases": ["one"]})
    )
    assert len(html.encode()) < MOST
    assert "too many for one picture" in html
