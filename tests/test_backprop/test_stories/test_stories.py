"""Every rule is explained, every example is right, and numbers do not change from step to step."""

from __future__ import annotations

import re
import subprocess
import sys
from fractions import Fraction

import pytest
from kit.house import ROOT

from backprop.stories.rules import RULE_STORIES
from backprop.stories.story import tell
from backprop.stories.telling import HELP, Teller, choose, describe_rule, tell_all
from theory.chapters.book import CHAPTERS
from theory.chapters.training.initialisation import derive_backward, derive_forward
from theory.language.derivation import Derivation
from theory.rules.calculus import RULES

SLOW = {"initialisation", "universal_approximation"}
"""Chapters that compute moments and proofs while they are printed; the derivations of the first are taken alone."""
DERIVATIONS = {
    name: [part for part in chapter.sections() if isinstance(part, Derivation)]
    for name, chapter in CHAPTERS.items()
    if name not in SLOW
} | {"means": [derive_forward(), derive_backward()]}
ALL = [derivation for some in DERIVATIONS.values() for derivation in some]
ARITHMETIC = re.compile(r"[\d\s.+*/()-]+=[\d\s.+*/()-]+")
CLOSE = 3e-4
"""A product of two small changes is what a first derivative leaves out."""


def compute(text: str) -> Fraction:
    """The value of digits and + - * / ( ) only."""
    assert re.fullmatch(r"[\d\s.+*/()-]+", text)
    return eval(re.sub(r"(\d+(?:\.\d+)?)", r"Fraction('\1')", text), {"Fraction": Fraction})


def test_every_rule_that_a_step_names_is_explained():
    named = {step.rule for derivation in ALL for step in derivation.steps}
    assert named | set(RULES) == set(RULE_STORIES)


@pytest.mark.parametrize("rule", RULE_STORIES.values(), ids=lambda rule: rule.name)
def test_a_rule_has_a_paragraph_and_an_example_that_is_right(rule):
    assert len(rule.why.split()) >= 9
    lines = [line for line in rule.example.splitlines() if ARITHMETIC.fullmatch(line.strip())]
    assert lines or "i = 2" in rule.example
    for line in lines:
        left, right = (compute(side) for side in line.split("="))
        assert left == right or (rule.name == "elementwise chain" and abs(left - right) < CLOSE)


@pytest.mark.parametrize("derivation", ALL, ids=lambda d: f"{d.label}, {d.title}")
def test_a_step_has_numbers_and_they_stay_the_same(derivation):
    told = tell(derivation)
    if not told.sizes:
        assert derivation.label.startswith("variance")
        return
    values = [float(step.example.value(step.after)) for step in told.steps]
    assert max(values) - min(values) <= 1e-12 * (1 + abs(values[0]))
    assert abs(values[0]) > 0
    for step in told.steps:
        assert float(step.numbers("text").rpartition("=")[2].replace("−", "-")) == pytest.approx(values[0], rel=1e-3)


def test_the_answers_at_the_terminal():
    teller = Teller(choose("BP3"))
    assert "BP3" in teller.answer("")
    assert "chain over the cut" in teller.answer("")
    assert "bridges" in teller.answer("why")
    assert re.search(r"2-2-1 at j = 1.* = −", teller.answer("numbers"))
    assert "(M_(l-1), M_l)" in teller.answer("n") + teller.answer("n") + teller.answer("shapes")
    assert "step 2" in teller.answer("b")
    assert "none of" in teller.answer("whatever")
    assert teller.answer("?") == HELP
    rest = teller.answer("all")
    assert rest.endswith("That is all.")
    assert teller.over


def test_back_at_the_beginning_stays_there():
    teller = Teller(choose("four_equations"))
    assert "beginning" in teller.answer("b")
    first = teller.answer("")
    second = teller.answer("")
    assert first != second
    assert teller.answer("back") == first


@pytest.mark.parametrize("topic", sorted(set(CHAPTERS) - SLOW))
def test_a_chapter_is_told_whole_with_every_rule_once(topic):
    lines = list(tell_all(choose(topic)))
    told = "\n".join(lines)
    assert all(derivation.title in told for derivation in DERIVATIONS[topic])
    for rule in RULE_STORIES.values():
        assert lines.count(describe_rule(rule)) <= 1


def run(*words: str, typed: str = "") -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "backprop", "explain", *words]
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT, input=typed)


def test_in_a_pipe_everything_comes_at_once():
    result = run("BP2")
    assert result.returncode == 0
    assert "14 steps" in result.stdout
    assert ">" not in result.stdout.split("\n")[0]


def test_an_unknown_topic_names_the_nearest():
    result = run("sofmax")
    assert result.returncode == 2
    assert "did you mean 'softmax'" in result.stderr
