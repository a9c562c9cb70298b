"""The output weights: least squares, then towards the smallest largest error."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import numpy as np
import scipy.linalg
import scipy.optimize

from backprop.approximation.ground.target import Floats

__all__ = ["Projection", "list_peaks", "project", "project_each", "solve", "solve_minimax", "solve_minimax_exactly"]

EXCHANGES = 40
SETTLED = 1e-9
"""The largest residual is this near, relatively, to that of the linear programme when no row need be added."""


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


def solve_minimax_exactly(basis: Floats, y: Floats) -> Floats:
    """Minimise the largest residual by a linear programme on few rows; rows are added where the residual peaks.

        min e   with   -e <= (basis c - y)_i <= e   for the rows i taken so far

    Shapes: basis (m, n), few columns; y (m,); returns c (n,). Unlike an exchange of exactly n + 1 points it does not
    stall where the best c leaves the residual with more peaks than that (a symmetric target).

    Source: E. Cheney, Introduction to Approximation Theory (1966), chapter 2 (the linear programme).

    >>> x = np.linspace(-1, 1, 201)
    >>> np.round(solve_minimax_exactly(np.vander(x, 2), x**2), 6) + 0.0
    array([0. , 0.5])
    """
    best = np.asarray(np.linalg.lstsq(basis, y, rcond=None)[0], dtype=np.float64)
    rest = y - basis @ best
    lowest = size = float(np.max(np.abs(rest)))
    lengths = np.max(np.abs(basis), axis=0)
    columns, start = basis / lengths, best
    rows = np.unique(np.linspace(0, len(y) - 1, 8 * (basis.shape[1] + 1)).astype(int))
    for _ in range(EXCHANGES if size > 0 else 0):
        step, level = _solve_programme(columns[rows], rest[rows] / size)
        residual = rest - columns @ step * size
        worst = float(np.max(np.abs(residual)))
        if worst < lowest:
            lowest, best = worst, start + step * size / lengths
        if worst <= level * size * (1 + SETTLED):
            break
        rows = np.union1d(rows, list_peaks(residual, level * size))
    return best


def _solve_programme(columns: Floats, y: Floats) -> tuple[Floats, float]:
    """The linear programme on all rows given: (c, e)."""
    count, size = columns.shape
    ones = np.ones((count, 1))
    found = scipy.optimize.linprog(
        np.append(np.zeros(size), 1.0),
        A_ub=np.block([[columns, -ones], [-columns, -ones]]),
        b_ub=np.concatenate([y, -y]),
        bounds=[(None, None)] * size + [(0, None)],
    )
    return (found.x[:-1], float(found.x[-1])) if found.status == 0 else (np.zeros(size), 0.0)


def list_peaks(residual: Floats, least: float) -> list[int]:
    """Where a residual is largest between two changes of its sign, if it is at least so large; signs alternate.

    >>> list_peaks(np.array([1.0, 3.0, 0.1, -2.0, 0.1, 2.0, 2.5]), 0.5)
    [1, 3, 6]
    """
    peaks: list[int] = []
    for place in map(int, np.flatnonzero(np.abs(residual) >= least)):
        if not peaks or residual[place] * residual[peaks[-1]] < 0:
            peaks.append(place)
        elif abs(residual[place]) > abs(residual[peaks[-1]]):
            peaks[-1] = place
    return peaks
