"""An epoch of training, 784-100-100-10, batch 64: this project, scikit-learn's MLPClassifier, torch eager.

`python tests/benchmarks/epoch.py [ROWS] [--type float32]`: time of one epoch of `fit`, shuffling and batches
included, costs of all batches summed up as everybody does, no pass over the data for measuring.  Candidates take
turns in one process on one core; medians of times and of ratios to ours.  ReLU, no penalty, random data.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))
from speed import restrict

SIZES, BATCH, EPOCHS, TURNS = (784, 100, 100, 10), 64, 2, 7
RATES = {"adam": 1e-3, "momentum": 1e-2}


def make_ours(name: str, X: Any, Y: Any) -> Callable[[], None]:
    """`fit` without measuring."""
    import backprop
    from backprop.training import fit

    net = backprop.build(SIZES, "relu", "softmax", "cross-entropy")

    def run() -> None:
        fit(net, X, Y, optimiser=name, rate=RATES[name], epochs=EPOCHS, batch=BATCH, measure=False,
            validation=(X[:BATCH], Y[:BATCH]))  # fmt: skip

    return run


def make_sklearn(name: str, X: Any, labels: Any) -> Callable[[], None]:
    """MLPClassifier."""
    from sklearn.neural_network import MLPClassifier

    def run() -> None:
        solver = (
            {"solver": "adam"} if name == "adam" else {"solver": "sgd", "momentum": 0.9, "nesterovs_momentum": False}
        )
        model = MLPClassifier(SIZES[1:-1], alpha=0, batch_size=BATCH, learning_rate_init=RATES[name], max_iter=EPOCHS,
                              n_iter_no_change=EPOCHS + 1, random_state=0, **solver)  # fmt: skip
        model.fit(X, labels)

    return run


def make_torch(name: str, X: Any, labels: Any) -> Callable[[], None]:
    """torch, eager, batches by index from one tensor (quicker than a DataLoader)."""
    import torch

    torch.set_num_threads(1)
    x, y = torch.tensor(X), torch.tensor(labels)

    def run() -> None:
        nn = torch.nn
        model = nn.Sequential(nn.Linear(784, 100), nn.ReLU(), nn.Linear(100, 100), nn.ReLU(), nn.Linear(100, 10)).to(
            x.dtype
        )
        make = {
            "adam": lambda p: torch.optim.Adam(p, RATES[name]),
            "momentum": lambda p: torch.optim.SGD(p, RATES[name], momentum=0.9),
        }
        rule, cost, total = make[name](model.parameters()), nn.CrossEntropyLoss(), 0.0
        for _ in range(EPOCHS):
            for rows in torch.randperm(len(x)).split(BATCH):
                rule.zero_grad()
                value = cost(model(x[rows]), y[rows])
                value.backward()
                rule.step()
                total += float(value.detach()) * len(rows)

    return run


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("rows", type=int, nargs="?", default=6400)
    parser.add_argument("--type", default="float64", choices=("float64", "float32"))
    given = parser.parse_args()
    restrict(1)
    import numpy as np

    warnings.simplefilter("ignore")  # scikit-learn says that two epochs are few
    rng = np.random.default_rng(0)
    labels = rng.integers(10, size=given.rows)
    X, Y = rng.random((given.rows, 784)).astype(given.type), np.eye(10, dtype=given.type)[labels]
    print(f"one epoch of {given.rows} rows, {given.type}, milliseconds; in brackets the ratio to ours")
    for name in RATES:
        runs = {
            "ours": make_ours(name, X, Y),
            "scikit-learn": make_sklearn(name, X, labels),
            "torch": make_torch(name, X, labels),
        }
        seconds: dict[str, list[float]] = {key: [] for key in runs}
        for run in runs.values():
            run()
        for _ in range(TURNS):
            for key, run in runs.items():
                begin = time.perf_counter()
                run()
                seconds[key].append((time.perf_counter() - begin) / EPOCHS)
        words = []
        for key, own in seconds.items():
            ratio = statistics.median(a / b for a, b in zip(own, seconds["ours"], strict=True))
            words.append(f"{key} {1000 * statistics.median(own):.0f}" + (f" ({ratio:.2f})" if key != "ours" else ""))
        print(f"{name:10}" + "   ".join(words), flush=True)


if __name__ == "__main__":
    main()
