"""Every sentence rests on a predicate and its numbers: where the predicate fails, the sentence is gone."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from test_backprop.test_diagnosis.test_explain import ROWS, go_back, make_subject
from test_backprop.test_diagnosis.test_patterns import (
    make_autoencoder,
    make_classifier,
    make_learned_slope,
    make_shaped,
)
from test_backprop.test_examiner.test_judging.test_localise import SHAPES, Network

from backprop.diagnosis.model import grounds as causes
from backprop.examiner.saying import remarks, sentences
from backprop.examiner.saying.grounds import Note, Predicate, say, tell
from backprop.examiner.saying.report import Report
from backprop.verification.explanation import judge_and_explain

FIT = {"off": 0.5, "entries": 12}
NO_FIT = ({"off": 1.5}, {"entries": 0})
FACTOR = FIT | {"number": 3.0, "power": 0}
NO_FACTOR = (*NO_FIT, {"number": 1.0}, {"number": 0.0})
ZERO = {"largest": 0.0, "expected": 2.0, "tensors": ["W1"], "layer": 1}
NO_ZERO = ({"largest": 1e-9}, {"expected": 0.0})
CHANGE = {"change": 0.1, "written": ["X"], "text": "It changes."}
MUTANT = FIT | {"right_off": 9.0, "text": "A mistake."}

TABLE: list[tuple[Predicate, dict[str, Any], tuple[dict[str, Any], ...]]] = [
    (sentences.WHOLE_FACTOR, FIT | {"numbers": [3.0, 3.0], "factor": "3"}, (*NO_FIT, {"numbers": [1.0, 3.0]})),
    (sentences.SHARED_FACTOR, FACTOR | {"factor": "3", "tensors": ["b1"]}, (*NO_FACTOR, {"tensors": []})),
    (sentences.BATCH_SIZE, {"number": 1.0, "power": -1}, ({"power": 0}, {"number": 2.0})),
    (sentences.OUTPUT_COUNT, {"number": 0.5, "outputs": 2}, ({"number": 0.4}, {"outputs": 1})),
    (sentences.OUTPUTS_OVER_BATCH, {"number": 0.3, "power": 0, "outputs": 3, "rows": [10]},
     ({"number": 0.31}, {"rows": [10, 5]}, {"power": 1}, {"outputs": 4})),
    (sentences.WHOLE_SIGN, FIT | {"numbers": [-1.0]}, (*NO_FIT, {"numbers": [-1.0, 1.0]})),
    (sentences.WHOLE_ZERO, ZERO, NO_ZERO),
    (sentences.DIFFERS, {"off": 2.0, "tensors": ["W1"]}, ({"off": 1.0},)),
    (sentences.OUTPUT_ERROR, {"off": 2.0, "tensors": ["W2"], "right": [], "layer": 2},
     ({"off": 0.9}, {"tensors": []}, {"right": ["b2"]})),
    (sentences.OTHER_ACTIVATIONS, FIT | {"layer": 2, "away": 0.1, "moved": 0.2, "right_below": []},
     (*NO_FIT, {"layer": 1}, {"away": 0.0}, {"moved": 2.0}, {"right_below": ["W1"]})),
    (sentences.MORE_THAN_OUTPUTS, {"moved": 2.0}, ({"moved": 1.0},)),
    (sentences.CHANGED_WEIGHTS, {"rates": 9, "rate": 0.5, "spread": 1e-6, "layer": 1},
     ({"rates": 2}, {"rate": 0.0}, {"spread": 0.1})),
    (sentences.HIDDEN_ERROR, {"off": 2.0, "above": ["W2"], "layer": 1}, ({"off": 1.0}, {"above": []})),
    (sentences.HIDDEN_ERROR_TOO, {"off": 2.0, "layer": 1}, ({"off": 1.0},)),
    (sentences.LAYERS_ZERO, ZERO, NO_ZERO),
    (sentences.LAYER_ZERO, ZERO | {"beside": ["W1"]}, (*NO_ZERO, {"beside": []})),
    (sentences.BESIDE_ERROR, {"off": 2.0, "right": ["b2"], "moved": 2.0, "layer": 2, "tensors": ["W2"]},
     ({"off": 1.0}, {"right": []}, {"moved": 0.5})),
    (sentences.BESIDE_OUTPUTS, {"off": 2.0, "right": ["b2"], "moved": 2.0, "layer": 2, "kind": "weight gradient"},
     ({"off": 1.0}, {"right": []}, {"moved": 0.5})),
    (sentences.BESIDE_RIGHT_ERROR, {"off": 2.0, "shown_by": ["b1"], "layer": 1, "kind": "weight gradient"},
     ({"off": 1.0}, {"shown_by": []})),
    (sentences.BESIDE_UNSEEN_ERROR, {"off": 2.0, "shown_by": [], "layer": 1, "kind": "weight gradient"},
     ({"off": 1.0}, {"shown_by": ["b1"]})),
    (sentences.TOGETHER_BESIDE_RIGHT, {"off": 2.0, "tensors": ["W1", "b1"], "right": ["b2"]},
     ({"off": 1.0}, {"right": []})),
    (sentences.BEYOND_KINK, {"part": 2.0, "case": "a case", "tensors": ["b1"]}, ({"part": 1.0}, {"part": 0.3})),
    (sentences.TENSOR_SHAPE, {"got": [1, 3], "expected": [3], "tensor": "b1"}, ({"got": [3]},)),
    (sentences.TENSOR_MISSING, {"given": 0, "entries": 3, "tensor": "b1"}, ({"given": 3},)),
    (sentences.TENSOR_NOT_FINITE, {"bad": 1, "tensor": "b1"}, ({"bad": 0},)),
    (sentences.TENSOR_ZERO, ZERO | {"tensor": "b1"}, NO_ZERO),
    (sentences.TENSOR_FACTOR, FACTOR | {"tensor": "b1", "factor": "3"}, NO_FACTOR),
    (sentences.TENSORS_FACTOR, FACTOR | {"tensors": ["b1"], "factor": "3"}, NO_FACTOR),
    (sentences.TENSOR_TRANSPOSED, FIT | {"tensor": "W1"}, NO_FIT),
    (sentences.TENSOR_PENALTY, FIT | {"tensor": "W1", "number": 0.1}, (*NO_FIT, {"number": 0.0})),
    (sentences.STEP_DIFFERS, {"off": 2.0, "tensors": ["W1"]}, ({"off": 1.0},)),
    (sentences.STEP_LATE, {"wide": 1.0, "narrow": 0.1, "right": ["W2"]},
     ({"narrow": 0.9}, {"right": []}, {"narrow": 0.0})),
    (sentences.OWN_MASK, {"change": 0.1, "seeded": 0.0}, ({"change": 0.0}, {"seeded": 0.1})),
    (sentences.ADDS_UP, {"change": 0.1, "off": 0.1}, ({"change": 0.0}, {"off": 2.0})),
    (sentences.KEEPS, CHANGE, ({"change": 0.0},)),
    (sentences.KEEPS_EARLIER, CHANGE, ({"change": 0.0},)),
    (sentences.WRITES_PARAMETERS, CHANGE, ({"change": 0.0}, {"written": []})),
    (sentences.WRITES_INPUTS, CHANGE, ({"change": 0.0}, {"written": []})),
    (sentences.COST_WRITES, CHANGE, ({"change": 0.0}, {"written": []})),
    (sentences.SHARES_CACHE, CHANGE, ({"change": 0.0},)),
    (sentences.INTEGERS, CHANGE, ({"change": 0.0},)),
    (sentences.WIRING, {"failed": ["W1"], "reason": "it is"}, ({"failed": []},)),
    (remarks.ANOTHER_SLOPE, {"tensors": ["b1"], "low": 0.0, "high": 1.0, "case": "a case", "taken": ""},
     ({"tensors": []}, {"low": -0.5}, {"high": 2.0})),
    (remarks.UNSEEN_SLOPE, {"tensors": ["b1"], "measured": 0, "case": "a case"}, ({"measured": 2}, {"tensors": []})),
    (remarks.SILENT, {"tensors": ["b1"], "share": 1e-9, "limit": 1e-6}, ({"share": 1e-3}, {"tensors": []})),
    (remarks.GUARDED, {"explained": 2, "mismatches": 2, "guard": "1e-7"}, ({"explained": 1}, {"mismatches": 3})),
    (remarks.LOSS_SLOPE, {"loss": "BCELoss", "version": "2", "wrong": 1, "output": 1e-13, "theirs": 1.0, "true": 2.0},
     ({"wrong": 0}, {"theirs": 2.0})),
    (remarks.LEFT_OUT, {"reason": "it fails", "case": "a case"}, ({"reason": ""},)),
    (remarks.OWN_SIZE, {"takes_rows": False}, ({"takes_rows": True},)),
    (remarks.IMPLIED, {"gradients": False, "step": True}, ({"gradients": True}, {"step": False})),
    (remarks.STEP_FAILED, {"reason": "it fails"}, ({"reason": ""},)),
    (remarks.RESTARTED, {"repeats": False}, ({"repeats": True},)),
    (remarks.DRAWS, {"states_equal": False}, ({"states_equal": True},)),
    (remarks.WRITES_IDLY, CHANGE | {"change": 0.0}, ({"change": 0.1}, {"written": []})),
    (remarks.COST_WRITES_IDLY, CHANGE | {"change": 0.0}, ({"change": 0.1}, {"written": []})),
    (remarks.NO_DIAGNOSIS, {"error": "it failed"}, ({"error": ""},)),
    (causes.MUTANT, MUTANT, (*NO_FIT, {"right_off": 0.5})),
    (causes.MENTIONED, MUTANT, (*NO_FIT, {"right_off": 0.5})),
    (causes.BESIDE_FACTOR, FACTOR | {"text": "A factor."}, (*NO_FIT, {"number": 0})),
    (causes.PATTERN, FIT | {"text": "A pattern."}, NO_FIT),
    (causes.ZERO, ZERO | {"text": "Zeros."}, NO_ZERO),
    (causes.OTHER_SHAPE, {"got": [1, 3], "expected": [3], "text": "A shape."}, ({"got": [3]},)),
    (causes.NO_NUMBERS, {"bad": 1, "text": "NaN."}, ({"bad": 0},)),
    (causes.SHOWN, {"samples": 3, "seen": 3, "text": "Seen."}, ({"seen": 2}, {"samples": 0, "seen": 0})),
    (causes.DIFFERS_ONLY_THERE, {"wrong": ["W1"], "right": ["b1"], "text": "There."}, ({"wrong": []}, {"right": []})),
    (causes.BEHAVIOUR, CHANGE, ({"change": 0.0},)),
    (causes.STEP_PATTERN, {"off": 0.1, "shares": [2.0], "text": "A step."}, ({"off": 2.0}, {"shares": []})),
]  # fmt: skip
"""A predicate, numbers with which it holds, and changes of which each makes it fail."""


def list_predicates() -> list[Predicate]:
    return [thing for room in (sentences, remarks, causes) for thing in vars(room).values() if type(thing) is Predicate]


@pytest.mark.parametrize(("predicate", "numbers", "changes"), TABLE, ids=[row[0].identifier for row in TABLE])
def test_a_sentence_is_said_with_its_numbers_and_vanishes_with_its_predicate(predicate, numbers, changes):
    (said,) = say(predicate, **numbers)
    assert said.text.strip()
    assert said.grounds["predicate"] == predicate.identifier
    assert len(said.grounds) > 1
    json.dumps(said.grounds, allow_nan=False)
    for change in changes:
        assert say(predicate, **numbers | change) == ()
        notes: list[str] = []
        tell(notes, predicate, **numbers | change)
        assert notes == []


def test_no_predicate_is_left_out_and_none_has_two_meanings():
    assert {id(row[0]) for row in TABLE} == {id(predicate) for predicate in list_predicates()}
    identifiers = [predicate.identifier for predicate in list_predicates()]
    assert len(set(identifiers)) == len(identifiers)


def scale(**factors: float) -> dict[str, Any]:
    """A right network but for a factor on some gradients."""

    def gradients(P, X, Y, z1, a1, a2):
        found = go_back(P, X, Y, a1, (a2 - Y) / ROWS, 1 - a1**2)
        pairs = enumerate(found, start=1)
        return [(dW * factors.get(f"W{k}", 1.0), db * factors.get(f"b{k}", 1.0)) for k, (dW, db) in pairs]

    return make_subject(gradients)


def keep_adding() -> dict[str, Any]:
    kept: list[Any] = []

    def gradients(P, X, Y, z1, a1, a2):
        found = go_back(P, X, Y, a1, (a2 - Y) / ROWS, 1 - a1**2)
        kept[:] = [(A + B, a + b) for (A, a), (B, b) in zip(kept, found, strict=True)] if kept else found
        return list(kept)

    return make_subject(gradients)


def write_in_cost() -> dict[str, Any]:
    def gradients(P, X, Y, z1, a1, a2):
        return go_back(P, X, Y, a1, (a2 - Y) / ROWS, 1 - a1**2)

    subject = make_subject(gradients)
    inner = subject["cost"]

    def cost(P, X, Y):
        X *= 0.5
        return inner(P, X, Y)

    return subject | {"cost": cost}


def step_up() -> dict[str, Any]:
    subject = scale()

    def step(P, X, Y, rate):
        pairs = zip(P, subject["gradients"](P, X, Y), strict=True)
        return [(W + rate * dW, b + rate * db) for (W, b), (dW, db) in pairs]

    return subject | {"step": step}


SUBJECTS: dict[str, Callable[[], Any]] = {
    "a factor on everything": lambda: Network(SHAPES["equal widths"], "half the cost"),
    "a sign on everything": lambda: Network(SHAPES["equal widths"], "target minus output"),
    "a forward pass": lambda: Network(SHAPES["equal widths"], "another forward pass"),
    "a transpose": lambda: Network(SHAPES["equal widths"], "weights transposed"),
    "a penalty": lambda: Network(SHAPES["equal widths"], "penalty with the wrong sign"),
    "a shape": lambda: Network(SHAPES["equal widths"], "bias not reduced"),
    "a layer of zeros": lambda: Network(SHAPES["equal widths"], "layer never stored"),
    "updated weights": lambda: Network(SHAPES["equal widths"], "W already updated"),
    "two factors": lambda: scale(W2=2.0, b1=4.0),
    "zeros": lambda: scale(W1=0.0, W2=0.0, b1=0.0, b2=0.0),
    "an accumulator": keep_adding,
    "a cost that writes": write_in_cost,
    "a step that goes up": step_up,
    "padding": lambda: make_classifier("padding"),
    "a learned slope": lambda: make_learned_slope(right=False),
    "tied weights": lambda: make_autoencoder(both=False),
    "shapes exchanged": lambda: make_shaped(lambda g: g[::-1]),
}


def list_grounds(report: Report) -> list[dict[str, Any]]:
    """Every grounds of a report, those of notes too."""
    found = [entry["grounds"] for entry in report.to_dict()["findings"]]
    found += [dict(note.grounds) for note in report.notes if isinstance(note, Note)]
    return [one for each in found for one in (each, *each.get("also", ()))]


@pytest.mark.parametrize("name", SUBJECTS)
def test_without_its_predicate_a_sentence_is_in_no_report(name, monkeypatch):
    report = judge_and_explain(SUBJECTS[name]())
    assert report.verdict == "wrong"
    assert all(isinstance(note, Note) for note in report.notes)
    used = {one["predicate"] for one in list_grounds(report)}
    assert used
    by_name = {predicate.identifier: predicate for predicate in list_predicates()}
    for identifier in used & {finding["grounds"]["predicate"] for finding in report.to_dict()["findings"]}:
        with monkeypatch.context() as patch:
            patch.setitem(by_name[identifier].__dict__, "holds", lambda **numbers: False)
            after = judge_and_explain(SUBJECTS[name]())
        assert identifier not in {one["predicate"] for one in list_grounds(after)}
        assert after.verdict in ("wrong", "undecided", "verified")


def test_a_report_that_travelled_has_the_same_grounds():
    report = judge_and_explain(scale(W2=2.0, b1=4.0))
    data = json.loads(json.dumps(report.to_dict(), allow_nan=False))
    assert Report.from_dict(data, report.subject).to_dict() == report.to_dict()
    assert [finding["cause"] for finding in data["findings"]] == [
        "weight_gradient_factor_wrong", "bias_gradient_factor_wrong",
    ]  # fmt: skip
    assert all(math.isfinite(entry["grounds"]["off"]) for entry in data["findings"])
    assert len(data["evidence"]["grounds"]) == len(data["evidence"]["notes"])
    assert np.isclose(data["findings"][1]["grounds"]["number"], 4.0)
