"""Stops a run whose gradient explodes, and names the layer where it began."""

from __future__ import annotations

import math

import numpy as np

from backprop.errors import UsageError
from backprop.training.trainable import Array, Trainable

__all__ = ["TrainingDiverged", "Watch"]

SUSPICIOUS = 1e6
"""A gradient this many times longer than the first one is worth a look at its layers."""


class TrainingDiverged(UsageError):
    """The cost or a gradient became infinite or NaN.

    Attributes:
        layer: 1..L, the layer whose gradient exploded first; None if only the cost did.
        epoch: the epoch it happened in, 1 = first.
    """

    def __init__(self, message: str, layer: int | None, epoch: int) -> None:
        super().__init__(message)
        self.layer = layer
        self.epoch = epoch


class Watch:
    """Compares each gradient with the first one of the run.

    Once everything is NaN nobody can tell who began. So the layer is noted earlier, when the gradient
    has become a million times longer than it was at first: the layer that grew most. A gradient that jumps
    to infinity at once is blamed on the layer nearest to the output, where the backward pass met it first.
    """

    def __init__(self, net: Trainable) -> None:
        self._net = net
        self._first: list[float] = []
        self._limit = math.inf
        self._suspect: tuple[int, float] | None = None

    def check(self, cost: float, gradient: Array, epoch: int) -> None:
        """Look at one step; TrainingDiverged if its cost or gradient is not finite."""
        length = math.sqrt(gradient @ gradient)
        if not (math.isfinite(length) and math.isfinite(cost)):
            raise self._explain(cost, gradient, epoch)
        if not self._first and length > 0:
            self._first = [max(norm, length / SUSPICIOUS) for norm in self._measure(gradient)]
            self._limit = SUSPICIOUS * length
        if length <= self._limit:
            self._suspect = None
        elif self._suspect is None:
            self._suspect = self._find_grown(gradient)

    def _measure(self, gradient: Array) -> list[float]:
        """The length of each layer's part; what owns no matrix (a normalisation) belongs to the layer before it."""
        lengths: list[float] = []
        for layer in self._net.views(gradient):
            length = math.hypot(*(float(np.linalg.norm(part)) for part in layer))
            if lengths and all(part.ndim < 2 for part in layer):
                lengths[-1] = math.hypot(lengths[-1], length)
            else:
                lengths.append(length)
        return lengths

    def _find_grown(self, gradient: Array) -> tuple[int, float]:
        pairs = zip(self._measure(gradient), self._first, strict=True)
        growth = [now / first if first else math.inf for now, first in pairs]
        layer = max(range(len(growth)), key=growth.__getitem__)
        return layer + 1, growth[layer]

    def _explain(self, cost: float, gradient: Array, epoch: int) -> TrainingDiverged:
        layer: int | None = None
        bad = [l for l, norm in enumerate(self._measure(gradient), start=1) if not math.isfinite(norm)]
        if self._suspect:
            layer, growth = self._suspect
            what = f"the gradient of layer {layer} exploded first ({growth:.1e} times its first size)"
        elif bad:
            layer = bad[-1]
            what = f"the gradient of layer {layer} exploded first (it is not finite)"
        else:
            what = f"the cost is {cost}"
        remedy = "try a smaller rate, or inputs scaled to about 1"
        return TrainingDiverged(f"training diverged in epoch {epoch}: {what}; {remedy}", layer, epoch)
