"""What a verdict costs beside one-parameter-at-a-time differences.  `python tests/benchmarks/examiner_cost.py [RUNS]`.

Network 784-w-w-10, tanh, softmax with cross-entropy, batch of 64, double precision, one thread. Three ways to judge
all parameters: a cost that ends in float(...) (differences only), one that carries complex numbers, and the command's
way (the subject in a process of its own, its start not counted). One parameter at a time is two evaluations of the cost
for each parameter, without any estimate of its own error; it is measured on a sample of entries and EXTRAPOLATED.
Seconds are of processor time (of both processes together), so that other work on the machine does not count; on an
idle machine the clock shows the same.
"""

from __future__ import annotations

import os

for variable in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[variable] = "1"

import statistics  # noqa: E402
import sys  # noqa: E402
import tempfile  # noqa: E402
import time  # noqa: E402
from pathlib import Path  # noqa: E402
from types import ModuleType, SimpleNamespace  # noqa: E402

import numpy as np  # noqa: E402

import backprop  # noqa: E402
from backprop.examiner.apart.asking import LOADER  # noqa: E402
from backprop.examiner.apart.remote import RemoteSubject  # noqa: E402
from backprop.examiner.judging.judge import judge  # noqa: E402

ROWS, SAMPLE, STEP, MEMORY = 64, 200, 1e-5, 4 * 2**30
WIDTHS = (25, 50, 100, 200)
ENDING = "\n\n_cost = cost\ndef cost(params, X, Y): return float(np.real(_cost(params, X, Y)))\n"
ENDING += f"_data = data\ndef data(rng, n={ROWS}): return _data(rng, n)\n"


def write(folder: Path, width: int) -> tuple[Path, ModuleType]:
    """The generated module of a width as a file whose cost ends in float(...), and as it is."""
    net = backprop.build(f"784-{width}-{width}-10", activation="tanh", output="softmax", cost="cross-entropy")
    path = folder / f"net{width}.py"
    path.write_text(net.source + ENDING, encoding="utf-8")
    return path, net.module


def seconds(subject: object) -> tuple[float, int]:
    """One verdict: its time and how often the cost was evaluated."""
    began = time.process_time()
    report = judge(subject)
    assert report.ok, str(report)
    return time.process_time() - began, report.evidence["evaluations"]


def judge_apart(path: Path) -> float:
    """The same with the subject in its own process, whose start is not counted."""
    here, there = run_apart(path, judge_too=True)
    return here + there - run_apart(path, judge_too=False)[1]


def run_apart(path: Path, *, judge_too: bool) -> tuple[float, float]:
    """Processor time here and in the subject's process, from its start to its end."""
    before = os.times()
    subject = RemoteSubject(str(path), seed=0, memory=MEMORY, loader=LOADER)
    try:
        subject.load()
        here = seconds(subject)[0] if judge_too else 0.0
    finally:
        subject.close()
    after = os.times()
    return here, after.children_user + after.children_system - before.children_user - before.children_system


def perturb_one_by_one(module: ModuleType) -> tuple[float, int]:
    """Central differences of a sample of entries, extrapolated to all; how many parameters there are."""
    rng = np.random.default_rng(0)
    params, (X, Y) = module.parameters(rng), module.data(rng, ROWS)
    tensors = [tensor for pair in params for tensor in pair]
    sizes = np.array([tensor.size for tensor in tensors])
    chosen = [(int(t), int(rng.integers(sizes[t]))) for t in rng.choice(len(sizes), size=SAMPLE, p=sizes / sizes.sum())]
    began = time.process_time()
    for t, k in chosen:
        flat, old = tensors[t].reshape(-1), tensors[t].flat[k]
        for move in (STEP, -STEP):
            flat[k] = old + move
            module.cost(params, X, Y)
        flat[k] = old
    return (time.process_time() - began) / SAMPLE * int(sizes.sum()), int(sizes.sum())


def main() -> None:
    """Print the table."""
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    if hasattr(os, "sched_setaffinity"):
        print(f"cores: {sorted(os.sched_getaffinity(0))}")
    print(f"processor seconds, medians of {runs} interleaved runs; one by one is extrapolated from {SAMPLE} entries")
    print(f"{'width':>5} {'parameters':>10} {'differences':>12} {'evaluations':>11} {'complex step':>12} "
          f"{'own process':>11} {'one by one':>11} {'ratio':>6}")  # fmt: skip
    with tempfile.TemporaryDirectory() as folder:
        for width in WIDTHS:
            path, module = write(Path(folder), width)
            own = SimpleNamespace(**{name: getattr(module, name) for name in ("parameters", "cost", "gradients")})
            own.data = lambda rng, n=ROWS, module=module: module.data(rng, n)
            rows = []
            for _ in range(runs):
                plain, evaluations = seconds(path)
                slow, parameters = perturb_one_by_one(module)
                rows.append((plain, seconds(own)[0], judge_apart(path), slow, slow / plain))
            plain, quick, apart, slow, ratio = (statistics.median(column) for column in zip(*rows, strict=True))
            print(f"{width:>5} {parameters:>10,} {plain:>12.2f} {evaluations:>11} {quick:>12.2f} {apart:>11.2f} "
                  f"{slow:>11.1f} {ratio:>6.0f}")  # fmt: skip


if __name__ == "__main__":
    main()
