"""scikit-learn's MLPClassifier and MLPRegressor: their private backward pass against differences of their own loss."""

from __future__ import annotations

import copy
import inspect
import warnings
from typing import Any

import numpy as np

from backprop.errors import UsageError
from backprop.examiner.subject.adapters.batches import give_rows
from backprop.examiner.subject.protocol.subjects import Subject

__all__ = ["subject_from_sklearn"]

KNOWN = (
    ("X", "y", "sample_weight", "activations", "deltas", "coef_grads", "intercept_grads"),
    ("X", "y", "activations", "deltas", "coef_grads", "intercept_grads"),
)
"""The parameters of `_backprop` as of scikit-learn 1.7 (tried with 1.9), and as they were before."""


def subject_from_sklearn(estimator: Any, X: Any, y: Any, *, label: str | None = None) -> Subject:
    """Make a subject of an `MLPClassifier` or `MLPRegressor`: scikit-learn's own gradient is examined.

    Parameters: the estimator, fitted or not (a copy of it is used, fitted for one iteration if need be), and data
    as `fit` takes it. `coefs_` and `intercepts_` are W and b; cost and gradients are the two results of its
    `_backprop`, the L2 penalty `alpha` included. Raises UsageError if the installed scikit-learn has another
    `_backprop` than those known here (the parameters of 1.7 and later, and of the versions before it).

    >>> import backprop
    >>> from sklearn.neural_network import MLPClassifier
    >>> rng = np.random.default_rng(0)
    >>> X, y = rng.normal(size=(40, 3)), np.arange(40) % 3
    >>> subject = backprop.subject_from_sklearn(MLPClassifier((5, 4), activation="tanh", alpha=0.1), X, y)
    >>> backprop.verify(subject).verdict
    'verified'
    """
    return Subject(_ScikitAdapter(estimator, X, y), label or f"scikit-learn {type(estimator).__name__}")


class _ScikitAdapter:
    """A fitted copy of the estimator, with its coefficients put in from outside."""

    def __init__(self, estimator: Any, X: Any, y: Any) -> None:
        self.names = _check_backprop(estimator)
        self.model = _fit_briefly(estimator, X, y)
        inputs, targets = np.asarray(X, dtype=float), np.asarray(y)
        binarizer = getattr(self.model, "_label_binarizer", None)
        targets = np.asarray(targets if binarizer is None else binarizer.transform(targets), dtype=float)
        self.data = give_rows(inputs, targets.reshape(len(inputs), -1))

    def parameters(self, rng: np.random.Generator) -> list[tuple[Any, Any]]:
        """The coefficients and intercepts, a pair for each layer."""
        return [(np.array(W, dtype=float), np.array(b, dtype=float)) for W, b in zip(*self._own(), strict=True)]

    def cost(self, params: Any, X: Any, Y: Any) -> Any:
        """The loss that scikit-learn minimises, penalty included."""
        return self._run(params, X, Y)[0]

    def gradients(self, params: Any, X: Any, Y: Any) -> list[tuple[Any, Any]]:
        """What scikit-learn's backward pass gives."""
        _, weights, biases = self._run(params, X, Y)
        return list(zip(weights, biases, strict=True))

    def forward(self, params: Any, X: Any) -> Any:
        """The activations of the last layer."""
        self._put(params)
        return self.model._forward_pass([X, *[None] * len(params)])[-1]

    def _own(self) -> tuple[list[Any], list[Any]]:
        return self.model.coefs_, self.model.intercepts_

    def _put(self, params: Any) -> None:
        self.model.coefs_ = [np.array(W) for W, _ in params]
        self.model.intercepts_ = [np.array(b) for _, b in params]

    def _run(self, params: Any, X: Any, Y: Any) -> tuple[Any, list[Any], list[Any]]:
        self._put(params)
        depth = len(params)
        given = {
            "X": X,
            "y": Y,
            "sample_weight": None,
            "activations": [X, *[None] * depth],
            "deltas": [None] * depth,
            "coef_grads": [None] * depth,
            "intercept_grads": [None] * depth,
        }
        loss, weights, biases = self.model._backprop(**{name: given[name] for name in self.names})
        return loss, list(weights), list(biases)


def _check_backprop(estimator: Any) -> tuple[str, ...]:
    """The parameters of its `_backprop`, if they are known."""
    import sklearn

    method = getattr(estimator, "_backprop", None)
    if method is None:
        raise UsageError(f"{type(estimator).__name__} has no _backprop; give an MLPClassifier or MLPRegressor")
    names = tuple(inspect.signature(method).parameters)
    if names not in KNOWN:
        raise UsageError(
            f"scikit-learn {sklearn.__version__} has another _backprop({', '.join(names)}) than those known here "
            "(1.9 was tried); use one of those, or write cost and gradients as functions"
        )
    return names


def _fit_briefly(estimator: Any, X: Any, y: Any) -> Any:
    if hasattr(estimator, "coefs_"):
        return copy.deepcopy(estimator)
    from sklearn.base import clone

    with warnings.catch_warnings():
        # One iteration does not converge, and need not.
        warnings.simplefilter("ignore")
        return clone(estimator).set_params(max_iter=1, early_stopping=False).fit(X, y)
