"""A folder of submissions is graded to the end, whatever is in it, with clean JSON and a table to read."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from pathlib import Path

import pytest

from backprop.door.cli import main
from backprop.errors import UsageError
from backprop.examiner.apart import asking
from backprop.reporting.grades import print_grades
from backprop.verification.grading import Grades, find_submissions, grade_folder

RIGHT = """
import numpy as np
def parameters(rng):
    return [(rng.normal(size=(3, 3)), rng.normal(size=3)), (rng.normal(size=(3, 2)), rng.normal(size=2))]
def data(rng, n=5): return rng.normal(size=(n, 3)), rng.normal(size=(n, 2))
def cost(p, X, Y): return 0.5 * np.sum((np.tanh(X @ p[0][0] + p[0][1]) @ p[1][0] + p[1][1] - Y) ** 2)
def gradients(p, X, Y):
    a = np.tanh(X @ p[0][0] + p[0][1])
    d2 = a @ p[1][0] + p[1][1] - Y
    d1 = (d2 @ p[1][0].T) * (1 - a * a)
    return [(X.T @ d1, d1.sum(0)), (a.T @ d2, d2.sum(0))]
"""
WRONG = RIGHT.replace("d2.sum(0)", "d2.mean(0)")


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """Right, wrong and hostile submissions, folders, helpers, and what nobody handed in."""
    root = tmp_path_factory.mktemp("submissions")
    texts = {
        "anna.py": RIGHT,
        "[bold]ben.py": WRONG,
        "carl.py": "import os\nprint('{}')\nos._exit(0)\n",
        "dora/net.py": "from tools import nothing\n" + RIGHT,
        "dora/tools.py": "nothing = None\n",
        "unfinished.py": "import numpy as np\n",
        "__init__.py": "",
        "test_net.py": "raise SystemExit",
        "__pycache__/x.py": "raise SystemExit",
        ".hidden/y.py": "raise SystemExit",
        "venv/pyvenv.cfg": "",
        "venv/lib.py": "raise SystemExit",
        "notes.txt": "nothing",
    }
    for name, text in texts.items():
        path = root / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    (root / "folder.py").mkdir()
    return root


@pytest.fixture(scope="module")
def grades(folder) -> Grades:
    return grade_folder(folder)


def test_which_files_are_submissions(folder):
    names = [path.relative_to(folder).as_posix() for path in find_submissions(folder)]
    assert names == ["[bold]ben.py", "anna.py", "carl.py", "dora/net.py", "dora/tools.py", "unfinished.py"]


def test_every_submission_is_graded_and_a_helper_is_listed(grades):
    verdicts = {name: report.verdict for name, report in grades.reports.items()}
    assert verdicts == {
        "anna.py": "verified", "[bold]ben.py": "wrong", "carl.py": "unusable", "dora/net.py": "verified",
        "unfinished.py": "unusable",
    }  # fmt: skip
    assert grades.helpers == {"dora/tools.py": "imported by dora/net.py; no subject itself"}
    assert grades.counts == {"verified": 2, "wrong": 1, "undecided": 0, "unusable": 2}
    assert sum(grades.causes.values()) == 1


def test_the_table_has_a_row_for_each_with_the_equation_and_the_reason(grades):
    stream = io.StringIO()
    print_grades(grades, stream)
    text = stream.getvalue()
    row = next(line for line in text.splitlines() if line.startswith("[bold]ben.py"))
    assert row.split()[1:5] == ["wrong", "BP3", "2", "b2"]
    assert "exit status 0 before giving a verdict" in " ".join(text.split())
    assert "5 subjects: 2 verified, 1 wrong, 2 unusable" in text
    assert "not graded: dora/tools.py" in text
    assert "\x1b" not in text


def test_the_command_prints_clean_json_and_nothing_else(folder):
    command = [sys.executable, "-m", "backprop", "verify", str(folder), "--json", "--jobs", "2"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    found = json.loads(done.stdout)
    assert (done.returncode, done.stderr) == (1, "")
    assert set(found) == {"subjects", "helpers", "summary"}
    assert found["subjects"]["[bold]ben.py"]["findings"][0]["equation"] == "BP3"
    assert found["summary"]["verdicts"]["verified"] == 2


def test_the_exit_status_is_two_where_nothing_is_wrong_but_something_unusable(tmp_path, capsys):
    (tmp_path / "a.py").write_text(RIGHT)
    assert main(["verify", str(tmp_path)]) == 0
    (tmp_path / "b.py").write_text("raise ValueError")
    assert main(["verify", str(tmp_path)]) == 2
    out = capsys.readouterr().out
    assert "2 subjects: 1 verified, 1 unusable" in out
    assert "ValueError" in out


def test_a_hang_costs_its_time_limit_only(tmp_path, monkeypatch):
    monkeypatch.setattr(asking, "TIMEOUT", 5.0)  # without the waiting for a processor
    (tmp_path / "a.py").write_text("import time; time.sleep(600)")
    (tmp_path / "b.py").write_text(RIGHT)
    seen = []
    grades = grade_folder(tmp_path, progress=lambda done, whole: seen.append((done, whole)))
    assert [report.verdict for report in grades.reports.values()] == ["unusable", "verified"]
    assert seen == [(1, 2), (2, 2)]


def test_a_folder_without_submissions_is_refused(tmp_path):
    with pytest.raises(UsageError, match=r"no \.py file"):
        grade_folder(tmp_path)
