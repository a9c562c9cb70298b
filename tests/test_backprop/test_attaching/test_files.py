"""Files as they are: what is right is verified, a fault has its place, nothing is said on a wrong reading."""

from __future__ import annotations

import json

import numpy as np
import pytest
from kit.samples.attached_programs import (
    CLASS,
    COLUMNS,
    DATA,
    FAULTS,
    KINDS,
    LAYERS,
    MAIN,
    NUMBER,
    SCRIPT,
)
from kit.samples.habits_of_code import HABITS_OF_CODE, SLIPS

import backprop
from backprop.attaching.entry import load
from backprop.attaching.loading import attach_file
from backprop.attaching.looking.refusals import REASONS, Refused
from backprop.attaching.words import name_training_faults
from backprop.examiner.judging.judge import judge
from backprop.examiner.subject.protocol.subjects import Unusable
from backprop.verification.explanation import judge_and_explain


def write(folder, text, name="program.py"):
    file = folder / name
    file.write_text(text, encoding="utf-8")
    return file


def examine(folder, text, **options):
    return judge(load(write(folder, text), **options))


@pytest.mark.parametrize("kind", KINDS)
def test_a_right_program_is_verified_as_it_is(kind, tmp_path):
    report = examine(tmp_path, KINDS[kind])
    assert report.verdict == "verified", str(report)


@pytest.mark.parametrize(
    ("kind", "right", "wrong", "equation", "layer"),
    [(kind, *fault) for kind, faults in FAULTS.items() for fault in faults],
)
def test_a_fault_has_its_place(kind, right, wrong, equation, layer, tmp_path):
    assert right in KINDS[kind]
    report = examine(tmp_path, KINDS[kind].replace(right, wrong))
    assert report.verdict == "wrong", str(report)
    assert (report.findings[0].equation, report.findings[0].layer) == (equation, layer)


@pytest.mark.parametrize("habit", HABITS_OF_CODE)
def test_a_habit_is_read_as_it_is_meant(habit, tmp_path):
    report = examine(tmp_path, HABITS_OF_CODE[habit])
    assert report.verdict == "verified", str(report)


@pytest.mark.parametrize("habit", SLIPS)
def test_a_slip_in_a_habit_is_wrong(habit, tmp_path):
    assert HABITS_OF_CODE[habit].count(SLIPS[habit][0]) == 1
    report = judge_and_explain(load(write(tmp_path, HABITS_OF_CODE[habit].replace(*SLIPS[habit]))))
    assert report.verdict == "wrong", str(report)


def test_weights_that_change_while_the_error_goes_back_are_an_update_fault(tmp_path):
    first = "        out = grad @ self.W.T\n"
    late = LAYERS.replace(first, "").replace("        return out\n", "        return grad @ self.W.T\n")
    report = examine(tmp_path, late)
    assert [finding.equation for finding in report.findings] == ["update"]
    assert "the step is not made of it" in str(report).splitlines()[0]


def test_a_step_with_weights_that_changed_is_told_apart_from_a_wrong_gradient(tmp_path):
    back = "    back = (delta @ W2.T) * (1 - hidden ** 2)\n"
    bias = "    b2 -= lr * delta.sum(axis=0)\n"
    late = SCRIPT.replace(back, "").replace(bias, bias + back)
    for text, said in ((late, "the step is not made of it"), (late.replace("** 2", "** 3"), "is not the derivative")):
        report = judge_and_explain(load(write(tmp_path, text)))
        assert said in str(report).splitlines()[0]
        assert not [note for note in report.notes if str(note).startswith("no diagnosis")]


def test_a_multiple_of_what_is_printed_is_no_fault(tmp_path):
    printed = SCRIPT.replace('print("done")', "").replace(
        "    delta =", "    if epoch % 100 == 0: print(np.sum(error ** 2))\n    delta ="
    )
    assert examine(tmp_path, printed).verdict == "verified"


def test_a_loss_that_the_gradients_do_not_belong_to_is_a_fault_of_the_cost(tmp_path):
    text = SCRIPT.replace("    delta =", "    loss = squares(out, Y)\n    delta =").replace(
        "W1, b1 =", "def squares(o, t):\n    return np.sum((o - t) ** 4)\nW1, b1 =", 1
    )
    subject = load(write(tmp_path, text))
    report = name_training_faults(judge(subject))
    assert report.findings[0].equation == "cost"
    assert "another function" in report.findings[0].explanation


def test_what_was_taken_for_what_is_said_in_three_lines(tmp_path):
    lines = attach_file(write(tmp_path, CLASS + MAIN)).describe()
    assert len(lines) == 3
    assert "self.weights[0]" in lines[0]
    assert "in train" in lines[0]
    assert "self.dW[k]" in lines[1]
    assert "0.3 times" in lines[1]
    assert lines[2].startswith("cost: ")
    assert "loss" in lines[2]


def test_an_endless_training_runs_to_its_first_iterations_only(tmp_path):
    assert "10 ** 9" in MAIN
    assert attach_file(write(tmp_path, CLASS + MAIN)).order == (0, 3, 1, 4, 2, 5)


def test_an_optimisers_memory_is_no_parameter(tmp_path):
    found = attach_file(write(tmp_path, KINDS["adam"]))
    assert sorted(leaf.name for leaf in found.flow.leaves) == ["p['W1']", "p['W2']", "p['b1']", "p['b2']"]
    assert "optimiser" in found.describe()[1]


def test_the_gradient_is_read_with_the_update_held_back(tmp_path):
    functions = attach_file(write(tmp_path, SCRIPT)).functions()
    params = functions["parameters"](np.random.default_rng(0))
    before = functions["gradients"](params, None, None)
    functions["step"](params, None, None, 0.5)
    after = functions["gradients"](params, None, None)
    assert all(np.array_equal(before[name], after[name]) for name in before)


def test_marks_choose_the_piece(tmp_path):
    twice = SCRIPT + SCRIPT.replace(DATA, "").replace("(1 - hidden ** 2)", "hidden").replace("0.1", "0.2")
    assert examine(tmp_path, twice).verdict == "verified"
    lines = twice.splitlines()
    last = len(lines) - 1 - lines[::-1].index("    hidden = np.tanh(X @ W1 + b1)")
    end = len(lines) - 1 - lines[::-1].index("    b1 -= lr * back.sum(axis=0)")
    lines.insert(end + 1, "    # backprop: end")
    lines.insert(last, "    # backprop: begin")
    assert examine(tmp_path, "\n".join(lines)).verdict == "wrong"
    assert examine(tmp_path, twice, begin=last + 1, end=end + 1).verdict == "wrong"


def test_a_notebook_is_read_without_its_magics(tmp_path):
    cells = [
        {"cell_type": "markdown", "source": "# words"},
        {"cell_type": "code", "source": ["%matplotlib inline\n", "!ls\n"]},
        {"cell_type": "code", "source": SCRIPT.replace("tanh", "sin").replace("(1 - hidden ** 2)", "hidden")},
    ]
    file = write(tmp_path, json.dumps({"cells": cells, "nbformat": 4}), "net.ipynb")
    report = judge(load(file))
    assert report.findings[0].equation == "BP2"
    assert "cell 2, line" in " ".join(report.notes)


@pytest.mark.parametrize(
    ("text", "reason", "said"),
    [
        ('print "hello"\n', "syntax", "Python 2"),
        ("import no_such_package_at_all\n", "package", "no_such_package_at_all"),
        ("import numpy as np\nclass RNN:\n    def forward(self): pass\n", "nothing", "class RNN with forward"),
        ("import numpy as np\nnp.loadtxt('nowhere.csv')\n", "crashed", "line 2"),
        ("def f(:\n", "syntax", "not Python"),
    ],
)
def test_a_refusal_says_what_was_seen_and_why(text, reason, said, tmp_path):
    with pytest.raises(Unusable, match=said) as refusal:
        load(write(tmp_path, text))
    assert refusal.value.reason == reason
    assert reason in REASONS
    assert "\n" not in str(refusal.value)


def test_a_cost_that_is_not_there_is_refused_with_those_that_are(tmp_path):
    with pytest.raises(Refused, match="half-sse"):
        attach_file(write(tmp_path, SCRIPT), cost="nonsense")


def test_two_costs_that_share_a_last_layer_are_not_chosen_from(tmp_path):
    """The output's slope left out is the gradient of the cross-entropy above, and of no known cost below."""
    text = SCRIPT.replace("out = hidden @ W2 + b2", "out = 1 / (1 + np.exp(-(hidden @ W2 + b2)))").replace(
        "np.c_[np.sin(X[:, 0]), X[:, 1] * X[:, 2]]", "(X[:, :2] > 0).astype(float)"
    )
    report = examine(tmp_path, text)
    assert report.verdict == "verified"
    assert "binary cross-entropy" in " ".join(report.notes)


def test_a_reading_that_loses_a_parameter_is_refused(tmp_path):
    """A bias that is moved by a library's sum alone is not overlooked: the cost depends on it."""
    text = SCRIPT.replace(
        "    b2 -= lr * delta.sum(axis=0)\n",
        "    b2.__init__ if epoch else None\n    b2[:] = np.sin(b2) - lr * delta.sum(0)\n",
    )
    with pytest.raises(Unusable):
        load(write(tmp_path, text))


def test_the_glue_is_a_subject_of_the_same_verdict(tmp_path):
    from backprop.attaching.glue import write_glue

    wrong = write(tmp_path, SCRIPT.replace("(1 - hidden ** 2)", "hidden"))
    glue = tmp_path / "subject.py"
    glue.write_text(write_glue(attach_file(wrong), glue), encoding="utf-8")
    assert len(glue.read_text(encoding="utf-8").splitlines()) < 20
    assert judge(glue).findings[0].equation == "BP2"


def test_names_that_are_not_the_parameters_are_refused(tmp_path):
    with pytest.raises(Refused, match="not W1"):
        backprop.subject_from_file(write(tmp_path, SCRIPT), parameters=["W1"])


@pytest.mark.parametrize("rate", [0.3, 0.5, 1.0])
def test_a_factor_that_all_gradients_lack_is_no_choice_of_scale(rate, tmp_path):
    """The file's own loss has the factor; a step size that would hide it is not asked."""
    text = CLASS + MAIN.replace("0.3)", f"{rate})")
    assert examine(tmp_path, text).verdict == "verified"
    assert examine(tmp_path, text.replace("delta = 2 * (self", "delta = (self")).verdict == "wrong"


def test_a_cost_over_other_rows_than_the_gradient_is_no_basis(tmp_path):
    """The gradient's own known cost is judged, and said to be; a fault has its true place."""
    report = examine(tmp_path, COLUMNS)
    assert report.verdict == "verified", str(report)
    assert "binary cross-entropy" in " ".join(report.notes)
    assert "other rows" in " ".join(report.notes)
    wrong = name_training_faults(examine(tmp_path, COLUMNS.replace("* outs[k] * (1 - outs[k])", "* outs[k]")))
    assert (wrong.findings[0].equation, wrong.findings[0].layer) == ("BP2", 2)


def test_a_cost_over_other_rows_and_a_last_layer_of_no_known_cost_are_ambiguous(tmp_path):
    with pytest.raises(Refused, match="give --cost") as refusal:
        load(write(tmp_path, COLUMNS.replace("delta = outs[-1] - y", "delta = (outs[-1] - y) ** 3")))
    assert refusal.value.reason == "ambiguous"


@pytest.mark.parametrize("rate", [1.0, 0.5])
def test_a_factor_that_the_step_takes_up_is_no_fault(rate, tmp_path):
    """Cost and gradient have the same rows, and differ by their number, by which the step divides."""
    report = name_training_faults(examine(tmp_path, COLUMNS.replace("4, 1.0)", f"12, {rate})")))
    assert report.verdict == "verified", str(report)
    assert "total_cost" in " ".join(report.notes)


def test_a_number_bound_anew_is_a_parameter(tmp_path):
    report = examine(tmp_path, NUMBER)
    assert report.verdict == "verified", str(report)
    assert "parameters w, b" in " ".join(report.notes)
    wrong = examine(tmp_path, NUMBER.replace("error.mean()", "error.sum()"))
    assert wrong.findings[0].equation == "BP3"


@pytest.mark.parametrize(("right", "wrong"), [("error.mean()", "error.sum()"), ("X.T @ error", "X.T @ (error + 1)")])
def test_a_number_that_the_piece_sets_and_did_not_move_is_not_overlooked(right, wrong, tmp_path):
    lines = NUMBER.splitlines()
    first, last = (lines.index(f"        {text}") + 1 for text in ("error = predict(w, b) - y", "print(cost(w, b))"))
    subject = load(write(tmp_path, NUMBER), begin=first, end=last)
    assert "parameters w, b" in " ".join(map(str, subject.notes))
    assert judge(subject).verdict == "verified"
    assert judge(load(write(tmp_path, NUMBER.replace(right, wrong)), begin=first, end=last)).verdict == "wrong"
