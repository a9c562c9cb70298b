"""What training adds: a step is compared with the rule it names, and habits are told, never judged."""

from __future__ import annotations

import numpy as np
import pytest
from kit.samples.attached_programs import ADAM, SCRIPT
from kit.samples.named_rules import (
    BESIDE,
    BROKEN_LATER,
    DECAYS,
    IN_A_CLASS,
    NO_VARIANTS,
    OVER_TURNS,
    VARIANTS,
    write_program,
)

from backprop.attaching.advising.naming import name_rule
from backprop.attaching.advising.rules import compare_rule
from backprop.attaching.entry import load
from backprop.attaching.loading import attach_file
from backprop.examiner.judging.judge import judge
from backprop.examiner.saying.report import HINTS
from backprop.verification.explanation import judge_and_explain
from backprop.verification.submission import verify_file


def write(folder, text):
    file = folder / "program.py"
    file.write_text(text, encoding="utf-8")
    return file


def compare(folder, lines):
    with np.errstate(all="ignore"):
        flow = attach_file(write(folder, write_program(*lines))).flow
        rule = name_rule(flow)
        assert rule is not None
        return compare_rule(flow, rule)


@pytest.mark.parametrize("name", VARIANTS)
def test_a_published_variant_is_no_fault(name, tmp_path):
    found = compare(tmp_path, VARIANTS[name])
    assert (found.broken, found.turns) == ("", 3)


@pytest.mark.parametrize("name", NO_VARIANTS)
def test_what_is_named_after_a_rule_and_is_none_is_told(name, tmp_path):
    assert compare(tmp_path, NO_VARIANTS[name]).broken


LIKE_CORRECTIONS = ("a rate that is warmed", "a rate of one tenth, divided by the turn")


@pytest.mark.parametrize("name", OVER_TURNS)
def test_a_rate_that_changes_is_no_fault_of_the_rule(name, tmp_path):
    found = compare(tmp_path, OVER_TURNS[name])
    # A rate that equals a correction at the first turn may be either: then no turn is said to be a variant.
    assert (found.broken, found.turns) == ("", 0 if name in LIKE_CORRECTIONS else 3)


@pytest.mark.parametrize("name", BROKEN_LATER)
def test_what_is_right_at_the_first_turn_only_is_told(name, tmp_path):
    assert compare(tmp_path, BROKEN_LATER[name]).broken


@pytest.mark.parametrize("name", BESIDE)
def test_a_step_with_other_things_in_it_is_not_judged_and_that_is_said(name, tmp_path):
    report = verify_file(write(tmp_path, write_program(*BESIDE[name])))
    assert report.verdict in ("verified", "unusable")
    assert any(words in str(note) for note in report.notes for words in NOT_COMPARED)


NOT_COMPARED = ("not compared with it", "compared with none", "an adaptive or normalised step")


@pytest.mark.parametrize("name", DECAYS)
def test_a_decay_that_an_optimiser_adds_is_its_own_and_no_part_of_a_wrong_gradient(name, tmp_path):
    decay, loss, gradient, verdict = DECAYS[name]
    text = IN_A_CLASS.format(decay=decay, loss=loss, gradient=gradient)
    assert judge(load(write(tmp_path, text))).verdict == verdict


def test_such_a_step_is_wrong_at_the_update_and_its_gradient_right(tmp_path):
    report = judge_and_explain(load(write(tmp_path, write_program(*NO_VARIANTS["one correction"]))))
    assert report.verdict == "wrong"
    assert [finding.equation for finding in report.findings] == ["update"]
    assert {tensor["verdict"] for tensor in report.evidence["tensors"].values()} == {"right"}
    assert "is the derivative of the cost, but the step" in str(report)


def test_a_step_without_a_name_is_compared_with_nothing(tmp_path):
    assert name_rule(attach_file(write(tmp_path, ADAM)).flow) is None


def test_a_gradient_that_is_computed_and_not_used_is_a_fault_of_the_step(tmp_path):
    left = SCRIPT.replace("b2 -= lr * delta.sum(axis=0)", "db2 = delta.sum(axis=0)")
    report = verify_file(write(tmp_path, left))
    assert (report.findings[0].equation, report.findings[0].parameters) == ("update", ("b2",))


HABITS = {
    "draws its samples with replacement": "    idx = rng.integers(0, 12, size=12)\n    x, y = X[idx], Y[idx]\n",
    "": "    idx = rng.permutation(12)\n    x, y = X[idx], Y[idx]\n",
}


@pytest.mark.parametrize("said", HABITS)
def test_how_batches_are_drawn_is_a_note_and_no_verdict(said, tmp_path):
    head = "for epoch in range(500):\n"
    text = SCRIPT.replace("X @", "x @").replace("X.T", "x.T").replace("out - Y", "out - y").replace("len(X)", "12")
    report = judge_and_explain(load(write(tmp_path, text.replace(head, head + HABITS[said]))))
    assert report.verdict == "verified"
    assert bool(said) == any(said and said in note for note in report.notes)
    assert bool(said) == any(note.startswith("training: ") for note in report.notes)


def test_what_is_made_anew_in_every_epoch_is_told_with_its_line(tmp_path):
    inner = SCRIPT.partition("for epoch in range(500):\n")
    body = "".join(f"    {line}\n" for line in inner[2].splitlines()[:-1])
    body = body.replace("W1 -= lr * X.T @ back", "v = 0.9 * v - lr * X.T @ back\n        W1 += v")
    again = "    v = np.zeros((3, 4))\n    lr = 0.1\n    for step in range(4):\n        lr *= 0.9\n"
    report = judge_and_explain(load(write(tmp_path, inner[0] + inner[1] + again + body)))
    said = [note for note in report.notes if note.startswith("training: ")]
    assert report.verdict == "verified"
    assert len(said) == 2
    assert "line 11 makes v anew" in said[0]
    assert "line 12 sets lr back" in said[1]


EMBEDDED = """
import numpy as np
rng = np.random.default_rng(2)
near, far = rng.normal(size=(9, 4)), rng.normal(size=(9, 4))
pairs = [(int(i), int(j)) for i, j in rng.integers(0, 9, size=(40, 2))]
f = lambda z: 1 / (1 + np.exp(-z))
def loss(v, u, U):
    return -np.log(f(u @ v)) - np.sum(np.log(f(-U @ v)))
for epoch in range(30):
    for i, j in pairs:
        other = rng.choice(9, 3{chances})
        v, u, U = near[i].copy(), far[j].copy(), far[other].copy()
        value = loss(v, u, U)
        e, E = f(u @ v) - 1, f(U @ v)
        near[i] -= 0.1 * (e * u + E @ U)
        far[j] -= 0.1 * e * v
        np.subtract.at(far, other, 0.1 * np.outer(E, v))
"""


@pytest.mark.parametrize("chances", ["", ", p=np.ones(9) / 9"])
def test_rows_of_what_is_trained_are_no_samples(chances, tmp_path):
    subject = load(write(tmp_path, EMBEDDED.format(chances=chances)))
    assert not any("with replacement" in str(note) for note in subject.notes)
    assert judge(subject).verdict == "verified"


def test_what_a_step_remembers_is_told_beside_its_rate(tmp_path):
    for lines, said in (
        (VARIANTS["momentum"], ", and what m keeps of earlier ones"),
        (("plain", "p[k] -= 0.1 * g[k]"), ""),
    ):
        (words,) = [
            line for line in attach_file(write(tmp_path, write_program(*lines))).describe() if "gradients" in line
        ]
        assert words.endswith(f"the step is 0.1 times that{said}")


@pytest.mark.parametrize("hint", HINTS)
def test_a_step_that_is_wrong_is_never_called_a_wrong_gradient(hint, tmp_path):
    file = write(tmp_path, write_program(*BROKEN_LATER["squares corrected as at the first step"]))
    report = judge_and_explain(load(file))
    assert report.verdict == "wrong"
    assert "the gradient is the derivative of the cost, but the step is not made of it" in report.tell(hint).headline
