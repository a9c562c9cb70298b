"""Where a program raises, or a value stops being finite: the piece, what went into it, and what does not break."""

from __future__ import annotations

from pathlib import Path

import pytest

from backprop.examiner.judging.judge import judge
from backprop.reading.broken import read_broken
from backprop.reading.reader import SourceReading
from backprop.reading.running.workshop import open_premises
from backprop.verification.lines import read_lines
from backprop.verification.submission import verify_file

SOFTMAX = """
import numpy as np
def parameters(rng):
    return [(rng.normal(size=(3, 4)) / 2, 0.1 * rng.normal(size=4)), (rng.normal(size=(4, 2)), np.zeros(2))]
def data(rng, n=None):
    n = n or 4
    return SCALE * rng.normal(size=(n, 3)), np.eye(2)[rng.integers(0, 2, size=n)]
def cost(params, X, Y):
    (W1, b1), (W2, b2) = params
    s = (X @ W1 + b1) @ W2 + b2
    e = np.exp(s)
    p = e / e.sum(axis=1, keepdims=True)
    return -np.sum(Y * np.log(p)) / len(X)
def gradients(params, X, Y):
    (W1, b1), (W2, b2) = params
    a = X @ W1 + b1
    s = a @ W2 + b2
    e = np.exp(s)
    p = e / e.sum(axis=1, keepdims=True)
    d2 = (p - Y) / len(X)
    d1 = d2 @ W2.T
    return [(X.T @ d1, d1.sum(axis=0)), (a.T @ d2, d2.sum(axis=0))]
SCALE = 1.0
"""
OVERFLOWS = SOFTMAX.replace("SCALE = 1.0", "SCALE = 3000.0")
SIGMOID = """
import numpy as np
def parameters(rng):
    return [rng.normal(size=(3, 1))]
def data(rng, n=None):
    n = n or 4
    return 2000.0 * rng.normal(size=(n, 3)), rng.integers(0, 2, size=(n, 1)) * 1.0
def sigmoid(z):
    return 1 / (1 + np.exp(-z))
def cost(params, X, Y):
    z = X @ params[0]
    a = sigmoid(z)
    return -np.mean(Y * np.log(a) + (1 - Y) * np.log(1 - a))
def gradients(params, X, Y):
    return [X.T @ (sigmoid(X @ params[0]) - Y) / len(X)]
"""


def read_text(folder: Path, text: str) -> SourceReading:
    path = folder / "net.py"
    path.write_text(text, encoding="utf-8")
    return read_broken(open_premises(path))


@pytest.mark.parametrize(("text", "piece"), [(OVERFLOWS, "np.exp(s)"), (SIGMOID, "np.log(1 - a)")])
def test_a_cost_that_is_not_finite_is_mended_by_a_form_with_the_same_value(tmp_path, text, piece):
    found = read_text(tmp_path, text)
    assert found.spot is not None
    assert found.source.cut(found.spot) == piece
    assert "becomes infinite" in found.broke
    names: dict[str, object] = {}
    exec(found.source.replace(found.mends[0].edits), names)
    assert judge(names, seed=99).ok


def test_what_raised_is_shown_with_shapes_and_mended(tmp_path):
    path = tmp_path / "net.py"
    path.write_text(SOFTMAX.replace("d1 = d2 @ W2.T", "d1 = d2 @ W2"), encoding="utf-8")
    report = read_lines(verify_file(path), path)
    assert report.verdict == "unusable"
    assert report.location["text"] == "d2 @ W2"
    assert "d2 has shape" in report.reading["broke"]
    assert "ValueError" in report.reading["broke"]
    assert report.mend["verified"]
    assert report.to_dict()["location"]["line"] == report.location["line"]
    assert report.tell("line").reading["mend"] is None
    assert report.tell("place").location is None


def test_a_mask_of_infinities_and_a_saturated_sigmoid_are_no_break(tmp_path):
    assert read_text(tmp_path, SOFTMAX).spot is None
    saturated = SIGMOID.replace(
        "-np.mean(Y * np.log(a) + (1 - Y) * np.log(1 - a))", "np.mean(np.where(a > 2, -np.inf, a))"
    )
    assert read_text(tmp_path, saturated).spot is None


def test_a_module_that_does_not_load_has_its_line(tmp_path):
    found = read_text(tmp_path, SOFTMAX + "TABLE = [1, 2][5]\n")
    assert found.spot is not None
    assert found.source.cut(found.spot) == "[1, 2][5]"
    assert "IndexError" in found.broke
    broken = read_text(tmp_path, "def f(:\n    pass\n")
    assert broken.spot is not None
    assert broken.spot.line == 1
    assert "SyntaxError" in broken.broke
