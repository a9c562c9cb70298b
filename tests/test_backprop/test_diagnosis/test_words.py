"""What is said is so: causes, factors, conventions, names, references, where they can be seen and nowhere else."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse
from test_backprop.test_diagnosis.test_explain import ROWS, go_back, make_subject
from test_backprop.test_examiner.test_saying.test_grounds import scale, write_in_cost

from backprop.diagnosis.mistakes.catalogue import CAUSES
from backprop.examiner.measuring.laws import describe_law
from backprop.examiner.subject.protocol.naming import name_leaves
from backprop.verification.explanation import judge_and_explain
from theory.chapters.book import CHAPTERS
from theory.language.derivation import Derivation


def make_net(*, outputs=3, share=1.0, mean=True, unit=1.0, pull=0.0, store=lambda g: g, at_zero=None, blank=False):
    """4-5-K by hand, half the squared error; `share` on the gradient, `pull` of a penalty that the cost lacks."""
    relu = at_zero is not None

    def parameters(rng):
        widths = ((4, 5), (5, outputs))
        return [(rng.normal(size=(i, o)) / 2, rng.normal(size=o) * (not blank)) for i, o in widths]

    def data(rng, n=7):
        X = rng.normal(size=(n, 4))
        X[0] *= not blank
        return X, rng.normal(size=(n, outputs))

    def run(P, X):
        z = X @ P[0][0] + P[0][1]
        a = np.maximum(z, 0) if relu else np.tanh(z)
        return z, a, a @ P[1][0] + P[1][1]

    def cost(P, X, Y):
        return unit * 0.5 * np.sum((run(P, X)[2] - Y) ** 2) / (len(X) if mean else 1)

    def gradients(P, X, Y):
        z, a, out = run(P, X)
        d = unit * share * (out - Y) / (len(X) if mean == 1 else 1)
        slope = np.where(z > 0, 1.0, np.where(z < 0, 0.0, at_zero)) if relu else 1 - a**2
        e = (d @ P[1][0].T) * slope
        return [(store(X.T @ e + pull * P[0][0]), e.sum(axis=0)), (store(a.T @ d + pull * P[1][0]), d.sum(axis=0))]

    return {"parameters": parameters, "data": data, "cost": cost, "gradients": gradients}


@pytest.mark.parametrize("cause", CAUSES, ids=lambda cause: cause.identifier)
def test_what_to_read_again_stands_in_the_book(cause):
    for layer in (1, 2):
        chapter, label, step = cause.reference(layer, 2)
        sections = [section for section in CHAPTERS[chapter].sections() if not isinstance(section, str)]
        if label == "scale":
            remarks = [r for s in sections if not isinstance(s, Derivation) for r in s.remarks]
            assert any(remark.startswith("scale: ") for remark in remarks)
            continue
        found = [section for section in sections if section.label == label]
        assert found
        if step:
            rules = {one.rule for s in found if isinstance(s, Derivation) for one in s.steps}
            assert step in rules


@pytest.mark.parametrize(
    ("factors", "expected"),
    [
        ({"W2": 2, "b1": 4}, [("BP4", 2, "weight_gradient_factor_wrong"), ("BP3", 1, "bias_gradient_factor_wrong")]),
        ({"W1": 18, "W2": 18, "b1": 1800, "b2": 1800},
         [("BP4", 2, "weight_gradient_factor_wrong"), ("BP3", 2, "bias_gradient_factor_wrong")]),
        ({"W1": 2, "W2": 2, "b1": 6, "b2": 6},
         [("BP4", 2, "weight_gradient_factor_wrong"), ("BP3", 2, "bias_gradient_factor_wrong")]),
        ({"W2": 2, "W1": 3}, [("BP4", 2, "weight_gradient_factor_wrong"), ("BP4", 1, "weight_gradient_factor_wrong")]),
    ],
    ids=["two tensors", "18 and 1800", "2 and 6", "two weights"],
)  # fmt: skip
def test_different_factors_are_different_findings(factors, expected):
    findings = judge_and_explain(scale(**factors)).findings
    assert [(f.equation, f.layer, f.cause) for f in findings] == expected
    for finding in findings:
        assert f"{factors[finding.parameters[-1]]}" in finding.explanation
        assert "forward" not in finding.explanation


def test_a_factor_that_follows_n_is_divided_out_and_the_rest_is_examined():
    first, second = judge_and_explain(make_net(mean=2, pull=0.1)).findings
    assert (first.equation, first.layer, first.cause) == ("cost", None, "gradient_not_averaged")
    assert (second.equation, second.cause) == ("BP4", "penalty_not_in_cost")
    assert "the number found is 0.1." in second.explanation


def test_two_mistakes_of_different_kinds_are_both_named():
    def gradients(P, X, Y, z1, a1, a2):
        (dW1, db1), (_, db2) = go_back(P, X, Y, a1, (a2 - Y) / ROWS, 1 - a1**2)
        return [(dW1, db1 / ROWS), (z1.T @ ((a2 - Y) / ROWS), db2)]

    found = judge_and_explain(make_subject(gradients)).findings
    assert [f.cause for f in found] == ["preactivation_in_weight_gradient", "bias_gradient_mean_instead_of_sum"]


def test_a_wrong_step_is_told_beside_a_wrong_gradient():
    subject = scale(W2=2.0)
    right = scale()["gradients"]

    def step(P, X, Y, rate):
        return [(W + rate * dW, b + rate * db) for (W, b), (dW, db) in zip(P, right(P, X, Y), strict=True)]

    found = judge_and_explain(subject | {"step": step}).findings
    assert [f.equation for f in found] == ["BP4", "update"]


def test_a_step_along_the_right_gradient_is_no_fault_beside_a_wrong_one():
    right = scale()["gradients"]

    def step(P, X, Y, rate):
        return [(W - rate * dW, b - rate * db) for (W, b), (dW, db) in zip(P, right(P, X, Y), strict=True)]

    assert [f.equation for f in judge_and_explain(scale(W2=2.0) | {"step": step}).findings] == ["BP4"]


@pytest.mark.parametrize("at_zero", [0.0, 0.3, 1.0])
def test_a_slope_between_the_one_sided_ones_is_a_convention(at_zero):
    report = judge_and_explain(make_net(at_zero=at_zero, blank=True))
    assert report.verdict == "verified", str(report)
    assert any("a convention" in note for note in report.notes)


@pytest.mark.parametrize("at_zero", [-2.0, -0.5, 1.5, 2.0])
def test_a_slope_beyond_the_one_sided_ones_is_none(at_zero):
    report = judge_and_explain(make_net(at_zero=at_zero, blank=True))
    assert not any("a convention" in note for note in report.notes)
    assert report.verdict == "wrong", str(report)
    assert report.findings[0].said[0].grounds["part"] == pytest.approx(at_zero, abs=0.01)


def test_half_is_told_as_both_where_there_are_two_outputs():
    first = judge_and_explain(make_net(outputs=2, share=2.0)).findings[0]
    assert first.cause == "cost_factor_two"
    assert "outputs_not_averaged" in first.explanation
    assert "outputs_not_averaged" not in judge_and_explain(make_net(outputs=3, share=2.0)).findings[0].explanation


@pytest.mark.parametrize("keys", [("W", "w0", "V", "v0"), ("w", "w0", "v", "v0")])
@pytest.mark.parametrize("column", [False, True])
def test_layers_are_counted_by_what_is_there(keys, column):
    shapes = [(5, 4), (5, 1), (3, 5), (3, 1)] if column else [(4, 5), (5,), (5, 3), (3,)]
    leaves = name_leaves({key: np.ones(shape) for key, shape in zip(keys, shapes, strict=True)})
    assert [(leaf.name, leaf.layer, leaf.role) for leaf in leaves] == [
        (key, layer, role) for key, layer, role in zip(keys, (1, 1, 2, 2), "WbWb", strict=True)
    ]


@pytest.mark.parametrize("key", ["bigrams", "base", "table"])
def test_a_table_is_no_bias(key):
    leaves = name_leaves({key: np.ones((9, 4)), "W": np.ones((4, 3)), "b": np.ones(3)})
    assert [leaf.role for leaf in leaves] == ["W", "W", "b"]


@pytest.mark.parametrize("kind", [scipy.sparse.csr_matrix, scipy.sparse.coo_array])
def test_a_sparse_gradient_is_read(kind):
    assert judge_and_explain(make_net(store=kind)).verdict == "verified"
    assert judge_and_explain(make_net(store=lambda g: kind(2 * g))).verdict == "wrong"


def test_a_cost_that_changes_its_inputs_is_said():
    first = judge_and_explain(write_in_cost()).findings[0]
    assert (first.equation, first.cause) == ("cost", "cost_writes_into_inputs")
    assert "writes into X" in first.explanation


@pytest.mark.parametrize("unit", [1e300, 1e-300])
def test_the_size_of_a_cost_decides_nothing(unit):
    assert judge_and_explain(make_net(unit=unit)).verdict == "verified"
    assert judge_and_explain(make_net(unit=unit, share=1.1)).verdict == "wrong"


def test_numbers_are_told_as_people_write_them():
    assert [describe_law(c, p) for c, p in ((2, -1), (3 / 7, 0), (-6.4e-16, 0), (1, 1))] == ["2/n", "3/7", "0", "n"]
    found = judge_and_explain(make_net(pull=0.1)).findings[0]
    assert found.cause == "penalty_not_in_cost"
    missing = judge_and_explain(scale(b1=0.0)).findings[0].explanation
    assert "e-1" not in found.explanation + missing
    assert "is 1 times" not in found.explanation + missing
