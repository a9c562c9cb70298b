"""The line that is wrong is found and mended, in programs of several kinds; no mend is told that was not verified."""

from __future__ import annotations

from pathlib import Path

import pytest

from backprop.examiner.judging.judge import judge
from backprop.examiner.saying.report import Report
from backprop.reading.reader import annotate, read
from backprop.verification import lines
from backprop.verification.explanation import verify_file

DENSE = """
import numpy as np
REG = 0.1
def parameters(rng):
    return [(rng.normal(size=(i, o)) / 2, 0.1 * rng.normal(size=o)) for i, o in ((4, 5), (5, 3))]
def data(rng, n=None):
    n = n or 6
    return rng.normal(size=(n, 4)), rng.normal(size=(n, 3))
def act(z):
    return np.tanh(z)
def slope(z):
    return 1 - np.tanh(z) ** 2
def forward_pass(params, X):
    (W1, b1), (W2, b2) = params
    z1 = X @ W1 + b1
    a1 = act(z1)
    return z1, a1, a1 @ W2 + b2
def cost(params, X, Y):
    (W1, b1), (W2, b2) = params
    y = forward_pass(params, X)[-1]
    return 0.5 * ((y - Y) ** 2).sum() / len(X) + 0.5 * REG * ((W1 ** 2).sum() + (W2 ** 2).sum())
def gradients(params, X, Y):
    (W1, b1), (W2, b2) = params
    n = len(X)
    z1, a1, y = forward_pass(params, X)
    d2 = (y - Y) / n
    dW2 = a1.T @ d2 + REG * W2
    db2 = d2.sum(axis=0)
    d1 = (d2 @ W2.T) * slope(z1)
    dW1 = X.T @ d1 + REG * W1
    db1 = d1.sum(axis=0)
    return [(dW1, db1), (dW2, db2)]
"""
RECURRENT = """
import numpy as np
def parameters(rng):
    return {"W": rng.normal(size=(2, 3)) / 2, "U": rng.normal(size=(3, 3)) / 2, "b": 0.1 * rng.normal(size=3),
            "V": rng.normal(size=(3, 2)) / 2}
def data(rng, n=None):
    n = n or 4
    return rng.normal(size=(n, 3, 2)), rng.normal(size=(n, 2))
def unroll(p, X):
    h = [np.zeros((len(X), 3))]
    for t in range(X.shape[1]):
        h.append(np.tanh(X[:, t] @ p["W"] + h[-1] @ p["U"] + p["b"]))
    return h
def cost(p, X, Y):
    return 0.5 * ((unroll(p, X)[-1] @ p["V"] - Y) ** 2).sum()
def gradients(p, X, Y):
    h = unroll(p, X)
    e = h[-1] @ p["V"] - Y
    g = {k: np.zeros_like(v) for k, v in p.items()}
    g["V"] = h[-1].T @ e
    dh = e @ p["V"].T
    for t in range(X.shape[1] - 1, -1, -1):
        dz = dh * (1 - h[t + 1] ** 2)
        g["W"] += X[:, t].T @ dz
        g["U"] += h[t].T @ dz
        g["b"] += dz.sum(axis=0)
        dh = dz @ p["U"].T
    return g
"""
ATTENTION = """
import numpy as np
def parameters(rng):
    return {k: rng.normal(size=(3, 3)) / 2 for k in ("q", "k", "v", "o")}
def data(rng, n=None):
    n = n or 3
    return rng.normal(size=(n, 4, 3)), rng.normal(size=(n, 4, 3))
def attend(p, X):
    q, k, v = X @ p["q"], X @ p["k"], X @ p["v"]
    s = q @ k.transpose(0, 2, 1) / np.sqrt(3)
    e = np.exp(s - s.max(axis=-1, keepdims=True))
    a = e / e.sum(axis=-1, keepdims=True)
    return q, k, v, a, a @ v
def cost(p, X, Y):
    return 0.5 * ((attend(p, X)[-1] @ p["o"] - Y) ** 2).mean()
def flat(a, b):
    return np.einsum("nij,nik->jk", a, b)
def gradients(p, X, Y):
    q, k, v, a, c = attend(p, X)
    e = (c @ p["o"] - Y) / Y.size
    dc = e @ p["o"].T
    da = dc @ v.transpose(0, 2, 1)
    dv = a.transpose(0, 2, 1) @ dc
    ds = a * (da - (da * a).sum(axis=-1, keepdims=True)) / np.sqrt(3)
    dq = ds @ k
    dk = ds.transpose(0, 2, 1) @ q
    return {"q": flat(X, dq), "k": flat(X, dk), "v": flat(X, dv), "o": flat(c, e)}
"""
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
    found = read(path)
    assert found.mends, "no mend"
    assert found.mends[0].lines == (line,)
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
    first = {label.line: set(label.texts) for label in annotate(path).labels}
    monkeypatch.setattr("backprop.reading.reader.PLANS", ((71, 4), (72, 3)))
    again = {label.line: set(label.texts) for label in annotate(path).labels}
    assert first
    assert first == again


def test_labels_are_in_the_reader_s_own_names(tmp_path):
    path = tmp_path / "my_network.py"
    path.write_text(DENSE, encoding="utf-8")
    lines = DENSE.splitlines()
    labels = {lines[label.line - 1].split(" = ")[0].strip(): str(label) for label in annotate(path).labels}
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

    monkeypatch.setattr(lines, "examine_file", refuse)
    told = lines.read_lines(report, path)
    assert judged
    assert told.mend is None
    assert told.location["line"] == line
    assert "verified after" not in str(told)


def test_the_excerpt_stands_in_the_report_and_the_file_stays_as_it_is(tmp_path):
    path, line = plant(tmp_path, *PLANTED[2])
    before = path.read_bytes()
    report = lines.read_lines(verify_file(path), path)
    assert report.location["line"] == line
    assert report.location["text"] in PLANTED[2][2]
    assert "verified after this change" in str(report)
    assert "slope(z1)" in report.mend["diff"]
    assert f"my_network.py:{line}:" in str(report)
    assert path.read_bytes() == before
    data = report.to_dict()
    assert data["findings"][0]["location"] == dict(report.location)
    assert data["mend"]["verified"] is True
    assert data["mend"]["edits"][0]["replacement"]


def test_how_much_is_told_follows_the_hint(tmp_path):
    path, line = plant(tmp_path, *PLANTED[2])
    report = lines.read_lines(verify_file(path), path)
    verdict, place, at_line = (report.tell(hint) for hint in ("verdict", "place", "line"))
    assert (verdict.findings, verdict.location, place.location) == ((), None, None)
    assert place.findings[0].explanation == ""
    assert place.findings[0].equation == report.findings[0].equation
    assert at_line.location["line"] == line
    assert at_line.mend is None
    assert "slope(z1)" not in str(at_line)
    for told in (verdict, place, at_line):
        assert "slope(z1)" not in str(told.to_dict())
