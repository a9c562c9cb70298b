"""Activations as functions on arrays, loaded when they are first asked for, and what else a mutant may call."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from typing import cast

import numpy as np

from backprop.codegen.lowering.load import load
from backprop.codegen.lowering.support import ROW_FUNCTIONS
from backprop.diagnosis.model.activations import CATALOGUE, FURTHER
from backprop.diagnosis.model.evaluate import Array, Function
from backprop.errors import UsageError
from backprop.runtime.activation_functions import activation as load_activation

__all__ = ["LIMITS", "NetFunctions", "derivative_of", "function_of"]


@cache
def loaded(name: str) -> tuple[Function, Function] | None:
    """f and f' of a name; None if the expression is not accepted."""
    if not name:
        return None
    try:
        found = load_activation(FURTHER.get(name, name))
    except UsageError:
        return None
    return cast("tuple[Function, Function]", (found.f, found.f_prime))


def function_of(name: str) -> Function | None:
    """f, or None if there is no such function."""
    pair = loaded(name)
    return None if pair is None else pair[0]


def derivative_of(name: str) -> Function | None:
    """f', or None if there is no such function."""
    pair = loaded(name)
    return None if pair is None else pair[1]


@cache
def row_functions() -> Mapping[str, Function]:
    """softmax and what belongs to it, as generated modules have them."""
    return vars(load("import numpy as np\n\n\n" + "\n\n".join(f.text for f in ROW_FUNCTIONS.values()), "rows"))


def softmax_columns(z: Array) -> Array:
    """softmax over the samples instead of the outputs."""
    return np.asarray(row_functions()["softmax"](z.T).T)


def softmax_all(z: Array) -> Array:
    """softmax over everything."""
    return np.asarray(row_functions()["softmax"](z.reshape(1, -1)).reshape(z.shape))


def winner(a: Array) -> Array:
    """1 for the largest output of a row, 0 for the others."""
    return np.asarray(a == a.max(axis=1, keepdims=True), dtype=np.float64)


def keep_pattern(mask: Array) -> Array:
    """A mask without its scale."""
    return np.asarray(mask != 0, dtype=np.float64)


def keep_scale(mask: Array) -> Array:
    """A mask's scale without its pattern."""
    return np.asarray(np.max(np.abs(mask)))


def next_column(y: Array) -> Array:
    """One-hot targets of the next class; the last one's next is the first."""
    return np.roll(y, 1, axis=1)


def previous_column(y: Array) -> Array:
    """One-hot targets of the class before."""
    return np.roll(y, -1, axis=1)


def reshaped(a: Array) -> Array:
    """The entries in their order, in the shape of the transpose."""
    return np.asarray(a.reshape(a.shape[::-1]))


def running_sum(a: Array) -> Array:
    """Each entry with those before it in its row."""
    return np.cumsum(a, axis=1)


def running_sum_of_all(a: Array) -> Array:
    """Each entry with those before it in its row and in all rows before."""
    return np.asarray(np.cumsum(a).reshape(a.shape))


def without_first(a: Array) -> Array:
    """The same without the first column's numbers."""
    return np.asarray(a * (np.arange(a.shape[1]) > 0))


def without_last(a: Array) -> Array:
    """The same without the last column's numbers."""
    return np.asarray(a * (np.arange(a.shape[1]) < a.shape[1] - 1))


LIMITS = (1.0, 0.1, 0.5, 0.01, 5.0, 10.0, 0.25, 2.0, 3.0)
"""At which people cut errors off."""

SPECIAL: dict[str, Function] = {
    "without_first": without_first,
    "without_last": without_last,
    "softmax_columns": softmax_columns,
    "softmax_all": softmax_all,
    "sign": np.sign,
    "absolute": np.abs,
    "rounded": np.round,
    "winner": winner,
    "keep_pattern": keep_pattern,
    "next_column": next_column,
    "previous_column": previous_column,
    "keep_scale": keep_scale,
    "reshaped": reshaped,
    "running_sum": running_sum,
    "running_sum_of_all": running_sum_of_all,
}


class NetFunctions(Mapping[str, Function]):
    """Every function a mutant may call: f1, f1_prime … of the network, and all others by name, loaded when needed."""

    def __init__(self, own: Mapping[str, Function]) -> None:
        self.own = dict(own)

    def __getitem__(self, name: str) -> Function:
        if name not in self.own:
            self.own[name] = find(name)
        return self.own[name]

    def __iter__(self) -> Iterator[str]:
        return iter([*self.own, *(f"{name}_prime" for name in (*CATALOGUE, *FURTHER))])

    def __len__(self) -> int:
        return len(list(iter(self)))


def find(name: str) -> Function:
    """A function by its name in a program."""
    if name in SPECIAL:
        return SPECIAL[name]
    if name.startswith("clip_"):
        limit = LIMITS[int(name.removeprefix("clip_"))]
        return lambda a: np.asarray(np.clip(a, -limit, limit))
    rows = row_functions()
    if name in rows:
        return rows[name]
    bare = name.removesuffix("_prime")
    found = function_of(bare) if bare == name else derivative_of(bare)
    if found is None:
        raise KeyError(name)
    return found
