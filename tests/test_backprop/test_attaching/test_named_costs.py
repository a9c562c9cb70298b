"""A cost that is named is that of the rows of the step, or the file is refused with a command that works."""

from __future__ import annotations

import re

import pytest

from backprop.attaching.entry import load
from backprop.attaching.looking.refusals import Refused
from backprop.attaching.words import TAKEN
from backprop.examiner.judging.judge import judge

NET = """
import numpy as np
def fit(V, U, X, Y, rounds=60):
    rng = np.random.default_rng(1)
    A, B = rng.normal(size=(3, 4)), rng.normal(size=(4, 1))
    for k in range(rounds):
        gA, gB = slopes(X, Y, A, B, 0.3)
        A, B = A - 0.1 * gA, B - 0.1 * gB
        {calls}
    return A, B
def out(X, A, B):
    h = np.tanh(X @ A)
    return h, 1 / (1 + np.exp(-h @ B))
def measure(X, Y, A, B, decay):
    o = out(X, A, B)[1]
    kept = decay / 2 * (np.sum(A ** 2) + np.sum(B ** 2)) / len(X)
    return -np.sum(Y * np.log(o) + (1 - Y) * np.log(1 - o)) / len(X) + kept
def slopes(X, Y, A, B, decay):
    h, o = out(X, A, B)
    d = (o - Y) / {over}
    return X.T @ (d @ B.T * (1 - h ** 2)) + decay / len(X) * A, h.T @ d + decay / len(X) * B
rng = np.random.default_rng(0)
X, V = rng.normal(size=(20, 3)), rng.normal(size=(8, 3))
Y, U = (X[:, :1] > 0) * 1.0, (V[:, :1] > 0) * 1.0
fit(V, U, X, Y)
"""
RIGHT, WRONG = "len(X)", "len(X.T)"
CALLS = {
    "validation only": "told = measure(V, U, A, B, 0.0)",
    "validation first": "told, own = measure(V, U, A, B, 0.0), measure(X, Y, A, B, 0.3)",
    "validation last": "own = measure(X, Y, A, B, 0.3); told = measure(V, U, A, B, 0.3)",
    "a part of the rows": "told = measure(X[:5], Y[:5], A, B, 0.3)",
    "every few turns": "told = measure(V, U, A, B, 0) if k % 3 == 0 else measure(X[2:], Y[2:], A, B, 0)",
}


def write(folder, text):
    file = folder / "program.py"
    file.write_text(text, encoding="utf-8")
    return file


@pytest.mark.parametrize("calls", CALLS)
@pytest.mark.parametrize(("over", "verdict"), [(RIGHT, "verified"), (WRONG, "wrong")])
def test_a_named_cost_is_of_the_rows_of_the_step_wherever_else_it_is_called(calls, over, verdict, tmp_path):
    file = write(tmp_path, NET.format(calls=CALLS[calls], over=over))
    assert judge(load(file, cost="measure")).verdict == verdict


@pytest.mark.parametrize("over", [RIGHT, WRONG])
def test_a_cost_that_only_other_rows_have_is_no_basis(over, tmp_path):
    """The gradient is computed line by line: nothing says with which names the cost would be that of its rows."""
    told = "told = measure(V, U, A, B, 0.0)"
    inline = "h, o = out(X, A, B); d = (o - Y) / {over}; gA, gB = X.T @ (d @ B.T * (1 - h ** 2)), h.T @ d"
    text = NET.replace("gA, gB = slopes(X, Y, A, B, 0.3)", inline)
    with pytest.raises(Refused, match="computed for other rows of the data than the gradient") as told_why:
        load(write(tmp_path, text.format(calls=told, over=over)), cost="measure")
    assert told_why.value.reason == "ambiguous"
    (command,) = re.findall(r"give --cost ([\w-]+)", str(told_why.value))
    assert judge(load(tmp_path / "program.py", cost=command)).verdict == "verified"


def test_j_is_a_cost_too(tmp_path):
    for over, verdict in ((RIGHT, "verified"), (WRONG, "wrong")):
        text = NET.format(calls=CALLS["validation only"], over=over).replace("measure", "J")
        report = judge(load(write(tmp_path, text)))
        assert report.verdict == verdict
        assert any(str(note).startswith(f"{TAKEN}cost: ") and "J" in str(note) for note in report.notes)


def test_what_a_refusal_says_may_be_given_can_be_given(tmp_path):
    """The last layer has the gradient of no known cost, and no number of the file has a name that says so."""
    inline = "h, o = out(X, A, B); d = (o - Y) ** 3; gA, gB = X.T @ (d @ B.T * (1 - h ** 2)), h.T @ d"
    text = NET.replace("gA, gB = slopes(X, Y, A, B, 0.3)", inline).format(calls="pass", over="1")
    file = write(tmp_path, text)
    with pytest.raises(Refused, match="give --cost NAME, of ") as told:
        load(file)
    names = re.findall(r"of ((?:[\w-]+, )*[\w-]+)", str(told.value).partition("NAME, ")[2])[0].split(", ")
    assert len(names) >= 3
    for name in names:
        assert judge(load(file, cost=name)).verdict == "wrong"
