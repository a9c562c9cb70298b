"""Test accuracy of the demo recipe over random splits: `python tests/benchmarks/digits_over_seeds.py [N]`."""

from __future__ import annotations

import sys

import numpy as np

import backprop
from backprop.data import digits, disturb, one_hot, split
from backprop.reporting.demo import ACTIVATION, COST, EPOCHS, OUTPUT, RATE, SIZES
from backprop.training import accuracy, cosine


def measure(seed: int) -> float:
    """Train once on the split of this seed; the test part is used for this one number."""
    X, labels = digits()
    parts = split(X, one_hot(labels), seed=seed, stratify=labels)
    net = backprop.build(SIZES, activation=ACTIVATION, output=OUTPUT, cost=COST)
    history = backprop.fit(
        net, parts.train.X, parts.train.Y, rate=cosine(RATE), epochs=EPOCHS, seed=seed,
        validation=(parts.validation.X, parts.validation.Y), augment=disturb,
    )  # fmt: skip
    return accuracy(net, history.theta, parts.test.X, labels[parts.test.rows])


if __name__ == "__main__":
    shares = np.array([measure(seed) for seed in range(int(sys.argv[1]) if len(sys.argv) > 1 else 20)])
    print(f"{len(shares)} splits: mean {shares.mean():.1%}, lowest {shares.min():.1%}, highest {shares.max():.1%}")
