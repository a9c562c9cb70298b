"""Limits: counted, so that a busy machine changes no report; what is cut short decides nothing and says so."""

from __future__ import annotations

import contextlib
import io
import itertools
import math
import os
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from backprop import processes
from backprop.diagnosis.matching import explain as diagnosis
from backprop.examiner.apart import asking
from backprop.examiner.judging.guarded_samples import MOST_SAMPLES
from backprop.examiner.judging.judge import judge
from backprop.examiner.measuring.cases import draw_case
from backprop.examiner.measuring.effort import FRUGAL, THOROUGH, choose_effort
from backprop.examiner.pace import CutShort, Pace
from backprop.examiner.saying.report import Report
from backprop.examiner.subject.protocol.subjects import Subject
from backprop.reporting.grades import print_grades
from backprop.verification.explanation import explain_findings, judge_and_explain
from backprop.verification.grading import Grades
from backprop.verification.submission import verify_file

BUSY = 4
"""Processes that only count, for each processor."""
MOST_PROCESSORS = 4

NET = """
import numpy as np
def parameters(rng): return [(rng.normal(size=(m, n)), rng.normal(size=n)) for m, n in ((3, 4), (4, 2))]
def data(rng, n=6): return rng.normal(size=(n, 3)), rng.normal(size=(n, 2))
def run(params, X):
    (W1, b1), (W2, b2) = params
    a = np.tanh(X @ W1 + b1)
    return a, a @ W2 + b2
def forward(params, X): return run(params, X)[1]
def cost(params, X, Y): return float(0.5 * np.sum((forward(params, X) - Y) ** 2) / len(X))
def gradients(params, X, Y):
    a, out = run(params, X)
    d2 = (out - Y) / len(X)
    d1 = (d2 @ params[1][0].T) * (1 - a**2)
    return [(X.T @ d1, d1.sum(axis=0)), (a.T @ d2, d2.sum(axis=0))]
"""
GUARDED = """
import numpy as np
def parameters(rng): return [(3 * rng.normal(size=(4, 3)), rng.normal(size=3))]
def data(rng, n=8): return 2 * rng.normal(size=(n, 4)), rng.integers(3, size=n)
def softmax(params, X):
    z = X @ params[0][0] + params[0][1]
    e = np.exp(z - z.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)
def cost(params, X, Y): return float(-np.mean(np.log(softmax(params, X)[np.arange(len(X)), Y] + 1e-7)))
def gradients(params, X, Y):
    d = (softmax(params, X) - np.eye(3)[Y]) / len(X)
    return [(X.T @ d, d.sum(axis=0))]
"""
ASLEEP = "while len(X) == 5: __import__('time').sleep(0.01)"
SUBJECTS = {
    "right": NET,
    "guarded logarithm": GUARDED,
    "sign of the output error": NET.replace("d2 = (out - Y)", "d2 = (Y - out)"),
    "slope of the wrong argument": NET.replace("1 - a**2", "1 - a"),
    "not averaged": NET.replace("    d2 = (out - Y) / len(X)", "    d2 = out - Y"),
    "cost of no table": NET.replace("0.5 * np.sum((forward(params, X) - Y) ** 2)", "np.sum(forward(params, X) ** 4)"),
    "hangs": NET.replace("    a, out = run(params, X)", f"    {ASLEEP}\n    a, out = run(params, X)"),
}


@contextlib.contextmanager
def oversubscribed() -> Iterator[None]:
    """Every processor has four processes more than it can run, beside the six that are judged at once."""
    count = BUSY * min(os.cpu_count() or 1, MOST_PROCESSORS)
    busy = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(count)]
    try:
        yield
    finally:
        for process in busy:
            process.kill()
        for process in busy:
            process.wait()


def test_a_busy_machine_changes_no_report(tmp_path: Path) -> None:
    paths = []
    for name, text in SUBJECTS.items():
        if name != "hangs":
            paths.append(tmp_path / f"{name.replace(' ', '_')}.py")
            paths[-1].write_text(text)

    def examine_all() -> list[dict[str, object]]:
        with ThreadPoolExecutor(len(paths)) as pool:
            return [report.to_dict() for report in pool.map(verify_file, paths)]

    alone = examine_all()
    with oversubscribed():
        busy = examine_all()
    assert busy == alone
    assert [report["verdict"] for report in alone] == ["verified", "verified", *["wrong"] * 4]


@pytest.fixture
def short_limit(monkeypatch: pytest.MonkeyPatch) -> float:
    """Seconds for an examination, without the waiting for a processor."""
    monkeypatch.setattr(asking, "TIMEOUT", 5.0)
    return asking.TIMEOUT


def test_a_hang_after_a_first_comparison_is_undecided_and_says_where(tmp_path: Path, short_limit: float) -> None:
    path = tmp_path / "net.py"
    path.write_text(SUBJECTS["hangs"])
    report = verify_file(path)
    assert report.verdict == "undecided", str(report)
    assert not report.findings
    assert "batch of 5" in report.limits[0]
    assert f"the time limit of {short_limit:g} s was reached" in report.limits[-1]


SLOW = "def cost(params, X, Y):\n    import time; time.sleep({seconds})\n    "


def test_a_judge_that_is_told_to_stop_says_how_far_it_came(tmp_path: Path, short_limit: float) -> None:
    path = tmp_path / "net.py"
    path.write_text(NET.replace("def cost(params, X, Y): ", SLOW.format(seconds="0.1 * (len(X) == 5)")))
    report = verify_file(path)
    assert report.verdict == "undecided", str(report)
    assert report.limits[0].startswith("cut off while comparing at seed 2, batch of 5")
    assert f"the time limit of {short_limit:g} s was reached" in report.limits[-1]
    assert len(report.evidence["cases"]) == 2


def test_a_right_program_with_a_guard_and_a_slow_cost_is_never_wrong(tmp_path: Path) -> None:
    path = tmp_path / "net.py"
    path.write_text(GUARDED.replace("def cost(params, X, Y): ", SLOW.format(seconds=0.001)))
    report = verify_file(path)
    assert report.verdict == "verified" or (report.verdict == "undecided" and report.limits), str(report)


def make_subject(text: str) -> dict[str, object]:
    space: dict[str, object] = {}
    exec(compile(textwrap.dedent(text), "subject", "exec"), space)  # a text of this file
    return space


def stop_after(calls: int, subject: dict[str, object]) -> tuple[dict[str, object], Pace]:
    """The subject, and a pace that is told to stop when its cost is called so often."""
    pace, count, inner = Pace(), itertools.count(1), subject["cost"]
    assert callable(inner)

    def cost(*given: object) -> object:
        if next(count) == calls:
            pace.stop()
        return inner(*given)

    return subject | {"cost": cost}, pace


@pytest.mark.parametrize("name", ["right", "guarded logarithm", "slope of the wrong argument"])
@pytest.mark.parametrize("share", [0.02, 0.2, 0.4, 0.6, 0.8, 0.95])
def test_what_is_cut_short_anywhere_decides_nothing_and_says_so(name: str, share: float) -> None:
    subject = make_subject(SUBJECTS[name])
    counted, count = dict(subject), itertools.count()
    counted["cost"] = lambda *given: (next(count), subject["cost"](*given))[1]  # type: ignore[operator]
    judge_and_explain(counted)
    stopped, pace = stop_after(math.ceil(share * next(count)), subject)
    report = judge(stopped, pace=pace, explain=explain_findings)
    assert report.verdict in ("undecided", "unusable"), str(report)
    assert not report.findings
    if report.verdict == "undecided":
        assert f"cut short: {report.limits[0]}" in str(report)
        assert "cut short" in str(report).splitlines()[0]
        assert report.to_dict()["limits"] == list(report.limits)
        assert Report.from_dict(report.to_dict(), report.subject) == report
    else:
        assert "did not finish" in report.notes[0]


def test_a_report_that_was_not_cut_has_no_limits() -> None:
    report = judge_and_explain(make_subject(NET))
    assert report.verdict == "verified"
    assert report.to_dict()["limits"] == []
    assert "cut short" not in str(report)


def test_a_search_that_is_ended_by_its_count_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    subject = make_subject(SUBJECTS["slope of the wrong argument"])
    monkeypatch.setattr(diagnosis, "MOST_TRIALS", 20)
    reports = [judge_and_explain(subject) for _ in range(2)]
    assert reports[0].to_dict() == reports[1].to_dict()
    assert reports[0].verdict == "wrong"
    assert reports[0].findings[0].cause == "unknown"
    assert "not everything was tried" in reports[0].limits[0]


def test_the_table_of_a_folder_says_what_was_cut_short(tmp_path: Path) -> None:
    report = Report("undecided", "net.py", notes=("a note",)).cut_short("cut off while comparing at seed 1")
    out = io.StringIO()
    print_grades(Grades(tmp_path, {"net.py": report}), file=out)
    assert "Cut short: cut off while comparing at seed 1" in out.getvalue()


def make_large_guarded(rows: int, factor: float = 1.0) -> dict[str, object]:
    """Without outputs to read, and more samples than are looked at one by one; `factor` on the gradient."""
    space = make_subject(GUARDED.replace("n=8", f"n={rows}").replace("1e-7", "1e-8"))
    inner = space["gradients"]
    assert callable(inner)

    def gradients(*given: object) -> object:
        return [(factor * dW, db) for dW, db in inner(*given)]

    return space | {"gradients": gradients}


def test_a_guard_that_was_not_looked_for_in_all_samples_is_undecided_and_a_fault_is_still_wrong() -> None:
    report = judge(make_large_guarded(MOST_SAMPLES + 40))
    assert report.verdict == "undecided", str(report)
    assert f"{MOST_SAMPLES} of {MOST_SAMPLES + 40} samples" in report.limits[0]
    assert judge(make_large_guarded(MOST_SAMPLES + 40, 1.5)).verdict == "wrong"
    assert judge(make_large_guarded(100)).verdict == "verified"


def test_a_subject_is_not_called_any_more_once_it_was_told_to_stop() -> None:
    subject = Subject({"theta0": lambda rng: np.ones(2), "fun": np.sum, "grad": np.ones_like}, "two numbers")
    subject.pace = Pace()
    subject.pace.stop()
    with pytest.raises(CutShort):
        subject.parameters(np.random.default_rng(0))


@pytest.mark.parametrize(("fair", "read"), [(False, 100.0), (True, 30.0)])
def test_a_fair_limit_does_not_count_the_waiting_for_a_processor(
    monkeypatch: pytest.MonkeyPatch, fair: bool, read: float
) -> None:
    now, waited = 0.0, 0.0
    monkeypatch.setattr(processes.time, "monotonic", lambda: now)
    monkeypatch.setattr(processes, "_read_waiting", lambda pid: waited)
    watch = processes.Stopwatch(os.getpid(), fair=fair)
    now, waited = 100.0, 70.0
    assert watch.read() == pytest.approx(read)
    # Two that wait at once, or one that is gone, make no time run back.
    now, waited = 101.0, 500.0
    assert read <= watch.read() <= 101.0
    now, waited = 102.0, 0.0
    assert read <= watch.read() <= 102.0


def test_a_limit_that_is_fair_ends_as_well(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 0.0
    monkeypatch.setattr(processes.time, "monotonic", lambda: now)
    monkeypatch.setattr(processes, "_read_waiting", lambda pid: now)
    watch = processes.Stopwatch(os.getpid(), fair=True)
    now = 700.0
    assert watch.read() >= 60.0


@pytest.mark.parametrize(("width", "effort"), [(10, THOROUGH), (3000, FRUGAL)])
def test_how_much_is_looked_at_is_told_by_sizes(width: int, effort: object) -> None:
    subject = {
        "parameters": lambda rng: [(np.ones((width, width)), np.ones(width))],
        "data": lambda rng, n=100: (np.ones((n, width)), np.ones((n, width))),
        "cost": lambda params, X, Y: 0.0,
        "gradients": lambda params, X, Y: params,
    }
    assert choose_effort(draw_case(Subject(subject, "a layer"), 0, jitter=False), thorough=True) is effort
