"""The output error measured, not derived: for costs that are not of the table.

With r samples and more units than samples below the output, ∂C/∂W^L = Aᵀ Δ^L and ∂C/∂b^L = 1ᵀ Δ^L are more equations
than Δ^L has entries, so that the oracle's gradient of the output layer alone gives the error that enters the
recursion. Whether the hidden layers are read rightly is then seen in their own gradients: they must agree with the
oracle's.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from backprop.diagnosis.model.evaluate import Array, Values
from backprop.diagnosis.model.layout import NetLayout
from backprop.diagnosis.model.work import Work
from backprop.diagnosis.recognition.answers import Answers
from backprop.diagnosis.recognition.costs import CostFit
from backprop.diagnosis.recognition.hidden import Stack
from backprop.examiner.judging.probes import measure_entries
from backprop.examiner.measuring.cases import Case, slice_case
from backprop.examiner.subject.protocol.subjects import Unusable

__all__ = ["Fit", "Measurement", "fit_errors", "list_measurements"]

WANTED = 3
MOST_SAMPLES = 6
MOST_ENTRIES = 400
"""Of the output layer that are measured, and as many of all hidden layers together."""
CALLS = 8
"""Of the cost for one entry, about."""
HEALTHY = 1e-4
FITS = 1e-6
AGREES = 1e-5


@dataclass
class Measurement:
    """A few samples at one point: the oracle's gradient, all of the output layer and some entries of the others."""

    answers: Answers
    layout: NetLayout
    expected: Values
    places: dict[str, NDArray[np.intp]]
    """Flat positions that were measured in a hidden gradient."""

    @property
    def case(self) -> Case:
        return self.answers.case

    def find_error(self, stack: Stack, *, absolute: bool) -> tuple[Array, float] | None:
        """Δ^L (r, M_L) and the factor λ of a penalty, λ Σ |W| or ½ λ Σ W²; None if no error gives the gradient."""
        batch = self.layout.read_batch(self.case)
        assert batch is not None
        values = self.layout.read_parameters(self.case.values)
        depth = self.layout.depth
        a = stack.below(values, batch[0])
        rows, wanted, weights = a.T, self.expected[f"dW{depth}"], values[f"W{depth}"]
        weights = np.sign(weights) if absolute else weights
        if f"db{depth}" in self.expected:
            rows, wanted = np.vstack([rows, np.ones(len(a))]), np.vstack([wanted, self.expected[f"db{depth}"]])
            weights = np.vstack([weights, np.zeros(weights.shape[1])])
        if not np.isfinite(rows).all():
            return None
        u, s, vt = np.linalg.svd(rows, full_matrices=False)
        if len(s) < len(a) or s[-1] < HEALTHY * s[0]:
            return None
        outside, moved = (x - u @ (u.T @ x) for x in (wanted, weights))
        size, square = float(np.max(np.abs(wanted))), float(np.sum(moved * moved))
        penalty = float(np.sum(outside * moved)) / square if square else 0.0
        penalty = penalty if np.max(np.abs(outside)) > FITS * size else 0.0
        if np.max(np.abs(outside - penalty * moved)) > FITS * size:
            return None
        return vt.T @ ((u.T @ (wanted - penalty * weights)) / s[:, None]), penalty

    def agrees(self, right: Values) -> bool:
        """Whether a program gives the oracle's gradients at every place that was measured."""
        for name, places in self.places.items():
            made, wanted = np.ravel(right[name])[places], self.expected[name]
            if np.max(np.abs(made - wanted), initial=0.0) > AGREES * max(1e-3, float(np.max(np.abs(right[name])))):
                return False
        return True


def list_measurements(cases: Sequence[Case], layout: NetLayout, work: Work) -> list[Measurement]:
    """Up to three sets of samples, of different sizes, on which the output error can be solved for."""
    found: list[Measurement] = []
    most = min(MOST_SAMPLES, layout.sizes[-2])
    size = layout.sizes[-1] * (layout.sizes[-2] + 1)
    if most < 2 or size > MOST_ENTRIES:
        return []
    for count, first in ((most, 0), (max(2, most - 1), 1), (most, most)):
        part = slice_case(cases[0], first, count)
        if part is not None and layout.read_batch(part) is not None and len(np.shape(part.X)) == 2:
            found += [made] if (made := _measure(part, layout, work)) is not None else []
    return found[:WANTED]


def _measure(part: Case, layout: NetLayout, work: Work) -> Measurement | None:
    rng = np.random.default_rng(0)
    leaves: list[Array] = []
    top = {layout.weights[-1], layout.biases[-1]}
    hidden = max(1, len(part.leaves) - len(top))
    for i, leaf in enumerate(part.leaves):
        kept = np.arange(leaf.size)
        if i not in top and leaf.size > MOST_ENTRIES // hidden:
            kept = np.sort(rng.choice(leaf.size, MOST_ENTRIES // hidden, replace=False))
        work.spend(CALLS * len(kept), CALLS * len(kept))
        try:
            numbers = measure_entries(part, i, [tuple(map(int, np.unravel_index(k, leaf.shape))) for k in kept])
        except Unusable:
            return None
        whole = np.full(leaf.size, np.nan)
        whole[kept] = numbers
        leaves.append(whole.reshape(leaf.shape))
    whole_top = {f"dW{layout.depth}", f"db{layout.depth}"}
    expected, places = {}, {}
    for name, array in layout.read_gradients(leaves).items():
        if name in whole_top:
            expected[name] = array
        else:
            places[name] = np.flatnonzero(np.isfinite(array))
            expected[name] = np.ravel(array)[places[name]]
    return Measurement(Answers(part, work), layout, expected, places)


@dataclass(frozen=True)
class Fit:
    """The output error that a stack implies at one measurement, and the penalty, as a cost has it."""

    measurement: Measurement
    error: Array
    cost: CostFit


def fit_errors(measurements: Sequence[Measurement], stack: Stack, *, absolute: bool) -> list[Fit]:
    """A fit for each measurement; empty if a stack cannot explain one of them."""
    fits = []
    for measurement in measurements:
        found = measurement.find_error(stack, absolute=absolute)
        if found is None:
            return []
        error, penalty = found
        layers = measurement.layout.depth
        fits.append(Fit(measurement, error, CostFit(1.0, (penalty,) * layers, (0.0,) * layers, absolute)))
    return fits
