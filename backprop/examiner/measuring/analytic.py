"""Analytic oracles: complex step and dual numbers, where the subject's own cost carries them."""

from __future__ import annotations

import textwrap
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backprop.examiner.measuring.cases import Array, Case
from backprop.examiner.measuring.duals import DualNumber, dual_array
from backprop.examiner.subject.protocol.subjects import Unusable

__all__ = ["METHODS", "Analytic"]

COMPLEX_STEP = 1e-30
DUAL_BUDGET = 2_000
"""Parameters × rows up to which dual numbers are tried: each is a Python object."""


class Analytic(ABC):
    """A way to get a derivative along a line from one evaluation, without a step size."""

    name: str

    @abstractmethod
    def decline(self, case: Case) -> str | None:
        """Say why it cannot be used for a cost; None if it can be tried."""

    @abstractmethod
    def differentiate(self, case: Case, tensor: int, direction: Array) -> float:
        """The derivative; raises `Unusable` where the cost does not carry it."""

    def differentiate_each(self, case: Case, tensor: int, directions: Sequence[Array]) -> list[float]:
        """The derivatives along several directions; raises as for one."""
        return [self.differentiate(case, tensor, direction) for direction in directions]


class ComplexStep(Analytic):
    """Im C(θ + ih u)/h with h = 1e-30: no subtraction, so no cancellation."""

    name = "complex step"

    def decline(self, case: Case) -> str | None:
        try:
            carried = isinstance(evaluate(case, [v + 0j for v in case.values]), complex)
        except (Unusable, TypeError) as error:
            return f"the cost takes no complex numbers ({_shorten(error, case)})"
        return None if carried else "the cost drops the imaginary part, as float(...) and abs do"

    def differentiate(self, case: Case, tensor: int, direction: Array) -> float:
        value = case.cost(self._move(case, tensor, direction))
        if not isinstance(value, complex):
            raise Unusable("the cost drops the imaginary part")
        return value.imag / COMPLEX_STEP

    def differentiate_each(self, case: Case, tensor: int, directions: Sequence[Array]) -> list[float]:
        found = case.costs_at_once([self._move(case, tensor, direction) for direction in directions])
        if found is None or not all(isinstance(value, complex) for value in found):
            return super().differentiate_each(case, tensor, directions)
        return [value.imag / COMPLEX_STEP for value in found]

    def _move(self, case: Case, tensor: int, direction: Array) -> list[NDArray[Any]]:
        values: list[NDArray[Any]] = list(case.values)
        values[tensor] = values[tensor] + COMPLEX_STEP * 1j * direction
        return values


class DualNumbers(Analytic):
    """C(θ + ε u) on arrays of dual numbers: also where a cost takes `abs` or compares."""

    name = "dual numbers"

    def decline(self, case: Case) -> str | None:
        work = sum(v.size for v in case.values) * max(case.rows or 1, 1)
        if work > DUAL_BUDGET:
            return f"parameters times rows are {work:,}, more than {DUAL_BUDGET:,}"
        try:
            carried = evaluate(case, [dual_array(v, np.zeros_like(v)) for v in case.values])
        except (Unusable, TypeError) as error:
            return f"the cost takes no dual numbers ({_shorten(error, case)})"
        return None if isinstance(carried, DualNumber) else "the cost drops the slope"

    def differentiate(self, case: Case, tensor: int, direction: Array) -> float:
        values: list[NDArray[Any]] = list(case.values)
        values[tensor] = dual_array(values[tensor], direction)
        value = case.cost(values)
        # A cost that does not depend on this tensor gives a plain number.
        return float(value.slope) if isinstance(value, DualNumber) else 0.0


METHODS: tuple[Analytic, ...] = (ComplexStep(), DualNumbers())
"""In the order in which they are tried."""


def evaluate(case: Case, values: list[NDArray[Any]]) -> Any:
    """One try, after which the case calls its cost as it did before."""
    shares = case.shares
    try:
        return case.cost(values)
    finally:
        case.shares = shares


def _shorten(error: Exception, case: Case) -> str:
    """The complaint without the name of the subject."""
    return textwrap.shorten(str(error).removeprefix(f"{case.subject.label}: "), 160, placeholder=" …")
