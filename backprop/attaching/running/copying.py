"""Copies of everything that names lead to, functions that hold values of other functions as well."""

from __future__ import annotations

import contextlib
import copy
import types
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from backprop.attaching.running.leaves import has_cells

__all__ = ["copy_names"]

LARGE = 2_000_000
"""Arrays with more entries are shared between runs, not copied: data of that size are not written into."""


def copy_names(
    local: Mapping[str, Any] | None, shared: Mapping[str, Any]
) -> tuple[dict[str, Any] | None, dict[str, Any]]:
    """Deep copies; what cannot be copied stays what it is."""
    memo: dict[int, Any] = {}
    for value in [*(local or {}).values(), *shared.values()]:
        if isinstance(value, np.ndarray) and value.size > LARGE:
            memo[id(value)] = value

    def one(value: Any) -> Any:
        try:
            return copy.deepcopy(value, memo)
        except Exception:  # generators, files, tensors inside a graph, anything with a lock
            return value

    with copying_functions():
        mine = None if local is None else {name: one(value) for name, value in local.items()}
        return mine, {name: one(value) for name, value in shared.items()}


@contextlib.contextmanager
def copying_functions() -> Iterator[None]:
    """Deep copies of functions that hold values of the functions around them hold copies of these."""
    table: dict[Any, Any] = copy._deepcopy_dispatch  # type: ignore[attr-defined]
    before = table[types.FunctionType]
    table[types.FunctionType] = _copy_function
    try:
        yield
    finally:
        table[types.FunctionType] = before


def _copy_function(function: types.FunctionType, memo: dict[int, Any]) -> types.FunctionType:
    if not has_cells(function):
        return function
    cells = tuple(memo.setdefault(id(cell), types.CellType()) for cell in function.__closure__ or ())
    code, names = function.__code__, function.__globals__
    made = types.FunctionType(code, names, function.__name__, function.__defaults__, cells)
    made.__kwdefaults__, made.__qualname__ = function.__kwdefaults__, function.__qualname__
    made.__dict__.update(function.__dict__)
    memo[id(function)] = made
    for cell, new in zip(function.__closure__ or (), cells, strict=True):
        with contextlib.suppress(ValueError):  # one that is not bound yet
            new.cell_contents = copy.deepcopy(cell.cell_contents, memo)
    return made
