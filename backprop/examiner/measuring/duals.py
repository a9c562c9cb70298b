"""Dual numbers as objects: a subject's NumPy code carries them through its cost in arrays of objects."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["DualNumber", "dual_array"]

STEP = 1e-30


def _compare(relation: Callable[[Any, Any], Any]) -> Callable[[DualNumber, Any], bool]:
    return lambda number, other: bool(relation(number.value, _value(other)))


class DualNumber:
    """value + slope·ε with ε² = 0, on floating-point numbers.

    Arithmetic is that of polynomials in ε. No derivative of a function is written down: the slope of exp, tanh and
    every other function of NumPy that has a complex form comes from its complex step, Im f(x + ih)/h. Comparisons
    look at the value, so that `abs`, `maximum`, `where` and an `if` take the branch that the cost takes.
    There is no way to a float: a cost that ends in `float(...)` raises TypeError instead of losing the slope.

    >>> x = DualNumber(3.0, 1.0)
    >>> (x * x + 2 / x).slope == 6 - 2 / 9, abs(-x).slope, float(np.round((x**0.5).slope * 12**0.5, 12))
    (True, 1.0, 1.0)
    """

    __slots__ = ("slope", "value")

    def __init__(self, value: float, slope: float) -> None:
        self.value, self.slope = value, slope

    def __getattr__(self, name: str) -> Callable[[], DualNumber]:
        """NumPy applies tanh to an object by calling its method of that name."""
        function = getattr(np, name, None)
        if name.startswith("_") or not isinstance(function, np.ufunc) or function.nin != 1:
            raise AttributeError(f"a dual number has no {name!r}")
        return lambda: self._apply(function)

    def _apply(self, function: Callable[[Any], Any]) -> DualNumber:
        slope = float(function(complex(self.value, STEP)).imag) / STEP
        return DualNumber(float(function(self.value)), slope * self.slope)

    def __add__(self, other: Any) -> Any:
        return _combine(self, other, lambda a, b: a.value + b.value, lambda a, b: a.slope + b.slope)

    def __sub__(self, other: Any) -> Any:
        return _combine(self, other, lambda a, b: a.value - b.value, lambda a, b: a.slope - b.slope)

    def __mul__(self, other: Any) -> Any:
        return _combine(self, other, lambda a, b: a.value * b.value, lambda a, b: a.value * b.slope + a.slope * b.value)

    def __truediv__(self, other: Any) -> Any:
        slope: Rule = lambda a, b: (a.slope - a.value / b.value * b.slope) / b.value  # noqa: E731
        return _combine(self, other, lambda a, b: a.value / b.value, slope)

    def __rsub__(self, other: Any) -> Any:
        return -self + other

    def __rtruediv__(self, other: Any) -> Any:
        return DualNumber(float(other), 0.0) / self

    __radd__, __rmul__ = __add__, __mul__

    def __pow__(self, exponent: Any) -> Any:
        if isinstance(exponent, (int, float, np.integer, np.floating)):
            return self._apply(lambda x: x**exponent)
        return (self.log() * exponent).exp()

    def __rpow__(self, base: Any) -> Any:
        return self._apply(lambda x: base**x)

    def __neg__(self) -> DualNumber:
        return DualNumber(-self.value, -self.slope)

    def __pos__(self) -> DualNumber:
        return self

    def __abs__(self) -> DualNumber:
        return -self if self.value < 0 else self

    def conjugate(self) -> DualNumber:
        """A real number is its own conjugate."""
        return self

    # Comparisons look at the value.
    __lt__, __le__, __gt__, __ge__ = (_compare(one) for one in (operator.lt, operator.le, operator.gt, operator.ge))
    __eq__ = _compare(operator.eq)
    __hash__ = None  # type: ignore[assignment]

    def __bool__(self) -> bool:
        return bool(self.value)


def dual_array(values: NDArray[np.float64], slopes: NDArray[np.float64]) -> NDArray[Any]:
    """Pair two arrays into one array of dual numbers.

    >>> np.sum(np.tanh(dual_array(np.zeros(3), np.array([1.0, 2.0, 4.0])))).slope
    7.0
    """
    out = np.empty(values.shape, dtype=object)
    pairs = zip(values.ravel().tolist(), slopes.ravel().tolist(), strict=True)
    out.ravel()[:] = [DualNumber(value, slope) for value, slope in pairs]
    return out


Rule = Callable[[DualNumber, DualNumber], float]


def _combine(a: DualNumber, other: Any, value: Rule, slope: Rule) -> Any:
    if isinstance(other, np.ndarray):
        return NotImplemented
    b = other if isinstance(other, DualNumber) else DualNumber(float(other), 0.0)
    return DualNumber(value(a, b), slope(a, b))


def _value(other: Any) -> Any:
    return other.value if isinstance(other, DualNumber) else other
