"""The door: five commands, exit statuses 0, 1, 2, one line for every error, clean JSON, nothing half-written."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from backprop import __version__
from backprop.door.cli import main
from backprop.door.commands import split_names

RIGHT = """
import numpy as np
def parameters(rng):
    return [(rng.normal(size=(3, 4)), rng.normal(size=4)), (rng.normal(size=(4, 2)), rng.normal(size=2))]
def data(rng, n=6): return rng.normal(size=(n, 3)), rng.normal(size=(n, 2))
def cost(params, X, Y):
    (W1, b1), (W2, b2) = params
    return 0.5 * np.sum((np.tanh(X @ W1 + b1) @ W2 + b2 - Y) ** 2)
def gradients(params, X, Y):
    (W1, b1), (W2, b2) = params
    a = np.tanh(X @ W1 + b1)
    d2 = a @ W2 + b2 - Y
    d1 = (d2 @ W2.T) * (1 - a ** 2)
    return [(X.T @ d1, d1.sum(0)), (a.T @ d2, d2.sum(0))]
"""


def run(capsys, *words):
    """Exit status, standard output, standard error."""
    status = main(list(words))
    captured = capsys.readouterr()
    return status, captured.out, captured.err


def test_version_and_help(capsys):
    assert run(capsys, "--version") == (0, f"backprop {__version__}\n", "")
    status, out, _ = run(capsys, "--help")
    assert status == 0
    for command in ("demo", "derive", "generate", "verify", "approximate"):
        assert command in out


def test_python_dash_m_is_the_same_command():
    result = subprocess.run([sys.executable, "-m", "backprop", "--version"], capture_output=True, text=True, check=True)
    assert result.stdout == f"backprop {__version__}\n"


@pytest.mark.parametrize("form", ["text", "latex", "markdown"])
def test_derive_prints_a_chapter(capsys, form):
    status, out, err = run(capsys, "derive", "four_equations", "--format", form)
    assert (status, err) == (0, "")
    assert "BP2" in out
    assert ("\\begin{list}" in out) == (form == "latex")


def test_generate_then_verify_closes_the_circle(capsys, tmp_path):
    file = tmp_path / "net.py"
    assert run(capsys, "generate", "3-4-4-2", "--activation", "relu,tanh", "-o", str(file))[0] == 0
    status, out, _ = run(capsys, "verify", str(file), "--json")
    report = json.loads(out)
    assert (status, report["verdict"]) == (0, "verified")
    assert report["evidence"]["exact"]["ok"] is True


def test_generate_prints_to_standard_output(capsys):
    status, out, _ = run(capsys, "generate", "3-2")
    assert status == 0
    compile(out, "generated", "exec")


def test_verify_on_sizes_takes_the_options(capsys):
    status, out, _ = run(
        capsys, "verify", "3-3-2", "--activation", "x*tanh(x)", "--output", "softmax", "--cost", "cross-entropy"
    )
    assert status == 0
    assert "VERIFIED" in out
    assert "exact" in out


def test_verify_on_right_and_wrong_files(capsys, tmp_path):
    right, wrong = tmp_path / "right.py", tmp_path / "wrong.py"
    right.write_text(RIGHT)
    wrong.write_text(RIGHT.replace("(1 - a ** 2)", "(1 - a)"))
    assert run(capsys, "verify", str(right))[0] == 0
    status, out, _ = run(capsys, "verify", str(wrong), "--json")
    report = json.loads(out)
    assert (status, report["verdict"]) == (1, "wrong")
    assert (report["findings"][0]["equation"], report["findings"][0]["layer"]) == ("BP2", 1)
    assert {"parameter", "index", "yours", "expected", "uncertainty"} <= set(report["findings"][0]["entries"][0])


def test_verify_random_prints_what_was_covered(capsys):
    status, out, _ = run(capsys, "verify", "--random", "3", "--seed", "2")
    assert status == 0
    assert "backprop verify --random 3 --seed 2" in out
    assert "activation" in out


def test_approximate_says_that_the_error_is_on_a_grid(capsys, tmp_path):
    picture = tmp_path / "fit.png"
    status, out, _ = run(capsys, "approximate", "sin(2*pi*x)", "--width", "8", "--plot", str(picture))
    assert status == 0
    assert "grid" in out
    assert picture.stat().st_size > 10_000


def test_approximate_json_reads_back_exactly(capsys):
    status, out, _ = run(capsys, "approximate", "x**2", "--width", "4", "--json")
    result = json.loads(out)
    assert status == 0
    assert result["width"] == len(result["hidden"]["w"]) == 4
    assert result["certified"] is False


def test_an_epsilon_that_is_not_reached_is_exit_status_one(capsys):
    status, out, _ = run(capsys, "approximate", "x > 1/2", "--epsilon", "1e-3", "--width", "3")
    assert status == 1
    assert "NOT below" in out


BAD = [
    ("verify",),
    ("verify", "nope.py"),
    ("verify", "no such thing"),
    ("verify", "no.such.module"),
    ("verify", "3-0-2"),
    ("verify", "3-2", "--timeout", "0"),
    ("verify", "3-2", "--timeout", "nan"),
    ("verify", ""),
    ("verify", "3-2", "--random", "3"),
    ("verify", "--random", "0"),
    ("verify", "3-2", "--seed", "-1"),
    ("verify", "3-2-1", "--activation", "rellu"),
    ("verify", "3-2-1", "--activation", "__import__('os').system('true')"),
    ("verify", "\0"),
    ("verify", "x" * 5000),
    ("generate", "3-2", "--target", "fortran"),
    ("generate", "3-2", "-o", "/no/such/folder/net.py"),
    ("generate", "3-2", "--cost", "msee"),
    ("derive", "four_equation"),
    ("derive", "--format", "pdf"),
    ("derive", "costs", "--notation", "nielson"),
    ("explain", "BP2", "--notation", "nielson"),
    ("approximate", "sin(2*pi*y)", "--width", "4"),
    ("approximate", "1/0", "--width", "4"),
    ("approximate", "sin(x)"),
    ("approximate", "sin(x)", "--width", "0"),
    ("approximate", "sin(x)", "--width", "4", "--domain", "1", "0"),
    ("approximate", "9**9**9**9", "--width", "4"),
    ("approximate", "__import__('os').getcwd()", "--width", "4"),
    ("approximate", "sin(x)", "--width", "4", "--plot", "/no/such/folder/p.png"),
    ("demo", "--out", "/dev/null/demo"),
    ("nonsense",),
    ("verify", "3-2", "--nonsense"),
]


@pytest.mark.parametrize("words", BAD, ids=lambda words: " ".join(words)[:50].replace("\0", "NUL"))
def test_unusable_input_is_exit_status_two_and_one_line(capsys, words):
    status, out, err = run(capsys, *words)
    assert status == 2
    assert out == ""
    assert err.startswith("error: ")
    assert err.count("\n") == 1
    assert "Traceback" not in err


def test_a_file_that_cannot_be_written_leaves_no_half_file(capsys, tmp_path):
    folder = tmp_path / "folder"
    folder.mkdir()
    assert run(capsys, "generate", "3-2", "-o", str(folder))[0] == 2
    assert list(folder.iterdir()) == []
    assert list(tmp_path.iterdir()) == [folder]


def test_names_are_split_at_commas_outside_parentheses():
    assert split_names("relu, max(x,0) ,tanh") == ["relu", "max(x,0)", "tanh"]


def test_ctrl_c_is_one_word_and_its_own_status(capsys, monkeypatch):
    import backprop.runtime.compiled as compiled

    def interrupt(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(compiled, "lower", interrupt)
    assert run(capsys, "generate", "3-2") == (130, "", "interrupted\n")


def test_a_full_disk_is_one_line(capsys, monkeypatch, tmp_path):
    import backprop.files as files

    def full(*_):
        raise OSError(28, "No space left on device", str(tmp_path))

    monkeypatch.setattr(files.os, "replace", full)
    status, _, err = run(capsys, "generate", "3-2", "-o", str(tmp_path / "net.py"))
    assert status == 2
    assert err.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["verify", __file__, "--activation", "relu"], "--activation say how SIZES"),
        (["verify", "--random", "2", "--cost", "mse", "--output", "tanh"], "--output and --cost say how"),
        (["verify", "--random", "2", "--timeout", "3"], "--timeout is for the code of a file"),
        (["verify", "3-4-2", "--timeout", "3"], "--timeout is for the code of a file"),
        (["verify", __file__, "--certify"], "--certify needs SIZES"),
        (["demo", "--out", ""], "--out needs the name"),
    ],
)
def test_options_that_mean_nothing_here_are_refused(words, message, capsys):
    assert main(words) == 2
    said = capsys.readouterr()
    assert message in said.err
    assert not said.out


def test_the_command_to_repeat_is_the_one_that_was_given(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "-x.py").write_text(
        "fun = lambda t: t @ t\ngrad = lambda t: 2 * t\ntheta0 = lambda r: r.normal(size=3)"
    )
    assert main(["verify", "./-x.py"]) == 0
    assert "To reproduce: backprop verify ./-x.py --seed 0" in capsys.readouterr().out


def test_the_command_to_repeat_has_the_options_that_chose_what_is_examined(tmp_path, capsys):
    file = tmp_path / "line.py"
    file.write_text(
        "import numpy as np\nrng = np.random.default_rng(0)\nX, T = rng.normal(size=(6, 2)), rng.normal(size=(6, 1))\n"
        "W = rng.normal(size=(2, 1))\nfor turn in range(9):\n    E = X @ W - T\n    W -= 0.1 * (X.T @ E)\n"
    )
    assert main(["verify", str(file), "--cost", "half-sse"]) == 0
    assert f"To reproduce: backprop verify {file} --seed 0 --cost half-sse" in capsys.readouterr().out


def test_an_overflow_on_both_sides_is_no_fault_of_the_gradient(capsys):
    assert main(["verify", "3-4-2", "--activation", "exp(exp(exp(x)))"]) != 1
    assert "WRONG" not in capsys.readouterr().out


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no full device here")
@pytest.mark.parametrize("module", ["theory", "backprop"])
def test_a_full_standard_output_is_one_line(module):
    words = [sys.executable, "-m", module, *(["derive"] if module == "backprop" else []), "four_equations"]
    with open("/dev/full", "w") as full:
        ended = subprocess.run(words, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert ended.returncode == 2
    assert ended.stderr.startswith("error: ")
    assert ended.stderr.count("\n") == 1
