"""The screen while a wrong file is verified: the verdict first; what ends the search after that takes nothing back."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from backprop.door.cli import main
from backprop.examiner.apart.asking import UNEXPLAINED
from backprop.processes import Stopwatch
from backprop.verification import lines
from backprop.verification.submission import verify_file

WRONG = """
import os, time
import numpy as np
CALLS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "calls")
def parameters(rng): return [(rng.normal(size=(m, n)), rng.normal(size=n)) for m, n in ((3, 4), (4, 2))]
def data(rng, n=6): return rng.normal(size=(n, 3)), rng.normal(size=(n, 2))
def run(params, X):
    (W1, b1), (W2, b2) = params
    a = np.tanh(X @ W1 + b1)
    return a, a @ W2 + b2
def count():
    open(CALLS, "a").write(".")
    while os.path.getsize(CALLS) >= HANGS: time.sleep(0.01)
def cost(params, X, Y):
    count()
    return float(0.5 * np.sum((run(params, X)[1] - Y) ** 2))
def gradients(params, X, Y):
    a, out = run(params, X)
    d2 = out - Y
    d1 = (d2 @ params[1][0].T) * (1 - a)
    return [(X.T @ d1, d1.sum(axis=0)), (a.T @ d2, d2.sum(axis=0))]
"""
PLACE = "The numbers differ at: BP2, layer 1 (W1, b1)"
LATE = 0.95
"""Part of the calls after which the verdict is known, and the cause is being looked for."""
LIMIT = 60


@pytest.fixture(scope="module")
def path(tmp_path_factory) -> Path:
    file = tmp_path_factory.mktemp("screen") / "net.py"
    file.write_text(WRONG.replace("HANGS", "10**9"), encoding="utf-8")
    return file


@pytest.fixture(scope="module")
def hanging(path) -> Path:
    """The same file; it never comes back from a call that is made when the cause is being looked for."""
    calls = path.with_name("calls")
    calls.unlink(missing_ok=True)
    assert verify_file(path).verdict == "wrong"
    file = path.parent / "hanging" / "net.py"
    file.parent.mkdir()
    file.write_text(WRONG.replace("HANGS", str(int(LATE * calls.stat().st_size))), encoding="utf-8")
    return file


def begin(path: Path) -> subprocess.Popen[str]:
    path.with_name("calls").unlink(missing_ok=True)
    return subprocess.Popen(
        [sys.executable, "-m", "backprop", "verify", str(path)],
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_the_verdict_and_the_place_are_said_before_the_line_is_looked_for(path, capsys, monkeypatch):
    said = []
    inner = lines.read_lines

    def read_lines(*given, **named):
        said.append(capsys.readouterr().out)
        return inner(*given, **named)

    monkeypatch.setattr(lines, "read_lines", read_lines)
    assert main(["verify", str(path)]) == 1
    rest = capsys.readouterr().out
    assert said[0].splitlines()[0].startswith("WRONG")
    assert said[0].splitlines()[1:] == [PLACE, ""]
    assert rest.startswith("Root cause: BP2, layer 1 (W1, b1)")
    assert "WRONG" not in rest
    assert "verified after this change" in rest


@pytest.mark.skipif(sys.platform == "win32", reason="sends the signal of Ctrl-C")
def test_an_interruption_of_the_search_for_the_cause_leaves_the_verdict(hanging):
    process = begin(hanging)
    try:
        assert process.stdout.readline().startswith("WRONG")
        assert process.stdout.readline().strip() == PLACE
        process.send_signal(signal.SIGINT)
        printed, complaint = process.communicate(timeout=30)
    finally:
        process.kill()
    assert process.returncode == 1
    assert printed.strip() == ""
    assert complaint == "interrupted: the search for the cause was ended; the verdict stands\n"


def test_an_interruption_of_the_search_for_the_line_leaves_the_cause(path, capsys, monkeypatch):
    def read_lines(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(lines, "read_lines", read_lines)
    assert main(["verify", str(path)]) == 1
    printed = capsys.readouterr()
    assert "Root cause: BP2, layer 1 (W1, b1)" in printed.out
    assert printed.out.count("WRONG") == 1
    assert printed.err == "interrupted: the search for the line and a mend was ended; the verdict stands\n"
    assert main(["verify", str(path), "--json"]) == 130
    assert capsys.readouterr().out == ""


def test_a_limit_in_the_search_for_the_cause_leaves_the_verdict(hanging, monkeypatch):
    heard = []
    monkeypatch.setattr(Stopwatch, "read", lambda watch: LIMIT * len(heard))
    hanging.with_name("calls").unlink(missing_ok=True)
    report = verify_file(hanging, timeout=LIMIT, known=heard.append)
    assert report.verdict == heard[0].verdict == "wrong"
    assert [finding.place for finding in report.findings] == ["BP2, layer 1 (W1, b1)"]
    assert report.findings[0].cause == "unknown"
    assert report.limits[0] == UNEXPLAINED
    assert f"the time limit of {LIMIT} s was reached" in report.limits[-1]


def test_only_the_verdict_is_found_where_no_more_is_told(path, capsys):
    assert main(["verify", str(path), "--hint", "verdict"]) == 1
    first, *rest = capsys.readouterr().out.split("\n\n")
    assert first.startswith("WRONG")
    assert [text.partition(":")[0] for text in rest] == ["To reproduce"]
