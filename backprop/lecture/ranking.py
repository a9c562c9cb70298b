"""Which activation should be used? The lecture's order, asked of trainings: repeated, paired, with a test."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import wilcoxon

from backprop.training.running.loop import fit
from backprop.training.trainable import Trainable

__all__ = ["CLAIMED", "Comparison", "Ranking", "Task", "rank_activations"]

CLAIMED = (("gelu", "elu"), ("leaky_relu",), ("relu",), ("tanh",), ("sigmoid",))
"""The lecture's order, the best first; those of one group are called alike."""
SURE = 0.05
"""Probability of a difference as large by chance, of all comparisons together, below which it counts."""

Score = Callable[[Trainable, NDArray[Any], int], float]


@dataclass(frozen=True)
class Task:
    """Something to learn: how a network for it is built and how good it is; larger scores are better.

    `build` makes a network of an activation, `draw` gives training X and Y of a repetition, `score` rates parameters.
    """

    name: str
    unit: str
    build: Callable[[str], Trainable]
    draw: Callable[[int], tuple[NDArray[Any], NDArray[Any]]]
    score: Score


@dataclass(frozen=True)
class Comparison:
    """Two neighbours in the claimed order: the mean of the paired differences, and whether it is more than chance.

    `p` is that of Wilcoxon's signed-rank test, times the number of comparisons that are at least as sure (Holm).
    """

    better: str
    worse: str
    difference: float
    p: float

    @property
    def says(self) -> str:
        """In one word: what came out."""
        if self.p >= SURE:
            return "not told apart"
        return "as claimed" if self.difference > 0 else "the other way round"


@dataclass(frozen=True)
class Ranking:
    """The scores of every repetition, rows as `names`, the seconds of its trainings, and the comparisons."""

    task: Task
    names: tuple[str, ...]
    scores: NDArray[Any]
    seconds: NDArray[Any]
    comparisons: tuple[Comparison, ...]

    def __str__(self) -> str:
        repeats = self.scores.shape[1]
        head = f"{self.task.name}: {self.task.unit}, {repeats} repetitions, mean ± standard error, time by that of relu"
        lines = [head]
        unit = self.seconds[self.names.index("relu")].mean() if "relu" in self.names else self.seconds.mean()
        for name, scores, seconds in zip(self.names, self.scores, self.seconds, strict=True):
            error = scores.std(ddof=1) / np.sqrt(repeats)
            lines.append(f"  {name:<11} {scores.mean():.4f} ± {error:.4f}   {seconds.mean() / unit:.2f}")
        for one in self.comparisons:
            lines.append(f"  {one.better} against {one.worse}: {one.difference:+.4f}, p = {one.p:.2g}: {one.says}")
        return "\n".join(lines)


def rank_activations(task: Task, *, repeats: int = 10, epochs: int = 30, rate: float = 0.003) -> Ranking:
    """Train a network with every activation of the lecture's order on the same data from the same seeds.

    Parameters: how often with other data and other first weights (at least 6: with fewer the test can show nothing),
    for how many epochs, at which rate of Adam. Each repetition is the same for all activations, so that their scores
    are compared in pairs; groups that the lecture calls alike are compared by their first.

    Errors: ValueError for fewer than six repetitions.
    """
    if repeats < FEWEST:
        raise ValueError(f"repeats must be at least {FEWEST}, got {repeats}: fewer cannot be significant")
    names = tuple(name for group in CLAIMED for name in group)
    scores, seconds = np.empty((len(names), repeats)), np.empty((len(names), repeats))
    for seed in range(repeats):
        X, Y = task.draw(seed)
        for k, name in enumerate(names):
            net, began = task.build(name), time.process_time()
            history = fit(net, X, Y, epochs=epochs, rate=rate, seed=seed)
            seconds[k, seed] = time.process_time() - began
            scores[k, seed] = task.score(net, history.theta, seed)
    return Ranking(task, names, scores, seconds, _compare(names, scores))


FEWEST = 6


def _compare(names: Sequence[str], scores: NDArray[Any]) -> tuple[Comparison, ...]:
    found = []
    for first, second in pairwise(group[0] for group in CLAIMED):
        differences = scores[names.index(first)] - scores[names.index(second)]
        p = float(wilcoxon(differences).pvalue) if differences.any() else 1.0
        found.append((first, second, float(differences.mean()), p))
    order = sorted(range(len(found)), key=lambda k: found[k][3])
    adjusted, reached = [1.0] * len(found), 0.0
    for place, k in enumerate(order):
        reached = max(reached, min(1.0, found[k][3] * (len(found) - place)))
        adjusted[k] = reached
    return tuple(Comparison(a, b, d, p) for (a, b, d, _), p in zip(found, adjusted, strict=True))
