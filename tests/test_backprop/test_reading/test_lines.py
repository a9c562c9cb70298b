"""The line that is wrong is found and mended, in programs of several kinds; no mend is told that was not verified."""

from __future__ import annotations

from pathlib import Path

import pytest
from kit.programs import ATTENTION, DENSE, GRAPH, RECURRENT, STEPPING

from backprop.examiner.judging.judge import judge
from backprop.examiner.saying.report import Report
from backprop.reading.reader import annotate, read
from backprop.reading.running.workshop import open_premises
from backprop.verification import lines, mends
from backprop.verification.submission import verify_file

PLANTED = [
    (DENSE, "d2 = (y - Y) / n", "d2 = (Y - y) / n"),
    (DENSE, "d2 = (y - Y) / n", "d2 = y - Y"),
    (DENSE, "* slope(z1)", "* slope(a1)"),
    (DENSE, "* slope(z1)", ""),
    (DENSE, "X.T @ d1 + REG * W1", "X.T @ d1"),
    (DENSE, "db2 = d2.sum(axis=0)", "db2 = d2.mean(axis=0)"),
    (DENSE, "REG * W2\n    db2", "2 * REG * W2\n    db2"),
    (RECURRENT, "g['W'] +=".replace("'", '"'), 'g["W"] ='),
    (RECURRENT, "h[t].T @ dz", "h[t + 1].T @ dz"),
    (RECURRENT, "dh = dz @", "dh += dz @"),
    (RECURRENT, "1 - h[t + 1] ** 2", "1 - h[t] ** 2"),
    (ATTENTION, "dk = ds.transpose(0, 2, 1) @ q", "dk = ds @ q"),
    (ATTENTION, " - (da * a).sum", " + (da * a).sum"),
    (ATTENTION, "keepdims=True)) / np.sqrt(3)\n    dq", "keepdims=True))\n    dq"),
    (ATTENTION, 'dc = e @ p["o"].T', 'dc = e @ p["o"]'),
    (ATTENTION, 'np.einsum("nij,nik->jk", a, b)', 'np.einsum("nij,nik->kj", a, b)'),
    (DENSE, "X.T @ d1 + REG * W1", "REG * W1"),
    (GRAPH, "A.T @ ds", "A @ ds"),
    (GRAPH, "ds[i, Y] -= 1", "ds[i, Y] += 1"),
    (GRAPH, "dW = (A @ X).T @ dz", "dW = X.T @ dz"),
    (GRAPH, "dz = dh * (1 - h ** 2) + back", "dz = dh * (1 - h ** 2)"),
    (GRAPH, "np.add.at(dE, words, dz)", "dE[words] += dz"),
]
LEFT_OUT = [
    (RECURRENT, '\n        dh = dz @ p["U"].T', ""),
    (GRAPH, "\n    ds[i, Y] -= 1", ""),
]


def plant(tmp_path: Path, text: str, right: str, wrong: str) -> tuple[Path, int]:
    assert text.count(right) == 1, right
    broken = text.replace(right, wrong)
    path = tmp_path / "my_network.py"
    path.write_text(broken, encoding="utf-8")
    return path, text[: text.index(right)].count("\n") + 1


@pytest.mark.parametrize(("text", "right", "wrong"), PLANTED, ids=[f"{r} for {w}" for _, r, w in PLANTED])
def test_the_line_is_found_and_mended(tmp_path, text, right, wrong):
    path, line = plant(tmp_path, text, right, wrong)
    found = read(open_premises(path))
    assert found.mends, "no mend"
    assert found.mends[0].lines == (line,)
    assert judge(make_module(found.source.replace(found.mends[0].edits)), seed=99).ok


@pytest.mark.parametrize(("text", "right", "wrong"), LEFT_OUT, ids=[r.strip() for _, r, _ in LEFT_OUT])
def test_a_line_that_was_left_out_is_put_back_where_it_was(tmp_path, text, right, wrong):
    path, line = plant(tmp_path, text, right, wrong)
    found = read(open_premises(path))
    assert found.mends[0].kind == "line left out"
    assert found.mends[0].lines == (line,)
    mended = found.source.replace(found.mends[0].edits)
    assert mended.count("\n") == path.read_text(encoding="utf-8").count("\n") + 1
    assert judge(make_module(mended), seed=99).ok


def test_a_step_that_is_wrong_is_read_where_the_gradients_are_right(tmp_path):
    path, line = plant(tmp_path, STEPPING, "b - rate * db", "b + rate * db")
    found = read(open_premises(path))
    assert found.mends[0].lines == (line,)
    assert judge(make_module(found.source.replace(found.mends[0].edits)), seed=99).ok


def test_two_faults_are_mended_each_on_its_line(tmp_path):
    text = DENSE.replace("db2 = d2.sum(axis=0)", "db2 = d2.mean(axis=0)")
    path, line = plant(tmp_path, text, "X.T @ d1 + REG * W1", "X.T @ d1")
    found = read(open_premises(path))
    other = next(k for k, row in enumerate(text.splitlines(), start=1) if "db2 = d2.mean" in row)
    assert set(found.mends[0].lines) == {line, other}
    assert judge(make_module(found.source.replace(found.mends[0].edits)), seed=99).ok


def make_module(text: str):
    import types

    module = types.ModuleType("mended")
    exec(compile(text, "mended.py", "exec"), vars(module))
    return module


@pytest.mark.parametrize("text", [DENSE, RECURRENT, ATTENTION], ids=["dense", "recurrent", "attention"])
def test_labels_of_a_right_program_hold_at_points_drawn_afresh(tmp_path, text, monkeypatch):
    path = tmp_path / "my_network.py"
    path.write_text(text, encoding="utf-8")
    first = {label.line: set(label.texts) for label in annotate(open_premises(path)).labels}
    monkeypatch.setattr("backprop.reading.reader.PLANS", ((71, 4), (72, 3)))
    again = {label.line: set(label.texts) for label in annotate(open_premises(path)).labels}
    assert first
    assert first == again


def test_labels_are_in_the_reader_s_own_names(tmp_path):
    path = tmp_path / "my_network.py"
    path.write_text(DENSE, encoding="utf-8")
    lines = DENSE.splitlines()
    found = annotate(open_premises(path)).labels
    labels = {lines[label.line - 1].split(" = ")[0].strip(): str(label) for label in found}
    assert labels["d1"] == "= ∂C/∂z1"
    assert labels["dW2"] == "= ∂C/∂W2"
    assert labels["db1"] == "= ∂C/∂b1"


def test_no_unverified_mend_is_ever_told(tmp_path, monkeypatch):
    path, line = plant(tmp_path, *PLANTED[0])
    report = verify_file(path)
    judged = []

    def refuse(target, **options):
        judged.append(options["text"])
        return Report("undecided", str(target))

    monkeypatch.setattr(mends, "examine_file", refuse)
    told = lines.read_lines(report, path)
    assert judged
    assert told.mend is None
    assert told.location["line"] == line
    assert "verified after" not in str(told)
    assert "suspect: nothing is shown" in str(told)
    assert "suspect" in told.annotated()


@pytest.fixture(scope="module")
def told(tmp_path_factory) -> tuple[Path, int, bytes, Report]:
    path, line = plant(tmp_path_factory.mktemp("told"), *PLANTED[2])
    before = path.read_bytes()
    return path, line, before, lines.read_lines(verify_file(path), path)


def test_the_excerpt_stands_in_the_report_and_the_file_stays_as_it_is(told):
    path, line, before, report = told
    assert report.location["line"] == line
    assert report.location["text"] in PLANTED[2][2]
    assert "verified after this change" in str(report)
    assert "this line should be ∂C/∂z1" in str(report)
    assert "slope(z1)" in report.mend["diff"]
    assert f"my_network.py:{line}:" in str(report)
    assert path.read_bytes() == before
    data = report.to_dict()
    assert data["findings"][0]["location"] == dict(report.location)
    assert data["mend"]["verified"] is True
    assert data["mend"]["edits"][0]["replacement"]


def test_how_much_is_told_follows_the_hint(told):
    _, line, _, report = told
    verdict, place, at_line = (report.tell(hint) for hint in ("verdict", "place", "line"))
    assert (verdict.findings, verdict.location, place.location) == ((), None, None)
    assert place.findings[0].explanation == ""
    assert place.findings[0].equation == report.findings[0].equation
    assert at_line.location["line"] == line
    assert at_line.mend is None
    assert "slope(z1)" not in str(at_line)
    for shown in (verdict, place, at_line):
        assert "slope(z1)" not in str(shown.to_dict())
