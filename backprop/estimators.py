"""scikit-learn estimators: the derived and generated network behind `fit`, `predict` and grid search.

Needs scikit-learn (`pip install "backprop-verifier[estimators]"`); nothing else in the package does.
"""

from __future__ import annotations

import functools
import numbers
from collections.abc import Sequence
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from backprop.arrays import as_plain, is_number
from backprop.data import Scaling, measure_scaling, one_hot
from backprop.errors import UsageError
from backprop.runtime.compiled import CompiledNetwork, build
from backprop.specification.layers import Dense, Dropout
from backprop.specification.network import Network
from backprop.training import History, Optimiser, Schedule, fit

try:
    from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
    from sklearn.utils.multiclass import check_classification_targets
    from sklearn.utils.validation import check_is_fitted, check_random_state, validate_data
except ImportError as error:
    raise ImportError('backprop.estimators needs scikit-learn: pip install "backprop-verifier[estimators]"') from error

__all__ = ["BackpropClassifier", "BackpropRegressor"]

Floats = NDArray[np.floating[Any]]
LARGEST_SEED = 2**31 - 1


class _BackpropEstimator(BaseEstimator):
    """What the classifier and the regressor share.

    Args:
        hidden: units of the hidden layers, such as (100, 100); () for a linear model.
        activation: a name or an expression in x, for all hidden layers.
        l2: penalty (l2/2) Σ w² on all weights, part of the cost; biases are free.
        dropout: share of the hidden units that each training step leaves out.
        optimiser, rate, epochs, batch, patience, average: as in `backprop.fit`.
        validation: share of the rows that choose the best epoch; None: the lowest training cost does.
        scale: bring inputs (and the targets of a regression) to mean 0 and spread 1 first, by the training rows;
            constant columns become 0.
        random_state: an integer, a NumPy RandomState, or None.
        progress: show a bar on standard error.
    """

    def __init__(
        self,
        hidden: Sequence[int] = (32,),
        *,
        activation: str = "relu",
        l2: float = 0.0,
        dropout: float = 0.0,
        optimiser: str | Optimiser = "adam",
        rate: float | Schedule | None = 0.01,
        epochs: int = 200,
        batch: int | None = None,
        validation: float | None = None,
        patience: int | None = None,
        average: float | None = None,
        scale: bool = True,
        random_state: Any = None,
        progress: bool = False,
    ) -> None:
        self.hidden = hidden
        self.activation = activation
        self.l2 = l2
        self.dropout = dropout
        self.optimiser = optimiser
        self.rate = rate
        self.epochs = epochs
        self.batch = batch
        self.validation = validation
        self.patience = patience
        self.average = average
        self.scale = scale
        self.random_state = random_state
        self.progress = progress

    def _train(self, X: Floats, Y: Floats, output: str, cost: str) -> None:
        """Build the network for these data and train it."""
        self.scaling_: Scaling | None = measure_scaling(X) if self.scale else None
        sizes = (X.shape[1], *_as_sizes(self.hidden), Y.shape[1])
        for name, value in (("l2", self.l2), ("dropout", self.dropout)):
            if not is_number(value):
                raise UsageError(f"{name} must be a number; got {value!r:.60}")
        if not isinstance(self.activation, str):
            raise UsageError(f"activation must be a name or an expression in x; got {self.activation!r:.60}")
        self.network_ = _build(sizes, self.activation, output, cost, self.l2, self.dropout)
        seed = int(check_random_state(self.random_state).randint(LARGEST_SEED))
        self.history_: History = fit(
            self.network_, self._scale(X), Y.astype(X.dtype), optimiser=self.optimiser, rate=self.rate,
            epochs=self.epochs, batch=self.batch, seed=seed, validation=self.validation, patience=self.patience,
            average=self.average, progress=self.progress,
        )  # fmt: skip
        self.theta_ = self.history_.theta
        self.n_iter_ = len(self.history_.costs) - 1

    def _scale(self, X: Floats) -> Floats:
        return X if self.scaling_ is None else self.scaling_.apply(X)

    def _outputs(self, X: ArrayLike) -> Floats:
        """What the trained network gives for new rows."""
        check_is_fitted(self)
        rows = validate_data(self, _unmask(X, "X"), reset=False, dtype=[np.float64, np.float32])
        outputs: Floats = self.network_.forward(self.theta_, self._scale(rows))
        return outputs

    @property
    def costs_(self) -> tuple[float, ...]:
        """The cost of all training rows at the start and after each epoch, in the unit it was trained in."""
        check_is_fitted(self)
        return self.history_.costs


class BackpropClassifier(ClassifierMixin, _BackpropEstimator):
    """A classifier: softmax outputs, cross-entropy; classes may be any labels.

    After `fit`: `classes_`, `network_` (a CompiledNetwork), `theta_`, `history_`, `costs_`, `n_iter_`, `scaling_`.

    Errors: ValueError for data that scikit-learn refuses, fewer than two classes, or impossible settings.

    Source: lecture items 14 and 17.

    >>> from sklearn.datasets import load_iris
    >>> X, y = load_iris(return_X_y=True)
    >>> bool(BackpropClassifier((8,), epochs=50, random_state=0).fit(X, y).score(X, y) > 0.95)
    True
    """

    def fit(self, X: ArrayLike, y: ArrayLike) -> Self:
        """Train on rows X (n, features) and labels y (n,)."""
        rows, labels = validate_data(self, _unmask(X, "X"), _unmask(y, "y"), dtype=[np.float64, np.float32])
        check_classification_targets(labels)
        self.classes_, numbers_ = np.unique(labels, return_inverse=True)
        if len(self.classes_) < 2:
            raise UsageError(
                f"y holds one class only, {self.classes_[0]}: a classifier needs at least two classes to tell apart"
            )
        self._train(rows, one_hot(numbers_, len(self.classes_)), "softmax", "cross-entropy")
        return self

    def predict_proba(self, X: ArrayLike) -> Floats:
        """The probability of each class, (n, classes), in the order of `classes_`."""
        return self._outputs(X)

    def predict(self, X: ArrayLike) -> NDArray[Any]:
        """The class with the largest output for each row."""
        winners = np.argmax(self._outputs(X), axis=1)
        labels: NDArray[Any] = self.classes_[winners]
        return labels


class BackpropRegressor(RegressorMixin, _BackpropEstimator):
    """A regressor with one or several targets: outputs without activation, mean squared error.

    After `fit`: `network_` (a CompiledNetwork), `theta_`, `history_`, `costs_` (of scaled targets, if `scale`),
    `n_iter_`, `scaling_`.

    Errors: ValueError for data that scikit-learn refuses or impossible settings.

    Source: lecture items 14 and 17.

    >>> X = np.linspace(-1, 1, 50)[:, None]
    >>> y = np.sin(3 * X[:, 0])
    >>> model = BackpropRegressor((16,), activation="tanh", epochs=500, random_state=0).fit(X, y)
    >>> bool(model.score(X, y) > 0.99)
    True
    """

    def fit(self, X: ArrayLike, y: ArrayLike) -> Self:
        """Train on rows X (n, features) and numbers y (n,) or (n, targets)."""
        rows, targets = validate_data(
            self, _unmask(X, "X"), _unmask(y, "y"), dtype=[np.float64, np.float32], multi_output=True, y_numeric=True
        )
        self._is_flat = targets.ndim == 1
        columns = targets.reshape(len(rows), -1).astype(np.float64)
        self._target_scaling = measure_scaling(columns) if self.scale else None
        scaled = columns if self._target_scaling is None else self._target_scaling.apply(columns)
        self._train(rows, scaled, "identity", "mse")
        return self

    def predict(self, X: ArrayLike) -> Floats:
        """The value for each row, of y's shape."""
        outputs = self._outputs(X)
        values = outputs if self._target_scaling is None else self._target_scaling.undo(outputs)
        return values[:, 0] if self._is_flat else values

    def __sklearn_tags__(self) -> Any:
        """Several targets at once are fine."""
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags


def _unmask(values: Any, name: str) -> Any:
    """Masked entries are refused, a mask without any goes; all else is scikit-learn's to judge."""
    return as_plain(values, name) if isinstance(values, np.ma.MaskedArray) else values


def _as_sizes(hidden: Sequence[int]) -> tuple[int, ...]:
    if not isinstance(hidden, list | tuple | np.ndarray):
        raise UsageError(f"hidden must be a sequence of layer sizes like (100, 100); got {hidden!r}")
    if not all(isinstance(size, numbers.Integral) and not isinstance(size, bool) for size in hidden):
        raise UsageError(f"hidden must hold whole numbers like (100, 100); got {hidden!r}")
    return tuple(int(size) for size in hidden)


@functools.lru_cache(maxsize=64)
def _build(
    sizes: tuple[int, ...], activation: str, output: str, cost: str, l2: float, dropout: float
) -> CompiledNetwork:
    """A search asks for the same network many times."""
    if not dropout:
        return build(Network.parse(sizes, activation, output, cost, l2=l2))
    hidden = [layer for size in sizes[1:-1] for layer in (Dense(size, activation), Dropout(dropout))]
    return build(Network(sizes[0], *hidden, Dense(sizes[-1], output), cost=cost, l2=l2))
