"""The command line on files as they are: what is said, what is written, what is refused."""

from __future__ import annotations

import json

import pytest
from kit.samples.attached_programs import KINDS, SCRIPT

from backprop.door.cli import main


def test_attach_writes_a_subject_that_verify_takes(tmp_path, capsys):
    file, subject = tmp_path / "net.py", tmp_path / "subject.py"
    file.write_text(SCRIPT.replace("(1 - hidden ** 2)", "hidden"), encoding="utf-8")
    assert main(["attach", str(file), "-o", str(subject)]) == 0
    said = capsys.readouterr().err
    assert "parameters W1, b1, W2, b2" in said
    assert main(["verify", str(subject), "--json", "--hint", "place"]) == 1
    assert json.loads(capsys.readouterr().out)["findings"][0]["equation"] == "BP2"
    assert main(["attach", str(file), "-o", str(subject)]) == 2
    assert "exists" in capsys.readouterr().err


def test_verify_takes_a_file_as_it_is_and_says_what_for_what(tmp_path, capsys):
    file = tmp_path / "net.py"
    file.write_text(KINDS["layers"], encoding="utf-8")
    assert main(["verify", str(file), "--cost", "mse"]) == 0
    said = capsys.readouterr().out
    assert said.count("note: taken: ") == 3
    assert "--cost mse" in said


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("import no_such_package_at_all\n", "package"),
        ('print "x"\n', "syntax"),
        ("x = 1\n", "nothing"),
        ("1 / 0\n", "crashed"),
    ],
)
def test_a_grader_is_told_why_there_is_no_verdict(text, reason, tmp_path, capsys):
    file = tmp_path / "net.py"
    file.write_text(text, encoding="utf-8")
    assert main(["verify", str(file), "--json"]) == 2
    captured = capsys.readouterr()
    assert json.loads(captured.out)["reason"] == reason
    assert len(captured.err.strip().splitlines()) == 1


def test_words_about_files_are_refused_for_sizes(capsys):
    assert main(["verify", "3-4-2", "--class", "Net", "--begin", "3"]) == 2
    assert "--class and --begin" in capsys.readouterr().err
