"""Which activation should be used? The lecture's order on digits and on a curve; leaves activations.png."""

import os

import numpy as np

import backprop
from backprop.data import digits, one_hot, split
from backprop.lecture.ranking import Task, rank_activations
from backprop.pictures import plot_ranking
from backprop.training import accuracy

QUICK = bool(os.environ.get("QUICK"))
REPEATS, EPOCHS = (6, 2) if QUICK else (20, 40)

X, labels = digits()
targets = one_hot(labels)


def deal(seed):
    return split(X, targets, (0.6, 0.2, 0.2), seed=seed, stratify=labels)


def share_right(net, theta, seed):
    rows = deal(seed).test.rows
    return accuracy(net, theta, X[rows], labels[rows])


def bend(x):
    return np.sin(6 * x) + np.abs(x - 0.3)


def draw_curve(seed, rows=200):
    rng = np.random.default_rng(seed)
    x = rng.uniform(-1, 1, size=(rows, 1))
    return x, bend(x) + 0.1 * rng.normal(size=x.shape)


def fit_quality(net, theta, seed):
    x = np.linspace(-1, 1, 500)[:, None]
    return 1 - np.mean((net.forward(theta, x) - bend(x)) ** 2) / np.var(bend(x))


tasks = (
    Task(
        "digits",
        "share of test digits read rightly",
        lambda name: backprop.build("64-32-32-10", activation=name, output="softmax", cost="cross-entropy"),
        lambda seed: (deal(seed).train.X, deal(seed).train.Y),
        share_right,
    ),
    Task(
        "noisy curve",
        "R² from the curve without noise",
        lambda name: backprop.build("1-32-32-1", activation=name, output="identity", cost="mse"),
        draw_curve,
        fit_quality,
    ),
)
rankings = [rank_activations(task, repeats=REPEATS, epochs=EPOCHS) for task in tasks]
for ranking in rankings:
    print(ranking, end="\n\n")
plot_ranking(rankings, "activations.png")
