"""Costs by the names that the lecture's programs give them: the catalogue's, each times a factor that is said."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from backprop.arrays import Array
from backprop.errors import UsageError
from backprop.lecture.functions import as_rows, pass_through

__all__ = ["CostCrossEntropy", "CostLogReg", "CostOLS", "LectureCost"]

EDGE = 1e-9
"""Outputs are kept this far from 0 and 1 where their logarithm is taken."""


class LectureCost:
    """A cost: called with the targets it gives a function of the outputs, one number.

    `stated` is the cost of the catalogue, `factor(K)` what it is multiplied by with K outputs, `classes` whether
    targets are classes.

    >>> float(CostOLS([[1.0, 0.0]])([[0.5, 0.5]]))
    0.5
    """

    def __init__(
        self, name: str, stated: str, outputs: str, factor: Callable[[int], Fraction], *, classes: bool
    ) -> None:
        self.__name__, self.stated, self.outputs, self.factor, self.classes = name, stated, outputs, factor, classes

    def __repr__(self) -> str:
        return self.__name__

    def __call__(self, target: ArrayLike) -> Callable[[ArrayLike], Any]:
        """The cost as a function of the outputs, n rows as the targets have."""
        Y = as_rows(target, "target")
        width = Y.shape[1]
        net, theta = pass_through(width, self.outputs, cost=self.stated)

        def of_outputs(X: ArrayLike) -> Any:
            A = as_rows(X, "outputs")
            if A.shape != Y.shape:
                raise UsageError(f"outputs and targets must have one shape, got {A.shape} and {Y.shape}")
            return float(self.factor(width)) * net.cost(theta, undo(self.outputs, A), Y)

        return of_outputs


def undo(output: str, A: Array) -> Array:
    """The z that an output function makes this a of: the cost is stated of a, the network takes z."""
    if output == "identity":
        return A
    inside = np.clip(A, EDGE, 1 - EDGE)
    return np.asarray(np.log(inside) - np.log1p(-inside))


CostOLS = LectureCost("CostOLS", "mse", "identity", Fraction, classes=False)
"""(1/n) Σ_s Σ_j (y - a)²: K times the mean over samples and outputs."""
CostLogReg = LectureCost("CostLogReg", "binary-cross-entropy", "sigmoid", lambda K: Fraction(1), classes=True)
"""-(1/n) Σ_s Σ_j (y log a + (1 - y) log(1 - a))."""
CostCrossEntropy = LectureCost("CostCrossEntropy", "cross-entropy", "sigmoid", lambda K: Fraction(1, K), classes=True)
"""-(1/(n K)) Σ_s Σ_j y log a: a mean over the outputs too, so every step is K times shorter than with the usual one."""
