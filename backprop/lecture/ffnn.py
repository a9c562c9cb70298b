"""The lecture's network class by its own constructor and methods; forward pass, gradient and cost are generated."""

from __future__ import annotations

from collections.abc import Sequence
from copy import deepcopy
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from backprop.arrays import Array, as_whole, is_number
from backprop.errors import UsageError
from backprop.lecture.costs import CostOLS, LectureCost
from backprop.lecture.functions import as_rows, identity, name_of, sigmoid
from backprop.lecture.schedulers import Scheduler
from backprop.runtime.compiled import CompiledNetwork, build
from backprop.specification.network import Network
from backprop.training.prediction import pick_classes

__all__ = ["FFNN"]

BIAS = 0.01
"""Spread of the first biases; that of the first weights is 1."""


class FFNN:
    """A feed-forward network with an estimator's methods.

    Args:
        dimensions: units of every layer, inputs first, such as (2, 4, 1).
        hidden_func, output_func: of `backprop.lecture` (sigmoid, RELU, LRELU, softmax, identity), or a name of the
            catalogue or an expression in x; softmax at the output only.
        cost_func: CostOLS, CostLogReg (sigmoid output) or CostCrossEntropy (softmax or sigmoid output).
        seed: of the first weights and of the dealing of rows; None: another one each time.

    Mini-batches are dealt without replacement, anew in every epoch. `network` is what the generated functions belong to
    (`network.source` prints them), `theta` the parameters, `weights` a matrix for each layer with b as its first row.

    Errors: UsageError with what, got, where and what to do.

    Source: lecture items 10 and 14.

    >>> from backprop.lecture import Adam, CostLogReg
    >>> X, xor = np.array([[0.0, 0], [0, 1], [1, 0], [1, 1]]), np.array([[0], [1], [1], [0]])
    >>> model = FFNN((2, 4, 1), output_func=sigmoid, cost_func=CostLogReg, seed=1)
    >>> scores = model.fit(X, xor, Adam(eta=0.1, rho=0.9, rho2=0.999), epochs=200)
    >>> model.predict(X).T
    array([[0, 1, 1, 0]])
    """

    def __init__(
        self,
        dimensions: Sequence[int],
        hidden_func: Any = sigmoid,
        output_func: Any = identity,
        cost_func: LectureCost = CostOLS,
        seed: int | None = None,
    ) -> None:
        if not isinstance(cost_func, LectureCost):
            raise UsageError(f"cost_func must be CostOLS, CostLogReg or CostCrossEntropy, got {cost_func!r:.60}")
        self.cost_func = cost_func
        self.seed = None if seed is None else as_whole("seed", seed, least=0)
        names = name_of(hidden_func, "hidden_func"), name_of(output_func, "output_func")
        self._parts = dimensions, *names, cost_func.stated
        self.network = build(Network.parse(*self._parts))
        self.factor = float(cost_func.factor(self.network.network.outputs))
        self.reset_weights()
        self.set_classification()

    def reset_weights(self) -> None:
        """Draw first weights (normal, spread 1) and small biases; by the seed always the same."""
        self._rng = np.random.default_rng(self.seed)
        self.theta = self._rng.normal(size=self.network.size)
        for _, b in self.network.views(self.theta):
            np.multiply(b, BIAS, out=b)

    def set_classification(self) -> None:
        """Targets are classes where the cost is one of classes: `predict` then names them."""
        self.classification = self.cost_func.classes

    @property
    def weights(self) -> list[Array]:
        """One matrix a layer, (1 + inputs, outputs), copied: b first, W under it."""
        return [np.vstack([b, W]) for W, b in self.network.views(self.theta)]

    def feedforward(self, X: ArrayLike) -> Array:
        """The outputs, (n, M_L)."""
        return self.network.forward(self.theta, as_rows(X, "X"))

    def predict(self, X: ArrayLike, *, threshold: float = 0.5) -> Array:
        """The outputs; of a classification 1 where an output is above the threshold and 0 elsewhere."""
        outputs = self.feedforward(X)
        return np.where(outputs > threshold, 1, 0) if self.classification else outputs

    def fit(
        self,
        X: ArrayLike,
        t: ArrayLike,
        scheduler: Scheduler,
        batches: int = 1,
        epochs: int = 100,
        lam: float = 0,
        X_val: ArrayLike | None = None,
        t_val: ArrayLike | None = None,
    ) -> dict[str, Array]:
        """Train from the present weights on, and return the curves, one number an epoch.

        Args:
            scheduler: a copy of it works, and is reset after every epoch.
            batches: how many parts the rows are dealt into for an epoch; each part is one step.
            lam: penalty (lam/2) Σ w² on the weights, not on biases; costs are reported without it.
            X_val, t_val: rows that are judged only.

        Returns:
            "train_errors", and where they mean something "val_errors", "train_accs", "val_accs".
        """
        data = {"train": self._check(X, t)}
        if (X_val is None) != (t_val is None):
            raise UsageError("X_val and t_val belong together: give both or none")
        if X_val is not None and t_val is not None:
            data["val"] = self._check(X_val, t_val)
        parts = as_whole("batches", batches)
        if parts > len(data["train"][0]):
            raise UsageError(f"batches is their number; {len(data['train'][0])} rows cannot be dealt into {parts}")
        net, rule = self._penalise(lam), copy_scheduler(scheduler)
        curves = [self._run_epoch(net, rule, parts, data) for _ in range(as_whole("epochs", epochs))]
        return {name: np.array([point[name] for point in curves]) for name in curves[0]}

    def _run_epoch(
        self, net: CompiledNetwork, rule: Scheduler, parts: int, data: dict[str, tuple[Array, Array]]
    ) -> dict[str, float]:
        """Every row once, a step for each part; then all that is judged."""
        X, t = data["train"]
        for rows in np.array_split(self._rng.permutation(len(X)), parts):
            gradient = net.gradient(self.theta, X[rows], t[rows])
            self.theta = self.theta - rule.update_change(self.factor * gradient)
        rule.reset()
        return {f"{which}_{name}": value for which, pair in data.items() for name, value in self._judge(*pair).items()}

    def _check(self, X: ArrayLike, t: ArrayLike) -> tuple[Array, Array]:
        """Rows that fit the network."""
        pair = as_rows(X, "X"), as_rows(t, "t")
        self.network.admit(self.theta, *pair)
        return pair

    def _penalise(self, lam: float) -> CompiledNetwork:
        """The network with the penalty in its cost; divided by the factor that its gradient is multiplied by."""
        if not is_number(lam) or lam < 0:
            raise UsageError(f"lam must be a number >= 0, got {lam!r:.60}")
        return build(Network.parse(*self._parts, l2=lam / self.factor)) if lam else self.network

    def _judge(self, X: Array, t: Array) -> dict[str, float]:
        """Cost without penalty, and the share of rows whose class is right."""
        errors = {"errors": self.factor * float(self.network.cost(self.theta, X, t))}
        if self.classification:
            errors["accs"] = float(np.mean(pick_classes(self.feedforward(X)) == pick_classes(t)))
        return errors


def copy_scheduler(scheduler: Any) -> Any:
    """A fresh one of the same kind: that of the caller keeps no memory of this run."""
    if isinstance(scheduler, type) or not all(
        callable(getattr(scheduler, name, None)) for name in ("update_change", "reset")
    ):
        raise UsageError(
            f"scheduler must have update_change and reset, got {scheduler!r:.60}; write Adam(0.1, 0.9, 0.999)"
        )
    return deepcopy(scheduler)
