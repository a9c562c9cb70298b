"""A program that keeps its batch to itself has its mistake named as a subject has that gives its batch."""

from __future__ import annotations

import numpy as np
import pytest

from backprop.attaching.batches import list_constants
from backprop.attaching.entry import load
from backprop.attaching.loading import attach_file
from backprop.verification.explanation import judge_and_explain

PROGRAM = """
import numpy as np

rng = np.random.default_rng(4)
inputs, wanted = rng.normal(size=(20, 3)), TARGETS
other = rng.normal(size=(20, 3))
W1, b1, W2, b2 = rng.normal(size=(3, 4)), np.zeros(4), rng.normal(size=(4, 2)), np.zeros(2)


def squash(z):
    HIDDEN


for turn in range(8):
    some = rng.permutation(20)[:ROWS]
    x, y = inputs[some], wanted[some]
    z = x @ W1 + b1
    h = squash(z)
    out = h @ W2 + b2
    loss = 0.5 * np.sum((out - y) ** 2)
    e2 = out - y
    e1 = ERROR
    gW2, gb2, gW1, gb1 = h.T @ e2, e2.sum(axis=0), ENTERS.T @ e1, e1.sum(axis=0)
    W1 -= 0.01 * gW1
    b1 -= 0.01 * gb1
    W2 -= 0.01 * gW2
    b2 -= 0.01 * gb2
"""
SOFTMAX = "e = np.exp(z - z.max(axis=1, keepdims=True)); return e / e.sum(axis=1, keepdims=True)"
TANH = "return np.tanh(z)"
RIGHT = {
    "HIDDEN": TANH, "ERROR": "(e2 @ W2.T) * (1 - h ** 2)", "ENTERS": "x", "ROWS": "20",
    "TARGETS": "rng.normal(size=(20, 2))",
}  # fmt: skip
MISTAKES = {
    "derivative_missing": {"ERROR": "e2 @ W2.T"},
    "derivative_formula_for_a_used_on_z": {"ERROR": "(e2 @ W2.T) * (1 - z ** 2)"},
    "derivative_applied_twice": {"ERROR": "(e2 @ W2.T) * (1 - h ** 2) ** 2"},
    "softmax_treated_elementwise": {"HIDDEN": SOFTMAX, "ERROR": "(e2 @ W2.T) * h * (1 - h)"},
    "softmax_derivative_missing": {"HIDDEN": SOFTMAX, "ERROR": "e2 @ W2.T"},
    "softmax_jacobian_wrong": {
        "HIDDEN": SOFTMAX, "ERROR": "h * (e2 @ W2.T + (h * (e2 @ W2.T)).sum(axis=1, keepdims=True))",
    },
}  # fmt: skip


def write(folder, **changes):
    text = PROGRAM
    for mark, put in (RIGHT | changes).items():
        text = text.replace(mark, put)
    file = folder / "program.py"
    file.write_text(text, encoding="utf-8")
    return file


@pytest.mark.parametrize("rows", ["20", "7"], ids=["whole batch", "small batch"])
@pytest.mark.parametrize("cause", MISTAKES)
def test_the_mistake_of_a_script_is_named(cause, rows, tmp_path):
    report = judge_and_explain(load(write(tmp_path, ROWS=rows, **MISTAKES[cause])))
    (found,) = report.findings
    assert (found.equation, found.layer, found.cause) == ("BP2", 1, cause), str(report)


def test_whole_numbers_are_targets_too(tmp_path):
    report = judge_and_explain(load(write(tmp_path, TARGETS="rng.integers(3, size=(20, 2))", ERROR="e2 @ W2.T")))
    assert report.findings[0].cause == "derivative_missing"


def test_softmax_between_layers_is_verified_where_its_jacobian_is_whole(tmp_path):
    error = "h * (e2 @ W2.T - (h * (e2 @ W2.T)).sum(axis=1, keepdims=True))"
    assert judge_and_explain(load(write(tmp_path, HIDDEN=SOFTMAX, ERROR=error))).verdict == "verified"


def test_what_the_parameters_move_is_no_part_of_the_batch(tmp_path):
    iteration = attach_file(write(tmp_path)).flow.iteration
    offered = list_constants(iteration)
    assert (20, 3) in {array.shape for array in offered}
    assert all(np.isfinite(array).all() for array in offered)
    assert not any(np.array_equal(array, start) for array in offered for start in iteration.start)


def test_a_network_of_another_kind_keeps_what_the_judge_says(tmp_path):
    report = judge_and_explain(load(write(tmp_path, HIDDEN="return np.cumsum(np.tanh(z), axis=1)")))
    assert report.verdict == "wrong"
    assert report.findings[0].cause == "unknown"
