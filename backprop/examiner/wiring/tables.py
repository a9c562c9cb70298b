"""Random tables: what an elementary function becomes in the exact check, an arbitrary value per argument."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from backprop.examiner.wiring.field import Degree, ScalarDual, pack

__all__ = ["RowTable", "Table", "TableError"]


class TableError(ValueError):
    """The source reached a derivative that its table does not state."""


class Table:
    """An arbitrary function: an independent random value for every distinct argument, remembered."""

    def __init__(self, name: str, derivative: str | None, space: Mapping[str, Any], fresh: Callable[[], Any]):
        self.name = name
        self._derivative = derivative
        self._space = space
        self._fresh = fresh
        self._known: dict[Any, Any] = {}
        self.degree = 0

    @property
    def arguments(self) -> int:
        """How many distinct arguments were met."""
        return len(self._known)

    def __call__(self, x: Any) -> Any:
        array = np.asanyarray(x, dtype=object)
        flat = list(array.flat)
        dual = any(type(v) is ScalarDual for v in flat)
        out = self._differentiate(flat) if dual else [self._look_up(v) for v in flat]
        return pack(out, array.shape).view(type(array)) if array.ndim else out[0]

    def _look_up(self, argument: Any) -> Any:
        if type(argument) is Degree:
            self.degree = max(self.degree, argument.top + argument.pool.weigh(argument.mask))
            return self._fresh()
        key = int(argument)
        if key not in self._known:
            self._known[key] = self._fresh()
        return self._known[key]

    def _differentiate(self, flat: list[Any]) -> list[Any]:
        if self._derivative is None:
            raise TableError(f"the cost differentiates {self.name!r}, but TABLE states no derivative of it")
        values = [v.value if type(v) is ScalarDual else v for v in flat]
        rates = self._space[self._derivative](pack(values, (len(values),)))
        known = [(x, self._look_up(v), r) for x, v, r in zip(flat, values, rates, strict=True)]
        return [ScalarDual(v, r * x.slope) if type(x) is ScalarDual else v for x, v, r in known]


class RowTable(Table):
    """An arbitrary value for every row, of shape (n, 1), with an arbitrary derivative: it must cancel."""

    def __init__(self, name: str, fresh: Callable[[], Any]) -> None:
        super().__init__(name, None, {}, fresh)

    def __call__(self, x: Any) -> Any:
        rows = np.asarray(x, dtype=object)
        values = [[v.value if type(v) is ScalarDual else v for v in row] for row in rows.reshape(-1, rows.shape[-1])]
        dual = any(type(v) is ScalarDual for v in rows.flat)
        out = [ScalarDual(self._row(row), self._fresh()) if dual else self._row(row) for row in values]
        return pack(out, (*rows.shape[:-1], 1))

    def _row(self, row: list[Any]) -> Any:
        if type(row[0]) is Degree:
            self.degree = max([self.degree, *(v.top + v.pool.weigh(v.mask) for v in row)])
            return self._fresh()
        key = tuple(int(v) for v in row)
        if key not in self._known:
            self._known[key] = self._fresh()
        return self._known[key]
