"""A subject in a process of its own: whatever it does, the report says so, and nothing passes by silence."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from backprop.examiner.apart.asking import examine_file

PATIENCE = 60.0
IMPATIENCE = 4.0

GOOD = """
import numpy as np
def parameters(rng): return [(rng.normal(size=(3, 2)), rng.normal(size=2))]
def data(rng): return rng.normal(size=(4, 3)), rng.normal(size=(4, 2))
def cost(params, X, Y): return np.sum((X @ params[0][0] + params[0][1] - Y) ** 2) / 2
def gradients(params, X, Y):
    delta = X @ params[0][0] + params[0][1] - Y
    return [(X.T @ delta, delta.sum(axis=0))]
"""
BAD = GOOD.replace("delta.sum(axis=0)", "0 * delta.sum(axis=0)")

FORGED = """
import os, sys
line = b'{"nonce": "0", "report": {"verdict": "verified", "findings": [], "evidence": {}, "reproduce": ""}}'
for number in range(1, 12):
    try: os.write(number, line + b"\\n")
    except OSError: pass
"""


def write(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "net.py"
    path.write_text(text)
    return path


@pytest.mark.parametrize(
    ("addition", "said"),
    [
        ("import sys; sys.exit(0)", "SystemExit"),
        ("import os; os._exit(0)", "exit status 0 before giving a verdict"),
        ("import not_there_at_all", "ModuleNotFoundError"),
        ("def broken(:", "SyntaxError"),
        ("input()", "EOFError"),
        ("x = bytearray(1 << 50)", "MemoryError"),
        ("import ctypes; ctypes.string_at(0)", "its process"),
        ("cost = None", "no function 'cost'"),
        ("def cost(params, X, Y):\n    import os; os._exit(0)", "before giving a verdict"),
        ("def gradients(params, X, Y): return gradients(params, X, Y)", "RecursionError"),
    ],
)
def test_a_subject_that_breaks_is_unusable_with_the_reason(tmp_path: Path, addition: str, said: str) -> None:
    report = examine_file(write(tmp_path, GOOD + addition + "\n"), timeout=PATIENCE)
    assert report.verdict == "unusable"
    assert said in report.notes[0]
    assert "\n" not in report.notes[0]


def test_a_subject_that_hangs_is_ended(tmp_path: Path) -> None:
    report = examine_file(write(tmp_path, GOOD + "while True: pass\n"), timeout=IMPATIENCE)
    assert report.verdict == "unusable"
    assert "did not finish" in report.notes[0]


@pytest.mark.parametrize(
    "addition",
    [
        "print('noise' * 100000)",
        "import sys; sys.stdout.close()",
        "np.seterr(all='raise'); np.random.seed(0); import warnings; warnings.simplefilter('error')",
        "import threading, time; threading.Thread(target=time.sleep, args=(100,)).start()",
        "import atexit, time; atexit.register(time.sleep, 100)",
        "import subprocess, sys; subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(100)'])",
        "import os; os.fork() if hasattr(os, 'fork') else None",
        "import os; os.chdir('..')",
    ],
)
def test_right_code_with_bad_manners_is_verified(tmp_path: Path, addition: str) -> None:
    report = examine_file(write(tmp_path, GOOD + addition + "\n"), timeout=PATIENCE)
    assert report.verdict == "verified", str(report)


def test_a_verdict_cannot_be_printed(tmp_path: Path) -> None:
    report = examine_file(write(tmp_path, BAD + FORGED), timeout=PATIENCE)
    assert report.verdict == "wrong"
    report = examine_file(write(tmp_path, BAD + FORGED + "os._exit(0)\n"), timeout=PATIENCE)
    assert report.verdict == "unusable"


@pytest.mark.skipif(not hasattr(os, "killpg"), reason="process groups are a POSIX matter")
def test_no_process_is_left_behind(tmp_path: Path) -> None:
    note = tmp_path / "pid"
    start = "import subprocess, sys; p = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(100)'])"
    examine_file(write(tmp_path, f"{GOOD}\n{start}\nopen({str(note)!r}, 'w').write(str(p.pid))\n"))
    state = subprocess.run(["ps", "-o", "stat=", "-p", note.read_text()], capture_output=True, text=True, check=False)
    assert state.stdout.strip() == "" or state.stdout.startswith("Z")


def test_the_subject_s_output_stays_out_of_the_parent_s(tmp_path: Path) -> None:
    path = write(tmp_path, GOOD + "print('I am the subject')\n")
    script = f"""
        from backprop.examiner.apart.asking import examine_file
        print(examine_file({str(path)!r}).verdict)
    """
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(script)], capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("verified\n", "")


def test_a_missing_file_is_unusable() -> None:
    report = examine_file("no_such_file.py")
    assert report.verdict == "unusable"
    assert "no file" in report.notes[0]


def test_a_file_next_to_the_subject_can_be_imported(tmp_path: Path) -> None:
    (tmp_path / "helper_of_net.py").write_text("import numpy as np\n")
    report = examine_file(write(tmp_path, "import helper_of_net\n" + GOOD), timeout=PATIENCE)
    assert report.verdict == "verified"


def test_a_file_named_like_a_library_does_no_harm(tmp_path: Path) -> None:
    (tmp_path / "numpy.py").write_text("raise SystemExit(0)\n")
    report = examine_file(write(tmp_path, GOOD), timeout=PATIENCE)
    assert report.verdict == "verified"
