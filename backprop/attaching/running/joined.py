"""Weights with their bias in one matrix, against a column (or row) of equal numbers: read as the two that they are."""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar

import numpy as np

from backprop.attaching.looking.rewriting import Rewritten
from backprop.attaching.running.leaves import NumberLeaf
from backprop.attaching.running.repeating import Iteration
from backprop.attaching.running.replaying import IterationRecorder

__all__ = ["find_finer", "split_joined"]

ASIDE = 0.05
AFTER_FIRST, BEFORE_LAST = ((1, None), (0, 1)), ((0, -1), (-1, None))
"""Where weights and bias stand, from where to where."""


@dataclass
class ProductWatch(IterationRecorder):
    """Sees what each leaf is multiplied by, as a matrix."""

    products: Mapping[int, tuple[int | None, int | None]] = field(default_factory=dict)
    arrays: list[Any] = field(default_factory=list)
    values: dict[int, Any] = field(default_factory=dict)
    found: dict[int, set[tuple[int, int]]] = field(default_factory=dict)
    """For each leaf: (axis, place) of its rows or columns that meet equal numbers, as every product has them."""

    def watch(self, value: Any) -> None:
        super().watch(value)
        self.arrays.append(value)

    def probe(self, site: int, value: Any) -> Any:
        self.values[site] = value
        sides = self.products.get(site, (None, None))
        left, right = (None if one is None else self.values.get(one) for one in sides)
        for k, array in enumerate(self.arrays):
            if right is array:
                self._meet(k, 0, left)
            if left is array:
                self._meet(k, 1, None if right is None else np.transpose(right))
        return super().probe(site, value)

    def _meet(self, k: int, axis: int, rows: Any) -> None:
        known: set[tuple[int, int]] = set()
        if isinstance(rows, np.ndarray) and rows.ndim == 2 and len(rows) > 1:
            equal = np.all(rows == rows[0], axis=0) & (rows[0] != 0)
            known = {(axis, int(place)) for place in np.flatnonzero(equal)}
        self.found[k] = known & self.found.get(k, known)


class Leafy(Protocol):
    """What has parameters."""

    @property
    def leaves(self) -> tuple[NumberLeaf, ...]: ...


Flow = TypeVar("Flow", bound=Leafy)


def find_finer(iteration: Iteration, flow: Flow, find: Callable[[Iteration], Flow | None]) -> tuple[Iteration, Flow]:
    """The iteration and its flow with weights and biases apart, where `find` finds a flow of both; else as they are."""
    joined = split_joined(iteration, flow.leaves)
    finer = find(joined) if joined is not None else None
    if joined is None or finer is None or len(finer.leaves) != 2 * len(flow.leaves):
        return iteration, flow
    return joined, finer


def split_joined(iteration: Iteration, leaves: tuple[NumberLeaf, ...]) -> Iteration | None:
    """The iteration with each of the leaves as two, weights and bias; None unless all of them hold a bias.

    A bias is the first or last row (or column) of a matrix that meets the same number in every sample, whatever the
    parameters are.
    """
    arrays = [leaf.value for leaf in leaves]
    if not all(isinstance(one, np.ndarray) and one.ndim == 2 and min(one.shape) > 0 for one in arrays):
        return None
    own = iteration.like(leaves)
    places = [_find_equal(run) for run in (own, own.beside(ASIDE))]
    both = [places[0].get(k, set()) & places[1].get(k, set()) for k in range(len(leaves))]
    parts: list[NumberLeaf] = []
    for leaf, value, where in zip(leaves, arrays, both, strict=True):
        if len(where) != 1:
            return None
        ((axis, place),) = where
        if place not in (0, value.shape[axis] - 1) or value.shape[axis] < 2:
            return None
        parts += _split(leaf, axis, first=place == 0)
    others = [leaf for leaf in iteration.leaves if leaf.places not in {one.places for one in leaves}]
    return iteration.like([*parts, *others])


def _find_equal(iteration: Iteration) -> dict[int, set[tuple[int, int]]]:
    watch = ProductWatch(held=iteration.held, factor=0.0, products=_list_products(iteration.program.rewritten))
    iteration.run(None, watch)
    return watch.found


def _list_products(rewritten: Rewritten) -> dict[int, tuple[int | None, int | None]]:
    products = dict(rewritten.products)
    for site, arguments in rewritten.calls.items():
        call = rewritten.sites[site].node
        if isinstance(call, ast.Call) and len(arguments) == 2 and ast.unparse(call.func).endswith((".dot", ".matmul")):
            products[site] = arguments[0], arguments[1]
    return products


def _split(leaf: NumberLeaf, axis: int, *, first: bool) -> list[NumberLeaf]:
    """Weights, then bias."""
    return [leaf.part((*((None, None),) * axis, ends)) for ends in (AFTER_FIRST if first else BEFORE_LAST)]
