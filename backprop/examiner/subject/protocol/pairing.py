"""Parameters kept as lists by kind, all weights and then all biases: told by their shapes and put into layers."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import TypeAlias

__all__ = ["Item", "follow", "pair_lists"]

Path: TypeAlias = tuple[int | str, ...]
Shape: TypeAlias = tuple[int, ...]
Item: TypeAlias = tuple[Path, Shape]


def pair_lists(items: Sequence[Item]) -> list[list[Item]] | None:
    """The layers of ([W1, W2, …], [b1, b2, …]), in either order or by keys; None for any other nest.

    Every W must take what the one before it gives, and every b must have one entry for each unit of its layer, so that
    two layers (W1, b1), (W2, b2) are not mistaken for two lists.

    >>> pair_lists([((0, 0), (2, 3)), ((0, 1), (3, 1)), ((1, 0), (3,)), ((1, 1), (1,))])[0]
    [((0, 0), (2, 3)), ((1, 0), (3,))]
    >>> pair_lists([((0, 0), (3, 2)), ((0, 1), (3, 1)), ((1, 0), (1, 3)), ((1, 1), (1, 1))]) is None
    True
    """
    if all(len(path) == 1 for path, _ in items):
        return _pair_flat(items)
    keys = list(dict.fromkeys(path[0] for path, _ in items if path))
    if len(keys) != 2 or any(len(path) != 2 for path, _ in items):
        return None
    lists = [[item for item in items if item[0][0] == key] for key in keys]
    if len(lists[0]) != len(lists[1]):
        return None
    for first, second in (lists, lists[::-1]):
        if _fit(first, second):
            return [list(pair) for pair in zip(first, second, strict=True)]
    return None


def _pair_flat(items: Sequence[Item]) -> list[list[Item]] | None:
    """The layers of (W1, W2, …, b1, b2, …)."""
    half = len(items) // 2
    if half < 2 or len(items) % 2:
        return None
    for first, second in ((items[:half], items[half:]), (items[half:], items[:half])):
        if _fit(first, second):
            return [list(pair) for pair in zip(first, second, strict=True)]
    return None


def _fit(first: Sequence[Item], second: Sequence[Item]) -> bool:
    """Whether these are the weights of a network and its biases."""
    if any(len(shape) != 2 for _, shape in first):
        return False
    shapes = [shape for _, shape in (*first, *second)]
    if all(len(shape) == 2 for shape in shapes) and follow(shapes):
        # [(W1,), (W2,)]: layers without a bias.
        return False
    vectors = all(len(shape) <= 1 or 1 in shape for _, shape in second)
    return vectors and _chain([shape for _, shape in first], [math.prod(shape) for _, shape in second])


def follow(weights: Sequence[Shape], *, turned: bool = False, spare: int = 0) -> bool:
    """Whether every weight takes what the one below gives, as (in, out), or `turned` as (out, in).

    `spare` more may enter than come from below: the 1 of a bias that is kept as a row of the weights.

    >>> follow([(2, 3), (3, 1)]), follow([(5, 5), (3, 6)], turned=True, spare=1)
    (True, True)
    """
    pairs = [shape[::-1] if turned else shape for shape in weights]
    return all(above[0] == below[1] + spare for below, above in pairwise(pairs))


def _chain(weights: Sequence[Shape], biases: Sequence[int]) -> bool:
    """Whether the weights follow one another in one of the two ways, each with a bias of its output's size."""
    for turned in (False, True):
        outs = [shape[0] if turned else shape[1] for shape in weights]
        if follow(weights, turned=turned) and outs == list(biases):
            return True
    return False
