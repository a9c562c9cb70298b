"""Seconds an epoch on MNIST, 784-100-100-10 with Adam and batches of 128: this project, torch eager, scikit-learn.

`python tests/benchmarks/mnist.py --data DIR [--epochs 2] [--rounds 5]`: all on one core, in turns in one process;
medians of the ratios of neighbouring runs. Everything is counted: shuffling, augmentation, validation. Two recipes:
with images moved by up to one pixel under a one-cycle schedule (as examples/08_mnist.py; not possible inside
scikit-learn), and plain.
"""

from __future__ import annotations

import argparse
import os
import time
import warnings

import numpy as np
import torch
from sklearn.neural_network import MLPClassifier
from threadpoolctl import threadpool_limits

import backprop
from backprop.data import find_data_folder, mnist, one_hot, shift_images
from backprop.training import one_cycle

BATCH, PEAK, RATE, VALIDATION, SIDE = 128, 0.004, 0.001, 5000, 28


class Contest:
    """The data, once for everybody."""

    def __init__(self, folder: str, epochs: int) -> None:
        data = mnist(folder)
        rows = np.random.default_rng(0).permutation(len(data.X))
        check, train = rows[:VALIDATION], rows[VALIDATION:]
        self.X, self.labels, self.epochs = data.X[train], data.labels[train], epochs
        self.check_X, self.check_labels = data.X[check], data.labels[check]
        self.Y, self.check_Y = (one_hot(data.labels[part], 10).astype(np.float32) for part in (train, check))
        self.net = backprop.build("784-100-100-10", activation="relu", output="softmax", cost="cross-entropy")

    def run_ours(self, moved: bool) -> float:
        """`fit`; returns the validation accuracy."""
        history = backprop.fit(
            self.net, self.X, self.Y, epochs=self.epochs, batch=BATCH, initialiser="he", measure=False,
            validation=(self.check_X, self.check_Y), rate=one_cycle(PEAK) if moved else RATE,
            augment=shift_images if moved else None,
        )  # fmt: skip
        return history.validation_accuracies[-1]

    def run_torch(self, moved: bool) -> float:
        """The usual loop, eager, tensors in memory (no loader, which would cost more)."""
        X, labels = torch.from_numpy(self.X), torch.from_numpy(self.labels)
        check_X, check_labels = torch.from_numpy(self.check_X), torch.from_numpy(self.check_labels)
        layers = torch.nn
        model = layers.Sequential(
            layers.Linear(784, 100), layers.ReLU(), layers.Linear(100, 100), layers.ReLU(), layers.Linear(100, 10)
        )
        optimiser = torch.optim.Adam(model.parameters(), lr=RATE)
        steps = -(-len(X) // BATCH) * self.epochs
        schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, PEAK, total_steps=steps) if moved else None
        for _ in range(self.epochs):
            for rows in torch.randperm(len(X)).split(BATCH):
                x = X[rows]
                optimiser.zero_grad()
                loss = layers.functional.cross_entropy(model(move(x) if moved else x), labels[rows])
                loss.backward()
                optimiser.step()
                if schedule:
                    schedule.step()
            with torch.no_grad():
                outputs = model(check_X)
                layers.functional.cross_entropy(outputs, check_labels)
                share = (outputs.argmax(1) == check_labels).double().mean()
        return float(share)

    def run_sklearn(self, moved: bool) -> float:
        """MLPClassifier, plain recipe."""
        assert not moved
        model = MLPClassifier((100, 100), batch_size=BATCH, learning_rate_init=RATE, max_iter=self.epochs, alpha=0.0)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # it says that it has not converged
            model.fit(self.X, self.labels)
        return float(model.score(self.check_X, self.check_labels))


def move(x: torch.Tensor) -> torch.Tensor:
    """The same augmentation with torch's means."""
    n, wide = len(x), SIDE + 2
    framed = torch.zeros((n, wide, wide))
    framed[:, 1:-1, 1:-1] = x.view(n, SIDE, SIDE)
    line = torch.arange(SIDE)
    window = (line[:, None] * wide + line).reshape(-1)
    down, right = torch.randint(0, 3, (2, n))
    start = torch.arange(n) * wide * wide + down * wide + right
    return torch.take(framed, start[:, None] + window)


def compare(contest: Contest, moved: bool, rounds: int) -> None:
    """Runs in turns; prints medians."""
    runs = {"backprop": contest.run_ours, "torch eager": contest.run_torch}
    runs |= {} if moved else {"scikit-learn": contest.run_sklearn}
    seconds: dict[str, list[float]] = {name: [] for name in runs}
    for _ in range(rounds):
        for name, run in runs.items():
            began = time.process_time()
            run(moved)
            seconds[name].append((time.process_time() - began) / contest.epochs)
    print("images moved, one cycle:" if moved else "plain Adam:")
    for name, times in seconds.items():
        ratio = np.median(np.array(times) / np.array(seconds["backprop"]))
        print(f"  {name:<13} {np.median(times):6.2f} s an epoch, {ratio:.2f} times ours")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", default=None)
    parser.add_argument("--epochs", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    torch.set_num_threads(1)
    contest = Contest(str(find_data_folder(options.data)), options.epochs)
    with threadpool_limits(1):
        for recipe in (True, False):
            compare(contest, recipe, options.rounds)
