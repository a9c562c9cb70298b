"""The pytest example: right networks pass, and the planted mistake fails on the smallest one, in words."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
EXAMPLE = ROOT / "examples" / "12_in_a_test_suite.py"


def test_the_failure_names_equation_mistake_and_the_smallest_network(tmp_path):
    # The options of this project (workers, warnings as errors) are not those of somebody's test suite.
    command = [sys.executable, "-m", "pytest", str(EXAMPLE), "-c", os.devnull, "-p", "no:cacheprovider", "--color=no"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": "200"}
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 1, done.stdout + done.stderr
    assert "1 failed, 2 passed" in done.stdout
    lines = [line.removeprefix("E").strip() for line in done.stdout.splitlines()]
    assert "WRONG  MyNetwork: the gradient is not the derivative of the cost." in lines
    assert "Root cause: BP2, layer 1 (W1, b1)" in lines
    assert any("evaluated at the activation" in line for line in lines)
    assert "sizes=(1, 1, 1)," in lines
    assert "report = verify(subject, seed=seed)" not in done.stdout
