"""The diagnosis names the mistake that makes exactly these numbers, and nothing else."""

from __future__ import annotations

import json

import numpy as np
import pytest

from backprop.diagnosis.mistakes.catalogue import CAUSES, list_causes
from backprop.door.cli import main
from backprop.verification.explanation import judge_and_explain

ROWS = 7


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def softmax(z):
    e = np.exp(z - z.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


def make_subject(gradients, *, forward=True, columns=False):
    """A 4-5-3 network with tanh, softmax and cross-entropy; `gradients(P, X, Y, z1, a1, a2)` as rows."""

    def turn(P):
        return [(W.T, b.ravel()) for W, b in P] if columns else P

    def run(P, X):
        (W1, b1), (W2, b2) = turn(P)
        z1 = (X.T if columns else X) @ W1 + b1
        a1 = np.tanh(z1)
        return z1, a1, softmax(a1 @ W2 + b2)

    def parameters(rng):
        P = [(rng.normal(size=(4, 5)) / 2, rng.normal(size=5)), (rng.normal(size=(5, 3)) / 2, rng.normal(size=3))]
        return [(W.T.copy(), b[:, None]) for W, b in P] if columns else P

    def data(rng):
        X, Y = rng.normal(size=(ROWS, 4)), np.eye(3)[rng.integers(3, size=ROWS)]
        return (X.T.copy(), Y.T.copy()) if columns else (X, Y)

    def cost(P, X, Y):
        return -np.sum((Y.T if columns else Y) * np.log(run(P, X)[2])) / ROWS

    def given(P, X, Y):
        rows = (X.T, Y.T) if columns else (X, Y)
        found = gradients(turn(P), *rows, *run(P, X))
        return [(W.T, b[:, None]) for W, b in found] if columns else found

    subject = {"parameters": parameters, "data": data, "cost": cost, "gradients": given}
    if forward:
        subject["forward"] = lambda P, X: run(P, X)[2].T if columns else run(P, X)[2]
    return subject


def go_back(P, X, Y, a1, d2, slope):
    d1 = (d2 @ P[1][0].T) * slope
    return [(X.T @ d1, d1.sum(axis=0)), (a1.T @ d2, d2.sum(axis=0))]


def forget_square(P, X, Y, z1, a1, a2):
    return go_back(P, X, Y, a1, (a2 - Y) / ROWS, 1 - a1)


@pytest.mark.parametrize("columns", [False, True])
@pytest.mark.parametrize("forward", [False, True])
def test_a_mistake_is_named_in_rows_or_columns_with_or_without_a_forward_function(columns, forward):
    report = judge_and_explain(make_subject(forget_square, forward=forward, columns=columns))
    found = report.findings[0]
    assert (found.equation, found.layer, found.cause) == ("BP2", 1, "derivative_formula_incomplete")
    assert "activation tanh" in found.explanation
    assert "backprop derive four_equations" in found.explanation


def test_a_mistake_that_is_not_in_the_table_has_no_name():
    feedback = np.random.default_rng(5).normal(size=(3, 5))

    def gradients(P, X, Y, z1, a1, a2):
        d2 = (a2 - Y) / ROWS
        d1 = (d2 @ feedback) * (1 - a1**2)
        return [(X.T @ d1, d1.sum(axis=0)), (a1.T @ d2, d2.sum(axis=0))]

    found = judge_and_explain(make_subject(gradients)).findings[0]
    assert (found.equation, found.layer, found.cause) == ("BP2", 1, "unknown")


def test_a_factor_and_a_second_mistake_are_two_findings():
    def gradients(P, X, Y, z1, a1, a2):
        return go_back(P, X, Y, a1, a2 - Y, np.ones_like(a1))

    first, second = judge_and_explain(make_subject(gradients)).findings
    assert (first.equation, first.cause) == ("cost", "gradient_not_averaged")
    assert (second.equation, second.layer, second.cause) == ("BP2", 1, "derivative_missing")


def test_mistakes_with_the_same_numbers_are_mentioned():
    def gradients(P, X, Y, z1, a1, a2):
        return go_back(P, X, Y, a1, (a2 - Y) / ROWS, np.ones_like(a1))

    found = judge_and_explain(make_subject(gradients)).findings[0]
    assert found.cause == "derivative_missing"
    assert "derivative_of_other_activation" in found.explanation


def test_a_step_that_uses_updated_weights_is_named():
    def right(P, X, Y, z1, a1, a2):
        return go_back(P, X, Y, a1, (a2 - Y) / ROWS, 1 - a1**2)

    subject = make_subject(right)

    def step(P, X, Y, rate):
        (W1, b1), (W2, b2) = P
        a1 = np.tanh(X @ W1 + b1)
        d2 = (softmax(a1 @ W2 + b2) - Y) / ROWS
        W2 = W2 - rate * a1.T @ d2
        d1 = (d2 @ W2.T) * (1 - a1**2)
        return [(W1 - rate * X.T @ d1, b1 - rate * d1.sum(axis=0)), (W2, b2 - rate * d2.sum(axis=0))]

    found = judge_and_explain(subject | {"step": step}).findings[0]
    assert (found.equation, found.cause) == ("update", "weights_updated_before_error_goes_back")


def test_a_right_gradient_has_no_findings():
    def right(P, X, Y, z1, a1, a2):
        return go_back(P, X, Y, a1, (a2 - Y) / ROWS, 1 - a1**2)

    assert judge_and_explain(make_subject(right)).ok


def test_a_subject_that_fails_during_the_diagnosis_keeps_its_verdict():
    subject = make_subject(forget_square)

    def forward(P, X):
        raise SystemExit(0)

    report = judge_and_explain(subject | {"forward": forward})
    assert report.verdict == "wrong"
    assert report.findings[0].equation == "BP2"


def test_identifiers_mean_one_sentence_each():
    sentences = {}
    for cause in CAUSES:
        assert sentences.setdefault(cause.identifier, cause.sentence) == cause.sentence
        assert cause.sentence.endswith(".")
        assert cause.identifier == cause.identifier.lower()


def test_every_cause_points_to_a_line_of_the_derivation():
    for cause in CAUSES:
        assert "backprop derive" in cause.reread(1, 2)


def test_the_table_is_printed(capsys):
    assert main(["verify", "--list-causes", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)["causes"]
    assert [row["identifier"] for row in rows] == [cause.identifier for cause in list_causes()]
    assert main(["verify", "--list-causes"]) == 0
    assert "derivative_at_activation" in capsys.readouterr().out
