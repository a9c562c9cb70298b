"""The output weights: least squares, then towards the smallest largest error."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import numpy as np
import scipy.linalg

from backprop.approximation.target import Floats

__all__ = ["Projection", "project", "project_each", "solve", "solve_minimax"]


def solve(features: Floats, y: Floats, cutoff: float) -> Floats | None:
    """Return the weights c that minimise ||features c - y||, or None where that fails.

    Directions weaker than `cutoff` times the strongest are left out, which keeps c small.
    """
    if not np.all(np.isfinite(features)):
        return None
    try:
        solution = scipy.linalg.lstsq(features, y, cond=cutoff, lapack_driver="gelsy", check_finite=False)[0]
    except (np.linalg.LinAlgError, ValueError):
        return None
    return cast("Floats", solution) if np.all(np.isfinite(solution)) else None


class Projection:
    """The least-squares problem for one feature matrix: an orthonormal basis of its range, and c.

    With features = U S V^T, cut off: c = V S^-1 U^T y and the residual is y - U U^T y.
    """

    def __init__(self, basis: Floats, back: Floats) -> None:
        self.basis = basis
        self._back = back

    def weigh(self, y: Floats) -> Floats:
        """Return c."""
        return self._back @ (self.basis.T @ y)

    def remove(self, columns: Floats) -> Floats:
        """Return what of each column the features cannot express."""
        return columns - self.basis @ (self.basis.T @ columns)

    def lift(self, coordinates: Floats) -> Floats:
        """Return c for given coordinates in the basis."""
        return self._back @ coordinates


def project(features: Floats, cutoff: float) -> Projection | None:
    """Decompose a feature matrix; None where it has entries that are not finite."""
    return next(iter(project_each(features, (cutoff,))), None)


def project_each(features: Floats, cutoffs: Sequence[float]) -> list[Projection]:
    """Decompose a feature matrix once and cut it off at several levels; empty where it is not finite."""
    if not np.all(np.isfinite(features)):
        return []
    try:
        u, s, vt = scipy.linalg.svd(features, full_matrices=False, check_finite=False)
    except np.linalg.LinAlgError:
        return []
    kept = [s > cutoff * s[0] for cutoff in cutoffs]
    return [Projection(u[:, strong], vt[strong].T / s[strong]) for strong in kept]


def solve_minimax(projection: Projection, y: Floats, rounds: int) -> Floats:
    """Lower the largest residual by reweighted least squares, and return the best c met.

        omega_i <- omega_i |r_i| / sum       then minimise sum_i omega_i r_i^2

    Source: C. L. Lawson, Contributions to the theory of linear least maximum approximation (1961).
    """
    basis = projection.basis
    best = coordinates = basis.T @ y
    residual = np.abs(basis @ coordinates - y)
    lowest = np.max(residual)
    weights = np.full(len(y), 1 / len(y))
    for _ in range(rounds):
        weights = weights * residual
        total = np.sum(weights)
        if not total > 0:
            break
        weights /= total
        root = np.sqrt(weights)
        coordinates = scipy.linalg.lstsq(basis * root[:, None], y * root, lapack_driver="gelsy")[0]
        residual = np.abs(basis @ coordinates - y)
        if np.max(residual) < lowest:
            lowest, best = np.max(residual), coordinates
    return projection.lift(best)
