"""Moves the hidden units: variable projection, the output weights always being the best for them."""

from __future__ import annotations

import numpy as np
import scipy.optimize

from backprop.approximation.ground.hidden import Hidden, Sigma
from backprop.approximation.ground.solving import project
from backprop.approximation.ground.target import Floats

__all__ = ["refine"]

CUTOFF = 1e-7
"""Weaker directions are not used while units move: it keeps the output weights small."""
TINY = 1e-15


def refine(sigma: Sigma, start: Hidden, x: Floats, y: Floats, evaluations: int) -> Hidden:
    """Minimise the residual of the least-squares fit over the hidden weights and biases.

        r(w, b) = y - P y,   P = projection on the span of the features
        dr ~ -(1 - P) [sigma'(w_k x + b_k) c_k x,  sigma'(w_k x + b_k) c_k]      (Kaufman's part)

    by a trust-region Gauss-Newton method. Returns the start where nothing better is found.

    Source: G. Golub, V. Pereyra (1973); L. Kaufman, A variable projection method for solving separable
    nonlinear least squares problems, BIT 15 (1975).
    """
    problem = _Problem(sigma, start.w.shape, x, y)
    try:
        with np.errstate(all="ignore"):  # singular values may be below the range of floats
            found = scipy.optimize.least_squares(
                problem.residual,
                np.concatenate([start.w.ravel(), start.b]),
                jac=problem.jacobian,
                x_scale="jac",
                max_nfev=evaluations,
                ftol=TINY,
                xtol=TINY,
                gtol=TINY,
            )
    except (ValueError, np.linalg.LinAlgError):
        return start  # it walked out of the range of floats
    return sigma.normalise(problem.unpack(found.x))


class _Problem:
    """Residual and Jacobian at a point share one decomposition."""

    def __init__(self, sigma: Sigma, shape: tuple[int, ...], x: Floats, y: Floats) -> None:
        self._sigma, self._shape, self._x, self._y = sigma, shape, x, y
        self._point: Floats | None = None

    def unpack(self, point: Floats) -> Hidden:
        """The hidden layer that a vector holds: all weights, then the biases."""
        width = self._shape[0]
        return Hidden(point[:-width].reshape(self._shape), point[-width:])

    def residual(self, point: Floats) -> Floats:
        """Return r, or something huge where the features are not finite: the method turns back."""
        self._visit(point)
        if self._projection is None:
            return np.full_like(self._y, 1e30)
        return self._projection.remove(self._y)

    def jacobian(self, point: Floats) -> Floats:
        """Return dr/d(w, b), shape (len(x), 2 width), or (d + 1) width for points with d coordinates."""
        self._visit(point)
        if self._projection is None:
            raise ValueError("no derivative here")
        c = self._projection.weigh(self._y)[:-1]
        pull = self._sigma.compute_slopes(self._hidden, self._x) * c
        each = pull[:, :, None] * self._x.reshape(len(self._x), 1, -1)
        return -self._projection.remove(np.hstack([each.reshape(len(self._x), -1), pull]))

    def _visit(self, point: Floats) -> None:
        if self._point is None or not np.array_equal(point, self._point):
            self._point = point.copy()
            self._hidden = self.unpack(self._point)
            self._projection = project(self._sigma.compute_features(self._hidden, self._x), CUTOFF)
