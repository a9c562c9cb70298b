"""scikit-learn's MLPClassifier and MLPRegressor as a network of ours with its weights."""

from __future__ import annotations

from typing import Any

from backprop.arrays import as_whole
from backprop.errors import UsageError
from backprop.frameworks.assembly import Assembly, find_function
from backprop.runtime.saving import Saved

__all__ = ["from_sklearn"]


def from_sklearn(mlp: Any, *, rows: int | None = None, cost: str | None = None) -> Saved:
    """Bring a fitted `MLPClassifier` or `MLPRegressor` along: `.net`, `.theta`, `.state` (empty).

    scikit-learn divides its penalty by the rows of the batch, (alpha/2) Σw² / n: with `rows` = n ours has the same,
    l2 = alpha / n; without it there is none. A classifier of two classes has one sigmoid output.

    Errors: UsageError for what is no fitted MLP.

    >>> import numpy as np
    >>> from sklearn.neural_network import MLPClassifier
    >>> X, y = np.eye(4), np.array([0, 1, 2, 0])
    >>> mlp = MLPClassifier((5,), activation="tanh", solver="lbfgs", alpha=0.1, random_state=0).fit(X, y)
    >>> ours = from_sklearn(mlp, rows=4)
    >>> bool(np.allclose(ours.forward(X), mlp.predict_proba(X), rtol=1e-13))
    True
    """
    if not all(hasattr(mlp, name) for name in ("coefs_", "intercepts_", "activation", "out_activation_")):
        raise UsageError(f"a fitted MLPClassifier or MLPRegressor is needed, got {type(mlp).__name__}; call fit first")
    found, last = Assembly(), len(mlp.coefs_)
    what = f"the {type(mlp).__name__}"
    for number, (W, b) in enumerate(zip(mlp.coefs_, mlp.intercepts_, strict=True), start=1):
        where = f"layer {number} of {what}"
        name = mlp.out_activation_ if number == last else mlp.activation
        found.dense(where, W, b, find_function(where, name, {}))
    l2 = 0.0 if rows is None else float(mlp.alpha) / as_whole("rows", rows)
    return found.finish(what, cost, None, l2)
