"""Activations as functions on arrays, loaded when they are first asked for, and what else a mutant may call."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import cache
from typing import Any, cast

import numpy as np

from backprop.codegen.lowering.load import load
from backprop.codegen.lowering.support import ROW_FUNCTIONS
from backprop.diagnosis.model.activations import CATALOGUE, FURTHER
from backprop.diagnosis.model.evaluate import Array, Function
from backprop.errors import UsageError
from backprop.runtime.activation_functions import activation as load_activation

__all__ = ["LIMITS", "NetFunctions", "load_all", "pair_of", "softmax"]


@cache
def pair_of(name: str) -> tuple[Function, Function] | None:
    """f and f' of a name; None if there is no such function."""
    if not name:
        return None
    try:
        found = load_activation(FURTHER.get(name, name), "fast")
    except UsageError:
        return None
    return cast("tuple[Function, Function]", (found.f, found.f_prime))


def load_all() -> None:
    """Load every activation, where many networks will be recognised."""
    for name in (*CATALOGUE, *FURTHER):
        pair_of(name)


@cache
def row_functions() -> Mapping[str, Function]:
    """softmax and what belongs to it, as generated modules have them."""
    return vars(load("import numpy as np\n\n\n" + "\n\n".join(f.text for f in ROW_FUNCTIONS.values()), "rows"))


LIMITS = (1.0, 0.1, 0.5, 0.01, 5.0, 10.0, 0.25, 2.0, 3.0)
"""At which people cut errors off."""

SPECIAL: dict[str, Callable[[Array], Any]] = {
    "sign": np.sign,
    "absolute": np.abs,
    "rounded": np.round,
    "softmax_columns": lambda z: softmax(z.T).T,
    "softmax_all": lambda z: softmax(z.reshape(1, -1)).reshape(z.shape),
    "winner": lambda a: (a == a.max(axis=1, keepdims=True)).astype(np.float64),
    "keep_pattern": lambda mask: (mask != 0).astype(np.float64),
    "keep_scale": lambda mask: np.asarray(np.max(np.abs(mask))),
    "next_column": lambda y: np.roll(y, 1, axis=1),
    "previous_column": lambda y: np.roll(y, -1, axis=1),
    "reshaped": lambda a: a.reshape(a.shape[::-1]),
    "running_sum": lambda a: np.cumsum(a, axis=1),
    "running_sum_of_all": lambda a: np.cumsum(a).reshape(a.shape),
    "without_first": lambda a: a * (np.arange(a.shape[1]) > 0),
    "without_last": lambda a: a * (np.arange(a.shape[1]) < a.shape[1] - 1),
}
"""What mistakes do to arrays: softmax over the samples or over everything, the largest output of a row as 1, a mask
without its scale or its scale alone, targets of the next or the last class, all entries in the shape of the transpose,
each entry with those before it, a column silenced."""


def softmax(z: Array) -> Array:
    """Of each row of a batch, or of batches one behind the other."""
    return row_functions()["softmax"](z.reshape(-1, z.shape[-1])).reshape(z.shape)


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
    pair = pair_of(name.removesuffix("_prime"))
    if pair is None:
        raise KeyError(name)
    return pair[name.endswith("_prime")]
