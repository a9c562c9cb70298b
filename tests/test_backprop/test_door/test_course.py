"""The assignment, its hidden tests, its points and its pages, as a course uses them."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from kit.house import ROOT

from backprop.door.cli import main

COURSE = ROOT / "examples" / "course"
TEXT = (COURSE / "write_bp2.py").read_text(encoding="utf-8")
BODY = re.compile(r"### BEGIN SOLUTION\n.*?\n    ### END SOLUTION", re.DOTALL)
ANSWERS = {
    "right.py": "return (delta @ W.T) * (1 - np.tanh(z) ** 2)",
    "slope.py": "return (delta @ W.T) * (1 - np.tanh(z))",
    "transpose.py": "return (delta @ W) * (1 - np.tanh(z) ** 2)",
    "empty_handed.py": 'raise NotImplementedError("write BP2")',
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """What was handed in."""
    made = tmp_path_factory.mktemp("submissions")
    for name, answer in ANSWERS.items():
        (made / name).write_text(BODY.sub(answer, TEXT), encoding="utf-8")
    (made / "nothing.py").write_text("", encoding="utf-8")
    return made


def run_pytest(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "pytest", "-p", "backprop.door.pytest_plugin", "-c", "/dev/null", "-q"]
    command += ["-p", "no:cacheprovider", "--rootdir", str(folder), *words]
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=folder, env=environment())


def environment() -> dict[str, str]:
    import os

    return {**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": "120"}


def test_the_assignment_as_it_stands_is_right_and_its_template_is_not(folder, capsys):
    assert main(["verify", str(COURSE / "write_bp2.py")]) == 0
    assert main(["verify", str(folder / "empty_handed.py"), "--json"]) == 2
    assert json.loads(capsys.readouterr().out.splitlines()[-1])["reason"] == "crashed"


def test_hidden_tests_pass_what_is_right(folder):
    result = run_pytest(folder, str(COURSE / "hidden_tests.py"), "--backprop", "right.py")
    assert "4 passed" in result.stdout


def test_hidden_tests_fail_with_the_finding_in_their_failure_section(folder):
    result = run_pytest(folder, str(COURSE / "hidden_tests.py"), "--backprop", "slope.py")
    assert "2 failed, 2 passed" in result.stdout
    section = result.stdout.partition("backprop: slope.py")[2]
    assert "Root cause: BP2" in section
    assert "verified after this change" in section


def test_a_marker_names_the_program_and_a_subject_is_verified_in_place(folder):
    (folder / "test_own.py").write_text(
        """
import pytest
@pytest.mark.backprop("right.py", seed=3)
def test_marked(backprop_report):
    assert backprop_report.ok and backprop_report.verdict == "verified"
def test_in_place(backprop_verify):
    backprop_verify({"fun": lambda x: x @ x, "grad": lambda x: 3 * x, "theta0": lambda rng: rng.normal(size=3)})
def test_unnamed(backprop_report):
    pass
@pytest.mark.backprop("right.py")
def test_unknown(backprop_report):
    backprop_report.holds("BP9")
""",
        encoding="utf-8",
    )
    result = run_pytest(folder, "test_own.py")
    assert "1 passed" in result.stdout
    assert "the gradient is not the derivative of the cost" in result.stdout
    assert "needs @pytest.mark.backprop(FILE)" in result.stdout
    assert "unknown equation 'BP9'" in result.stdout
    (folder / "test_own.py").unlink()


def test_a_program_that_is_not_there_ends_pytest_with_one_line(folder):
    result = run_pytest(folder, "--backprop", "none.py")
    assert result.returncode == 4
    assert "--backprop none.py: no such file" in result.stderr


def test_a_folder_gets_points_and_pages(folder, tmp_path, capsys):
    words = ["--rubric", str(COURSE / "rubric.toml"), "--feedback", str(tmp_path / "pages"), "--json"]
    assert main(["verify", str(folder), *words]) == 1
    points = {name: found["points"] for name, found in json.loads(capsys.readouterr().out)["points"].items()}
    assert points == {"right.py": 10, "slope.py": 3, "transpose.py": 0, "empty_handed.py": 0, "nothing.py": 0}
    pages = {path.name for path in (tmp_path / "pages").iterdir()}
    assert pages == {f"{Path(name).stem}.html" for name in (*ANSWERS, "nothing.py")} | {"index.html"}
    slope = (tmp_path / "pages" / "slope.html").read_text(encoding="utf-8")
    assert "Points: 3 of 10" in slope
    assert 'class="mend"' in slope


def test_a_hint_holds_for_the_pages_too(folder, tmp_path):
    (tmp_path / "one").mkdir()
    (tmp_path / "one" / "slope.py").write_bytes((folder / "slope.py").read_bytes())
    words = ["--feedback", str(tmp_path / "pages"), "--hint", "place", "--format", "csv"]
    assert main(["verify", str(tmp_path / "one"), *words]) == 1
    slope = (tmp_path / "pages" / "slope.html").read_text(encoding="utf-8")
    assert "Root cause: BP2" in slope
    assert 'class="mend"' not in slope


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["2-2-1", "--rubric", "x.toml"], "--rubric is for"),
        (["2-2-1", "--feedback", "pages"], "--feedback writes a page"),
        ([str(COURSE / "write_bp2.py"), "--rubric", "none.toml"], "cannot read the rubric"),
    ],
)
def test_what_makes_no_sense_is_refused(words, said, capsys):
    assert main(["verify", *words]) == 2
    assert said in capsys.readouterr().err


def test_the_notebook_and_the_tests_of_other_graders_ask_for_the_same_function():
    for file in ("notebook_bp2.py", "otter_tests/bp2.py"):
        text = (COURSE / file).read_text(encoding="utf-8")
        assert "error_of_layer_below" in text
        compile(text, file, "exec")


def test_the_notebook_runs_as_a_program(capsys):
    names: dict = {}
    exec(compile((COURSE / "notebook_bp2.py").read_text(encoding="utf-8"), "notebook_bp2.py", "exec"), names)
    assert names["report"].ok
