"""Whole commands of this tree beside those of another one: `python tests/benchmarks/verify_time.py PATH OTHER [RUNS]`.

PATH is a file to verify, or a folder of which every file is; OTHER the root of an older tree. Both run in turn, RUNS
times, in processes of this Python, one thread each, compiled to bytecode as an installation is. Printed: processor
seconds of everything that a command started and seconds on the clock, medians, and the ratio of the sums.
"""

from __future__ import annotations

import compileall
import json
import os
import resource
import statistics
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def run(root: Path, path: Path) -> tuple[float, float]:
    """Processor seconds and seconds of one command; SystemExit where it did not answer with a verdict."""
    environment = os.environ | {"PYTHONPATH": str(root), "OPENBLAS_NUM_THREADS": "1"}
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    command = [sys.executable, "-m", "backprop", "verify", str(path), "--json"]
    done = subprocess.run(command, env=environment, cwd=root, capture_output=True, check=False)
    seconds, after = time.perf_counter() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
    try:
        json.loads(done.stdout)["verdict"]
    except (ValueError, KeyError) as error:
        raise SystemExit(f"{root}: no verdict of {path}: {done.stderr.decode()[-300:]}") from error
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, seconds


def main() -> None:
    """Print a row a file, and the ratios."""
    path, other = Path(sys.argv[1]), Path(sys.argv[2]).resolve()
    runs = int(sys.argv[3]) if len(sys.argv) > 3 else 3
    for root in (ROOT, other):
        for package in ("backprop", "theory"):
            compileall.compile_dir(root / package, quiet=1)
    sums = {root: [0.0, 0.0] for root in (ROOT, other)}
    for file in sorted(path.rglob("*.py")) if path.is_dir() else [path]:
        measured: dict[Path, list[tuple[float, float]]] = {ROOT: [], other: []}
        for _ in range(runs):
            for root, found in measured.items():
                found.append(run(root, file.resolve()))
        row = []
        for root, found in measured.items():
            medians = [statistics.median(column) for column in zip(*found, strict=True)]
            sums[root] = [a + b for a, b in zip(sums[root], medians, strict=True)]
            row.append("{:6.2f} s of processor, {:6.2f} s".format(*medians))
        print(f"{file.name:60} here {row[0]}   other {row[1]}", flush=True)
    ratios = [mine / theirs for mine, theirs in zip(sums[ROOT], sums[other], strict=True)]
    print("sums, here / other: {:.2f} of processor time, {:.2f} of the clock".format(*ratios))


if __name__ == "__main__":
    main()
