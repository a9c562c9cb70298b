"""The wrong line of a file as it is, and its mend: nothing else is run than what was written."""

from __future__ import annotations

import ast
import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from kit.samples.attached_programs import CLASS, FAULTS, KINDS, SCRIPT
from kit.samples.habits_of_code import FORWARD, TABLE

from backprop.attaching.handing import HandedOver
from backprop.attaching.lines.premises import open_attached
from backprop.attaching.lines.shrinking import _draw_rows, count_samples
from backprop.attaching.lines.spots import EditedLines
from backprop.attaching.running.states import Names
from backprop.reading.reader import annotate
from backprop.reading.source import Edit, Source, Spot
from backprop.verification.lines import read_lines
from backprop.verification.submission import verify_file

ONE_FAULT = [(kind, *fault[:2]) for kind, faults in FAULTS.items() for fault in faults[:1]]


def line_of(text, part):
    return next(k for k, line in enumerate(text.splitlines(), 1) if part in line)


@pytest.fixture
def mended(tmp_path):
    def make(text, name="program.py", **options):
        file = tmp_path / name
        file.write_text(text, encoding="utf-8")
        report = read_lines(verify_file(file, options=options), file, options=options)
        assert file.read_text(encoding="utf-8") == text
        return report

    return make


@pytest.mark.parametrize("kind", KINDS)
def test_with_probes_and_with_ticks_the_bits_are_those_of_the_program(kind, tmp_path):
    file = tmp_path / "program.py"
    file.write_text(KINDS[kind], encoding="utf-8")
    premises = open_attached(file)
    bench = premises.open_bench()
    own, seen = HandedOver(premises.stand.attached), bench.subject
    shop = premises.open_shop(bench, [])
    params = own.parameters(np.random.default_rng(0))
    nothing = np.zeros(0)
    gradients = own.pack(own.read_gradients(own.unpack(params)))
    for subject in (seen, shop.subject):
        again = own.unpack(subject.call("gradients", params, nothing, nothing))
        assert all(a.tobytes() == b.tobytes() for a, b in zip(own.unpack(gradients), again, strict=True))
    assert own.cost(params) == bench.subject.call("cost", params, nothing, nothing)


@pytest.mark.parametrize(("kind", "right", "wrong"), ONE_FAULT)
def test_the_line_is_the_one_that_was_changed_and_its_mend_is_verified(kind, right, wrong, mended):
    text = KINDS[kind].replace(right, wrong)
    report = mended(text)
    assert report.verdict == "wrong"
    assert report.location["line"] == line_of(text, wrong)
    assert report.mend["verified"]
    assert report.reading["mended"].count("\n") == text.count("\n")


def test_a_line_inside_a_loop_of_a_function_and_its_edit_are_told_in_the_files_own_lines(mended):
    text = "# a head\n" * 3 + CLASS.replace("delta * a * (1 - a)", "delta * a") + "Net([3, 4, 2], 0.5).train(X, Y, 9)\n"
    report = mended(text)
    place = report.location
    assert text.splitlines()[place["line"] - 1].strip() == "delta = delta * a"
    (edit,) = report.mend["edits"]
    line = text.splitlines()[edit["line"] - 1]
    new = line[: edit["column"]] + edit["replacement"] + line[edit["end_column"] :]
    assert new in report.reading["mended"].splitlines()


def test_a_slope_in_a_table_of_functions_is_mended_there(mended):
    text = TABLE.replace("a * (1 - a)", "a * (1 + a)")
    report = mended(text)
    assert report.location["line"] == line_of(text, "a * (1 + a)")
    assert "lambda a: a * (1 - a)" in report.reading["mended"]


def test_a_fault_of_the_forward_pass_has_its_line_where_the_backward_pass_is_right(mended):
    text = FORWARD.replace("a = e / e.sum(axis=1", "a = e / e.sum(axis=0")
    report = mended(text)
    assert report.location["line"] == line_of(text, "a = e / e.sum(axis=0")
    assert report.findings[0].equation == "forward"
    assert report.mend["verified"]


def test_in_a_notebook_it_is_a_cell_and_a_line_there(mended):
    head, _, loop = SCRIPT.replace("(1 - hidden ** 2)", "(1 - hidden)").partition("lr = 0.1\n")
    cells = [
        {"cell_type": "markdown", "source": ["words"]},
        {"cell_type": "code", "source": "%matplotlib inline\n" + head},
        {"cell_type": "code", "source": ("!ls\nlr = 0.1\n" + loop).splitlines(keepends=True)},
    ]
    report = mended(json.dumps({"cells": cells, "nbformat": 4}, indent=2), "net.ipynb")
    assert (report.location["cell"], report.location["line"]) == (2, 8)
    assert f"cell 2, line {8}" in str(report)
    again = json.loads(report.reading["mended"])
    assert again["cells"][1] == cells[1]
    changed = [(a, b) for a, b in zip(cells[2]["source"], again["cells"][2]["source"], strict=True) if a != b]
    assert len(changed) == 1


def test_where_a_program_stops_before_it_trains_the_line_is_told(mended):
    text = SCRIPT.replace("lr = 0.1\n", "lr = 0.1\nW2 = W2.reshape(3, 3)\n")
    report = mended(text)
    assert report.reason == "crashed"
    assert report.location["line"] == line_of(text, "reshape(3, 3)")
    assert "cannot reshape" in report.reading["broke"]


def test_few_samples_are_some_of_all_and_nothing_else_is_cut(tmp_path):
    file = tmp_path / "program.py"
    file.write_text(SCRIPT, encoding="utf-8")
    stand = open_attached(file).stand
    assert count_samples(stand.iteration)[0] == 12
    whole, few = stand.hand_over(0), stand.hand_over(3)
    params = whole.parameters(np.random.default_rng(0))
    names = few.iteration.run_names(None, few.iteration.freeze())
    assert names["X"].shape == (3, 3)
    assert [v.shape for v in few.unpack(params)] == [v.shape for v in whole.unpack(params)]
    assert few.cost(params) != whole.cost(params)


SORTED = """import numpy as np
Y = np.sort(np.arange(40) % {classes} > 0).astype(float)[:, None]
X = np.random.default_rng(0).standard_normal((40, 3))
W, b = np.random.default_rng(1).standard_normal((3, 1)), np.zeros(1)
for epoch in range(50):
    Z = X @ W + b
    A = 1 / (1 + np.exp(-Z))
    loss = -np.mean(Y * np.log(A) + (1 - Y) * np.log(1 - A))
    dZ = A - Y
    W = W - 0.1 * X.T @ dZ / len(X)
    db = {db}
    b = b - 0.1 * db
"""


@pytest.mark.parametrize("classes", [2, 5])
@pytest.mark.parametrize("db", ["dZ.mean(axis=0)", "dZ.sum(axis=0)"])
def test_targets_in_order_do_not_make_an_output_its_own_error(classes, db, tmp_path):
    file = tmp_path / "program.py"
    file.write_text(SORTED.format(classes=classes, db=db), encoding="utf-8")
    labels = {label.line: label.texts for label in annotate(open_attached(file)).labels}
    lines = file.read_text(encoding="utf-8").splitlines()
    assert [lines[line - 1].split()[0] for line in labels if "∂C/∂Z" in str(labels[line])] == ["dZ"]
    assert not any("∂C/∂(1 - Y)" in text for texts in labels.values() for text in texts)


@pytest.mark.parametrize(
    ("targets", "axis"), [(np.arange(90) // 30, 0), (np.arange(90) % 3, 0), (np.arange(90) > 80, 1)]
)
@pytest.mark.parametrize("rows", [3, 5])
def test_the_few_samples_are_of_every_class(targets, axis, rows):
    names = Names(
        {"y": np.expand_dims(targets, 1 - axis), "x": np.arange(90.0), "pairs": [np.ones(2) * k for k in range(90)]}, {}
    )
    few = _draw_rows(names, set(), 90, rows)
    assert len(set(few)) == rows
    assert set(targets[few]) == set(targets)
    assert _draw_rows(names, set(), 90, rows) == few


CELL = """import numpy as np
r = np.random.default_rng(0)
X, Y = r.standard_normal((9, 3)), r.standard_normal((9, 2))
class Net:
    def __init__(self):
        self.W, self.V, self.{bias} = r.standard_normal((3, 4)), r.standard_normal((4, 2)), np.zeros(2)
    def step(self):
        c = np.tanh(X @ self.W)
        error = c @ self.V + self.{bias} - Y
        loss = np.sum(error ** 2) / 2
        dbias = error.sum(axis=0)
        dc = error @ self.V.T
        dV = c.T @ error
        dW = X.T @ (dc * (1 - c ** 2))
        self.W = self.W - 0.01 * dW
        self.V = self.V - 0.01 * dV
        self.{bias} = self.{bias} - 0.01 * dbias
net = Net()
for i in range(20):
    net.step()
"""


@pytest.mark.parametrize(("bias", "told"), [("c", False), ("k", True)])
def test_one_name_for_a_parameter_and_a_value_is_no_label(bias, told, tmp_path):
    file = tmp_path / "program.py"
    text = CELL.format(bias=bias)
    file.write_text(text, encoding="utf-8")
    labels = {label.line: label.texts for label in annotate(open_attached(file)).labels}
    assert ("∂C/∂c" in labels.get(line_of(text, "dc ="), ())) == told
    assert (f"∂C/∂{bias}" in labels.get(line_of(text, "dbias ="), ())) == told
    assert labels[line_of(text, "dV =")] == ("∂C/∂V",)


RETURNED = """import numpy as np
r = np.random.default_rng(0)
X, Y = r.standard_normal((9, 3)), r.standard_normal((9, 2))
W, V = r.standard_normal((3, 4)), r.standard_normal((4, 2))
def back(g, z):
    s = 1 / (1 + np.exp(-z))
    gz = g * (s + np.exp(-z ** 2))
    {handed}
for i in range(20):
    z = X @ W
    h = z / (1 + np.exp(-2.7 * z))
    error = h @ V - Y
    loss = np.sum(error ** 2) / 2
    dV = h.T @ error
    dW = X.T @ back(error @ V.T, z)
    W = W - 0.01 * dW
    V = V - 0.01 * dV
"""


@pytest.mark.parametrize("handed", ["return gz", "out = gz; return out"])
def test_where_no_mend_is_found_the_line_is_not_one_that_hands_a_name_on(handed, mended):
    text = RETURNED.format(handed=handed)
    report = mended(text)
    assert report.verdict == "wrong"
    assert report.location["line"] != line_of(text, "return")


TEXT = "a = b + c\nif a:\n    d = f(a, b) * (c - 1)\n    e = d\n"


@given(st.data())
def test_what_an_edit_leaves_alone_stands_where_it_stood(data):
    source = Source(Path("f.py"), TEXT)
    names = [n for n in ast.walk(source.tree) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load)]
    chosen = data.draw(st.lists(st.sampled_from(names), min_size=1, max_size=3, unique=True))
    new = data.draw(st.sampled_from(["x", "long_name", "(x + y)", "x.T"]))
    edits = [Edit(source.spot(node), new) for node in chosen]
    lines = EditedLines(source, 1, 4, edits)
    kept = {source.spot(node): node.id for node in names if node not in chosen}
    found = {}
    for node in ast.walk(lines.tree):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
            found |= dict.fromkeys(lines.places(node), node.id)
    assert {spot: name for spot, name in found.items() if spot in kept} == kept


def test_an_inserted_line_moves_what_follows_and_has_no_place_itself():
    source = Source(Path("f.py"), TEXT)
    lines = EditedLines(source, 3, 4, [Edit(Spot(4, 4, 4, 4), "d = d / n\n    ")])
    places = {node.id: list(lines.places(node)) for node in ast.walk(lines.tree) if isinstance(node, ast.Name)}
    assert places["n"] == []
    assert places["e"] == [Spot(4, 4, 4, 5)]
