"""`verify FILE.py` with its options about the source: hints, annotations, mended copies, formats."""

from __future__ import annotations

import json
from xml.etree import ElementTree

import pytest

from backprop.door.cli import main
from backprop.examiner.saying.report import Report
from backprop.reporting.formats import render
from backprop.verification.lines import read_lines
from backprop.verification.submission import verify_file

WRONG = """
import numpy as np
def parameters(rng):
    return [rng.normal(size=(2, 3)), rng.normal(size=3)]
def data(rng, n=None):
    return rng.normal(size=(n or 4, 2)), rng.normal(size=(n or 4, 3))
def cost(params, X, Y):
    W, b = params
    return 0.5 * ((np.tanh(X @ W + b) - Y) ** 2).sum()
def gradients(params, X, Y):
    W, b = params
    a = np.tanh(X @ W + b)
    d = (a - Y) * (1 - a)
    return [X.T @ d, d.sum(axis=0)]
"""
LINE = 13


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("files")
    (folder / "net.py").write_text(WRONG, encoding="utf-8")
    (folder / "right.py").write_text(WRONG.replace("(1 - a)", "(1 - a * a)"), encoding="utf-8")
    return folder


def run(capsys, *words) -> tuple[int, str, str]:
    status = main([str(word) for word in words])
    printed = capsys.readouterr()
    return status, printed.out, printed.err


def test_a_mended_copy_is_written_and_is_right(files, capsys):
    copy = files / "mended.py"
    status, printed, said = run(capsys, "verify", files / "net.py", "--mend", copy, "--diff")
    assert status == 1
    assert printed.startswith("--- net.py\n+++ net.py\n@@")
    assert f"wrote {copy}" in said
    assert verify_file(copy).ok
    assert (files / "net.py").read_text(encoding="utf-8") == WRONG
    status, _, said = run(capsys, "verify", files / "net.py", "--mend", copy)
    assert status == 2
    assert "exists" in said


@pytest.fixture(scope="module")
def report(files) -> Report:
    path = files / "net.py"
    return read_lines(verify_file(path), path)


@pytest.mark.parametrize("form", ["json", "sarif", "junit", "github"])
def test_formats_carry_the_line(report, form):
    printed = render(report, form)
    if form == "json":
        assert json.loads(printed)["findings"][0]["location"]["line"] == LINE
    elif form == "sarif":
        (result,) = json.loads(printed)["runs"][0]["results"]
        region = result["locations"][0]["physicalLocation"]["region"]
        assert region["startLine"] == LINE
        assert result["fixes"][0]["artifactChanges"][0]["replacements"]
    elif form == "junit":
        case = ElementTree.fromstring(printed).find("testcase")
        assert case.get("line") == str(LINE)
        assert case.find("failure") is not None
    else:
        assert printed.startswith("::error file=")
        assert f"line={LINE}," in printed


def test_a_right_program_can_be_annotated(files, capsys):
    status, printed, _ = run(capsys, "verify", files / "right.py", "--annotate")
    assert status == 0
    assert "= ∂C/∂W" in printed


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--hint", "lines"], "unknown hint 'lines'"),
        (["--format", "yaml"], "unknown format 'yaml'"),
        (["--hint", "place", "--diff"], "tells no mend"),
        (["--hint", "verdict", "--annotate"], "tells no line"),
    ],
)
def test_options_that_mean_nothing_are_refused(files, capsys, words, said):
    status, _, error = run(capsys, "verify", files / "net.py", *words)
    assert status == 2
    assert said in error
    assert error.count("\n") == 1


def test_sizes_have_no_source(capsys):
    status, _, error = run(capsys, "verify", "2-2", "--annotate")
    assert status == 2
    assert "FILE.py" in error


def test_a_hint_limits_what_is_printed(files, capsys):
    _, printed, _ = run(capsys, "verify", files / "net.py", "--hint", "verdict")
    assert printed.startswith("WRONG")
    assert "BP" not in printed


def test_a_folder_keeps_to_the_hint(files, capsys):
    status, printed, _ = run(capsys, "verify", files, "--hint", "verdict", "--json")
    assert status == 1
    told = json.loads(printed)["subjects"]
    assert {report["verdict"] for report in told.values()} == {"verified", "wrong"}
    assert all(report["findings"] == [] for report in told.values())


@pytest.mark.parametrize("form", ["json", "sarif", "junit", "github", "csv"])
def test_a_folder_is_told_in_every_form_that_a_file_is(tmp_path, capsys, form):
    (tmp_path / "right.py").write_text(WRONG.replace("(1 - a)", "(1 - a * a)"))
    (tmp_path / "broken.py").write_text("def cost(:")
    assert main(["verify", str(tmp_path), "--format", form, "--hint", "place"]) == 2
    said = capsys.readouterr().out
    if form == "junit":
        assert (said.count("<testcase"), said.count("<error")) == (2, 1)
    elif form == "sarif":
        assert [result["level"] for result in json.loads(said)["runs"][0]["results"]] == ["warning"]
    elif form == "json":
        assert set(json.loads(said)["subjects"]) == {"broken.py", "right.py"}
    else:
        rows = said.splitlines()
        assert len(rows) == 2 + (form == "csv")
        assert sum("UNUSABLE" in row for row in rows) == sum("VERIFIED" in row for row in rows) == 1
