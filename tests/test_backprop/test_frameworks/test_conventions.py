"""The table of conventions: what is said of a framework in our words is what its installed version does."""

from __future__ import annotations

import math

import pytest

from backprop.frameworks.conventions import FRAMEWORKS, QUESTIONS, as_number, measure, write_conventions

OURS = {question.what: as_number(question.ours()) for question in QUESTIONS}
EXACT, SINGLE = 1e-9, 1e-5


@pytest.fixture(scope="module")
def answers():
    return {name: measure(name) for name in FRAMEWORKS}


def ask(answers, name, word):
    """The answer to the only question with this word, and ours."""
    if not answers[name]:
        pytest.skip(f"{name} is not installed")
    (what,) = [question.what for question in QUESTIONS if word in question.what]
    return answers[name][what], OURS[what]


@pytest.mark.parametrize(
    "word",
    ["SGD", "RMSProp", "AdaGrad, the same", "Adam, the same (0.031", "gelu", "ReLU function", "ReLU layer",
     "running mean", "running variance"],
)  # fmt: skip
def test_where_ours_is_as_in_torch(answers, word):
    theirs, ours = ask(answers, "torch", word)
    assert theirs == pytest.approx(ours, rel=EXACT)


@pytest.mark.parametrize(
    ("name", "word", "value"),
    [
        ("keras", "penalty", 2 * OURS[QUESTIONS[0].what]),
        ("sklearn", "penalty", OURS[QUESTIONS[0].what] / 10),
        ("torch", "Adam, the same (ours", 1.0),
        ("keras", "Adam, the same (ours", 0.5),
        ("keras", "RMSProp", 1e-4 / math.sqrt(1e-8 + 1e-4)),
        ("keras", "AdaGrad", 1e-4 / math.sqrt(1e-8 + 1e-4)),
        ("keras", "Adam, the same (0.031", 1 / (1 + 1 / math.sqrt(1 - 0.999))),
        ("jax", "gelu", 0.5 * (1 + math.tanh(math.sqrt(2 / math.pi) * 1.044715))),
        ("keras", "ReLU function", 0.2),
        ("keras", "ReLU layer", 0.3),
        ("keras", "running mean", 0.01),
        ("keras", "running variance", 1.0),
        ("torch", "two outputs", OURS[QUESTIONS[11].what] / 2),
        ("keras", "two outputs", OURS[QUESTIONS[11].what] / 2),
        ("keras", "1e-20", -math.log(1e-7)),
    ],
)
def test_where_a_framework_means_something_else(answers, name, word, value):
    theirs, ours = ask(answers, name, word)
    assert theirs == pytest.approx(value, rel=2e-4 if word == "1e-20" or "0.031" in word else SINGLE)
    assert (name == "keras" and "(ours" in word) or theirs != pytest.approx(ours, rel=SINGLE)


def test_the_table_has_a_line_for_every_question_and_versions_on_top():
    lines = write_conventions().splitlines()
    assert lines[0].startswith("measured with ")
    assert [line.split(" | ")[0][2:] for line in lines[4:]] == [question.what for question in QUESTIONS]
